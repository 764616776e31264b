"""How to set up mail programs with a password from `postern send-as`; docs/send-as.md has the same steps."""

from collections.abc import Mapping, Sequence

STEPS: Mapping[str, Sequence[str]] = {
    "Gmail": (
        'Settings, "See all settings", "Accounts and Import", "Send mail as": "Add another email address".',
        'Name: yours. Email address: ADDRESS. Leave "Treat as an alias" ticked.',
        'SMTP server: SERVER. Port: 587. Username: USER. Password: the one above. "Secured connection using TLS".',
        "Gmail sends a code to ADDRESS, and it comes to you as all its mail does: type it in.",
        'Choose "Reply from the same address the message was sent to".',
    ),
    "Outlook": (
        'Classic Outlook: "File", "Add Account", "Advanced options", "Let me set up my account manually", "IMAP".',
        "Address: ADDRESS. Incoming server, user name and password: those of your own mailbox.",
        "Outgoing server: SERVER. Port: 587. Encryption: STARTTLS.",
        'Then "Account Settings", "More Settings", "Outgoing Server": "My outgoing server requires authentication",'
        ' "Log on using": USER and the password above.',
        "The new Outlook and Outlook on the web send by their own servers only; use another program there.",
    ),
    "Apple Mail": (
        '"Mail", "Settings", "Accounts", your account, "Server Settings", "Outgoing Mail Account":'
        ' "Edit SMTP Server List".',
        'Add one. Host name: SERVER. Port: 587. "Use TLS/SSL". Authentication: password. User name: USER.'
        " Password: the one above.",
        '"Account Information", "Email Address", "Edit Email Addresses": add ADDRESS.',
        "Mail sends both of the account's addresses by the server that is chosen: this one sends as ADDRESS alone, so"
        " make an account of its own for it if you need both.",
    ),
    "Thunderbird": (
        '"Account Settings", "Outgoing Server (SMTP)", "Add". Server name: SERVER. Port: 587.'
        " Connection security: STARTTLS. Authentication: normal password. User name: USER.",
        '"Account Settings", your account, "Manage Identities", "Add". Email address: ADDRESS.'
        " Outgoing server: the new one.",
        "The first message asks for the password: the one above.",
    ),
    "mutt": (
        'set from = "ADDRESS"',
        "set use_envelope_from = yes",
        'set envelope_from_address = "ADDRESS"',
        'set smtp_url = "smtp://USER@SERVER:587/"',
        "set ssl_force_tls = yes",
        'set smtp_pass = "`pass show postern/ADDRESS`"',
    ),
}


def steps(address: str, server: str, user: str, port: int) -> Mapping[str, Sequence[str]]:
    """The steps for each program, with these values filled in. None contains the password."""
    values = {"587": str(port), "ADDRESS": address, "SERVER": server, "USER": user}

    def filled(text: str) -> str:
        for name, value in values.items():
            text = text.replace(name, value)
        return text

    return {program: [filled(one) for one in listed] for program, listed in STEPS.items()}
