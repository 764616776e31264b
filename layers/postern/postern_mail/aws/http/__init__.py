"""AWS without boto3: what the way of a message asks for, on the standard library's http.client.

The clients have boto3's method names and answers as far as our adapters use them, so `S3MailStore` and the others take
either; `aws.choice` says which.
"""
