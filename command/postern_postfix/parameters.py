"""The verdicts on parameters of main.cf that do not affect addresses.

A parameter that is not here is reported as left behind, so that the owner can look it up.
"""

import re

from .filters import with_a_counterpart
from .report import Part, Verdict, changed, impossible, left_behind, outbound, unneeded

_MAILBOX = "let aliases lead to mailboxes elsewhere; Postern has none"
_HELD = "see what it did; sender rules can HOLD, REJECT, PREPEND, BCC and REDIRECT"
_ROW = "write what it did as rows of the alias table"

# By whole name.
_PARTS = {
    "append_at_myorigin": outbound("completes addresses from the host's own programs"),
    "append_dot_mydomain": outbound("completes addresses from the host's own programs"),
    "body_checks": impossible("mail is not searched for text", _HELD),
    "canonical_maps": impossible("recipients are not renamed", _ROW),
    "content_filter": impossible("there is no content filter to pass mail to", _HELD),
    "default_transport": outbound("how the relay sends"),
    "fallback_transport": impossible("there is no local delivery", _MAILBOX),
    "fallback_transport_maps": impossible("there is no local delivery", _MAILBOX),
    "inet_interfaces": outbound("there it is loopback-only; SES listens for mail from outside"),
    "inet_protocols": outbound("which addresses the relay uses"),
    "local_recipient_maps": changed("a recipient without a row in the alias table is rejected"),
    "local_transport": unneeded("there is no local delivery"),
    "luser_relay": impossible("it is not imported as a catch-all", "add the row @domain with its destination"),
    "mailbox_transport": impossible("there are no mailboxes", _MAILBOX),
    "mailbox_transport_maps": impossible("there are no mailboxes", _MAILBOX),
    "milter_header_checks": impossible("mail is not searched for text", _HELD),
    "mime_header_checks": impossible("mail is not searched for text", _HELD),
    "mydomain": outbound("the host's domain; it was used to read other values"),
    "myhostname": outbound("the host's name; it was used to read other values"),
    "myorigin": outbound("the domain of the host's own senders; it was used to read bare names"),
    "mynetworks": outbound("the relay takes mail from its own host only"),
    "mynetworks_style": outbound("the relay takes mail from its own host only"),
    "nested_header_checks": impossible("mail is not searched for text", _HELD),
    "receive_override_options": changed("virtual(5) and aliases(5) apply regardless"),
    "recipient_bcc_maps": impossible("there are no copies by recipient", "add the address to the alias's destinations"),
    "recipient_canonical_maps": impossible("recipients are not renamed", _ROW),
    "relayhost": outbound("SES as smart host"),
    "relay_recipient_maps": impossible("mail is not relayed to a host behind", _ROW),
    "relay_transport": impossible("mail is not relayed to a host behind", _ROW),
    "relocated_maps": impossible(
        "senders are not told a new address", "forward to it, or leave the address without a row"
    ),
    "sender_bcc_maps": impossible("it is not read", "write it as sender rules: BCC address"),
    "always_bcc": impossible("there is no copy of everything", "every original is kept in the mail bucket for a while"),
    "sender_canonical_maps": outbound("renames senders of the host"),
    "sender_canonical_classes": outbound("renames senders of the host"),
    "smtp_generic_maps": outbound("renames senders of the host"),
    "smtpd_client_event_limit_exceptions": unneeded("SES handles connections"),
    "smtpd_delay_reject": changed("SES accepts before any rule applies; all rules see sender and recipient"),
    "smtpd_milters": impossible("there are no milters", _HELD),
    "smtpd_proxy_filter": impossible("there is no content filter to pass mail to", _HELD),
    "smtpd_null_access_lookup_key": changed("the null sender's key is <> here"),
    "smtpd_reject_unlisted_recipient": changed("a recipient without a row is rejected, after SES has accepted"),
    "smtpd_restriction_classes": impossible(
        "there are no restriction classes", "write rules with the alias as their scope"
    ),
    "smtpd_sender_login_maps": outbound("only the host's own programs send"),
    "smtpd_tls_security_level": changed("SES offers TLS; the parameter InboundTls can require it"),
    "transport_maps": impossible("each destination goes through SES", _ROW),
    "virtual_transport": left_behind("there are no virtual mailboxes", _MAILBOX),
    "alias_database": unneeded("it only names what newaliases builds"),
    "expand_owner_alias": changed("owner- addresses are aliases like any other; Postern handles bounces itself"),
    "non_smtpd_milters": outbound("filters of what the host sends"),
    "local_header_rewrite_clients": outbound("which headers the relay completes"),
    "masquerade_domains": outbound("renames senders of the host"),
    "masquerade_classes": outbound("renames senders of the host"),
    "masquerade_exceptions": outbound("renames senders of the host"),
    "notify_classes": outbound("what the host's postmaster is told"),
    "smtputf8_enable": outbound("SES has no SMTPUTF8, so the relay turns it off"),
    "disable_vrfy_command": unneeded("SES handles SMTP"),
    "strict_rfc821_envelopes": unneeded("SES handles SMTP"),
    "allow_percent_hack": changed("user%domain is not read as an address"),
    "swap_bangpath": changed("host!user is not read as an address"),
    "allow_min_user": unneeded("rows may start with a hyphen"),
    "allow_mail_to_commands": unneeded("there are no commands"),
    "allow_mail_to_files": unneeded("there are no files"),
    "biff": unneeded("there are no mailboxes"),
    "compatibility_level": outbound("which defaults the relay has"),
    "double_bounce_sender": outbound("the sender of the relay's own notices"),
    "message_strip_characters": unneeded("bodies are forwarded byte for byte"),
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
    "unknown_local_recipient_reject_code": changed("SES has already accepted; an answer by mail may tell the sender"),
    "soft_bounce": left_behind(
        "SES has already accepted, so the sender cannot be asked to retry", "use HOLD in sender rules"
    ),
    "hopcount_limit": unneeded("a loop stamp stops loops"),
    "owner_request_special": unneeded("owner- and -request addresses are aliases like any other"),
    "virtual_alias_expansion_limit": changed("there is no such limit; each destination is one message"),
    "virtual_alias_recursion_limit": changed("the limit is 10 levels"),
    "virtual_alias_address_length_limit": changed("the limit is 320 bytes"),
    "local_command_shell": unneeded("there are no commands"),
    "mail_spool_directory": left_behind("there are no mailboxes", _MAILBOX),
    "home_mailbox": left_behind("there are no mailboxes", _MAILBOX),
    "forward_path": left_behind("there are no users with a .forward", "write each as an alias"),
    "require_home_directory": unneeded("there are no users"),
    "recipient_canonical_classes": unneeded("recipients are not renamed"),
    "show_user_unknown_table_name": unneeded("SES handles SMTP"),
    "line_length_limit": unneeded("SES has its own limits"),
}

