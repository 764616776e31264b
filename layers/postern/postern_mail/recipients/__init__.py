"""Unknown recipients refused in SMTP: receipt rules of our own that name the addresses that exist.

`addresses` says which they are, `plan` which calls bring the rules there; both are pure. `keep` is
the shell, `ports` what it asks of the world; the real ones are in `aws`.
"""
