"""Asterisk's own queue: who is rung, who is not, and that callers stand in line."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from ami_bridge.simulator import CallerScript, Left, Pickup, Ring, Simulator, SimulatorSettings, answers

from .conftest import Backend, Manager, Session


@pytest.fixture
def settings(settings: SimulatorSettings) -> SimulatorSettings:
    """Nobody of ours is waited for."""
    return replace(settings, dialplan=replace(settings.dialplan, without_anyone_s=0.0))


async def add(manager: Manager, phone: str, name: str, paused: str = "false") -> None:
    fields = {"Queue": "pasokh-fallback", "Interface": f"PJSIP/{phone}", "MemberName": name, "Paused": paused}
    assert (await manager.ask(Action="QueueAdd", **fields))[0]["Response"] == ["Success"]


async def test_a_paused_member_is_skipped_until_it_is_not(
    simulator: Simulator, backend: Backend, manager: Manager
) -> None:
    await backend.stop()
    await add(manager, "101", "sara", "true")
    simulator.phone("101").plan.append(Ring(after_s=0.0, talk_s=0.02))
    call = simulator.begin(CallerScript("1001"))
    await manager.event("QueueCallerJoin")
    assert simulator.phone("101").rung == 0
    await manager.ask(Action="QueuePause", Interface="PJSIP/101", Paused="false")
    assert (await asyncio.wait_for(call, 5)).answered_by == "101"


async def test_who_does_not_answer_is_followed_by_another(
    simulator: Simulator, backend: Backend, manager: Manager
) -> None:
    await backend.stop()
    await add(manager, "101", "sara")
    await add(manager, "102", "omid")
    simulator.phone("101").plan.append(Ring(Pickup.NO_ANSWER))
    simulator.phone("102").plan.append(Ring(after_s=0.0, talk_s=0.02))
    outcome = await asyncio.wait_for(simulator.call(CallerScript("1001")), 5)
    assert (outcome.rung, outcome.answered_by) == (("101", "102"), "102")


async def test_two_callers_are_answered_in_their_order(
    simulator: Simulator, backend: Backend, manager: Manager
) -> None:
    await backend.stop()
    simulator.phone("101").habit = answers(after_s=0.0)
    first = simulator.begin(CallerScript("1001", talk_s=0.05))
    await manager.event("QueueCallerJoin", Position="1")
    second = simulator.begin(CallerScript("1001", talk_s=0.05))
    await manager.event("QueueCallerJoin", Position="2")
    await add(manager, "101", "sara")
    one, two = await asyncio.wait_for(asyncio.gather(first, second), 5)
    assert one.left is two.left is Left.CALLER
    connected = [m["Uniqueid"][0] for m in manager.messages if m.get("Event") == ["AgentConnect"]]
    assert connected == [one.contact, two.contact]


async def test_who_is_not_answered_there_either_comes_back_to_us(
    simulator: Simulator, backend: Backend, manager: Manager
) -> None:
    async def finish(agi: Session) -> None:
        await agi.take()
        await agi.finish()

    await backend.stop()
    exchange = simulator.exchange
    exchange.settings = replace(
        exchange.settings, dialplan=replace(exchange.settings.dialplan, queue_timeout_s=0.05)
    )
    call = simulator.begin(CallerScript("1001"))
    await manager.event("QueueCallerJoin")
    backend.script = finish
    await backend.start()
    outcome = await asyncio.wait_for(call, 5)
    assert outcome.fallback
    assert outcome.left is Left.SYSTEM
    assert "pasokh" not in exchange.database or outcome.contact not in exchange.database["pasokh"]
