"""What all calls of the simulated PBX share: channels, names, database, phones, the fallback queue's members."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Protocol

from ami_bridge.wire import AmiMessage, encode_message

from .channel import Channel, expand
from .errors import UnknownPhone
from .line import Line
from .phones import Phone
from .settings import SimulatorSettings


class Listener(Protocol):
    """A manager session that takes events of the classes it may read."""

    def event(self, name: str, privilege: str, message: bytes) -> None: ...


@dataclass(slots=True)
class Member:
    """A member of the fallback queue. Times are epoch seconds."""

    name: str
    phone: str
    paused: bool
    login_s: int
    last_pause_s: int = 0
    last_call_s: int = 0
    calls: int = 0


class Exchange:
    """`clock` gives the wall time in seconds: Asterisk's EPOCH. Chance comes from `rng` alone."""

    def __init__(self, settings: SimulatorSettings, clock: Callable[[], float], rng: Random) -> None:
        self.settings = settings
        self.clock = clock
        self.rng = rng
        self.lines: dict[str, Line] = {}
        self.globals: dict[str, str] = {}
        self.database: dict[str, dict[str, str]] = {}
        self.members: dict[str, Member] = {}
        self.queue: list[Line] = []
        self.phones = {name: Phone(name, rng) for name in settings.phones}
        self.listeners: list[Listener] = []
        self.processed = 0
        self._channels = 0
        self._pjsip = 0
        self._locals = 0
        self.trunk_state = "UNAVAILABLE"

    def epoch(self) -> int:
        return int(self.clock())

    def phone(self, name: str) -> Phone:
        """Raises UnknownPhone."""
        if name not in self.phones:
            raise UnknownPhone(f"The simulator has no phone {name!r}; name it in its settings.")
        return self.phones[name]

    # ---- channels

    def new_line(
        self, endpoint: str, context: str, exten: str, *, parent: Line | None = None, state: int = 0
    ) -> Line:
        """A channel of a PJSIP endpoint. With `parent` it belongs to that call and has its variables."""
        name = f"PJSIP/{endpoint}-{self._pjsip:08x}"
        self._pjsip += 1
        line = self._add(name, context, exten, parent)
        line.channel.state = state
        return line

    def new_local(self, exten: str, context: str) -> tuple[Line, Line]:
        """Both halves of a Local channel."""
        name = f"Local/{exten}@{context}-{self._locals:08x}"
        self._locals += 1
        first = self._add(f"{name};1", context, exten, None)
        second = self._add(f"{name};2", context, exten, first)
        second.channel.state = 4
        return first, second

    def _add(self, name: str, context: str, exten: str, parent: Line | None) -> Line:
        uniqueid = f"{self.settings.system_name}-{self.epoch()}.{self._channels}"
        self._channels += 1
        linkedid = parent.channel.linkedid if parent else uniqueid
        channel = Channel(name, uniqueid, linkedid, context, exten, asyncio.get_running_loop().time())
        if parent is not None:
            channel.inherit_from(parent.channel)
        line = Line(self, channel)
        self.lines[name] = line
        return line

    def closed(self, line: Line) -> None:
        self.lines.pop(line.channel.name, None)

    # ---- values

    def value(self, line: Line, name: str) -> str:
        """What `${name}` is on this channel."""
        return self.known(line, name) or ""

    def known(self, line: Line, name: str) -> str | None:
        """The same, None when it is not set."""
        channel = line.channel
        function, bracket, argument = name.partition("(")
        if bracket:
            return self._function(channel, function, argument.removesuffix(")"))
        fixed = {
            "UNIQUEID": channel.uniqueid,
            "EPOCH": str(self.epoch()),
            "CHANNEL": channel.name,
            "EXTEN": channel.exten,
            "CONTEXT": channel.context,
            "HANGUPCAUSE": str(channel.hangup_cause),
            "SYSTEMNAME": self.settings.system_name,
        }
        if name in fixed:
            return fixed[name]
        return channel.variables.get(name, self.globals.get(name))

    def _function(self, channel: Channel, function: str, argument: str) -> str | None:
        if function == "CHANNEL":
            state = {4: "Ring", 5: "Ringing", 6: "Up"}.get(channel.state, "Down")
            return {
                "uniqueid": channel.uniqueid,
                "linkedid": channel.linkedid,
                "name": channel.name,
                "state": state,
                "language": channel.language,
            }.get(argument, "")
        if function == "CALLERID":
            return {"num": channel.caller_number, "name": channel.caller_name}.get(argument, "")
        if function == "DB":
            family, _, key = argument.partition("/")
            return self.database.get(family, {}).get(key, "")
        return None

    def set_value(self, line: Line, name: str, value: str) -> None:
        match name:
            case "CALLERID(num)":
                line.channel.caller_number = value
            case "CALLERID(name)":
                line.channel.caller_name = value
            case _:
                line.channel.set(name, value)

    def expanded(self, line: Line, text: str) -> str:
        return expand(text, lambda name: self.value(line, name))

    # ---- events

    def emit(self, event: str, privilege: str, headers: Mapping[str, str]) -> None:
        """Tells every manager session that may read it. An event that nobody may read is not even written."""
        if not self.listeners:
            return
        message = encode_message(
            AmiMessage(
                {
                    "Event": event,
                    "Privilege": f"{privilege},all",
                    "SystemName": self.settings.system_name,
                    **headers,
                }
            )
        )
        for listener in list(self.listeners):
            listener.event(event, privilege, message)

    def phone_changed(self, phone: Phone) -> None:
        """Shows a phone's state, when it is another than before, and the queue's member with it."""
        if phone.state == phone.shown:
            return
        phone.shown = phone.state
        self.emit("DeviceStateChange", "call", {"Device": phone.interface, "State": phone.state})
        member = self.members.get(phone.interface)
        if member is not None:
            self.emit("QueueMemberStatus", "agent", self.member_headers(member))

    def trunk_changed(self) -> None:
        prefix = f"PJSIP/{self.settings.trunk}-"
        held = [line.channel.held for name, line in self.lines.items() if name.startswith(prefix)]
        state = ("ONHOLD" if all(held) else "INUSE") if held else "UNAVAILABLE"
        if state != self.trunk_state:
            self.trunk_state = state
            self.emit("DeviceStateChange", "call", {"Device": prefix.removesuffix("-"), "State": state})

    def member_headers(self, member: Member) -> dict[str, str]:
        phone = self.phones.get(member.phone)
        status = {"NOT_INUSE": "1", "BUSY": "3", "UNAVAILABLE": "5"}[phone.state] if phone else "4"
        interface = f"PJSIP/{member.phone}"
        return {
            "Queue": self.settings.dialplan.queue,
            "MemberName": member.name,
            "Interface": interface,
            "StateInterface": interface,
            "Membership": "dynamic",
            "Penalty": "0",
            "CallsTaken": str(member.calls),
            "LastCall": str(member.last_call_s),
            "LastPause": str(member.last_pause_s),
            "LoginTime": str(member.login_s),
            "InCall": "0",
            "Status": status,
            "Paused": "1" if member.paused else "0",
            "PausedReason": "",
            "Ringinuse": "0",
            "Wrapuptime": "0",
        }

    def bridge_id(self) -> str:
        """A bridge's name: a UUID made from the given chance."""
        digits = f"{self.rng.getrandbits(128):032x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
