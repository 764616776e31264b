"""The account that the emulator stands for."""

ACCOUNT = "123456789012"
REGION = "eu-west-1"
