"""The credentials of the relay: instances whose Postfix sends through SES's SMTP service.

`smtp_password` derives the password, `rotation` changes it under mail in flight, `smtp_login` tries it on SES, `ports`
is what the rotation needs from outside and `environment` what the stack tells it. The Postfix itself, and the stack,
are in the folder relay/ of the sources. The forwarder needs none of this.
"""
