"""main.cf: what it decides, what it names, and what becomes of the rest."""

from pathlib import Path

import pytest
from postern_mail.mail.settings import Settings
from postern_postfix.report import Verdict

from .box import imported

TAKEN, CHANGED, IMPOSSIBLE = Verdict.TAKEN, Verdict.CHANGED, Verdict.IMPOSSIBLE
UNNEEDED, OUTBOUND, LEFT = Verdict.UNNEEDED, Verdict.OUTBOUND, Verdict.LEFT_BEHIND


@pytest.mark.parametrize(
    ("text", "verdict", "said"),
    [
        ("mydestination = example.com, localhost", TAKEN, "aliases(5) applies there"),
        ("mydestination = example.org", IMPOSSIBLE, "--domain example.org"),
        ("mydestination = hash:/etc/domains", IMPOSSIBLE, "cannot be read"),
        ("mydestination =", UNNEEDED, "no domain"),
        ("virtual_alias_domains = example.com", TAKEN, "only virtual(5) applies there"),
        ("relay_domains = example.org", IMPOSSIBLE, "--domain example.org"),
        ("recipient_delimiter = +", TAKEN, "starts at +"),
        ("recipient_delimiter =", CHANGED, "there were no tags"),
        ("recipient_delimiter = +-", CHANGED, "a tag starts at -, by a pattern"),
        ("recipient_delimiter = -", CHANGED, "a tag starts at -, by a pattern"),
        ("message_size_limit = 10240000", CHANGED, "a lower limit cannot be set"),
        ("message_size_limit = 0", CHANGED, "41943040"),
        ("parent_domain_matches_subdomains = relay_domains", TAKEN, "leading dot"),
        ("propagate_unmatched_extensions = canonical", CHANGED, "keep_tag"),
        ("relayhost = [email-smtp.us-east-1.amazonaws.com]:587", OUTBOUND, "SES as smart host"),
        ("smtp_sasl_auth_enable = yes", OUTBOUND, "how the relay sends"),
        ("content_filter = smtp:[127.0.0.1]:10024", LEFT, "spam and viruses"),
        ("content_filter = dovecot", IMPOSSIBLE, "no content filter"),
        ("content_filter =", UNNEEDED, "turned off"),
        ("smtpd_milters = inet:localhost:8891, unix:/run/clamav-milter.ctl", LEFT, "DKIM"),
        ("smtpd_milters = inet:localhost:8891, unix:/run/mine", IMPOSSIBLE, "no milters"),
        ("milter_default_action = accept", UNNEEDED, "how a milter"),
        ("virtual_mailbox_maps = hash:/etc/x", IMPOSSIBLE, "no such file"),
        ("virtual_mailbox_domains =\nvirtual_mailbox_maps = hash:/etc/x", UNNEEDED, "no domain"),
        ("home_mailbox = Maildir/", LEFT, "no mailboxes"),
        ("mailbox_transport = lmtp:unix:/run/lmtp", IMPOSSIBLE, "no mailboxes"),
        ("recipient_bcc_maps = hash:/etc/x", IMPOSSIBLE, "no copies"),
        ("transport_maps = hash:/etc/x", IMPOSSIBLE, "through SES"),
        ("soft_bounce = no", UNNEEDED, "turned off"),
        ("luser_relay = jane@dest.example", IMPOSSIBLE, "add the row @domain"),
        ("biff = no", UNNEEDED, "no mailboxes"),
        ("broken_sasl_auth_clients = yes", UNNEEDED, "does not affect"),
        ("spf-policy_time_limit = 3600", UNNEEDED, "does not affect"),
        ("no_such_parameter = 1", LEFT, "look it up in postconf(5)"),
        ("not a parameter", IMPOSSIBLE, "Postfix refuses the file"),
        ("myhostname = ${", IMPOSSIBLE, "Postfix refuses its value"),
        ("mydomain = $mydomain", IMPOSSIBLE, "form a loop"),
        ("alias_maps = nis:mail.aliases", IMPOSSIBLE, "type nis are not supported"),
        ("alias_maps = hash:/nowhere", IMPOSSIBLE, "give --root"),
        ("alias_maps =", UNNEEDED, "no table"),
    ],
)
def test_what_becomes_of_a_parameter(text: str, verdict: Verdict, said: str, tmp_path: Path) -> None:
    done = imported(tmp_path, main_cf=text)
    assert done.verdict("main.cf", 1) is verdict
    assert said in done.said("main.cf", 1)


