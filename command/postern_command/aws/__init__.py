"""The command's calls to AWS. Only this package imports boto3."""
