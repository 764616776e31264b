"""SES receiving: SMTP, authentication, SES's own headers, the receipt rules and their actions."""
