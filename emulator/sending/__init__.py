"""SES sending: the SESv2 API over HTTP, refusing what SES refuses, and Maildirs for the rest."""
