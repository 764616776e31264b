"""What was overlooked and what the owner is told, on AWS."""
