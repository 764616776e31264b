"""Starts ministack, and teaches it what the template needs and it lacks. Runs in `.venv-ministack`.

Nothing here makes the template's life easier than AWS would: resources it does not know, the authorisation
of a sending as SES does it, and a list of every call that was denied. All names taken from ministack are
private ones; hence the exact pin.
"""

import asyncio
import hashlib
import json
import os
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from ministack import app
from ministack.core import iam_evaluator
from ministack.services import lambda_svc, ses, ses_v2
from ministack.services import s3 as s3_service
from ministack.services.cloudformation import provisioners

SENDING = os.environ["POSTERN_SENDING"]  # the URL of our double of SES's SendEmail
DENIALS = Path(os.environ["POSTERN_DENIALS"])  # gets a line of JSON for each call that was denied
_SEND = "/v2/email/outbound-emails"
_DENIED = (b"AccessDenied", b"not authorized to perform")
_MAX_SHOWN = 500  # bytes of a denial that are kept

Properties = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]


# --- Receipt rule sets and rules: ministack has SES's calls, but not CloudFormation's resources ----------


def _create_rule_set(_logical_id: str, properties: Properties, _stack: str) -> tuple[str, Properties]:
    name = properties["RuleSetName"]
    _checked(ses._create_receipt_rule_set({"RuleSetName": name}))
    return name, {}


def _delete_rule_set(name: str, _properties: Properties) -> None:
    _checked(ses._delete_receipt_rule_set({"RuleSetName": name}))


def _create_rule(_logical_id: str, properties: Properties, _stack: str) -> tuple[str, Properties]:
    for action in properties["Rule"]["Actions"]:
        _probe(action, f"receipt-rule-set/{properties['RuleSetName']}:receipt-rule/{properties['Rule']['Name']}")
    _checked(ses._create_receipt_rule(_flat(properties)))
    return properties["Rule"]["Name"], {}


def _update_rule(name: str, old: Properties, new: Properties, _stack: str) -> tuple[str, Properties]:
    if (old["RuleSetName"], name) != (new["RuleSetName"], new["Rule"]["Name"]):
        raise ValueError("a rule that moves is a replacement, which nothing here needed so far")
    _delete_rule(name, old)
    return _create_rule("", new, "")


def _delete_rule(name: str, properties: Properties) -> None:
    _checked(ses._delete_receipt_rule({"RuleSetName": properties["RuleSetName"], "RuleName": name}))


def _probe(action: dict[str, Properties], rule: str) -> None:
    """While it makes a rule, SES tries whether it may do what the rule says: the policies must be there by then."""
    s3, function = action.get("S3Action"), action.get("LambdaAction")
    if s3 and "IamRoleArn" not in s3:
        what = f"arn:aws:s3:::{s3['BucketName']}/{s3['ObjectKeyPrefix']}AMAZON_SES_SETUP_NOTIFICATION"
        policy, _ = s3_service.bucket_policy_for_arn(what) or ("", "")
        if not _ses_may("s3:PutObject", what, policy, rule):
            raise ValueError(f"Could not write to bucket: {s3['BucketName']}")
    if function:
        what = function["FunctionArn"]
        policy = lambda_svc._functions[what.rpartition(":")[2]]["policy"]
        if not _ses_may("lambda:InvokeFunction", what, policy, rule):
            raise ValueError(f"Could not invoke Lambda function: {what}")


def _ses_may(action: str, what: str, policy: str | Properties, rule: str) -> bool:
    account, region = os.environ["MINISTACK_ACCOUNT_ID"], os.environ["MINISTACK_REGION"]
    context = iam_evaluator.EvalContext(
        principal_arn="",
        principal_type="Service",
        principal_account="",
        action=action,
        resource_arn=what,
        region=region,
        secure_transport=True,
        service_context={"aws:sourceaccount": account, "aws:sourcearn": f"arn:aws:ses:{region}:{account}:{rule}"},
    )
    found = iam_evaluator.evaluate_resource_policy(policy, context, service="ses.amazonaws.com")
    return bool(found.decision == "Allow")


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


# --- Three resources of which ministack lacks a part ---------------------------------------------------------


def _with_dkim_tokens(work: Callable[..., tuple[str, Properties]]) -> Callable[..., tuple[str, Properties]]:
    """Fn::GetAtt of an EmailIdentity's DKIM records."""

    def done(*arguments: Any, **named: Any) -> tuple[str, Properties]:
        identity, attributes = work(*arguments, **named)
        for number in (1, 2, 3):
            token = hashlib.sha256(f"{identity}{number}".encode()).hexdigest()[:32]
            attributes[f"DkimDNSTokenName{number}"] = f"{token}._domainkey.{identity}"
            attributes[f"DkimDNSTokenValue{number}"] = f"{token}.dkim.amazonses.com"
        return identity, attributes

    return done


