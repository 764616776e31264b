"""Who may do what: the roles against the calls that the code makes, and the settings against those it reads."""

import ast
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from postern_mail.settings import FeedbackSettings, RecipientsSettings, Settings, Shared, WatchSettings

from emulator.template import Template
from tests.builders import ROOT
from tests.template.deployments import Symbolic, actions, granted, loaded, policy, symbolic

PACKAGE = ROOT / "layers/postern/postern_mail"
# What a function may do beyond the calls its code makes, and why.
BEYOND = {
    "InboundFunction": {
        "logs:CreateLogStream": "Lambda's own",
        "logs:PutLogEvents": "Lambda's own",
        "sqs:SendMessage": "Lambda's own, for events that failed",
        "sqs:ReceiveMessage": "Lambda's own, for events of the retry queue",
        "sqs:DeleteMessage": "Lambda's own, for events of the retry queue",
        "sqs:GetQueueAttributes": "Lambda's own, for events of the retry queue",
        "s3:ListBucket": "else S3 says 403 for a message that is missing",
        "ses:SendRawEmail": "what SESv2 SendEmail with raw content is authorised as",
        "kms:Decrypt": "S3's own, where the bucket has a key of ours",
    },
    "FeedbackFunction": {
        "logs:CreateLogStream": "Lambda's own",
        "logs:PutLogEvents": "Lambda's own",
        "sqs:SendMessage": "Lambda's own, for events that failed",
        "s3:ListBucket": "else S3 says 403 for a message that is missing",
        "kms:Decrypt": "S3's own, where the bucket has a key of ours",
    },
    "RecipientsFunction": {
        "logs:CreateLogStream": "Lambda's own",
        "logs:PutLogEvents": "Lambda's own",
        "sqs:SendMessage": "Lambda's own, for events that failed",
        "dynamodb:ListStreams": "Lambda's own, for the stream",
        "dynamodb:DescribeStream": "Lambda's own, for the stream",
        "dynamodb:GetShardIterator": "Lambda's own, for the stream",
        "dynamodb:GetRecords": "Lambda's own, for the stream",
        "iam:PassRole": "what a rule is refused without that names the role SES writes by",
    },
    "RulesetFunction": {"logs:CreateLogStream": "Lambda's own", "logs:PutLogEvents": "Lambda's own"},
    "ReconcileFunction": {
        "logs:CreateLogStream": "Lambda's own",
        "logs:PutLogEvents": "Lambda's own",
        "sqs:SendMessage": "Lambda's own, for runs that failed",
        "s3:ListBucket": "what ListObjectsV2 is authorised as",
    },
    "DigestFunction": {
        "logs:CreateLogStream": "Lambda's own",
        "logs:PutLogEvents": "Lambda's own",
        "sqs:SendMessage": "Lambda's own, for runs that failed",
        "ses:SendRawEmail": "what SESv2 SendEmail with raw content is authorised as",
    },
}
# Calls in modules a function imports that it never makes, and who does.
NOT_MADE = {
    "ReconcileFunction": {
        "s3:ListObjectsV2": "not an action",
        "dynamodb:UpdateItem": "the ledger's, of which it takes two names",
    },
    "DigestFunction": {
        "s3:ListObjectsV2": "not an action, and the check's",
        "dynamodb:PutItem": "the check's, which remembers",
        "dynamodb:DeleteItem": "the check's, which forgets",
        "sqs:ReceiveMessage": "postern redrive's",
        "sqs:DeleteMessage": "postern redrive's",
        "sqs:ChangeMessageVisibility": "postern redrive's",
    },
}
FOLDERS = {
    "InboundFunction": "inbound",
    "FeedbackFunction": "feedback",
    "RecipientsFunction": "recipients",
    "RulesetFunction": "ruleset",
    "ReconcileFunction": "reconcile",
    "DigestFunction": "digest",
}
# What the other side grants: LinkRole's trust names the function's role, which is enough within an account.
ELSEWHERE = {"sts:AssumeRole"}
# The statements with every resource, because AWS knows nothing narrower for their actions.
ANYTHING = {
    ("RulesetFunctionRole", "SeeAndSetTheActiveRuleSet"),
    ("RecipientsFunctionRole", "KeepReceiptRules"),
    ("RecipientsFunctionRole", "FindTheStream"),
}
WIDE = {"CustomerKey": "true", "SesWritesBy": "role", "Domain2": "example.org", "RefuseUnknownRecipients": "true"}
READ: dict[str, type[Shared]] = {
    "DigestFunction": WatchSettings,
    "FeedbackFunction": FeedbackSettings,
    "InboundFunction": Settings,
    "ReconcileFunction": WatchSettings,
    "RecipientsFunction": RecipientsSettings,
}


