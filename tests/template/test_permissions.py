"""Who may do what: the roles against the calls that were made while tests ran, and the settings against those it reads."""

from dataclasses import replace
from typing import Any

import pytest
from postern_mail.environment import (
    ApiEnvironment,
    DigestEnvironment,
    FeedbackEnvironment,
    InboundEnvironment,
    LinksEnvironment,
    RecipientsEnvironment,
    WatchEnvironment,
    variables,
)

from emulator.template import Template
from tests.rights import RELAY, Call, Right, everything, rights, unused, without_right
from tests.template.deployments import Symbolic, actions, granted, loaded, policy, symbolic

# Rights that no recorded call needs, and why they are there.
_LAMBDA = {"WriteTheLog": "Lambda's own", "KeepFailedEvents": "Lambda's own"}  # of FunctionPolicy
UNUSED = {
    "InboundFunctionRole": {
        **_LAMBDA,
        "KeepEventsForLater": "Lambda's own",
        "TryThemAgain sqs:ReceiveMessage": "Lambda's own, for events of the retry queue",
        "TryThemAgain sqs:DeleteMessage": "Lambda's own, for events of the retry queue",
        "TryThemAgain sqs:GetQueueAttributes": "Lambda's own, for events of the retry queue",
        "SeeThatAMessageIsMissing": "else S3 says 403 for a message that is missing",
        "DecryptMessages": "S3's own, where the bucket has a key of ours",
    },
    "FeedbackFunctionRole": {
        **_LAMBDA,
        "SeeThatAMessageIsMissing": "else S3 says 403 for a message that is missing",
        "DecryptMessages": "S3's own, where the bucket has a key of ours",
    },
    "LinksFunctionRole": {
        **_LAMBDA,
        "SeeThatAMessageIsMissing": "else S3 says 403 for a message that is missing",
        "DecryptMessages": "S3's own, where the bucket has a key of ours",
    },
    "RecipientsFunctionRole": {
        **_LAMBDA,
        "FindTheStream": "Lambda's own",
        "FollowTheAliasTable": "Lambda's own",
        "NameTheRoleThatSesWritesBy": "what a rule is refused without that names the role SES writes by",
    },
    "RulesetFunctionRole": _LAMBDA,
    "ApiFunctionRole": _LAMBDA,
    "KeysFunctionRole": _LAMBDA,
    "DomainsFunctionRole": {
        **_LAMBDA,
        "NameTheConfigurationSet": "SES's own, for the set that an identity is given",
        "TagWhatItMakes": "SES's own, for the tag of an identity that is made",
    },
    "WatchFunctionRole": {**_LAMBDA, "EncryptWhatIsTold": "SNS's own, where there is a key of ours"},
    "DigestFunctionRole": _LAMBDA,
    "SesWriterRole": {"WriteMessages": "SES's own", "EncryptThem": "SES's own"},
    # Its calls are a host's: tests/relay makes them with the instance's credentials, which no function's test records.
    "InstanceRole": {
        "BeReachedBySessionManager": "the Session Manager agent's own",
        "KnowTheRate": "postern-send's, tests/relay",
        "SendInTheNameOfOurDomain": "postern-send's, tests/relay",
        "TellTheAgeOfTheQueue": "the queue's timer's, tests/relay",
    },
}
# The statements with every resource, because AWS knows nothing narrower for their actions.
ANYTHING = {
    ("RulesetFunctionRole", "SeeAndSetTheActiveRuleSet"),
    ("RecipientsFunctionRole", "KeepReceiptRules"),
    ("RecipientsFunctionRole", "FindTheStream"),
    ("WatchFunctionRole", "LookAround"),
    ("DigestFunctionRole", "SeeWhetherSesSends"),
    ("KeysFunctionRole", "SeeWhetherADoorFits"),
}
HANDLING = ("InboundFunctionRole", "FeedbackFunctionRole", "LinksFunctionRole")
ANSWERING = ("InboundFunctionRole", "FeedbackFunctionRole", "WatchFunctionRole")
# The stack's policies that several roles have, beside the one that all have.
SHARED = {
    "AnswerPolicy": ANSWERING,
    "MailPolicy": HANDLING,
    "NoKeyPolicy": ("ApiFunctionRole", "DomainsFunctionRole", "RecipientsFunctionRole", "RulesetFunctionRole"),
}
STACK = "postern"
WIDE = {
    "CustomerKey": "true",
    "SesWritesBy": "role",
    "Domains": "example.com,example.org",
    "RefuseUnknownRecipients": "true",
    "Links": "true",
    "AliasApi": "true",
}
READ = {
    "DigestFunction": DigestEnvironment,
    "FeedbackFunction": FeedbackEnvironment,
    "InboundFunction": InboundEnvironment,
    "LinksFunction": LinksEnvironment,
    "ApiFunction": ApiEnvironment,
    "WatchFunction": WatchEnvironment,
    "RecipientsFunction": RecipientsEnvironment,
}


