"""AWS behind the door for password managers (alias_api)."""
