"""The fuzzer: `make fuzz`. Only our own code is watched for new ways; watching the double too is ten times slower."""

import sys

import atheris  # in no other environment than make fuzz's

with atheris.instrument_imports(include=["postern_mail"]):
    from tests.fuzz.rewriting import one_input

atheris.Setup(sys.argv, one_input)
atheris.Fuzz()
