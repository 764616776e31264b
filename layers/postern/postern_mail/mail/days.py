"""Days, in seconds, and how long a message is tried."""

A_DAY = 86_400
# After that many hours it is a dead letter. The retry queue's maxReceiveCount hangs on it (template.yaml).
RETRY_HOURS = 36
