"""The simulator and a real Asterisk 22.10 say the same: its recordings are played again, and compared.

Each recording is one call. Its AGI and AMI commands are sent to the simulator in their order; the AGI answers must
be equal, and of each channel the manager's events, header by header. Left out is what time and chance decide:
ids are replaced by the part they play, and the order between two channels is not promised by Asterisk either.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ami_bridge.simulator import CallerId, CallerScript, KeyPress, Pickup, Ring, Simulator, SimulatorSettings

from .conftest import Backend, Manager, Session

RECORDINGS = Path(__file__).parents[2] / "recordings" / "asterisk-22.10"

PHONES = {
    "ans": Ring(after_s=0.02, talk_s=0.05),
    "anslong": Ring(after_s=0.02),
    "busy": Ring(Pickup.BUSY, after_s=0.0),
    "reject": Ring(Pickup.REJECT, after_s=0.0),
    "unavail": Ring(Pickup.UNAVAILABLE, after_s=0.0),
    "noans": Ring(Pickup.NO_ANSWER),
    "hold": Ring(after_s=0.02, talk_s=0.15, hold_after_s=0.03, hold_s=0.03),
    "none": Ring(),
}

CALLERS = {
    "agent_ends": {},
    "caller_ends": {"talk_s": 0.05},
    "phones_that_fail": {},
    "leaves_waiting": {"hang_up_at_s": 0.1},
    "leaves_in_announcement": {"hang_up_at_s": 0.1},
    "leaves_in_wait_for_digit": {"hang_up_at_s": 0.1},
    "leaves_while_ringing": {"hang_up_at_s": 0.15},
    "native_agent_ends": {},
    "native_caller_ends": {"talk_s": 0.05},
    "native_caller_leaves": {"hang_up_at_s": 0.4},
    "redirected": {},
    "backend_dies": {"talk_s": 0.05},
    "hold": {},
}

Row = list[Any]


def recorded(name: str) -> list[Row]:
    return [json.loads(line) for line in (RECORDINGS / f"{name}.jsonl").read_text().splitlines()]


@pytest.fixture
def settings(settings: SimulatorSettings) -> SimulatorSettings:
    lengths = {"beep": 0.44, "nosuchfile": None}
    return replace(settings, phones=tuple(PHONES), sound_length=lambda name: lengths.get(name, 5.0))


@pytest.fixture
async def world(simulator: Simulator) -> Simulator:
    for name, ring in PHONES.items():
        simulator.phone(name).habit = lambda _, ring=ring: ring  # type: ignore[misc]
    simulator.register("none", False)
    return simulator


class Replay:
    """Sends what was sent, and compares what AGI answers."""

    def __init__(self, backend: Backend, manager: Manager) -> None:
        self._manager = manager
        self._arrived: asyncio.Queue[Session] = asyncio.Queue()
        self._over = asyncio.Event()
        self._backend = backend
        backend.script = self._hold

    async def _hold(self, session: Session) -> None:
        self._arrived.put_nowait(session)
        await self._over.wait()

    async def run(self, rows: list[Row]) -> None:
        session: Session | None = None
        env = [row[2].split(":")[0] for row in rows if row[1] == "env"]
        for place, row in enumerate(rows):
            if row[1] != "env":
                await asyncio.wait_for(self._step(session, row, rows[:place]), 5)
            elif row[2].startswith("agi_network:"):
                session = await asyncio.wait_for(self._arrived.get(), 5)
                assert list(session.env) == env[: len(session.env)]
        self._over.set()
        await self._backend.done()

    async def _step(self, session: Session | None, row: Row, before: list[Row]) -> None:
        if row[0] == "ami":
            if row[1] == "->":
                await self._caught_up(before)
                await self._act(session, row[2])
            return
        assert session is not None
        if row[1] == "->":
            self.sent = row[2]
            session.send(row[2].replace(",2,", ",0.05,"))
        elif row[1] == "<-":
            assert plain_reply(await session.line()) == plain_reply(row[2]), self.sent
        elif row[1] == "EOF" and not session.writer.is_closing():
            assert await session.line() == ""
        elif row[1] == "close":
            session.close()

    async def _caught_up(self, before: list[Row]) -> None:
        """Returns when as many rings were told of as in the recording so far."""
        rings = sum("DialStatus: RINGING" in row[2] for row in before)
        await self._manager.until(
            lambda: sum(m.get("DialStatus") == ["RINGING"] for m in self._manager.messages) >= rings
        )

    async def _act(self, session: Session | None, lines: list[str]) -> None:
        fields = dict(line.split(": ", 1) for line in lines)
        del fields["ActionID"]
        if session is not None and "Channel" in fields:
            fields["Channel"] = session.env["agi_channel"]
        # Beside the driver: an AGI answer may stand between the action and its response.
        await self._manager.ask(**fields)


def plain_reply(line: str) -> str:
    line = re.sub(r"pbx1-\d+\.\d+", "ID", line)
    line = re.sub(r"result=1 \(\d\)$", "result=1 (SECONDS)", line)
    return re.sub(r"endpos=(?!0$|3520$)-?\d+", "endpos=N", line)


# ---- the manager's events

_ROLES = ("Uniqueid", "Linkedid", "DestUniqueid", "DestLinkedid", "Contact")
_DECIDED_BY_TIME = (
    "Priority",
    "DestPriority",
    "BridgeTechnology",
    "DestChannelState",
    "DestChannelStateDesc",
    "HoldTime",
    "TalkTime",
    "RingTime",
)
_CONTEXTS = {"from-caller": "pasokh-inbound", "from-agent": "pasokh-phones"}
_PREDIAL = ("Context", "Exten", "DestContext", "DestExten")


def by_channel(messages: list[dict[str, list[str]]]) -> dict[str, list[dict[str, str]]]:
    """The events of each channel, the caller's first; a channel is named by its part."""
    roles: dict[str, str] = {}
    events: dict[str, list[dict[str, str]]] = {}
    for message in messages:
        if "Event" not in message or "ActionID" in message:
            continue
        flat = {name: values[0] for name, values in message.items()}
        if flat["Event"] == "DeviceStateChange":
            if flat["Device"].startswith("PJSIP/"):
                events.setdefault(flat["Device"], []).append(flat)
            continue
        if "Uniqueid" not in flat:
            continue
        if flat["Event"] == "Newchannel":
            roles[flat["Uniqueid"]] = f"channel {len(roles)}"
        events.setdefault(roles[flat["Uniqueid"]], []).append(plain_event(flat, roles))
    return events


