"""Receipt rule sets and rules: CloudFormation's resources, UpdateReceiptRule, and SES's look at what a rule names.

While it takes a rule, SES tries whether it may do what the rule says (docs.aws.amazon.com/ses, "Giving
permissions to Amazon SES for email receiving"): the policies must be there by then.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from ministack import app
from ministack.services import kms, lambda_svc, ses
from ministack.services import s3 as s3_service
from ministack.services.cloudformation import provisioners

from tests.deploy.taught.rights import ACCOUNT, REGION, role_may, service_may, trust_of

Properties = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]
_SES = "ses.amazonaws.com"
_ENCRYPTING = ("kms:GenerateDataKey", "kms:Decrypt")
_WRITING = ("CreateReceiptRule", "UpdateReceiptRule")


def teach() -> None:
    """Take the place of ministack's own."""
    known = provisioners._RESOURCE_HANDLERS
    known["AWS::SES::ReceiptRuleSet"] = {"create": _create_rule_set, "delete": _delete_rule_set}
    known["AWS::SES::ReceiptRule"] = {"create": _create_rule, "update": _update_rule, "delete": _delete_rule}
    ses._create_receipt_rule = _tried(ses._create_receipt_rule)
    ses.handle_request = _knowing_updates(ses.handle_request)


# --- Resources -------------------------------------------------------------------------------------------


def _create_rule_set(_logical_id: str, properties: Properties, _stack: str) -> tuple[str, Properties]:
    name = properties["RuleSetName"]
    _checked(ses._create_receipt_rule_set({"RuleSetName": name}))
    return name, {}


def _delete_rule_set(name: str, _properties: Properties) -> None:
    _checked(ses._delete_receipt_rule_set({"RuleSetName": name}))


def _create_rule(_logical_id: str, properties: Properties, _stack: str) -> tuple[str, Properties]:
    _checked(ses._create_receipt_rule(_flat(properties)))
    return properties["Rule"]["Name"], {}


def _update_rule(name: str, old: Properties, new: Properties, _stack: str) -> tuple[str, Properties]:
    if (old["RuleSetName"], name) != (new["RuleSetName"], new["Rule"]["Name"]):
        raise ValueError("a rule that moves is a replacement, which nothing here needed so far")
    _checked(_update_receipt_rule(_flat(new)))
    return name, {}


def _delete_rule(name: str, properties: Properties) -> None:
    _checked(ses._delete_receipt_rule({"RuleSetName": properties["RuleSetName"], "RuleName": name}))


def _flat(value: Any, path: str = "") -> dict[str, str]:
    """Properties as the parameters of SES's first API: Rule.Actions.member.1.S3Action.BucketName."""
    if isinstance(value, Mapping):
        items = [(f"{path}.{name}".lstrip("."), item) for name, item in value.items()]
    elif isinstance(value, list):
        items = [(f"{path}.member.{number}", item) for number, item in enumerate(value, 1)]
    else:
        return {path: str(value).lower() if isinstance(value, bool) else str(value)}
    return {name: text for key, item in items for name, text in _flat(item, key).items()}


def _checked(answer: Answer) -> None:
    """CloudFormation fails with SES's own words."""
    if answer[0] >= 400:
        raise ValueError(str(answer[2]))


# --- UpdateReceiptRule, and whom the caller of either may have SES act as ---------------------------------------


def _knowing_updates(original: Callable[..., Awaitable[Answer]]) -> Callable[..., Awaitable[Answer]]:
    async def handle(method: str, path: str, headers: Any, body: bytes, query: Any) -> Answer:
        form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)) if path == "/" else {}
        if form.get("Action") in _WRITING:
            for role in {value for name, value in form.items() if name.endswith(".S3Action.IamRoleArn")}:
                context = {"iam:PassedToService": _SES}
                denied = app._enforce_data_plane(
                    "ses", "iam:PassRole", headers, query, "", resource_arn=role, service_context=context
                )
                if denied:
                    return denied  # type: ignore[no-any-return]
        if form.get("Action") == "UpdateReceiptRule":
            return _update_receipt_rule(form)
        return await original(method, path, headers, body, query)

    return handle


def _update_receipt_rule(form: Mapping[str, str]) -> Answer:
    """The same as a new one in the place of the old."""
    rules = ses._receipt_rule_sets[form["RuleSetName"]]["Rules"]
    name = form["Rule.Name"]
    places = [index for index, rule in enumerate(rules) if rule["Name"] == name]
    if not places:
        return ses._receipt_error("RuleDoesNotExist", f"Rule does not exist: {name}")  # type: ignore[no-any-return]
    old = rules.pop(places[0])
    answer: Answer = ses._create_receipt_rule(form)
    rules.insert(places[0], rules.pop(0) if answer[0] < 400 else old)
    return answer if answer[0] >= 400 else ses._receipt_result("UpdateReceiptRule")


# --- What SES tries ------------------------------------------------------------------------------------------


def _tried(create: Callable[[Mapping[str, Any]], Answer]) -> Callable[[Mapping[str, Any]], Answer]:
    def tried(form: Mapping[str, Any]) -> Answer:
        name = f"receipt-rule-set/{ses._p(form, 'RuleSetName')}:receipt-rule/{ses._p(form, 'Rule.Name')}"
        found = ses._receipt_rule_from_params(form)
        for action in found["Actions"]:
            refusal = _refusal(action, f"arn:aws:ses:{REGION}:{ACCOUNT}:{name}")
            if refusal:
                return ses._receipt_error(*refusal)  # type: ignore[no-any-return]
        return create(form)

    return tried


def _refusal(action: dict[str, Properties], rule: str) -> tuple[str, str] | None:
    s3, function = action.get("S3Action"), action.get("LambdaAction")
    if s3 and not _may_write(s3, rule):
        return "InvalidS3Configuration", f"Could not write to bucket: {s3['BucketName']}"
    if function:
        arn = function["FunctionArn"]
        policy = lambda_svc._functions[arn.rpartition(":")[2]]["policy"]
        if not service_may(_SES, "lambda:InvokeFunction", arn, policy, rule):
            return "InvalidLambdaFunction", f"Could not invoke Lambda function: {arn}"
    return None


def _may_write(s3: Properties, rule: str) -> bool:
    """By the policies of bucket and key, or by the role alone."""
    name = s3["BucketName"]
    what = f"arn:aws:s3:::{name}/{s3['ObjectKeyPrefix']}AMAZON_SES_SETUP_NOTIFICATION"
    key = s3_service._bucket_default_sse_headers(name).get("x-amz-server-side-encryption-aws-kms-key-id")
    wanted = [("s3:PutObject", what), *([(action, key) for action in _ENCRYPTING] if key else ())]
    role = s3.get("IamRoleArn")
    if role:
        taken = service_may(_SES, "sts:AssumeRole", role, trust_of(role), rule)
        return taken and all(role_may(role, action, arn) for action, arn in wanted)
    return all(service_may(_SES, action, arn, _policy_of(arn), rule) for action, arn in wanted)


def _policy_of(arn: str) -> Any:
    found = kms.key_policy_for_arn(arn) if ":kms:" in arn else s3_service.bucket_policy_for_arn(arn)
    return found[0] if found else ""
