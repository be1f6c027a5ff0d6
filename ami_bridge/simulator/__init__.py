"""A PBX on the wire, for the demo, load and faults: it speaks AMI and FastAGI as Asterisk 22 with our dialplan does.

It decides nothing about a call: it has callers and phones, and does what the bridge asks, in Asterisk's own words
and order. What it says was read from a real Asterisk 22.10 and is compared with recordings of it.

    simulator = Simulator(SimulatorSettings(phones=("101",), ...), clock=time.time, rng=Random(1))
    addresses = await simulator.start()
    outcome = await simulator.call(CallerScript("02191000000", keys=(KeyPress("1"),), talk_s=20))
"""

from __future__ import annotations

from .callers import (
    ANONYMOUS,
    CallerId,
    CallerScript,
    CallOutcome,
    KeyPress,
    Left,
    random_callers,
    typed,
)
from .errors import SimulatorError, UnknownPhone
from .line import Heard
from .pbx import Counters, Simulator, SimulatorAddresses
from .phones import Habit, Phone, Pickup, Ring, answers, human
from .settings import AmiUser, DialplanSettings, SimulatorSettings, SoundFolder

__all__ = [
    "ANONYMOUS",
    "AmiUser",
    "CallOutcome",
    "CallerId",
    "CallerScript",
    "Counters",
    "DialplanSettings",
    "Habit",
    "Heard",
    "KeyPress",
    "Left",
    "Phone",
    "Pickup",
    "Ring",
    "Simulator",
    "SimulatorAddresses",
    "SimulatorError",
    "SimulatorSettings",
    "SoundFolder",
    "UnknownPhone",
    "answers",
    "human",
    "random_callers",
    "typed",
]