def _known_by_arn(secret: dict[str, Any]) -> dict[str, Any]:
    """Ref of a secret is its ARN, as on AWS; ministack's is its name."""

    def create(logical_id: str, properties: Properties, stack: str) -> tuple[str, Properties]:
        _, attributes = secret["create"](logical_id, properties, stack)
        return attributes["Arn"], attributes

    def update(_arn: str, old: Properties, new: Properties, *rest: Any) -> tuple[str, Properties]:
        _, attributes = secret["update"](old["Name"], old, new, *rest)
        return attributes["Arn"], attributes

    def delete(_arn: str, properties: Properties) -> None:
        secret["delete"](properties["Name"], properties)

    return {**secret, "create": create, "update": update, "delete": delete}


def _without_insights(record: Callable[[str, Properties], Any]) -> Callable[[str, Properties], Any]:
    """An alarm over a query of Metrics Insights becomes one over a metric that is called like the query."""

    def recorded(name: str, properties: Properties) -> Any:
        queries = properties.get("Metrics")
        if not queries:
            return record(name, properties)
        metric = {"Namespace": "Insights", "MetricName": queries[0]["Expression"], "Statistic": "Sum"}
        rest = {key: value for key, value in properties.items() if key != "Metrics"}
        return record(name, {**rest, **metric, "Period": queries[0]["Period"]})

    return recorded


def _teach_resources() -> None:
    known = provisioners._RESOURCE_HANDLERS
    known["AWS::SES::ReceiptRuleSet"] = {"create": _create_rule_set, "delete": _delete_rule_set}
    known["AWS::SES::ReceiptRule"] = {"create": _create_rule, "update": _update_rule, "delete": _delete_rule}
    known["AWS::SecretsManager::Secret"] = _known_by_arn(known["AWS::SecretsManager::Secret"])
    identity = known["AWS::SES::EmailIdentity"]
    known["AWS::SES::EmailIdentity"] = {
        **identity,
        "create": _with_dkim_tokens(identity["create"]),
        "update": _with_dkim_tokens(identity["update"]),
    }
    provisioners._cw_metric_alarm_record = _without_insights(provisioners._cw_metric_alarm_record)


# --- Sending: authorised as SES does it, then carried out by our double -------------------------------------


def _authorised(original: Callable[..., Any]) -> Callable[..., Any]:
    """Raw content is authorised as SendRawEmail on the identity and on the configuration set, with the
    condition key ses:FromAddress (service authorization reference, "Amazon SES v2")."""

    def enforce(method: str, path: str, headers: Any, body: bytes, query: Any, request_id: str) -> Any:
        if (method, path) != ("POST", _SEND):
            return original(method, path, headers, body, query, request_id)
        wanted = json.loads(body)
        sender = wanted["FromEmailAddress"]
        names = [f"identity/{sender.rpartition('@')[2]}"]
        if "ConfigurationSetName" in wanted:
            names.append(f"configuration-set/{wanted['ConfigurationSetName']}")
        for name in names:
            arn = f"arn:aws:ses:{app.extract_region(headers, query)}:{os.environ['MINISTACK_ACCOUNT_ID']}:{name}"
            denied = app._enforce_data_plane(
                "sesv2",
                "ses:SendRawEmail",
                headers,
                query,
                request_id,
                resource_arn=arn,
                service_context={"ses:FromAddress": sender},
            )
            if denied:
                return denied
        return None

    return enforce


def _carried_out(original: Callable[..., Awaitable[Answer]]) -> Callable[..., Awaitable[Answer]]:
    """ministack keeps raw mail lossily; our double keeps every byte, and refuses what SES refuses."""

    async def handle(method: str, path: str, headers: Any, body: bytes, query: Any) -> Answer:
        if (method, path) == ("POST", _SEND):
            return await asyncio.to_thread(_sent, body)
        return await original(method, path, headers, body, query)

    return handle


def _sent(body: bytes) -> Answer:
    request = urllib.request.Request(SENDING + _SEND, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, dict(refusal.headers), refusal.read()


# --- IAM -----------------------------------------------------------------------------------------------------


def _over_tls(pin: Callable[[str, bool], None]) -> Callable[[str, bool], None]:
    """The bucket's policy denies what comes without TLS; here a proxy is assumed where it ends."""
    return lambda address, _secure: pin(address, True)


def _listing_denials(original: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Every answer that says "denied", to whomever, leaves a line."""

    async def answered(scope: Any, receive: Any, send: Any) -> None:
        async def seen(message: Any) -> None:
            body = message.get("body", b"")
            if message["type"] == "http.response.body" and any(word in body[:_MAX_SHOWN] for word in _DENIED):
                with DENIALS.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"path": scope["path"], "answer": body[:_MAX_SHOWN].decode()}) + "\n")
            await send(message)

        await original(scope, receive, seen)

    return answered


def main() -> None:
    """Run ministack until it is told to end."""
    _teach_resources()
    app._enforce_ses_v2 = _authorised(app._enforce_ses_v2)
    ses_v2.handle_request = _carried_out(ses_v2.handle_request)
    app.pin_request_origin = _over_tls(iam_evaluator.pin_request_origin)
    app.app = _listing_denials(app.app)
    app.main()


if __name__ == "__main__":
    main()