def plain_event(event: dict[str, str], roles: dict[str, str]) -> dict[str, str]:
    plain = {}
    for name, value in event.items():
        if name in _ROLES:
            value = roles[value]
        elif name in ("Channel", "DestChannel"):
            value = value.rsplit("-", 1)[0]
        elif name == "BridgeUniqueid":
            value = "BRIDGE"
        elif name in _DECIDED_BY_TIME:
            value = "-"
        elif name in _PREDIAL:
            # Asterisk shows the pre-dial handler's place for as long as it likes.
            value = "-" if value in ("pasokh-predial", "agent") else _CONTEXTS.get(value, value)
        plain[name] = value
    return plain


def loosely(events: dict[str, list[dict[str, str]]]) -> dict[str, list[dict[str, str]]]:
    """Where the recording shows the pre-dial handler's place, ours may show its own."""
    return {
        channel: [
            {n: "-" if n in ("DestContext", "DestExten", "Context", "Exten") else v for n, v in e.items()}
            for e in es
        ]
        for channel, es in events.items()
    }


@pytest.mark.parametrize("name", CALLERS)
async def test_a_recorded_call_goes_the_same_way(
    name: str, world: Simulator, backend: Backend, manager: Manager
) -> None:
    if name == "native_agent_ends":
        await manager.ask(
            Action="QueueAdd", Queue="pasokh-fallback", Interface="PJSIP/ans", MemberName="sara"
        )
    if name == "native_caller_ends":
        await manager.ask(
            Action="QueueAdd", Queue="pasokh-fallback", Interface="PJSIP/anslong", MemberName="omid"
        )
    rows = recorded(name)
    dialled = next(row[2].split(": ")[1] for row in rows if row[1] == "env" and row[2].startswith("agi_dnid"))
    call = world.begin(CallerScript(dialled, CallerId("91"), **CALLERS[name]))
    await Replay(backend, manager).run(rows)
    contact = (await asyncio.wait_for(call, 5)).contact
    await manager.event("Hangup", Uniqueid=contact)
    await manager.event("DeviceStateChange", Device="PJSIP/trunk", State="UNAVAILABLE")
    theirs = loosely(by_channel([as_message(row[2]) for row in rows if row[:2] == ["ami", "<-"]]))
    ours = loosely(by_channel(manager.messages))
    ours.pop("PJSIP/none", None)
    for channel in theirs | ours:
        assert names(ours.get(channel, [])) == names(theirs.get(channel, [])), channel
        assert not differences(ours[channel], theirs[channel]), channel


