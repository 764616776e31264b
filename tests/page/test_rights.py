"""A page that is looked at only reads, and reads no more than the policy of docs/page.md lets it."""

import json
import re
from collections import Counter
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import quote

import pytest
from postern_command.aws import reach
from postern_command.pages.app import ACTIONS, PAGES

from tests.builders import ROOT
from tests.page.browsing import Browser

INFO = "info@example.com"
_SERVICES = {"SESv2": "ses", "Route 53": "route53"}
_ACTIONS = {"s3:ListObjectsV2": "s3:ListBucket", "s3:HeadBucket": "s3:ListBucket"}
_FREE = {"sts:GetCallerIdentity"}  # docs.aws.amazon.com/STS, "GetCallerIdentity": no permissions are required
_READ = re.compile(r"\w+:(BatchGet|Describe|Get|Head|List|Query|Scan)")


def policy() -> list[dict[str, Any]]:
    text = (ROOT / "docs" / "page.md").read_text()
    found = re.search(r"```json\n(.*?)```", text, re.DOTALL)
    assert found
    return list(json.loads(found[1])["Statement"])


def granted() -> set[str]:
    made: set[str] = set()
    for one in policy():
        if one["Effect"] == "Allow":
            made |= {one["Action"]} if isinstance(one["Action"], str) else set(one["Action"])
    return made


@pytest.fixture
def made(ann: Browser) -> Counter[str]:
    """The calls to AWS from now on, as rights."""
    counted: Counter[str] = Counter()

    def noted(model: Any, **_: object) -> None:
        service = model.service_model.service_id
        right = f"{_SERVICES.get(service, service.lower())}:{model.name}"
        counted[_ACTIONS.get(right, right)] += 1

    reach.tell_each_call(noted)
    return counted


@pytest.mark.slow
def test_a_get_of_anything_only_reads_and_the_policy_suffices(ann: Browser, made: Counter[str]) -> None:
    ann.office.cloud.put("AliasTable", [{"address": INFO, "destinations": ["jane@dest.example"]}])
    message_id = ann.office.happened((INFO, "quarantined", "spam"))
    ann.office.store(message_id)
    made.clear()
    ann.office.cloud.put("SenderTable", [{"sender": "rule:010", "scope": "*", "action": "HOLD", "listed": True}])
    told = {
        "/header-rule": "?sender=rule:010&scope=*",
        "/alias": f"?address={quote(INFO)}&used=1",
        "/message": f"?id={message_id[:9]}&header=1",
    }
    for path in PAGES:
        ann.get(path + told.get(path, ""))
    for path in ACTIONS:
        ann.get(f"{path}?address={quote(INFO)}&id={message_id}&do=write&form_token={ann.gate.form_token(path)}")
    assert len(made) > 8
    assert not [one for one in made if not _READ.match(one)]
    assert set(made) - _FREE <= granted()


def test_the_policy_reads_and_no_key() -> None:
    assert all(_READ.match(one) for one in granted())
    (denied,) = (one for one in policy() if one["Effect"] == "Deny")
    pattern = denied["Condition"]["ForAnyValue:StringLike"]["dynamodb:LeadingKeys"][0]
    assert fnmatchcase("#key:links", pattern)
    scanned = [one["Resource"] for one in policy() if "dynamodb:Scan" in one["Action"]]
    assert not [one for names in scanned for one in names if "ledger" in one or one.endswith("*")], "it holds the keys"
