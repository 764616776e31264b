"""Tables files, and changes of the live tables: read, checked, compared and written."""