def names(events: list[dict[str, str]]) -> list[str]:
    return [event["Event"] for event in events]


def differences(ours: list[dict[str, str]], theirs: list[dict[str, str]]) -> list[tuple[str, ...]]:
    """Place, event, and what is unlike: names of headers, or one header's value, ours first."""
    found: list[tuple[str, ...]] = []
    for place, (mine, real) in enumerate(zip(ours, theirs, strict=True)):
        if list(mine) != list(real):
            found.append((f"{place} {mine['Event']}", str(set(mine) ^ set(real))))
        found += [
            (f"{place} {mine['Event']}", n, mine[n], real[n])
            for n in mine
            if n in real and mine[n] != real[n]
        ]
    return found


def as_message(lines: list[str]) -> dict[str, list[str]]:
    message: dict[str, list[str]] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        message.setdefault(name.rstrip(":"), []).append(value)
    return message


async def test_commands_are_answered_alike(world: Simulator, backend: Backend) -> None:
    """Every command up to the first that is out of step in the recording."""
    rows = [row for row in recorded("commands") if row[0] == "agi" and row[1] in ("->", "<-")]
    pairs = [(a[2], b[2]) for a, b in zip(rows[::2], rows[1::2], strict=False)]
    pairs = pairs[: next(n for n, (_, reply) in enumerate(pairs) if reply.startswith("520"))]
    assert len(pairs) >= 35
    different: list[tuple[str, str, str]] = []

    async def session(agi: Session) -> None:
        for command, reply in pairs:
            ours = await agi.ask(command)
            if "EPOCH" in command:
                ours, reply = ours[:-12], reply[:-12]
            if plain_reply(ours) != plain_reply(reply):
                different.append((command, reply, ours))

    backend.script = session
    await world.call(CallerScript("1004", keys=(KeyPress("5", 0.05), KeyPress("5", 0.5)), hang_up_at_s=2.0))
    assert not different


async def test_actions_are_answered_alike(world: Simulator, manager: Manager) -> None:
    """Every action of the recording's manager; of lists, also the names of their headers."""
    theirs: dict[str, list[dict[str, list[str]]]] = {}
    actions: dict[str, dict[str, str]] = {}
    rows = recorded("actions")
    start = next(n for n, row in enumerate(rows) if "Action: Challenge" in row[2])
    for _, direction, lines in rows[start:]:
        message = as_message(lines)
        mark = message.get("ActionID", ["none"])[0]
        if direction == "->":
            actions[mark] = {name: values[0] for name, values in message.items() if name != "ActionID"}
        else:
            theirs.setdefault(mark, []).append(message)
    for mark, fields in actions.items():
        if fields["Action"] in ("Login", "Challenge", "QueueSummary"):
            continue
        end = theirs[mark][-1].get("Event", [""])[0]
        ours = await manager.ask(list_end=end, **fields)
        about = fields["Action"]
        assert [m.get("Response") for m in ours][:1] == [m.get("Response") for m in theirs[mark]][:1], about
        assert ours[0].get("Message") == theirs[mark][0].get("Message"), about
        if about not in ("CoreSettings", "CoreStatus"):
            assert list(ours[0]) == list(theirs[mark][0]), about
        if end:
            assert list(ours[-1]) == list(theirs[mark][-1]), about


@pytest.mark.parametrize("event", ["Status", "CoreShowChannel", "DeviceStateChange"])
async def test_lists_name_the_same_headers(
    event: str, world: Simulator, backend: Backend, manager: Manager
) -> None:
    theirs = [as_message(row[2]) for row in recorded("caller_ends") if row[:2] == ["ami", "<-"]]
    wanted = next(m for m in theirs if m.get("Event") == [event] and "ActionID" in m)

    async def session(agi: Session) -> None:
        await agi.take()
        await agi.ask('EXEC Dial "PJSIP/anslong,20,g"')

    backend.script = session
    call = world.begin(CallerScript("1002", CallerId("91")))
    await manager.event("BridgeEnter", BridgeNumChannels="2")
    action = {"CoreShowChannel": "CoreShowChannels", "DeviceStateChange": "DeviceStateList"}.get(event, event)
    end = {"CoreShowChannel": "CoreShowChannelsComplete", "Status": "StatusComplete"}.get(
        event, f"{action}Complete"
    )
    replies = await manager.ask(list_end=end, Action=action, Variables="PASOKH_TICKET,PASOKH_ID")
    assert list(replies[1]) == list(wanted)
    world.phone("anslong").hang_up()
    await asyncio.wait_for(call, 5)
