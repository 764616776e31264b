"""Requests to a function URL, as Lambda has them and as the emulator makes them."""

from typing import Any

import pytest
from postern_mail.aws.http_event import MOST_BODY, Request, response

from emulator import function_url


def read(**event: Any) -> Request:
    return Request.from_event({"requestContext": {"http": {"method": "POST"}}, "rawPath": "/x", **event})


@pytest.mark.parametrize(
    ("event", "body"),
    [
        ({}, ""),
        ({"body": None}, ""),
        ({"body": "a=b"}, "a=b"),
        ({"body": "YT1i", "isBase64Encoded": True}, "a=b"),
        ({"body": "abcde", "isBase64Encoded": True}, ""),
        ({"body": "é", "isBase64Encoded": True}, ""),
        ({"body": "/w==", "isBase64Encoded": True}, "\ufffd"),
        ({"body": "x" * 6_000_000}, "x" * MOST_BODY),
    ],
)
def test_a_body_is_text_or_none(event: dict[str, Any], body: str) -> None:
    assert read(**event).body == body


@pytest.mark.parametrize("event", [{}, {"headers": None}, {"requestContext": {}}, {"requestContext": {"http": {}}}])
def test_what_is_missing_is_empty(event: dict[str, Any]) -> None:
    assert Request.from_event(event) == Request("", "", {}, "")


def test_the_emulator_asks_as_lambda_does() -> None:
    made = Request.from_event(function_url.event("POST", "/a/b?c=d", {"Content-Type": "x"}, b"\xc3\xa9"))
    assert made == Request("POST", "/a/b", {"content-type": "x"}, "é")


def test_what_a_function_returns_is_the_answer_and_all_else_an_error() -> None:
    assert function_url.response(response(404, "né", {"a": "b"})) == (404, {"a": "b"}, "né".encode())
    for failed in (None, "text", {}, {"errorMessage": "secret"}):
        status, _, said = function_url.response(failed)
        assert (status, b"secret" in said) == (502, False)
