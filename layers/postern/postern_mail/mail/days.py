"""Days, in seconds."""

A_DAY = 86_400