@pytest.mark.parametrize(
    ("text", "verdict", "said"),
    [
        ("permit_mynetworks", OUTBOUND, "through the relay"),
        ("reject_unauth_destination", CHANGED, "receipt rules only"),
        ("reject_unlisted_recipient", CHANGED, "after SES has accepted"),
        ("reject_rbl_client zen.spamhaus.org", CHANGED, "settings set dqs_key -"),
        ("reject_rbl_client zen.spamhaus.org=127.0.0.[2..11]", CHANGED, "in the setting dnsbl_sites"),
        ("reject_rbl_client bl.spamcop.net", CHANGED, "in the setting dnsbl_sites"),
        ("reject_rbl_client bl.other.example", LEFT, "name the codes"),
        ("reject_rbl_client bl.other.example=127.0.0.2", CHANGED, "in the setting dnsbl_sites"),
        ("reject_rhsbl_sender dbl.spamhaus.org", CHANGED, "in the setting rhsbl_sites"),
        ("permit_dnswl_client list.dnswl.org", UNNEEDED, "an allow list with a negative weight"),
        ("check_policy_service inet:127.0.0.1:10023", CHANGED, "holds unauthenticated mail"),
        ("check_policy_service { inet:127.0.0.1:10023, timeout=10s }", CHANGED, "holds unauthenticated mail"),
        ("{ check_policy_service unix:private/policyd-spf }", LEFT, "SPF"),
        ("check_policy_service unix:private/mine", IMPOSSIBLE, "no policy services"),
        ("check_recipient_access hash:/etc/x", IMPOSSIBLE, "no rules by recipient"),
        ("check_client_access cidr:/etc/x", IMPOSSIBLE, "postern block-ip add"),
        ("reject_non_fqdn_sender", CHANGED, "quarantines what Postfix rejected"),
        ("reject_unknown_sender_domain", CHANGED, "quarantines what Postfix rejected"),
        ("reject_unknown_helo_hostname", CHANGED, "never alone"),
        ("reject_unverified_sender", LEFT, "Postern does not check this"),
        ("defer_if_permit", IMPOSSIBLE, "cannot be asked to retry"),
        ("check_helo_access hash:/etc/x", IMPOSSIBLE, "no such rule"),
        ("permit_auth_destination, reject", CHANGED, "never reached"),
        ("my_class", IMPOSSIBLE, "restriction class"),
        ("hash:/etc/x", IMPOSSIBLE, "without check_ before it"),
        ("check_sender_access hash:/nowhere", IMPOSSIBLE, "give --root"),
        ("check_sender_access", IMPOSSIBLE, "names no table"),
        ("", UNNEEDED, "empty list"),
    ],
)
def test_what_becomes_of_a_restriction(text: str, verdict: Verdict, said: str, tmp_path: Path) -> None:
    done = imported(tmp_path, main_cf=f"smtpd_recipient_restrictions = {text}")
    assert done.verdict("main.cf", 1) is verdict
    assert said in done.said("main.cf", 1)


def test_each_restriction_of_a_list_is_told_of(tmp_path: Path) -> None:
    config = "smtpd_recipient_restrictions =\n permit_mynetworks\n# a comment\n , reject_rbl_client a.b reject"
    done = imported(tmp_path, main_cf=config)
    assert [part.verdict for part in done.entry("main.cf", 4).parts] == [OUTBOUND, LEFT, IMPOSSIBLE]