def explanations(right: Right) -> tuple[str, str]:
    """The ways to name a right in UNUSED: a statement, or one action of it."""
    return right.statement, f"{right.statement} {right.action}"


def explained(right: Right) -> bool:
    return any(words in UNUSED.get(right.role, ()) for words in explanations(right))


@pytest.fixture(scope="module")
def widest(expanded: dict[str, Any]) -> Symbolic:
    """What SAM makes of the template, with everything switched on that grants something."""
    return symbolic(expanded, **WIDE)


@pytest.mark.rights
@pytest.mark.parametrize("stack", [STACK, RELAY])
def test_every_right_was_used_or_is_explained(stack: str) -> None:
    """After all other tests have run on this very code; each of them held its own calls against the rights."""
    calls = everything()
    assert len({call.role for call in calls}) >= 7, f"too few tests have run: {sorted({call.role for call in calls})}"
    surplus = [right for right in unused(calls, stack) if not explained(right)]
    assert surplus == []


def test_every_explanation_is_of_a_right() -> None:
    known = {(right.role, words) for right in rights(STACK) | rights(RELAY) for words in explanations(right)}
    assert {(role, right) for role, named in UNUSED.items() for right in named} <= known


def test_a_call_without_a_right_is_seen(template: Template) -> None:
    ledger = template.arn("LedgerTable")
    fine = Call("InboundFunctionRole", template.stack, "dynamodb:UpdateItem", ledger)
    wrong = [replace(fine, action="dynamodb:Scan"), replace(fine, resource=template.arn("SenderTable"))]
    assert without_right({fine, *wrong}) == sorted(wrong)
    (used,) = set(rights(template.stack)) - set(unused({fine}, template.stack))
    assert (used.statement, used.action, used.resource) == ("WriteTheLedger", "dynamodb:UpdateItem", ledger)


def test_every_function_has_rights(widest: Symbolic) -> None:
    functions = {name for name, one in widest.document["Resources"].items() if one["Type"] == "AWS::Lambda::Function"}
    assert len(functions) >= 6
    for function in functions:
        role = widest.document["Resources"][function]["Properties"]["Role"]
        assert role == {"Fn::GetAtt": [f"{function}Role", "Arn"]}
        assert len({right.action for right in rights(STACK) if right.role == f"{function}Role"}) >= 3, function


def test_every_function_has_a_role_of_its_own(widest: Symbolic) -> None:
    resources = widest.document["Resources"].values()
    roles = [one["Properties"]["Role"]["Fn::GetAtt"][0] for one in resources if one["Type"] == "AWS::Lambda::Function"]
    assert len(roles) == len(set(roles))


def test_no_role_may_do_everything(widest: Symbolic) -> None:
    roles = [name for name, one in widest.document["Resources"].items() if one["Type"] == "AWS::IAM::Role"]
    assert len(roles) >= 3
    for role in roles:
        attached = [one["Ref"] for one in widest.document["Resources"][role]["Properties"].get("ManagedPolicyArns", [])]
        assert attached[:1] == ["FunctionPolicy"] * role.endswith("FunctionRole"), role
        assert set(attached[1:]) == {name for name, members in SHARED.items() if role in members}, role
        for statement in granted(widest, role):
            assert not any("*" in action for action in actions([statement])), statement["Sid"]
            everything = "*" in statement["Resource"] if isinstance(statement["Resource"], list) else False
            if statement["Effect"] == "Allow" and (statement["Resource"] == "*" or everything):
                assert (role, statement["Sid"]) in ANYTHING


def test_every_statement_has_a_name(widest: Symbolic) -> None:
    for name, one in widest.document["Resources"].items():
        if one["Type"] == "AWS::IAM::Role":
            assert all(statement["Sid"] for statement in granted(widest, name))


def test_what_is_sent_is_sent_in_the_name_of_our_domains(widest: Symbolic) -> None:
    sending = [one for one in granted(widest, "InboundFunctionRole") if "ses:SendEmail" in actions([one])]
    for statement in sending:
        if ":configuration-set/" not in statement["Resource"]:
            assert statement["Condition"] == {"StringLike": {"ses:FromAddress": ["*@example.com", "*@example.org"]}}
    assert len(sending) == 2


