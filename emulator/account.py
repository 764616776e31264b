"""The AWS account that the emulator plays."""

ACCOUNT = "123456789012"
REGION = "eu-west-1"
