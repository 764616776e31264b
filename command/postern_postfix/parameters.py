"""What becomes of the parameters of main.cf that decide nothing about addresses.

A parameter that is not here is reported as impossible, so that somebody looks it up.
"""

from .report import Part, changed, impossible, outbound, unneeded

_MAILBOX = "let aliases lead to mailboxes elsewhere; there are none here"
_HELD = "look at what it did; sender rules can HOLD, REJECT, PREPEND, BCC and REDIRECT"
_ROW = "write what it did as rows of the alias table"

# By whole name.
_PARTS = {
    "append_at_myorigin": outbound("completes addresses that programs of the host give"),
    "append_dot_mydomain": outbound("completes addresses that programs of the host give"),
    "body_checks": impossible("mail is not searched for text", _HELD),
    "canonical_maps": impossible("recipients are not renamed", _ROW),
    "content_filter": impossible("there is no filter to pass mail to", _HELD),
    "default_transport": outbound("how the relay sends"),
    "fallback_transport": impossible("there is no local delivery", _MAILBOX),
    "fallback_transport_maps": impossible("there is no local delivery", _MAILBOX),
    "header_checks": impossible("mail is not searched for text", _HELD),
    "inet_interfaces": outbound("there it is loopback-only; SES listens for mail from outside"),
    "inet_protocols": outbound("which addresses the relay uses"),
    "local_recipient_maps": changed("whoever has no row of the alias table is Rejected"),
    "local_transport": unneeded("there is no local delivery"),
    "luser_relay": impossible("it is not read as a catch-all", "add the row @domain with its destination"),
    "mime_header_checks": impossible("mail is not searched for text", _HELD),
    "mydomain": outbound("the host's domain; it was used to read other values"),
    "myhostname": outbound("the host's name; it was used to read other values"),
    "myorigin": outbound("the domain of the host's own senders; it was used to read bare names"),
    "mynetworks": outbound("the relay takes mail from its own host only"),
    "mynetworks_style": outbound("the relay takes mail from its own host only"),
    "nested_header_checks": impossible("mail is not searched for text", _HELD),
    "recipient_bcc_maps": impossible("there are no copies by recipient", "add the address to the alias's destinations"),
    "recipient_canonical_maps": impossible("recipients are not renamed", _ROW),
    "relayhost": outbound("SES as smart host"),
    "relay_recipient_maps": impossible("mail is not relayed to a host behind", _ROW),
    "relay_transport": impossible("mail is not relayed to a host behind", _ROW),
    "relocated_maps": impossible("nobody is told a new address", "forward to it, or leave the address without a row"),
    "sender_bcc_maps": impossible("it is not read", "write it as sender rules: BCC address"),
    "always_bcc": impossible("there is no copy of everything", "every original is kept in the mail bucket for a while"),
    "sender_canonical_maps": outbound("renames senders of the host"),
    "sender_canonical_classes": outbound("renames senders of the host"),
    "smtp_generic_maps": outbound("renames senders of the host"),
    "smtpd_client_event_limit_exceptions": unneeded("SES takes the connections"),
    "smtpd_delay_reject": changed("SES has accepted before anything is asked; all rules see sender and recipient"),
    "smtpd_milters": impossible("there are no milters", _HELD),
    "smtpd_null_access_lookup_key": changed("the null sender's key is <> here"),
    "smtpd_reject_unlisted_recipient": changed("whoever has no row is Rejected, after SES has accepted"),
    "smtpd_restriction_classes": impossible(
        "there are no restriction classes", "write rules with the alias as their scope"
    ),
    "smtpd_sender_login_maps": outbound("only the host's own programs send"),
    "smtpd_tls_security_level": changed("SES offers TLS; to require it set TlsPolicy of the receipt rule"),
    "transport_maps": impossible("each destination goes through SES", _ROW),
    "virtual_transport": impossible("there are no virtual mailboxes", _MAILBOX),
    "virtual_mailbox_domains": impossible("there are no virtual mailboxes", _MAILBOX),
    "virtual_mailbox_maps": impossible("there are no virtual mailboxes", _MAILBOX),
    "alias_database": unneeded("it only names what newaliases builds"),
    "expand_owner_alias": changed(
        "owner- addresses are aliases like any other; who hears of bounces is Postern's affair"
    ),
    "non_smtpd_milters": outbound("filters of what the host sends"),
    "local_header_rewrite_clients": outbound("which headers the relay completes"),
    "masquerade_domains": outbound("renames senders of the host"),
    "masquerade_classes": outbound("renames senders of the host"),
    "masquerade_exceptions": outbound("renames senders of the host"),
    "notify_classes": outbound("what the host's postmaster is told"),
    "smtputf8_enable": outbound("SES has no SMTPUTF8, so the relay has it switched off"),
    "disable_vrfy_command": unneeded("SES speaks SMTP with the world"),
    "strict_rfc821_envelopes": unneeded("SES speaks SMTP with the world"),
    "allow_percent_hack": changed("user%domain is not read as an address"),
    "swap_bangpath": changed("host!user is not read as an address"),
    "allow_min_user": unneeded("rows may begin with a hyphen"),
    "allow_mail_to_commands": unneeded("there are no commands"),
    "allow_mail_to_files": unneeded("there are no files"),
    "biff": unneeded("there are no mailboxes"),
    "compatibility_level": outbound("which defaults the relay has"),
    "double_bounce_sender": outbound("whom the relay's own notices come from"),
    "message_strip_characters": unneeded("bodies stay byte for byte"),
    "body_checks_size_limit": unneeded("mail is not searched for text"),
    "header_size_limit": unneeded("SES has its own limits"),
    "mail_name": unneeded("a name in greetings"),
    "mail_version": unneeded("a name in greetings"),
    "readme_directory": unneeded("where the box keeps its documentation"),
    "html_directory": unneeded("where the box keeps its documentation"),
    "manpage_directory": unneeded("where the box keeps its documentation"),
    "sample_directory": unneeded("where the box keeps its documentation"),
    "setgid_group": outbound("how Postfix is installed"),
    "mail_owner": outbound("how Postfix is installed"),
    "default_privs": unneeded("there are no commands and files"),
    "default_database_type": unneeded("tables are in DynamoDB"),
    "unknown_local_recipient_reject_code": changed("SES has accepted by then: nobody gets a code"),
    "soft_bounce": impossible("nobody can be asked to try again once SES has accepted", "use HOLD in sender rules"),
    "hopcount_limit": unneeded("a loop stamp ends loops"),
    "owner_request_special": unneeded("owner- and -request addresses are aliases like any other"),
    "virtual_alias_expansion_limit": changed("there is no such limit; each destination is one message"),
    "virtual_alias_recursion_limit": changed("the limit is 10 levels"),
    "virtual_alias_address_length_limit": changed("the limit is 320 octets"),
    "local_command_shell": unneeded("there are no commands"),
    "mail_spool_directory": impossible("there are no mailboxes", _MAILBOX),
    "home_mailbox": impossible("there are no mailboxes", _MAILBOX),
    "forward_path": impossible("there are no users with a .forward", "write each as an alias"),
    "require_home_directory": unneeded("there are no users"),
    "recipient_canonical_classes": unneeded("recipients are not renamed"),
    "show_user_unknown_table_name": unneeded("SES speaks SMTP with the world"),
    "line_length_limit": unneeded("SES has its own limits"),
}

