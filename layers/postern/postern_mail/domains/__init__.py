"""What each mail domain needs of SES and DNS: `wish` reads what is asked for, `plan` decides, `carry_out` acts.

Nothing here takes anything away: no identity and no MX record is ever deleted, whatever becomes of the stack. That is
`postern domain remove`, by a person.
"""