@pytest.mark.parametrize(
    ("text", "everybody"),
    [
        ("check_sender_access hash:/etc/members, reject", True),
        ("permit_mynetworks, check_sender_access hash:/etc/members, reject", True),
        ("check_sender_access hash:/etc/members, reject_unlisted_recipient, reject", True),
        ("check_sender_access hash:/etc/members", False),
        ("check_sender_access hash:/etc/members, permit, reject", False),
        ("check_client_access hash:/etc/hosts, check_sender_access hash:/etc/members, reject", False),
        ("check_sender_access hash:/etc/members, warn_if_reject reject", False),
        ("warn_if_reject check_sender_access hash:/etc/members, reject", False),
        ("check_sender_access pcre:/etc/members, reject", False),
        ("reject", False),
    ],
)
def test_a_map_of_those_who_may_write(text: str, everybody: bool, tmp_path: Path) -> None:
    """Only where every map came along: a sender of one that did not would be refused with the others."""
    files = {"/etc/members": "friend@x.example OK", "/etc/hosts": "x.example OK"}
    done = imported(tmp_path, main_cf=f"smtpd_recipient_restrictions = {text}", files=files)
    assert done.actions.get("*") == ("REJECT" if everybody else None)
    assert ("the sender rule * REJECT" in done.said("main.cf", 1)) == everybody


def test_tables_that_main_cf_names_are_read_under_the_root(tmp_path: Path) -> None:
    config = (
        "alias_maps = $tables/aliases, proxy:hash:/etc/more\nvirtual_alias_maps = pcre:/etc/virtual\ntables = hash:/etc"
    )
    files = {"/etc/aliases": "a: a@dest.example", "/etc/more": "b: b@dest.example\na: x@dest.example"}
    done = imported(tmp_path, main_cf=config, files={**files, "/etc/virtual": r"/^c@example\.com$/ c@dest.example"})
    assert {"a@example.com", "b@example.com", "@example.com"} == done.destinations.keys()
    assert done.destinations["a@example.com"] == ["a@dest.example"]
    assert done.verdict("/etc/more", 2) is CHANGED
    assert done.verdict("main.cf", 3) is UNNEEDED


def test_a_table_that_is_given_is_read_instead(tmp_path: Path) -> None:
    files = {"/etc/aliases": "a: a@dest.example"}
    done = imported(tmp_path, main_cf="alias_maps = hash:/etc/aliases", files=files, aliases="b: b@dest.example")
    assert {"b@example.com"} == done.destinations.keys()
    assert done.verdict("main.cf", 1) is CHANGED


def test_the_last_line_of_a_parameter_counts(tmp_path: Path) -> None:
    done = imported(tmp_path, main_cf="recipient_delimiter = -\nrecipient_delimiter = +")
    assert [done.verdict("main.cf", line) for line in (1, 2)] == [UNNEEDED, TAKEN]


@pytest.mark.parametrize(
    ("config", "style"),
    [
        ("", "true"),
        ("parent_domain_matches_subdomains =", "false"),
        ("parent_domain_matches_subdomains = smtpd_access_maps", "true"),
    ],
)
def test_the_setting_that_the_stack_needs(config: str, style: str, tmp_path: Path) -> None:
    done = imported(tmp_path, main_cf=config)
    assert any(f"ParentDomainMatchesSubdomains={style};" in remark for remark in done.report.remarks)


@pytest.mark.parametrize(
    ("config", "keeps"),
    [
        ("recipient_delimiter = +", True),
        ("", False),
        ("recipient_delimiter = +\npropagate_unmatched_extensions = canonical", False),
    ],
)
def test_a_tag_is_kept_where_postfix_kept_it(config: str, keeps: bool, tmp_path: Path) -> None:
    done = imported(tmp_path, main_cf=config, virtual="info@example.com jane@dest.example")
    assert keeps == ("keep_tag" in done.tables.aliases["info@example.com"])


MASTER_CF = """
smtp      inet  n       -       y       -       -       smtpd
  -o content_filter=scan:[127.0.0.1]:10024
  -o smtpd_sender_restrictions=permit_mynetworks,check_sender_access,hash:/etc/mine
submission inet n       -       y       -       -       smtpd
  -o smtpd_sender_restrictions=reject
cleanup   unix  n       -       y       -       0       cleanup
scan      unix  -       -       n       -       10      smtp
broken
"""


