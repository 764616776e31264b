"""What the command asks of AWS; boto3 is imported nowhere else in it."""
