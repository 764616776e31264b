"""AWS without boto3: what the way of a message asks for, on the standard library's http.client.

Not wired in: docs/decisions.md says what is missing. The clients have boto3's method names and answers as far as our
adapters use them, so `S3MailStore` and the others take either.
"""