def test_master_cf_is_read_as_far_as_it_changes_restrictions_or_filters(tmp_path: Path) -> None:
    files = {"/given/master.cf": MASTER_CF, "/etc/mine": "a.example REJECT", "/etc/no": "b.example REJECT"}
    done = imported(tmp_path, main_cf="smtpd_sender_restrictions = check_sender_access hash:/etc/no", files=files)
    assert done.actions == {"a.example": "REJECT"}
    assert done.verdict("main.cf", 1) is UNNEEDED
    verdicts = [done.verdict("master.cf", line) for line in (2, 5, 7, 8, 9)]
    assert verdicts == [LEFT, UNNEEDED, UNNEEDED, UNNEEDED, IMPOSSIBLE]
    assert "scans for spam and viruses" in done.said("master.cf", 2)


def test_master_cf_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert any("master.cf was not read" in remark for remark in imported(tmp_path, main_cf="").report.remarks)


def test_a_domain_in_both_lists_has_aliases(tmp_path: Path) -> None:
    """Postfix warns, and takes mydestination."""
    config = "mydestination = example.com\nvirtual_alias_domains = example.com"
    done = imported(tmp_path, main_cf=config, aliases="info: jane@dest.example", virtual="example.com x")
    assert {"info@example.com"} == done.destinations.keys()
    assert done.verdict("virtual", 1) is CHANGED


def test_a_name_of_the_box_is_a_local_name(tmp_path: Path) -> None:
    config = "myhostname = mail.example.com\nmydestination = $myhostname, example.com"
    done = imported(tmp_path, main_cf=config, aliases="a: b@mail.example.com\nb: jane@dest.example")
    assert done.destinations["a@example.com"] == ["b@example.com"]


SCREENING = [
    (
        "postscreen_dnsbl_sites = zen.spamhaus.org*3, bl.x.example=127.0.0.[2..4]*2 list.y.example=127.0.0.2*-1\n"
        "postscreen_dnsbl_threshold = 3\nsmtpd_client_restrictions = reject_rbl_client bl.spamcop.net",
        {
            "dnsbl_sites": "zen.spamhaus.org*3, bl.x.example=127.0.0.[2..4]*2, list.y.example=127.0.0.2*-1, bl.spamcop.net*3",
            "screening_threshold": 3,
        },
    ),
    ("postscreen_dnsbl_sites = bl.unknown.example", {}),
    ("postscreen_dnsbl_sites =", {}),
    (
        "smtpd_client_restrictions = warn_if_reject reject_rbl_client bl.spamcop.net,"
        " warn_if_reject reject_unknown_reverse_client_hostname",
        {"dnsbl_sites": "bl.spamcop.net*0", "reject_unknown_reverse_client_hostname": "tag"},
    ),
    ("smtpd_sender_restrictions = reject_rhsbl_sender dbl.spamhaus.org", {"rhsbl_sites": "dbl.spamhaus.org"}),
    ("smtpd_sender_restrictions = permit, reject_non_fqdn_sender", {}),
]


@pytest.mark.parametrize(("text", "settings"), SCREENING)
def test_what_screens_becomes_settings(text: str, settings: dict[str, object], tmp_path: Path) -> None:
    found = imported(tmp_path, main_cf=text).tables.settings
    assert {name: value for name, value in (found or {}).items() if name != "address"} == settings
    assert Settings.from_row(found)


def test_a_key_in_main_cf_is_neither_taken_nor_shown(tmp_path: Path) -> None:
    key = "abcdef0123456789abcdef01"
    config = f"smtpd_client_restrictions = reject_rbl_client {key}.zen.dq.spamhaus.net=127.0.0.[2..11]\n"
    done = imported(tmp_path, main_cf=f"{config}postscreen_dnsbl_sites = {key}.zen.dq.spamhaus.net*2")
    assert key not in f"{done.tables.settings} {done.said('main.cf', 1)} {done.said('main.cf', 2)}"
    assert "zen.dq.spamhaus.net" in str((done.tables.settings or {})["dnsbl_sites"])
