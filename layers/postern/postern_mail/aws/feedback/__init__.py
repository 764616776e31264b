"""What SES says of sendings, written down on AWS."""
