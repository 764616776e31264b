"""AWS without boto3: the calls that a message needs, on the standard library's http.client.

The clients have boto3's method names and responses as far as our adapters use them, so `S3MailStore` and the others
accept either; `aws.choice` says which.
"""