# By the start of the name; the first match counts.
_FAMILIES: tuple[tuple[str, Part], ...] = (
    ("smtp_", outbound("how the relay sends")),
    ("lmtp_", unneeded("there is no LMTP delivery")),
    ("sender_dependent_", outbound("how the relay sends")),
    ("relayhost", outbound("how the relay sends")),
    ("tls_", outbound("how the relay speaks TLS")),
    ("tlsproxy_", unneeded("SES handles SMTP")),
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
    ("smtpd_sasl_", outbound("SES receiving has no login; the host's programs need no password")),
    ("smtpd_helo_required", unneeded("SES requires what SMTP requires")),
    ("smtpd_banner", unneeded("SES sends the greeting")),
    ("smtpd_proxy_", unneeded("how a filter is contacted")),
    ("smtpd_client_", unneeded("SES handles connections")),
    ("smtpd_", unneeded("SES handles SMTP")),
    ("anvil_", unneeded("SES handles connections")),
    (
        "postgrey",
        left_behind(
            "greylisting needs a temporary rejection, but SES has already accepted the message",
            "use SES's spam verdict and the quarantine",
        ),
    ),
    ("policy_", unneeded("how a policy service is contacted")),
    ("milter_", unneeded("how a milter is contacted")),
    ("mailbox_size_limit", unneeded("there are no mailboxes")),
    ("mailbox_delivery_lock", unneeded("there are no mailboxes")),
    ("mailbox_", left_behind("there are no mailboxes", _MAILBOX)),
    ("virtual_mailbox_", left_behind("there are no virtual mailboxes", _MAILBOX)),
    ("virtual_", unneeded("there are no virtual mailboxes")),
    ("local_", unneeded("there is no local delivery")),
    ("address_verify_", unneeded("Postern does not probe other servers for addresses")),
    ("access_map_", unneeded("SES has already accepted; an answer by mail may tell the sender")),
    ("maps_rbl_", unneeded("SES has already accepted; an answer by mail may tell the sender")),
    ("unverified_", unneeded("Postern does not probe other servers for addresses")),
    ("debug", unneeded("debugging on the box")),
    ("dovecot_", unneeded("there are no mailboxes")),
)
_ENDINGS = ("_directory", "_path", "_reject_code", "_debug")
# Rates, limits and times for any transport of master.cf.
_TRANSPORT = re.compile(
    r".+_(?:(?:initial_)?destination_(?:concurrency|recipient|rate|pass)[a-z_]*|(?:transport_)?rate_delay|time_limit"
    r"|(?:extra_)?recipient_(?:limit|refill_limit|refill_delay)|(?:minimum_)?delivery_slot[a-z_]*)\Z"
)
_FILTERS = ("content_filter", "smtpd_milters", "smtpd_proxy_filter")
_NOTHING = "it does not affect who gets what"
# The other parameters of Postfix 3.7 (postconf -d), and newer ones.
_NAMES = """
2bounce_notice_recipient allow_untrusted_routing alternate_config_directories always_add_missing_headers
application_event_drain_time authorized_flush_users authorized_mailq_users authorized_submit_users
backwards_bounce_logfile_compatibility berkeley_db_create_buffer_size berkeley_db_read_buffer_size
best_mx_transport broken_sasl_auth_clients canonical_classes cleanup_replace_stray_cr_lf cleanup_service_name
command_expansion_filter command_time_limit confirm_delay_cleared connection_cache_protocol_timeout
connection_cache_service_name connection_cache_status_update_time connection_cache_ttl_limit
daemon_table_open_error_is_fatal daemon_timeout default_cache_db_type default_extra_recipient_limit
default_filter_nexthop default_minimum_delivery_slots default_rbl_reply default_recipient_limit
default_recipient_refill_delay default_recipient_refill_limit default_transport_rate_delay default_verp_delimiters
defer_code defer_service_name defer_transports delay_logging_resolution_limit delay_notice_recipient
deliver_lock_attempts deliver_lock_delay detect_8bit_encoding_header disable_dns_lookups
disable_mime_input_processing disable_mime_output_conversion disable_verp_bounces dns_ncache_ttl_fix_enable
dnsblog_reply_delay dnsblog_service_name dnssec_probe dont_remove duplicate_filter_limit
empty_address_default_transport_maps_lookup_key empty_address_local_login_sender_maps_lookup_key
empty_address_recipient empty_address_relayhost_maps_lookup_key enable_idna2003_compatibility
enable_long_queue_ids enable_original_recipient enable_threaded_bounces error_notice_recipient error_service_name
execution_directory_expansion_filter export_environment fast_flush_domains fast_flush_purge_time
fast_flush_refresh_time fault_injection_code flush_service_name force_mime_input_conversion fork_attempts
fork_delay forward_expansion_filter frozen_delivered_to full_name_encoding_charset hash_queue_depth
hash_queue_names header_address_token_limit header_from_format helpful_warnings ignore_mx_lookup_error
import_environment in_flow_delay info_log_address_format initial_destination_concurrency
internal_mail_filter_classes invalid_hostname_reject_code ipc_idle ipc_timeout ipc_ttl known_tcp_ports
lmdb_map_size mail_release_date mail_spool_directory_mode master_service_disable max_idle max_use
message_drop_headers message_reject_characters mime_boundary_length_limit mime_nesting_limit
multi_instance_directories multi_instance_enable multi_instance_group multi_instance_name multi_instance_wrapper
multi_recipient_bounce_reject_code non_fqdn_reject_code openssl_path permit_mx_backup_networks pickup_service_name
pipe_delivery_status_filter postlog_service_name postlogd_watchdog_timeout postmulti_control_commands
postmulti_start_commands postmulti_stop_commands prepend_delivered_header process_id process_name proxy_interfaces
proxy_read_maps proxy_write_maps proxymap_service_name proxywrite_service_name qmqpd_authorized_clients
qmqpd_client_port_logging qmqpd_error_delay qmqpd_timeout rbl_reply_maps reject_code reject_tempfail_action
relay_clientcerts remote_header_rewrite_domain reset_owner_alias resolve_dequoted_address resolve_null_domain
resolve_numeric_domain respectful_logging rewrite_service_name send_cyrus_sasl_authzid sendmail_fix_line_endings
service_control_timeout service_name service_throttle_time showq_service_name smtputf8_autodetect_classes
socketmap_max_reply_size stale_lock_time stress strict_7bit_headers strict_8bitmime strict_8bitmime_body
strict_mailbox_ownership strict_mime_encoding_domain strict_smtputf8 sun_mailtool_compatibility tcp_windowsize
trace_service_name transport_retry_time trigger_timeout undisclosed_recipients_header
unknown_address_tempfail_action unknown_helo_hostname_tempfail_action verp_delimiter_filter
"""
_DECIDE_NOTHING = frozenset(_NAMES.split())


def judge(name: str, value: str) -> Part:
    """The verdict on a parameter that does not affect addresses."""
    part = _by_name(name)
    if part.verdict not in (Verdict.IMPOSSIBLE, Verdict.LEFT_BEHIND):
        return part
    if value in ("", "no"):
        return unneeded("it is turned off")
    known = with_a_counterpart(value) if name in _FILTERS else None
    return left_behind(f"{name}: {known.says}", known.instead) if known else part


def _by_name(name: str) -> Part:
    if name in _PARTS:
        return _PARTS[name]
    for beginning, part in _FAMILIES:
        if name.startswith(beginning):
            return part
    if name in _DECIDE_NOTHING or _TRANSPORT.match(name):
        return unneeded(_NOTHING)
    if name.endswith(_ENDINGS):
        return unneeded("how Postfix is installed on the box")
    return left_behind(f"{name}: not known here", "look it up in postconf(5): does it change who gets what?")
