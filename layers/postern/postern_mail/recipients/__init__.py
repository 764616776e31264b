"""Unknown recipients refused in SMTP: receipt rules of our own that name the existing addresses.

`addresses` says which they are, `plan` which calls make the rules match; both are pure. `keep` is the shell, `ports`
what it needs from outside; the real ones are in `aws`.
"""
