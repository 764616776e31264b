"""The function behind signed links, on AWS."""
