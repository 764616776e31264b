"""With screening off a message makes not one call of AWS more than without screening, nor by what only looks at names."""

from dataclasses import replace

import pytest

from tests.faults.world import World

pytestmark = pytest.mark.function("InboundFunction")

ALIAS = "c@example.com"


def calls(world: World) -> list[str]:
    message_id = world.store(ALIAS)
    world.interference.calls.clear()
    assert world.run(message_id, ALIAS) is None
    return sorted(world.interference.calls)  # the first three go out at once


def settings(world: World, **values: object) -> None:
    world.cloud.put("AliasTable", [{"address": "#settings", "rate_cap": 0, **values}])


def test_calls(world: World) -> None:
    settings(world)
    off = calls(world)
    wired, world.forwarder = world.forwarder, replace(world.forwarder, screening=None)
    assert calls(world) == off
    world.forwarder = wired
    settings(world, verdict_fields=True, reject_non_fqdn_sender="quarantine")
    assert calls(world) == off, "what only looks at names asks nobody"
