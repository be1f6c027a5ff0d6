"""The bridge alone before a real Asterisk: a center that only remembers, and verbs that a test writes.

async with house() as at:
    with at.caller(WaitInLine("cards", "fa")) as caller:
        contact, visit = await at.standing()
        at.ring(contact, visit, ["c1-phone"])
"""

from __future__ import annotations

import wave
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import time_ns

from acd.common.number import Number, parse_number
from acd.effects import KeepPlace, RingAgent
from acd.events import VisitQueued
from acd.site import Site, Trunk
from acd.ticket import Ticket
from acd.types import ContactId
from acd.verbs import Script, Verb
from ami_bridge.ami import AmiSettings
from ami_bridge.bridge import Bridge, BridgeDoors, BridgeSettings
from ami_bridge.fastagi import FastAgiSettings
from ami_bridge.recovery import Known, KnownCall
from ami_bridge.session import SessionSettings
from tests.ami_bridge.rig import Asked, Center, Verbs
from tests.live.center import Keys, Place, PlacePorts, premises
from tests.live.sipp import Callers


class WallCenter(Center):
    """The recording center by the wall's clock."""

    def now_us(self) -> int:
        return time_ns() // 1000


@dataclass
class House:
    """A bridge before a real Asterisk, and the verbs of the next caller. `known`: what the center believes; `again`
    makes another bridge, for after the end of this one."""

    place: Place
    bridge: Bridge
    center: WallCenter
    verbs: list[Verb]
    scripts: list[Verbs] = field(default_factory=list)
    known: dict[ContactId, KnownCall] = field(default_factory=dict)
    again: Callable[[], Bridge] = field(init=False)

    async def standing(self) -> tuple[str, str]:
        """Contact and visit of the caller who asked for a place last; they have one now."""
        number = sum(isinstance(event, VisitQueued) for event in self.center.events) or 1
        queued = await self.center.told(VisitQueued, number)
        visit = f"{queued.contact}.1"
        self.bridge.perform(KeepPlace(queued.contact, visit, queued.queue, self.center.now_us(), 0))
        return queued.contact, visit

    def ring(self, contact: str, visit: str, phones: Sequence[str], ring_s: float = 10.0) -> int:
        """All of them in one step; the instant by the wall's clock, in microseconds."""
        at_us = time_ns() // 1000
        for number, phone in enumerate(phones, start=1):
            self.bridge.perform(
                RingAgent(contact, visit, f"{visit}.{number}", f"a{number}", phone, at_us, ring_s)
            )
        return at_us

    def caller(self, *verbs: Verb, keys: Keys = (), talk_ms: int | None = None) -> Callers:
        self.verbs[:] = verbs
        return self.place.callers(["09121110001"], keys=keys, talk_ms=talk_ms)


@asynccontextmanager
async def house() -> AsyncIterator[House]:
    """With a trunk that leads to the phones of `patient`; numbers of 021 may be dialled there."""
    ports = PlacePorts.free()
    trunk = Trunk.model_validate({"host": "127.0.0.1", "port": ports.spare["patient"]})

    def with_trunk(site: Site) -> Site:
        return site.model_copy(update={"trunks": {"main": trunk}})

    async with premises("", ports=ports, change=with_trunk) as place:
        to, center, verbs = place.settings.asterisk, WallCenter(), list[Verb]()
        scripts: list[Verbs] = []

        def script_for(number: str, ticket: Ticket | None) -> Script:
            scripts.append(Verbs(*verbs))
            return scripts[-1]

        def number_of(written: str | None) -> tuple[Number, str | None]:
            return parse_number(written), None

        def broken(where: str, error: Exception) -> None:
            raise AssertionError(f"{where}: {error!r}")

        known: dict[ContactId, KnownCall] = {}

        def made() -> Bridge:
            return Bridge(
                BridgeSettings(
                    FastAgiSettings(secret=place.settings.secret("agi"), port=to.agi_port),
                    AmiSettings(
                        to.ami_user, place.settings.secret("ami"), host=to.ami_host, port=to.ami_port
                    ),
                    SessionSettings(
                        messages=str(to.messages), transfer_endpoint="trunk-main", transfer_allowed=("021",)
                    ),
                ),
                BridgeDoors(
                    center=center,
                    answers=Asked({"position": "1"}),
                    script_for=script_for,
                    number_of=number_of,
                    known=lambda: Known(center.now_us(), dict(known)),
                    phones=lambda: (),
                    broken=broken,
                ),
                Random(1),
            )

        at = House(place, made(), center, verbs, scripts, known)
        at.again = made
        await at.bridge.start()
        try:
            await at.bridge.ami.wait_up()
            yield at
        finally:
            await at.bridge.stop(1.0)


def tone(folder: Path, seconds: float) -> str:
    """A sound of this length, as Asterisk names it."""
    path = folder / f"tone-{seconds:g}.wav"
    with wave.open(str(path), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(b"\x00\x08\x00\xf8" * round(seconds * 4000))
    return str(path.with_suffix(""))
