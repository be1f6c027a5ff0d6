"""The simulator's own count agrees with what its callers and a hand-written center saw."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from ami_bridge.simulator import (
    CallerId,
    CallerScript,
    Counters,
    Ring,
    Simulator,
    SimulatorSettings,
    UnknownPhone,
    random_callers,
)

from .conftest import Backend, Manager, Session


async def test_a_crowd_is_counted_as_the_center_counts_it(simulator: Simulator, backend: Backend) -> None:
    answered: list[str] = []
    free = asyncio.Semaphore(1)
    simulator.phone("101").habit = lambda _: Ring(after_s=0.0, talk_s=0.02)

    async def center(agi: Session) -> None:
        await agi.take()
        async with free:
            await agi.ask('EXEC Dial "PJSIP/101,20,g"')
        if await agi.ask("GET FULL VARIABLE ${DIALSTATUS}") == "200 result=1 (ANSWER)":
            answered.append(agi.env["agi_uniqueid"])
        if not agi.ended:
            await agi.finish()

    backend.script = center
    crowd = random_callers(
        Random(3),
        calls_per_s=40.0,
        numbers=("1001",),
        callers=(CallerId("1"),),
        keys={"": 1.0},
        patience_s=1.0,
    )
    await simulator.play(crowd, until_s=0.5)
    await asyncio.wait_for(simulator.drain(), 10)
    await backend.done()
    counters = simulator.counters()
    assert counters.offered == len(backend.sessions) > 5
    assert counters.answered == len(answered)
    assert counters.offered == counters.answered + counters.abandoned + counters.ended
    assert counters.talking == 0


async def test_a_talk_in_progress_is_counted(
    simulator: Simulator, backend: Backend, manager: Manager
) -> None:
    async def center(agi: Session) -> None:
        await agi.take()
        await agi.ask('EXEC Dial "PJSIP/101,20,g"')
        await agi.finish()

    backend.script = center
    simulator.phone("101").plan.append(Ring(after_s=0.0))
    call = simulator.begin(CallerScript("1001"))
    await manager.event("BridgeEnter", BridgeNumChannels="2")
    assert simulator.counters() == Counters(offered=1, answered=1, talking=1, present=1)
    simulator.phone("101").hang_up()
    await asyncio.wait_for(call, 5)
    assert simulator.counters() == Counters(offered=1, answered=1)


async def test_stopping_leaves_nothing(settings: SimulatorSettings, backend: Backend) -> None:
    pbx = Simulator(settings, lambda: 1_800_000_000.0, Random(1))
    address = await pbx.start()

    taken = asyncio.Event()

    async def wait(agi: Session) -> None:
        await agi.take()
        taken.set()
        await agi.reply()

    backend.script = wait
    call = pbx.begin(CallerScript("1001"))
    await asyncio.wait_for(taken.wait(), 5)
    await pbx.stop()
    assert call.cancelled()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", address.ami_port)
    await backend.done()
    assert pbx.counters().present == 0
    assert not pbx.exchange.lines


async def test_a_phone_that_was_not_named_is_refused(simulator: Simulator) -> None:
    with pytest.raises(UnknownPhone, match="999"):
        simulator.phone("999")
