"""SES events as people have them: inside a Lambda failure record, an SQS or SNS message, or several at once."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

_DEPTH = 8  # levels of nesting; AWS makes at most four


def unwrapped(document: Any, depth: int = _DEPTH) -> Iterator[Any]:
    """Each SES event in a document, one receipt each; a document of an unknown form is yielded unchanged.

    Known forms: lists, JSON text, Lambda failure records (`requestPayload`), SQS messages as a function or
    `aws sqs receive-message` gets them, SNS notifications, and what SES itself publishes to a topic. Raises
    ValueError for a message that is not JSON.
    """
    inner = list(_within(document)) if depth else []
    if not inner:
        yield document
    for one in inner:
        yield from unwrapped(one, depth - 1)


def _within(document: Any) -> Iterator[Any]:
    if isinstance(document, list):
        yield from document
    elif isinstance(document, str):
        yield json.loads(document)
    elif isinstance(document, Mapping):
        yield from _within_object(document)


def _within_object(document: Mapping[str, Any]) -> Iterator[Any]:
    if "requestPayload" in document:
        yield document["requestPayload"]
    for name in ("Message", "body", "Body"):
        if isinstance(document.get(name), str):
            yield json.loads(document[name])
    if "mail" in document and "receipt" in document:  # as SES publishes it to a topic
        yield {"Records": [{"eventSource": "aws:ses", "ses": {name: document[name] for name in ("mail", "receipt")}}]}
    records = document.get("Records", document.get("Messages"))
    if not isinstance(records, list):
        return
    for record in records:
        if isinstance(record, Mapping) and "Sns" in record:
            yield record["Sns"]
        elif isinstance(record, Mapping) and ("body" in record or "Body" in record):
            yield record
        elif len(records) > 1:
            yield {"Records": [record]}
