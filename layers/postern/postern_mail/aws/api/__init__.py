"""AWS behind the API for password managers (alias_api)."""
