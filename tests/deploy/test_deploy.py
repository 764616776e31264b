"""The stack from its build to its end, by the commands that a user types: one step after the other.

`make test-deploy`, and not part of `make test`. The first step that fails ends it.
"""

import json
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import pytest
from postern_mail.aws.stack_keys import DQS, LINKS, STAMP, TAGS, stack_keys
from postern_mail.mail.link import Deed

from emulator.sending.refusals import Refusal
from tests.deploy import alias_api, first_day
from tests.deploy.deployed import STACK
from tests.deploy.deployment import ARCHITECTURE, AUTHOR, DOMAIN, OWNER, Deployment
from tests.deploy.doors import lead_elsewhere
from tests.deploy.keys import trials
from tests.password_managers import as_bitwarden_reads, as_the_extension_reads, bitwarden, extension

INFO, NEW, GONE, LATER = (f"{local}@{DOMAIN}" for local in ("info", "new", "gone", "later"))
ROLES = {f"{local}@{DOMAIN}" for local in ("abuse", "postmaster", "postern-test")}
JANE, JOE, BOUNCES = "jane@dest.example", "joe@dest.example", "bounce@dest.example"
TWENTY = [DOMAIN, *(f"domain{number}.example" for number in range(1, 20))]
ADOPTED, FOREIGN = TWENTY[1:3]  # one with an identity, and one with an SPF record in a hosted zone
LOST = "lost" * 10  # a message id
TABLES = f"""\
domains = ["{DOMAIN}"]

[aliases."{INFO}"]
destinations = ["{JANE}"]

[aliases."{GONE}"]
destinations = ["{BOUNCES}"]
"""

pytestmark = pytest.mark.deploy


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with Deployment(tmp_path_factory.mktemp("deploy")) as deployment:
        yield deployment


@pytest.fixture(autouse=True)
def nothing_was_denied_or_given_up(gate: Deployment) -> Iterator[None]:
    yield
    gate.assert_nothing_denied()
    assert gate.stack.given_up() == []


@pytest.fixture(scope="module")
def release(request: pytest.FixtureRequest) -> str:
    """The release that the first day deploys, "" for what is here: where none is tagged, or its upgrade is not tried."""
    chosen = [item.name for item in request.session.items]
    return first_day.last_release() if test_the_last_release_is_upgraded.__name__ in chosen else ""


def test_the_first_day_is_six_commands_and_three_answers(gate: Deployment, release: str) -> None:
    """docs/getting-started.md to the letter, except the processor, which is this machine's, and the installation."""
    install, init, deploy, dns, add, doctor = first_day.commands()
    assert install.endswith("python3 -m pip install ."), "`make .venv/ready` has done it here"
    here = gate.clone(release)
    assert "owner.yaml is written" in gate.type(init, here, DOMAIN, OWNER)
    owner = here / "owner.yaml"
    text = owner.read_text(encoding="utf-8")
    owner.write_text(text.replace('Architecture: "arm64"', f'Architecture: "{ARCHITECTURE}"'), encoding="utf-8")
    assert "Successfully created/updated stack" in gate.type(deploy, here, "y")
    assert "6 of 6 right" in gate.type(dns, here)
    gate.type(add, here)
    assert "All is well" in gate.type(doctor, here)
    gate.write(INFO)
    assert gate.arrived("you@home.example").endswith(b"\r\n\r\nThe body.\r\n")


@pytest.mark.long
def test_the_last_release_is_upgraded(gate: Deployment, release: str) -> None:
    """docs/upgrading.md; where the stack is that of the release, `make deploy` says so, and that is no failure."""
    if not release:
        pytest.skip("no release is tagged yet")
    first_day.update(gate.here)
    owner = gate.here / "owner.yaml"
    before = owner.read_text(encoding="utf-8").splitlines()
    gate.type("postern init --yes", gate.here)
    assert {line for line in before if line.partition(":")[0] in {"Domains", "OwnerAddress", "HostedZones"}} <= set(
        owner.read_text(encoding="utf-8").splitlines()
    )
    wanted = "Successfully created/updated stack" if first_day.changed_since(release) else "is up to date"
    assert wanted in gate.type("make deploy", gate.here, "y")
    gate.write("info@example.com")
    assert gate.arrived("you@home.example").endswith(b"\r\n\r\nThe body.\r\n")


def test_the_rule_set_is_active(gate: Deployment) -> None:
    assert gate.stack.outputs()["RuleSetName"] == STACK
    active = gate.stack.client("ses").describe_active_receipt_rule_set()
    assert (active["Metadata"]["Name"], [rule["Name"] for rule in active["Rules"]]) == (STACK, [f"{STACK}-inbound"])


