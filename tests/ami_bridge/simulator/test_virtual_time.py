"""An hour of calls through the product's own FastAGI listener and manager link, in virtual time and memory."""

from __future__ import annotations

import asyncio
import time
from random import Random

from ami_bridge.agi import NO_LIMIT, AgiSession
from ami_bridge.ami import Ami, AmiSettings
from ami_bridge.fastagi import FastAgiServer, FastAgiSettings
from ami_bridge.signature import CallRequest
from ami_bridge.simulator import (
    AmiUser,
    CallerId,
    Counters,
    DialplanSettings,
    Simulator,
    SimulatorSettings,
    human,
    random_callers,
)
from ami_bridge.wire import AmiMessage

from .memory import MemoryLoop

PHONES = ("101", "102", "103")


class Center:
    """As little of a center as can be: who is free is rung, and who waits hears music."""

    def __init__(self) -> None:
        self.free: asyncio.Queue[str] = asyncio.Queue()
        for phone in PHONES:
            self.free.put_nowait(phone)
        self.sessions = self.talks = 0
        self.events: list[tuple[float, str]] = []
        self.errors: list[Exception] = []

    async def handle(self, agi: AgiSession, request: CallRequest) -> None:
        self.sessions += 1
        await agi.set_variable("PASOKH_TOOK", "1")
        await agi.stream_file("welcome", "12")
        await agi.set_music(True, "default")
        status = ""
        while status != "ANSWER":
            phone = await self.free.get()
            try:
                await agi.exec("Dial", f"PJSIP/{phone},20,g", deadline_s=NO_LIMIT)
                status = await agi.get_full_variable("${DIALSTATUS}") or ""
                self.talks += status == "ANSWER"
            finally:
                self.free.put_nowait(phone)
        await agi.set_variable("PASOKH_DONE", "1")

    def event(self, message: AmiMessage) -> None:
        self.events.append((asyncio.get_running_loop().time(), message.event))


async def one_hour(seed: int) -> tuple[Counters, Center]:
    loop = asyncio.get_running_loop()

    def clock() -> float:
        return 1_800_000_000.0 + loop.time()

    center = Center()
    server = FastAgiServer(
        FastAgiSettings(secret="s", port=4573),
        center.handle,
        clock=clock,
        on_error=lambda _, error: center.errors.append(error),
    )
    await server.start()
    settings = SimulatorSettings(
        AmiUser(secret="s"), ami_port=5038, dialplan=DialplanSettings(secret="s"), phones=PHONES
    )
    pbx = Simulator(settings, clock, Random(seed))
    await pbx.start()
    for phone in PHONES:
        pbx.phone(phone).habit = human(talk_s=(10.0, 120.0))

    async def up() -> None: ...

    ami = Ami(
        AmiSettings("pasokh", "s"),
        random=Random(seed),
        on_event=center.event,
        on_up=up,
        on_down=lambda _: None,
        on_error=lambda error, *_: center.errors.append(error),
    )
    ami.start()
    async with asyncio.timeout(10):
        await ami.wait_up()
    callers = (CallerId("09121234567", "زهرا"), CallerId(""))
    crowd = random_callers(
        Random(seed),
        calls_per_s=0.05,
        numbers=("1001",),
        callers=callers,
        keys={"1": 1.0},
        patience_s=90.0,
        talk_s=60.0,
    )
    await pbx.play(crowd, until_s=3600.0)
    await pbx.drain()
    counters = pbx.counters()
    await ami.stop()
    await pbx.stop()
    await server.stop(1.0)
    return counters, center


def run(seed: int) -> tuple[Counters, Center]:
    with asyncio.Runner(loop_factory=MemoryLoop) as runner:
        return runner.run(one_hour(seed))


def test_an_hour_of_calls_takes_seconds_and_its_seed_repeats_it() -> None:
    began = time.monotonic()
    counters, center = run(5)
    assert not center.errors
    assert counters.offered == center.sessions > 120
    assert counters.answered > 80
    assert counters.abandoned > 3
    assert counters.offered == counters.answered + counters.abandoned + counters.ended
    assert counters.fallback == 0
    assert center.events[-1][0] > 3600.0
    assert time.monotonic() - began < 30.0
    again, same = run(5)
    assert again == counters
    assert same.events == center.events
