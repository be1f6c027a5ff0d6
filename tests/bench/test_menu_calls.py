"""How many callers a second come into a menu on the real Asterisk, beside a bare AGI loop in the same run.

SIPp calls; Asterisk answers through the generated dialplan, asks us, plays the menu, hears the key by SIP INFO, and
ends the call when we are done with it. The rate climbs by steps, for both in turns, until a call fails or is late:
then Asterisk, SIPp and the server have both cores full. The target is a rate, or else the rate of the bare loop.
"""

from __future__ import annotations

import time
import wave
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from asterisk_conf import AsteriskConfSettings, complete
from tests.asterisk_conf.sites import example
from tests.bench.agi_callers import server
from tests.bench.agi_server import SECRET
from tests.bench.measure import Figure, Report, missed
from tests.live.asterisk import LiveAsterisk, Ports
from tests.live.sipp import Callers
from tests.ports import unused_tcp_port

pytestmark = pytest.mark.needs("asterisk", "sipp")

NUMBER = "02191001500"
RATES = (50, 100, 150, 200, 250, 300, 350)
KINDS = ("streams", "ours")
SECONDS = 2.0
KEY_AFTER_MS = 100
IN_TIME = 0.9
"""A step counts when SIPp kept up with this part of its rate."""
LATE_S = 1.0
"""A step counts when the last call of it was answered this soon."""
WANTED_PER_S = 300
ALL_TOGETHER_S = 60.0


@dataclass(frozen=True, slots=True)
class Climbed:
    """The highest rate without a failure, and the processor time of a call there."""

    calls_per_s: float
    ms_of_a_call: float


def configured(ports: Ports, agi_port: int) -> AsteriskConfSettings:
    return AsteriskConfSettings(
        agi_secret=SECRET,
        ami_secret="of-nobody-here",
        agi_servers=(("127.0.0.1", agi_port),),
        ami_port=ports.ami,
        sip_port=ports.sip,
        rtp_first=ports.rtp_first,
        rtp_last=ports.rtp_last,
        qualify_s=0,
        loopback=True,
        register_trunks=False,
    )


def silence(path: Path) -> str:
    """Two seconds of it, as a sound's name."""
    with wave.open(str(path.with_suffix(".wav")), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", "not compressed"))
        file.writeframes(bytes(2 * 8000 * 2))
    return str(path)


async def step(asterisk: LiveAsterisk, calls_per_s: int) -> float:
    """The rate at which calls came and were answered, heard their menu and ended; 0 when one of them failed, or when
    they came faster than they were answered."""
    count = round(calls_per_s * SECONDS)
    numbers = [f"0912{n:07}" for n in range(count)]
    with ExitStack() as stack:
        callers = stack.enter_context(
            Callers(
                numbers,
                dial=NUMBER,
                asterisk_port=asterisk.ports.sip,
                keys=[(KEY_AFTER_MS, "1")],
                calls_per_s=calls_per_s,
                timeout_s=12,
            )
        )
        done = await callers.finished()
    if (done.succeeded, done.failed) != (count, 0):
        return 0.0
    calls, answers = (sorted(moment.at_us for moment in done.of(what)) for what in ("INVITE", "ANSWER"))
    late_s = (answers[-1] - calls[-1]) / 1e6
    return 0.0 if late_s > LATE_S else (count - 1) / (calls[-1] - calls[0]) * 1e6


async def tried(
    kind: str, calls_per_s: int, asterisk: LiveAsterisk, agi_port: int, sound: str
) -> Climbed | None:
    """One step with a server of its own; None when it did not go in time or not without a failure. Tried twice:
    a machine has other things to do at times."""
    for _ in range(2):
        async with server(kind, str(agi_port), sound) as at:
            before = await at.used()
            reached = await step(asterisk, calls_per_s)
            used_s = (await at.used()).cpu_s - before.cpu_s
        if reached >= calls_per_s * IN_TIME:
            return Climbed(reached, used_s / (calls_per_s * SECONDS) * 1000)
    return None


async def test_callers_come_into_a_menu(report: Report, tmp_path: Path) -> None:
    ports, agi_port = Ports.free(2000), unused_tcp_port()
    sound = silence(tmp_path / "menu")
    with LiveAsterisk(
        complete(example(), configured(ports, agi_port), lambda name: f"of-{name}"), ports
    ) as asterisk:
        best = dict.fromkeys(KINDS, Climbed(0.0, 0.0))
        climbing = list(KINDS)
        end_s = time.monotonic() + ALL_TOGETHER_S
        with report.steps("menu calls on Asterisk", len(RATES)) as done:
            for calls_per_s in RATES:
                for kind in [*climbing]:
                    reached = await tried(kind, calls_per_s, asterisk, agi_port, sound)
                    if reached is None:
                        climbing.remove(kind)
                    else:
                        best[kind] = reached
                done()
                if not climbing or time.monotonic() > end_s:
                    break
    bare, ours = (best[kind] for kind in KINDS)
    wanted = IN_TIME * min(WANTED_PER_S, bare.calls_per_s)
    figures = [
        Figure(
            "menu calls, no failure", ours.calls_per_s, "calls/s", at_least=wanted, beside=bare.calls_per_s
        ),
        Figure("a menu call, of our processor time", ours.ms_of_a_call, "ms", beside=bare.ms_of_a_call),
    ]
    report.add(*figures)
    assert ours.calls_per_s > 0
    assert bare.calls_per_s > 0
    assert not missed(figures)
