"""The relay's credentials, kept on AWS."""
