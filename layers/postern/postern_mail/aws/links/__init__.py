"""The door behind signed links, on AWS."""
