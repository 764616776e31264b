"""What the core needs from outside: one small protocol for each thing, of one or two methods, grouped by the module
that uses it.

`aws` holds the real implementations; tests/fakes.py the in-memory ones, held to the same contract tests. recipients/
and relay/ have ports of their own.
"""