def test_the_domain_has_its_records(gate: Deployment) -> None:
    records = gate.stack.records(gate.zone)
    assert [kind for kind, _ in records] == ["CNAME", "CNAME", "CNAME", "MX", "MX", "TXT", "TXT", "TXT"]
    assert ("MX", "10 inbound-smtp.eu-west-1.amazonaws.com") in records


def test_a_tables_file_is_applied(gate: Deployment, tmp_path: Path) -> None:
    (tmp_path / "tables.toml").write_text(TABLES, encoding="utf-8")
    gate.postern("apply", str(tmp_path / "tables.toml"))
    gate.postern("plan", "--check", str(tmp_path / "tables.toml"))
    assert JANE in gate.postern("resolve", INFO)


def test_mail_is_forwarded_ledgered_and_measured(gate: Deployment) -> None:
    message_id = gate.write(INFO)
    arrived = gate.arrived(JANE)
    assert arrived.endswith(b"\r\n\r\nThe body.\r\n")
    assert f"<{INFO}>".encode() in arrived
    entries = gate.settled(message_id)
    assert entries[f"to:{INFO}"]["state"] == "forwarded"
    assert entries[f"via:{JANE}"]["state"] == "sent"
    bucket = gate.stack.outputs()["MailBucketName"]
    stored = gate.stack.s3.get_object(Bucket=bucket, Key=f"inbound/{message_id}")["Body"].read()
    assert stored.endswith(b"\r\n\r\nThe body.\r\n")
    each = [1] * len(gate.received)  # also those of the first day, and of an upgrade
    gate.wait_for("the metric", lambda: gate.stack.measured("Forwarded") == each)
    assert gate.stack.measured("Received") == each


def test_a_delivery_comes_back_by_the_bus(gate: Deployment) -> None:
    message_id = gate.write(INFO)
    gate.wait_for("the delivery", lambda: "delivered" in gate.stack.ledger(message_id).get(f"via:{JANE}", {}))


def test_mail_for_other_domains_is_refused(gate: Deployment) -> None:
    assert gate.answers("info@elsewhere.example") == [550]


def test_the_sender_is_told_of_an_address_that_does_not_exist(gate: Deployment) -> None:
    unknown = f"nobody@{DOMAIN}"
    message_id = gate.write(unknown)
    assert b"550 5.1.1 There is no such address here" in gate.arrived(AUTHOR)
    gate.wait_for("the note", lambda: gate.settled(message_id)[f"to:{unknown}"]["answer"].startswith("sent"))


def test_each_key_is_read_by_who_needs_it_and_by_no_one_else(gate: Deployment) -> None:
    tried: list[tuple[str, str, str, bool]] = []
    refused = gate.denied_meanwhile(lambda: tried.extend(trials(gate.stack)))
    assert refused == len([one for one in tried if not one[-1]])
    inbound, feedback, digest, watch = (f"{one}FunctionRole" for one in ("Inbound", "Feedback", "Digest", "Watch"))
    reading = {(inbound, STAMP), *((role, TAGS) for role in (inbound, feedback, digest)), (inbound, DQS), (watch, DQS)}
    reading |= {(inbound, LINKS), (digest, LINKS)}
    making = {("KeysFunctionRole", purpose) for purpose in (STAMP, TAGS, LINKS, DQS)}
    passed = {(role, purpose, call) for role, purpose, call, done in tried if done}
    assert passed == {(*one, "batch_get_item") for one in reading} | {(*one, "put_item") for one in making}


def test_an_edited_row_holds_for_the_next_message(gate: Deployment) -> None:
    gate.postern("alias", "add", NEW, JOE)
    message_id = gate.write(NEW, INFO)
    gate.arrived(JOE)
    gate.arrived(JANE, 3)
    assert {key for key in gate.settled(message_id) if key.startswith("via:")} == {f"via:{JANE}", f"via:{JOE}"}


def test_a_mailbox_that_bounces_is_suspended(gate: Deployment) -> None:
    message_id = gate.write(GONE)
    gate.wait_for("the suspension", lambda: "suspended_at" in gate.stack.health(BOUNCES))
    assert gate.stack.ledger(message_id)[f"via:{BOUNCES}"]["bounced"]["why"].startswith("Permanent General")
    assert b"Status: 5." in gate.arrived(AUTHOR, 2), "the sender is told"
    assert BOUNCES in gate.postern("destination", "list")
    gate.wait_for("the metric", lambda: gate.stack.measured("NeedsSomebody") == [1])


