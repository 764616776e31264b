"""Replies from the alias: what a person writes to `reply+TOKEN@example.com` goes out in the name of the alias to the
correspondent that the token stands for.

`token` makes and recognises the addresses, `contact` is the row behind one, `permission` says who may, `outgoing`
writes the outgoing header, with `addressees` and `thread` for its parts, and `leaks` looks for anything that names the
owner.
"""
