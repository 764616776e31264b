"""The receipt rules that follow the alias table, on AWS."""