def test_the_check_and_the_digest_run_when_they_are_due(gate: Deployment) -> None:
    gate.stack.lose(gate.received[0], LOST)
    gate.let_time_pass()
    digest = gate.arrived(OWNER)
    assert f"postmaster@{DOMAIN}".encode() in digest
    assert BOUNCES.encode() in digest
    assert LOST.encode() in digest
    gate.wait_for("the check", lambda: gate.stack.measured("NeedsSomebody") == [1, 1])
    told = gate.wait_for("the mail", lambda: [line for line in gate.stack.log() if '"told people"' in line])
    assert len(told) == 1
    new = json.loads(told[0])["new"]
    assert new.items() >= {"messages never seen": 1, "suspended destinations": 1}.items()
    gate.postern("destination", "resume", BOUNCES)


def test_what_no_invocation_saw_is_replayed(gate: Deployment) -> None:
    gate.postern("replay", LOST, "--recipient", INFO)
    gate.arrived(JANE, 4)
    gate.settled(LOST)
    gate.let_time_pass()
    gate.wait_for("the check", lambda: gate.stack.measured("NeedsSomebody") == [1, 1, 0])


def test_what_ses_does_not_take_waits_on_the_retry_queue_and_then_goes(gate: Deployment) -> None:
    queue = gate.stack.outputs()["RetryQueueUrl"]
    gate.stack.read_retries(False)
    gate.account.throttled = True
    message_id = gate.write(INFO)
    gate.wait_for("the retry queue", lambda: gate.stack.waiting(queue) == 1)
    (record,) = gate.stack.retries()
    assert record["requestPayload"]["Records"][0]["ses"]["mail"]["messageId"] == message_id
    assert gate.stack.ledger(message_id)["message"]["open"]
    gate.account.throttled = False
    gate.stack.read_retries(True)
    gate.arrived(JANE, 5)
    assert gate.settled(message_id)[f"to:{INFO}"]["state"] == "forwarded"
    gate.wait_for("an empty retry queue", lambda: gate.stack.waiting(queue) == 0)


def test_what_fails_again_on_the_retry_queue_is_hidden_for_longer(gate: Deployment) -> None:
    url = gate.stack.outputs()["RetryQueueUrl"]
    queue = gate.stack.client("sqs")
    queue.send_message(QueueUrl=url, MessageBody="no JSON")
    gate.wait_for("the failure", lambda: any("BadEvent: not JSON" in line for line in gate.stack.log()))
    queue.purge_queue(QueueUrl=url)


def test_an_update_to_refusing_takes_the_domain_whole_at_first(gate: Deployment) -> None:
    gate.deploy(RefuseUnknownRecipients="true", CustomerKey="true", Links="true", AliasApi="true")
    assert gate.stack.taken() == {DOMAIN}
    assert gate.answers(f"nobody@{DOMAIN}") == [250]


def test_the_rules_follow_the_alias_table(gate: Deployment) -> None:
    gate.postern("alias", "add", LATER, JOE)
    gate.wait_for("the rules", lambda: gate.stack.taken() == {INFO, NEW, GONE, LATER, *ROLES})
    assert gate.answers(LATER, f"nobody@{DOMAIN}") == [250, 550]
    stored = f"inbound/{gate.write(LATER)}"
    gate.arrived(JOE, 2)
    bucket = gate.stack.outputs()["MailBucketName"]
    assert gate.stack.s3.head_object(Bucket=bucket, Key=stored)["ServerSideEncryption"] == "aws:kms"
    gate.postern("alias", "remove", LATER)
    gate.wait_for("the rules", lambda: gate.stack.taken() == {INFO, NEW, GONE, *ROLES})
    assert gate.answers(LATER, INFO) == [550, 250]


def test_a_password_manager_makes_an_alias_that_the_rules_take(gate: Deployment) -> None:
    said = json.loads(gate.postern("token", "add", "phone", "--domain", DOMAIN, "--to", JOE, "--limit", "3", "--json"))
    assert said["url"] == gate.stack.outputs()["AliasApiUrl"].rstrip("/")
    made = as_bitwarden_reads(*gate.ask_for(said, bitwarden(DOMAIN)))
    assert made.endswith(f"@{DOMAIN}")
    assert as_the_extension_reads(*gate.ask_for(said, extension(DOMAIN, "custom", "info"))).startswith("That alias")
    gate.wait_for("the rules", lambda: made in gate.stack.taken())
    gate.write(made)
    gate.arrived(JOE, 3)
    assert as_bitwarden_reads(*gate.ask_for(said, bitwarden(DOMAIN)))
    assert gate.ask_for(said, bitwarden(DOMAIN))[0] == 429
    gate.postern("token", "remove", "phone")
    assert gate.ask_for(said, bitwarden(DOMAIN))[0] == 401
    for line in gate.postern("alias", "list", "token phone", "--json").splitlines():
        gate.postern("alias", "remove", json.loads(line)["address"])
    gate.wait_for("the rules", lambda: gate.stack.taken() == {INFO, NEW, GONE, *ROLES})


