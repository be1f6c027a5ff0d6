"""Several phones in one Dial, in the order of events that a real Asterisk has."""

from __future__ import annotations

import asyncio
import wave
from pathlib import Path

import pytest

from ami_bridge.simulator import CallerScript, KeyPress, Left, Pickup, Ring, Simulator

from .conftest import Backend, Manager, Session

DIAL = 'EXEC Dial "PJSIP/101&PJSIP/102,{seconds},gb(pasokh-predial^agent^1)U(pasokh-talk^s^1)"'
OUTCOME = 'GET FULL VARIABLE "${DIALSTATUS}|${DIALEDPEERNAME}"'


def phones_of(manager: Manager, event: str) -> list[str]:
    """Whose legs these events were of, in order."""
    found = [message for message in manager.messages if message.get("Event") == [event]]
    names = [(message.get("DestChannel") or message["Channel"])[0] for message in found]
    return [name.removeprefix("PJSIP/")[:3] for name in names if name.startswith("PJSIP/10")]


async def run(
    simulator: Simulator, backend: Backend, manager: Manager, seconds: str = "5", **script: object
) -> list[str]:
    """The reply to Dial, what it left behind, and how the call ended, which the manager has heard."""
    said: list[str] = []

    async def session(agi: Session) -> None:
        await agi.take()
        said.append(await agi.ask(DIAL.format(seconds=seconds)))
        if not agi.ended:
            said.append(await agi.ask(OUTCOME))
            await agi.finish()

    backend.script = session
    outcome = await simulator.call(CallerScript("1001", **script))  # type: ignore[arg-type]
    await backend.done()
    await manager.event("Hangup", Uniqueid=outcome.contact)
    said.append(outcome.left)
    return said


async def test_the_first_to_answer_has_the_caller(
    simulator: Simulator, backend: Backend, manager: Manager
) -> None:
    simulator.phone("101").plan.append(Ring(Pickup.NO_ANSWER))
    simulator.phone("102").plan.append(Ring(after_s=0.02, talk_s=0.02))
    reply, outcome, left = await run(simulator, backend, manager)
    assert reply == "200 result=0"
    assert outcome.startswith("200 result=1 (ANSWER|PJSIP/102-")
    assert left is Left.AGENT
    await manager.event("BridgeDestroy")
    assert phones_of(manager, "DialBegin") == ["101", "102"]
    ends = [m for m in manager.messages if m.get("Event") == ["DialEnd"]]
    assert [m["DialStatus"] for m in ends] == [["CANCEL"], ["ANSWER"]], "the loser is told of first"
    cancelled = next(m for m in manager.messages if m.get("Event") == ["Hangup"])
    assert cancelled["Cause"] == ["26"]


async def test_each_refuses_in_its_own_way(simulator: Simulator, backend: Backend, manager: Manager) -> None:
    simulator.phone("101").plan.append(Ring(Pickup.BUSY, after_s=0.0))
    simulator.phone("102").plan.append(Ring(Pickup.REJECT, after_s=0.0))
    reply, outcome, _ = await run(simulator, backend, manager)
    assert reply == "200 result=0"
    assert outcome == "200 result=1 (BUSY|)"
    ends = {m["DestChannel"][0][6:9]: m["DialStatus"][0] for m in manager.messages if "DialStatus" in m
            and m["Event"] == ["DialEnd"]}  # fmt: skip
    assert ends == {"101": "BUSY", "102": "NOANSWER"}
    causes = [m["Cause"][0] for m in manager.messages if m.get("Event") == ["Hangup"]]
    assert causes[:2] == ["17", "21"]


async def test_nobody_lifts_a_receiver(simulator: Simulator, backend: Backend, manager: Manager) -> None:
    for name in ("101", "102"):
        simulator.phone(name).plan.append(Ring(Pickup.NO_ANSWER))
    _, outcome, _ = await run(simulator, backend, manager, "0.05")
    assert outcome == "200 result=1 (NOANSWER|)"
    assert sorted(phones_of(manager, "DialEnd")) == ["101", "102"]


async def test_a_phone_that_is_not_there_makes_no_channel(
    simulator: Simulator, backend: Backend, manager: Manager
) -> None:
    simulator.register("101", False)
    simulator.phone("102").plan.append(Ring(after_s=0.01, talk_s=0.01))
    _, outcome, _ = await run(simulator, backend, manager)
    assert outcome.startswith("200 result=1 (ANSWER|PJSIP/102-")
    assert phones_of(manager, "DialBegin") == ["102"]


async def test_a_manager_takes_one_ring_back(
    simulator: Simulator, backend: Backend, manager: Manager
) -> None:
    simulator.phone("101").plan.append(Ring(Pickup.NO_ANSWER))
    simulator.phone("102").plan.append(Ring(after_s=0.2, talk_s=0.01))
    running = asyncio.create_task(run(simulator, backend, manager))
    begun = await manager.event("DialBegin")
    await manager.ask(Action="Hangup", Channel=begun["DestChannel"][0])
    _, outcome, _ = await running
    assert outcome.startswith("200 result=1 (ANSWER|PJSIP/102-")
    ends = [m["DialStatus"][0] for m in manager.messages if m.get("Event") == ["DialEnd"]]
    assert ends == ["NOANSWER", "ANSWER"]


async def test_a_caller_who_leaves_cancels_all(
    simulator: Simulator, backend: Backend, manager: Manager
) -> None:
    for name in ("101", "102"):
        simulator.phone(name).plan.append(Ring(Pickup.NO_ANSWER))
    *_, left = await run(simulator, backend, manager, hang_up_at_s=0.1)
    assert left is Left.ABANDONED
    ends = [m["DialStatus"][0] for m in manager.messages if m.get("Event") == ["DialEnd"]]
    assert ends == ["CANCEL", "CANCEL"]
    assert all(not simulator.phone(name).legs for name in ("101", "102"))


# ---- what a caller says ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "reply", "samples"),
    [
        ({"speaks_s": 0.05, "keys": (KeyPress("#", 0.2),)}, "200 result=35 (dtmf)", 400),
        ({"speaks_s": 9.0}, "200 result=0 (timeout)", 4000),
        ({"speaks_s": 0.0}, "200 result=0 (timeout)", 0),
    ],
)
async def test_a_message_is_recorded(
    simulator: Simulator,
    backend: Backend,
    tmp_path: Path,
    script: dict[str, object],
    reply: str,
    samples: int,
) -> None:
    replies: list[str] = []

    async def session(agi: Session) -> None:
        await agi.take()
        replies.append(await agi.ask(f'RECORD FILE "{tmp_path}/words" wav "#" 500 0 beep s=4'))
        replies.append(await agi.ask('RECORD FILE "/no/such/folder/words" wav "#" 500 0 beep s=4'))
        await agi.finish()

    backend.script = session
    await simulator.call(CallerScript("1001", **script))  # type: ignore[arg-type]
    head, _, endpos = replies[0].rpartition(" endpos=")
    assert head == reply
    assert abs(int(endpos) - samples) < 400
    assert replies[1] == "200 result=-1 (writefile)"
    with wave.open(str(tmp_path / "words.wav")) as sound:
        assert sound.getnframes() == int(endpos)
