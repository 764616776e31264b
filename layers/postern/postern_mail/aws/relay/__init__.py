"""The relay's password, kept on AWS."""