def test_a_password_manager_cannot_change_where_an_alias_leads(gate: Deployment) -> None:
    passed: list[str] = []
    refused = gate.denied_meanwhile(lambda: passed.extend(alias_api.passed(gate.stack, INFO)))
    assert (passed, refused) == ([], len(alias_api.attempts(INFO)))
    assert alias_api.inserted_over(gate.stack, INFO) == "DuplicateItemException"
    assert JANE in gate.postern("resolve", INFO)


def test_what_ses_will_not_send_is_told_of_with_the_command_that_fetches_it(gate: Deployment) -> None:
    refusal = Refusal("MessageRejected", 400, "Unsupported attachment type '.exe'.")
    gate.sending.script[JOE] = [refusal]
    message_id = gate.write(NEW)
    notice = bytes(message_from_bytes(gate.arrived(JOE, 4)).get_payload(decode=True)).decode()
    assert f"postern original {message_id} --stack {STACK} > message.eml" in notice
    assert gate.settled(message_id)[f"via:{JOE}"]["state"] == "noticed"
    (link,) = [word for word in notice.split() if ".lambda-url." in word]
    for _ in range(2):  # also out of a bucket with a key of its own
        assert gate.doors.fetched(gate.doors.press(link)[1]).endswith(b"\r\n\r\nThe body.\r\n")


def test_a_message_is_released_by_a_link_once(gate: Deployment) -> None:
    gate.postern("sender", "add", AUTHOR, "HOLD")
    message_id = gate.write(NEW)
    assert gate.settled(message_id)[f"to:{NEW}"]["state"] == "quarantined"
    gate.postern("sender", "remove", AUTHOR)
    link = gate.doors.link(Deed.RELEASE, NEW, message_id)
    old, altered = gate.doors.link(Deed.RELEASE, NEW, message_id, -1), link[:-1] + ("0" if link[-1] != "0" else "1")
    no_use = gate.doors.ask(old)
    assert no_use[0] == 404
    assert gate.doors.ask(link, {})[0] == 200, "a POST without the button shows the page"
    assert gate.stack.ledger(message_id)[f"to:{NEW}"]["state"] == "quarantined"
    assert f"is released for {NEW}" in gate.doors.press(link)[1]
    gate.arrived(JOE, 5)
    assert [gate.doors.press(one) for one in (link, old, altered)] == [no_use] * 3
    assert "by link: The message is released" in gate.postern("trace", message_id)


def test_the_other_deeds_of_links_and_that_none_leads_mail_elsewhere(gate: Deployment) -> None:
    assert (
        f"postern sender remove {AUTHOR}" in gate.doors.press(gate.doors.link(Deed.BLOCK, AUTHOR, gate.received[0]))[1]
    )
    assert "REJECT" in gate.postern("sender", "list")
    gate.postern("sender", "remove", AUTHOR)
    assert f"postern alias enable {NEW}" in gate.doors.press(gate.doors.link(Deed.OFF, NEW))[1]
    assert "disabled" in gate.postern("alias", "show", NEW)
    passed: list[str] = []
    assert gate.denied_meanwhile(lambda: passed.extend(lead_elsewhere(gate.stack, NEW))) == 5
    assert passed == []
    gate.postern("alias", "enable", NEW)
    assert JOE in gate.postern("resolve", NEW)


def test_a_bounce_is_told_of_by_what_stands_in_a_bucket_with_a_key(gate: Deployment) -> None:
    gate.write(GONE)
    gate.arrived(AUTHOR, 3)
    gate.wait_for("the suspension", lambda: "suspended_at" in gate.stack.health(BOUNCES))
    assert "gets new mail again" in gate.doors.press(gate.doors.link(Deed.RESUME, BOUNCES))[1]
    assert gate.stack.health(BOUNCES)["resumed_by"] == "link"


