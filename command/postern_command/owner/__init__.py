"""The owner's values for the parameters of a stack: owner.yaml, which `sam deploy` reads by samconfig.toml.

`parameters` reads what the template asks; `file` reads, judges and writes the values; `sam` is what SAM makes of them.
"""
