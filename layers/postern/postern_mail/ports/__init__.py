"""What the core asks of the world: one small protocol for each thing, one or two methods each, by who asks.

`aws` holds the real ones; tests/fakes.py the in-memory ones, held to the same contract tests. recipients/ and
relay/ have ports of their own.
"""
