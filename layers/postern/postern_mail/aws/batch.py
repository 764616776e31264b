"""BatchGetItem, the only way to read many items by key: repeated for unprocessed keys, with pauses and a limit."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from ..errors import Throttled
from ..side_by_side import Then, Waiting
from .attributes import row
from .begun import begun
from .failures import translated

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MAX_KEYS = 100  # of one BatchGetItem, docs.aws.amazon.com/amazondynamodb, "BatchGetItem"
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8)  # seconds before asking again for unprocessed keys


def read(
    client: "DynamoDBClient",
    wanted: Iterable[tuple[str, Mapping[str, Any]]],
    pause: Callable[[float], object],
    *,
    consistent: bool = False,
    shown: str = "",
) -> dict[str, list[dict[str, Any]]]:
    """The existing items, by table, for at most MAX_KEYS (table, key) in DynamoDB's form. `shown` lists the attributes
    to read, separated by commas, if not all.

    Raises Temporary; Throttled if keys stay unprocessed: an unanswered key never counts as a missing item.
    """
    request = _request(wanted, consistent=consistent, shown=shown)
    return _items(client, partial(client.batch_get_item, RequestItems=request), pause)


def begin(
    client: "DynamoDBClient", wanted: Iterable[tuple[str, Mapping[str, Any]]], pause: Callable[[float], object]
) -> Waiting[dict[str, list[dict[str, Any]]]]:
    """A consistent `read`, under way."""
    asked = begun(client, "BatchGetItem", RequestItems=_request(wanted, consistent=True, shown=""))
    return Then(asked, partial(_items, client, asked.result, pause))


def _request(wanted: Iterable[tuple[str, Mapping[str, Any]]], *, consistent: bool, shown: str) -> dict[str, Any]:
    request: dict[str, Any] = {}
    how = {**({"ConsistentRead": True} if consistent else {}), **({"ProjectionExpression": shown} if shown else {})}
    for table, key in wanted:
        asked = request.setdefault(table, {"Keys": [], **how})
        asked["Keys"].append(key)
    return request


def _items(
    client: "DynamoDBClient", ask: Callable[[], Any], pause: Callable[[float], object]
) -> dict[str, list[dict[str, Any]]]:
    """All items: those that `ask` gets, and what DynamoDB left, asked for again."""
    found: dict[str, list[dict[str, Any]]] = {}
    for seconds in (*_PAUSES, None):
        with translated("DynamoDB BatchGetItem"):
            response = ask()
        for table, items in response["Responses"].items():
            found.setdefault(table, []).extend(map(row, items))
        request = dict(response.get("UnprocessedKeys") or {})
        if not request:
            return found
        if seconds is not None:
            pause(seconds)
        ask = partial(client.batch_get_item, RequestItems=request)
    left = sum(len(keys["Keys"]) for keys in request.values())
    raise Throttled(f"DynamoDB BatchGetItem left {left} keys unprocessed after {len(_PAUSES) + 1} calls")
