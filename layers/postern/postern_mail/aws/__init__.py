"""The real ones: S3, DynamoDB, SES and CloudWatch behind the ports. Only here is boto3 imported."""
