"""The two tables as a tables file has them: read, checked, compared, changed and written."""