# By how the name begins; the first that fits.
_FAMILIES: tuple[tuple[str, Part], ...] = (
    ("smtp_", outbound("how the relay sends")),
    ("lmtp_", impossible("there is no LMTP delivery", _MAILBOX)),
    ("sender_dependent_", outbound("how the relay sends")),
    ("relayhost", outbound("how the relay sends")),
    ("tls_", outbound("how the relay speaks TLS")),
    ("tlsproxy_", unneeded("SES speaks SMTP with the world")),
    ("tlsmgr_", outbound("how the relay speaks TLS")),
    ("maillog_", outbound("where the relay logs")),
    ("syslog_", outbound("where the relay logs")),
    ("default_destination_", outbound("how the relay sends")),
    ("default_delivery_", outbound("how the relay sends")),
    ("default_process_", outbound("how the relay runs")),
    ("bounce_", outbound("how long the relay tries")),
    ("delay_warning_", outbound("what the host's users are told")),
    ("maximal_", outbound("how long the relay tries")),
    ("minimal_", outbound("how long the relay tries")),
    ("queue_", outbound("how long the relay tries")),
    ("qmgr_", outbound("how the relay runs")),
    ("postscreen_", unneeded("SES decides who may connect, by block lists of its own")),
    ("smtpd_tls_", unneeded("SES has its own certificate")),
    ("smtpd_sasl_", outbound("nobody logs in at SES receiving; the host's programs need no password")),
    ("smtpd_helo_required", unneeded("SES asks for what SMTP asks for")),
    ("smtpd_banner", unneeded("SES greets")),
    ("smtpd_proxy_", impossible("there is no filter to pass mail to", _HELD)),
    ("smtpd_client_", unneeded("SES takes the connections")),
    ("smtpd_", unneeded("SES speaks SMTP with the world")),
    ("anvil_", unneeded("SES takes the connections")),
    (
        "postgrey",
        impossible("greylisting needs an answer that says: try again", "SES's spam verdict and quarantine are left"),
    ),
    ("policy_", impossible("there are no policy services", _HELD)),
    ("milter_", impossible("there are no milters", _HELD)),
    ("mailbox_size_limit", unneeded("there are no mailboxes")),
    ("mailbox_delivery_lock", unneeded("there are no mailboxes")),
    ("mailbox_", impossible("there are no mailboxes", _MAILBOX)),
    ("virtual_mailbox_", impossible("there are no virtual mailboxes", _MAILBOX)),
    ("virtual_", unneeded("there are no virtual mailboxes")),
    ("local_", unneeded("there is no local delivery")),
    ("address_verify_", unneeded("nobody is asked whether an address exists")),
    ("access_map_", unneeded("SES has accepted by then: nobody gets a code")),
    ("maps_rbl_", unneeded("SES has accepted by then: nobody gets a code")),
    ("unverified_", unneeded("nobody is asked whether an address exists")),
    ("debug", unneeded("for finding faults of the box")),
    ("dovecot_", impossible("there are no mailboxes", _MAILBOX)),
)
_ENDINGS = ("_directory", "_path", "_reject_code", "_debug")


def judge(name: str) -> Part:
    """What becomes of a parameter that decides nothing about addresses."""
    if name in _PARTS:
        return _PARTS[name]
    for beginning, part in _FAMILIES:
        if name.startswith(beginning):
            return part
    if name.endswith(_ENDINGS):
        return unneeded("how Postfix is installed on the box")
    return impossible(f"{name} is not known here", "look it up in postconf(5): does it change who gets what?")
