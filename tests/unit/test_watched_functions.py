"""The watch and doctor look at each function, the doors too: failing, and held back by AWS or by their own limit."""

import json

import pytest
from postern_mail.aws.watch import examinations, looking
from postern_mail.aws.watch.looking import Counted
from postern_mail.examination import Finding, Grade

from tests.template.deployments import symbolic

MAIL, DOORS = ("InboundFunction", "RecipientsFunction"), ("LinksFunction", "ApiFunction")
ALL = (*MAIL, "FeedbackFunction", "DigestFunction", *DOORS)
LOOK = next(one for one in examinations.EXAMINATIONS if one.name == "functions").look


def found(monkeypatch: pytest.MonkeyPatch, name: str, **counts: int) -> list[Finding]:
    done = Counted(**{"invocations": 0, "errors": 0, "throttles": 0, **counts})
    monkeypatch.setattr(looking, "counted", lambda asked: done if asked == f"postern-{name}-X" else Counted(9, 0, 0))
    where = {"functions": ",".join(f"postern-{one}-X" for one in ALL)}
    return list(LOOK(where))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [*MAIL, *DOORS])
def test_one_that_fails_at_most_of_what_it_is_asked(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (one,) = found(monkeypatch, name, invocations=6, errors=3)
    assert "failed 3 times of 6" in one.text
    assert "a part of Postern" not in one.text, "each says what it is for"
    assert one.about == f"errors of postern-{name}-X"
    assert (one.grade is Grade.WARNING) == (name in DOORS), "no mail waits for a door"
    assert found(monkeypatch, name, invocations=7, errors=3) == found(monkeypatch, name, invocations=2, errors=2) == []


@pytest.mark.parametrize(("name", "few"), [*((one, 1) for one in MAIL), *((one, 20) for one in DOORS)])
def test_one_that_is_held_back(monkeypatch: pytest.MonkeyPatch, name: str, few: int) -> None:
    assert found(monkeypatch, name, throttles=few - 1) == []
    (one,) = found(monkeypatch, name, invocations=5, throttles=few)
    assert str(few) in one.text
    assert (one.grade, one.about) == (Grade.WARNING, f"throttles of postern-{name}-X")
    assert ("deploy with" in one.todo) == (name in DOORS)


def test_of_a_door_nothing_is_said_to_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in DOORS:
        said = found(monkeypatch, name, invocations=5, errors=5, throttles=99)
        assert len(said) == 2
        assert not [one for one in said if "tries again" in one.todo]


@pytest.mark.parametrize("on", [True, False])
def test_the_template_names_them_to_the_watch_and_to_doctor(on: bool) -> None:
    template = symbolic(
        Domains="example.com", Links=str(on).lower(), AliasApi=str(on).lower(), RefuseUnknownRecipients=str(on).lower()
    )
    hourly = next(iter(template.resource("WatchFunction")["Events"].values()))["Properties"]["Input"]
    told = json.loads(hourly)["functions"]
    shown = str(template.resolve(template.document["Outputs"]["FunctionNames"]["Value"]))
    for name in ALL:
        is_there = on or name in ("InboundFunction", "FeedbackFunction", "DigestFunction")
        assert (name in told, name in shown) == (is_there, is_there), name
    assert not {"", "None"} & {*told.split(","), *shown.split(",")}
