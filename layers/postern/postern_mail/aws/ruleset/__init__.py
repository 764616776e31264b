"""The receipt rule set of the stack, on AWS."""
