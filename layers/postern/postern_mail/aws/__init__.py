"""The real implementations of the ports: S3, DynamoDB, SES and CloudWatch. Only this package imports boto3."""