def test_the_schedule_repairs_a_rule_that_someone_deleted(gate: Deployment) -> None:
    ses = gate.stack.client("ses")
    (rule,) = ses.describe_active_receipt_rule_set()["Rules"]
    ses.delete_receipt_rule(RuleSetName=STACK, RuleName=rule["Name"])
    assert gate.answers(INFO) == [550]
    gate.let_time_pass()
    gate.wait_for("the rules", lambda: gate.stack.taken() == {INFO, NEW, GONE, *ROLES})


def test_an_update_holds_for_the_next_message_and_keeps_the_tables(gate: Deployment) -> None:
    gate.postern("settings", "set", "subject_tag", "[gate]")
    before = gate.postern("export")
    gate.deploy(SesWritesBy="role")
    assert gate.postern("export") == before
    gate.write(INFO)
    assert message_from_bytes(gate.arrived(JANE, 6))["Subject"].split() == ["[gate]", "Hello"]


def test_twenty_domains_fit_and_what_is_there_is_left_alone(gate: Deployment) -> None:
    gate.stack.adopt(ADOPTED)
    zone = gate.stack.make_zone(FOREIGN)
    gate.stack.write(zone, FOREIGN, "TXT", '"v=spf1 mx -all"')
    records = "dkim,mailfrom,spf,dmarc,mx"
    gate.deploy(Domains=",".join(TWENTY), HostedZones=f"{gate.zone},{zone}", Records=records)
    assert gate.stack.identities() == {name: "" if name == ADOPTED else STACK for name in TWENTY}
    assert ("TXT", '"v=spf1 mx -all"') in gate.stack.records(zone)
    assert [kind for kind, _ in gate.stack.records(zone)].count("TXT") == 3, "the apex, MAIL FROM and DMARC"
    (left,) = [line for line in gate.stack.log() if "left as it is" in line]
    assert '\\"v=spf1 include:amazonses.com mx -all\\"' in left


def test_deploying_again_changes_nothing(gate: Deployment) -> None:
    gate.deploy()


def test_a_domain_that_is_taken_out_and_put_back_keeps_what_it_had(gate: Deployment) -> None:
    zone, identities = gate.stack.records(gate.zone), gate.stack.identities()
    gate.deploy(Domains=",".join(TWENTY[:-1]))
    gate.let_time_pass()  # the update of the rules only adds; the next run takes away
    gate.wait_for("the rules", lambda: gate.answers(f"info@{TWENTY[-1]}") == [550])
    assert gate.stack.identities() == identities
    gate.deploy(Domains=",".join(TWENTY))
    gate.wait_for("the rules", lambda: gate.answers(f"postmaster@{TWENTY[-1]}") == [250])
    assert (gate.stack.records(gate.zone), gate.stack.identities()) == (zone, identities)


def test_the_doctor_finds_nothing_but_what_no_zone_has(gate: Deployment) -> None:
    """Domains without a hosted zone lack their records in public DNS, and so SES has not verified them."""
    examined = [json.loads(line) for line in gate.postern("doctor", "--json", status=1).splitlines()]
    bad = {one["check"]: one for one in examined if one["state"] not in ("ok", "not checked", "warning")}
    assert bad.keys() - {"owner.yaml"} == {"domains", "DKIM in DNS", "MAIL FROM in DNS", "MX"}, bad
    states = [each["state"] for each in bad["MX"]["found"]]
    assert sorted(states) == ["failed"] * 18 + ["ok"] * 2


def test_it_goes_and_leaves_what_is_retained(gate: Deployment) -> None:
    bucket = gate.stack.outputs()["MailBucketName"]
    assert len(gate.stack.left()) > 6
    keys = stack_keys(gate.stack.client("dynamodb"), f"{STACK}-ledger", STAMP, TAGS)
    gate.delete()
    assert stack_keys(gate.stack.client("dynamodb"), f"{STACK}-ledger", STAMP, TAGS) == keys
    tables = [f"table {STACK}-{table}" for table in ("aliases", "destinations", "ledger", "senders")]
    identities = [f"list_email_identities {name}" for name in (DOMAIN, ADOPTED, *TWENTY[2:])]
    assert gate.stack.left() == [*tables, f"bucket {bucket}", f"key Mail of {STACK}, and its alarms", *identities]
    assert ("MX", "10 inbound-smtp.eu-west-1.amazonaws.com") in gate.stack.records(gate.zone)
    assert "Metadata" not in gate.stack.client("ses").describe_active_receipt_rule_set()
    assert gate.stack.s3.list_objects_v2(Bucket=bucket)["KeyCount"] == len([*gate.received, LOST])
