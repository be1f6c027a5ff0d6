"""Phones: plans before habits, the state others see, and hands on the receiver."""

from __future__ import annotations

import asyncio
from random import Random

from ami_bridge.simulator import CallerScript, Left, Phone, Pickup, Ring, Simulator, answers, human

from .conftest import Backend, Manager, Session


def test_a_plan_comes_before_the_habit() -> None:
    phone = Phone("101", Random(1), answers(after_s=3.0))
    phone.plan.append(Ring(Pickup.BUSY))
    assert phone.next_ring().pickup is Pickup.BUSY
    assert phone.next_ring() == Ring(Pickup.ANSWER, 3.0)


def test_a_person_at_the_phone_is_repeated_by_the_seed_and_mostly_answers() -> None:
    habit = human(talk_s=(5.0, 10.0))
    one = [habit(rng) for rng in [Random(4)] for _ in range(500)]
    rng = Random(4)
    assert one == [habit(rng) for _ in range(500)]
    answered = [ring for ring in one if ring.pickup is Pickup.ANSWER]
    assert 450 < len(answered) < 500
    assert all(1.0 <= ring.after_s <= 4.0 and 5.0 <= (ring.talk_s or 0) <= 10.0 for ring in answered)


async def test_a_receiver_is_lifted_and_put_down_by_hand(
    simulator: Simulator, backend: Backend, manager: Manager
) -> None:
    async def center(agi: Session) -> None:
        await agi.take()
        await agi.ask('EXEC Dial "PJSIP/101,20,g"')
        await agi.finish()

    backend.script = center
    phone = simulator.phone("101")
    phone.plan.append(Ring(Pickup.NO_ANSWER))
    call = simulator.begin(CallerScript("1001"))
    await manager.event("DeviceStateChange", Device="PJSIP/101", State="BUSY")
    phone.pick_up()
    await manager.event("BridgeEnter", BridgeNumChannels="2")
    phone.hang_up()
    outcome = await asyncio.wait_for(call, 5)
    assert (outcome.left, phone.answered, phone.state) == (Left.AGENT, 1, "NOT_INUSE")
    await manager.event("DeviceStateChange", Device="PJSIP/101", State="NOT_INUSE")


async def test_hanging_up_what_rings_rejects_it(
    simulator: Simulator, backend: Backend, manager: Manager
) -> None:
    statuses: list[str] = []

    async def center(agi: Session) -> None:
        await agi.take()
        await agi.ask('EXEC Dial "PJSIP/101,20,g"')
        statuses.append(await agi.ask("GET FULL VARIABLE ${DIALSTATUS}"))
        await agi.finish()

    backend.script = center
    simulator.phone("101").plan.append(Ring(Pickup.NO_ANSWER))
    call = simulator.begin(CallerScript("1001"))
    await manager.event("DialState")
    simulator.phone("101").hang_up()
    await asyncio.wait_for(call, 5)
    assert statuses == ["200 result=1 (CHANUNAVAIL)"]
