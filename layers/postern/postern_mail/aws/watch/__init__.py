"""What fell through and what the owner is told, on AWS."""