def test_a_listing_is_of_received_mail(widest: Symbolic) -> None:
    (listing,) = [one for one in granted(widest, "InboundFunctionRole") if one["Action"] == "s3:ListBucket"]
    assert listing["Condition"] == {"StringLikeIfExists": {"s3:prefix": "inbound/*"}}


def test_the_ruleset_function_sees_no_stack_but_its_own(widest: Symbolic) -> None:
    (seeing,) = [one for one in granted(widest, "RulesetFunctionRole") if one["Sid"] == "SeeWhetherTheStackRollsBack"]
    assert seeing["Resource"].split("/")[1] == "postern"


def test_every_queue_takes_tls_only(widest: Symbolic) -> None:
    queues = {name for name, one in widest.document["Resources"].items() if one["Type"] == "AWS::SQS::Queue"}
    guarded: set[str] = set()
    for by in widest.resources("AWS::SQS::QueuePolicy"):
        (denied,) = [one for one in policy(widest, by) if one["Effect"] == "Deny"]
        assert (denied["Action"], denied["Principal"]) == ("sqs:*", "*")
        assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        about = denied["Resource"] if isinstance(denied["Resource"], list) else [denied["Resource"]]
        named = {one.rpartition("/")[2] for one in widest.resource(by)["Queues"]}
        assert named == {widest.name(one.removesuffix(".Arn")) for one in about}, by
        guarded |= {one.removesuffix(".Arn") for one in about}
    assert guarded == queues
    for queue in queues:
        assert widest.resource(queue)["SqsManagedSseEnabled"] is True, queue


def test_a_key_of_ours_is_the_buckets_default_and_nothing_else() -> None:
    """The S3 action's KmsKeyArn would be encryption by the client."""
    template = symbolic(CustomerKey="true")
    (default,) = template.resource("MailBucket")["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert default["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "Key.Arn"}
    (stored, _) = template.resources("AWS::SES::ReceiptRule")["InboundRule"]["Rule"]["Actions"]
    assert set(stored["S3Action"]) == {"BucketName", "ObjectKeyPrefix"}
    speaking = [one for one in policy(template, "Key", "KeyPolicy") if one["Sid"] != "TheAccountDecides"]
    assert {one["Principal"]["Service"] for one in speaking} == {"ses.amazonaws.com", "cloudwatch.amazonaws.com"}
    for statement in speaking:
        assert actions([statement]) == {"kms:Decrypt", "kms:GenerateDataKey*"}
        assert statement["Condition"]["StringEquals"]["aws:SourceAccount"] == "123456789012"


def test_the_other_way_for_ses_to_write_is_one_switch() -> None:
    rule = symbolic(SesWritesBy="role").resources("AWS::SES::ReceiptRule")["InboundRule"]["Rule"]
    assert rule["Actions"][0]["S3Action"]["IamRoleArn"] == "SesWriterRole.Arn"
    (writing,) = granted(symbolic(SesWritesBy="role"), "SesWriterRole")
    assert (writing["Action"], writing["Resource"][-20:]) == ("s3:PutObject", "-eu-west-1/inbound/*")
    assert symbolic().resources("AWS::IAM::Role").keys() == {
        "FeedbackFunctionRole",
        "InboundFunctionRole",
        "KeysFunctionRole",
        "RulesetFunctionRole",
        "DomainsFunctionRole",
        "WatchFunctionRole",
        "DigestFunctionRole",
    }


@pytest.mark.parametrize("function", sorted(READ))
def test_every_setting_that_is_read_is_set_and_the_other_way_round(template: Template, function: str) -> None:
    read = {one.metadata["variable"] for one in variables(READ[function])}
    own = template.document["Resources"][function]["Properties"].get("Environment", {}).get("Variables", {})
    told = template.resource(function)["Environment"]["Variables"]
    assert own.keys() <= read <= told.keys() | {"POSTERN_NAMESERVER"}, "the machine's own, but in tests"


def test_what_every_function_is_told_several_read(template: Template) -> None:
    read = [one.metadata["variable"] for kind in READ.values() for one in variables(kind)]
    for name in template.document["Globals"]["Function"]["Environment"]["Variables"]:
        assert read.count(name) >= 3, name


@pytest.mark.parametrize("function", sorted(READ))
def test_what_the_template_sets_is_what_the_settings_take(function: str) -> None:
    given = loaded(Domains="example.com,example.org").resource(function)["Environment"]["Variables"]
    read: Any = READ[function]
    assert read.from_environment(given).stack.domains == ("example.com", "example.org")
