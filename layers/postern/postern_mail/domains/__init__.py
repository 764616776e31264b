"""What each mail domain needs of SES and DNS: `wish` reads what is asked for, `plan` decides, `carry_out` acts.

Nothing here deletes an identity or an MX record, whatever becomes of the stack. Only a person does, with `postern
domain remove`.
"""
