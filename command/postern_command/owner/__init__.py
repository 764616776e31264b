"""The owner's values for the parameters of a stack: owner.yaml, which samconfig.toml names for `sam deploy`.

`parameters` reads the template's parameters; `file` reads, checks and writes the values; `values` says what they mean.
"""
