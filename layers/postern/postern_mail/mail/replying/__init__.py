"""Replies from the alias: what a person writes to `reply+TOKEN@example.com` goes on to the correspondent whom the token
stands for, in the name of the alias.

`token` makes and knows the addresses, `contact` is the row behind one, `permission` says who may, `outgoing` writes the
header that leaves, with `addressees` and `thread` for its parts, and `leaks` looks for what names the owner.
"""