def closure(handler: Path) -> set[Path]:
    """The modules of the package that a handler imports, directly or not."""
    found: set[Path] = set()
    waiting = [handler]
    while waiting:
        module = waiting.pop()
        new = set(imported(module)) - found
        found |= new
        waiting += new
    return found


def imported(module: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom):
            continue
        if node.level:
            base = module.parents[node.level - 1].joinpath(*filter(None, (node.module or "").split(".")))
        elif (node.module or "").split(".")[0] == "postern_mail":
            base = PACKAGE.parent.joinpath(*(node.module or "").split("."))
        else:
            continue
        for path in (base.with_suffix(".py"), *(base / f"{name.name}.py" for name in node.names)):
            if path.exists():
                yield path


def calls(module: Path, method: str) -> Iterator[str]:
    """The first argument of each call of a method of this name, where it is a literal."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method:
            yield from (
                one.value for one in node.args[:1] if isinstance(one, ast.Constant) and isinstance(one.value, str)
            )


def services() -> set[str]:
    """The services that clients.py makes clients of."""
    return set(calls(PACKAGE / "aws/clients.py", "client"))


def operations() -> dict[str, str]:
    """Method of a client -> action in a policy."""
    found = {}
    session = botocore.session.get_session()
    for service in services():
        model = session.get_service_model(service)
        for operation in model.operation_names:
            found[xform_name(operation)] = f"{model.signing_name}:{operation}"
    return found


def called(handler: Path) -> set[str]:
    """The actions that the code behind a handler asks AWS for."""
    known = operations()
    names: set[str] = set()
    for module in closure(handler):
        tree = ast.parse(module.read_text(encoding="utf-8"))
        names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        names |= {*calls(module, "generate_presigned_url"), *calls(module, "get_paginator")}
    return {known[name] for name in names if name in known}


@pytest.fixture(scope="module")
def widest(expanded: dict[str, Any]) -> Symbolic:
    """What SAM makes of the template, with everything switched on that grants something."""
    return symbolic(expanded, **WIDE)


@pytest.mark.parametrize("function", sorted(BEYOND))
def test_a_function_may_do_what_its_code_does_and_no_more(widest: Symbolic, function: str) -> None:
    code = widest.document["Resources"][function]["Properties"]
    called_for = called(ROOT / "functions" / FOLDERS[function] / "handler.py")
    never = set(NOT_MADE.get(function, ()))
    assert never <= called_for
    made = called_for - never
    assert code["Role"] == {"Fn::GetAtt": [f"{function}Role", "Arn"]}
    assert len(made) >= 2
    assert actions(granted(widest, f"{function}Role")) == (made - ELSEWHERE) | set(BEYOND[function])


def test_every_function_is_looked_at(widest: Symbolic) -> None:
    functions = {name for name, one in widest.document["Resources"].items() if one["Type"] == "AWS::Lambda::Function"}
    assert functions == set(BEYOND)


def test_every_function_has_a_role_of_its_own(widest: Symbolic) -> None:
    resources = widest.document["Resources"].values()
    roles = [one["Properties"]["Role"]["Fn::GetAtt"][0] for one in resources if one["Type"] == "AWS::Lambda::Function"]
    assert len(roles) == len(set(roles))


def test_no_role_may_do_everything(widest: Symbolic) -> None:
    roles = [name for name, one in widest.document["Resources"].items() if one["Type"] == "AWS::IAM::Role"]
    assert len(roles) >= 3
    for role in roles:
        assert "ManagedPolicyArns" not in widest.document["Resources"][role]["Properties"], role
        for statement in granted(widest, role):
            assert not any("*" in action for action in actions([statement])), statement["Sid"]
            everything = "*" in statement["Resource"] if isinstance(statement["Resource"], list) else False
            if statement["Resource"] == "*" or everything:
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
        "LinkRole",
        "RulesetFunctionRole",
        "ReconcileFunctionRole",
        "DigestFunctionRole",
    }


@pytest.mark.parametrize("function", sorted(READ))
def test_every_setting_that_is_read_is_set_and_the_other_way_round(template: Template, function: str) -> None:
    read = {one.metadata["variable"] for one in fields(READ[function])}
    written = template.document["Resources"][function]["Properties"]["Environment"]["Variables"]
    assert {name for name in written if not name.startswith("AWS_")} == read


@pytest.mark.parametrize("function", sorted(READ))
def test_what_the_template_sets_is_what_the_settings_take(function: str) -> None:
    variables = loaded(Domain3="example.org").resource(function)["Environment"]["Variables"]
    assert READ[function].from_environment(variables).domains == ("example.com", "example.org")
