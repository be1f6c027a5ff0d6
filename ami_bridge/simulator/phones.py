"""Agents' phones: what they do when they are rung, and the state Asterisk shows of each.

With `device_state_busy_at=1`, as our configuration has it, a phone is BUSY from its first ring on; measured on
Asterisk 22.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .line import Line


class Pickup(StrEnum):
    """What becomes of a ring: answered, or one of the ways not to be."""

    ANSWER = "answer"
    BUSY = "busy"
    REJECT = "reject"
    UNAVAILABLE = "unavailable"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True)
class Ring:
    """What a phone does with one call, `after_s` seconds after its first ring.

    `talk_s`: the agent hangs up so long after answering; None waits for the caller. `hold_after_s`, `hold_s`: the
    agent puts the caller on hold so long after answering, for so long.
    """

    pickup: Pickup = Pickup.ANSWER
    after_s: float = 0.5
    talk_s: float | None = None
    hold_after_s: float | None = None
    hold_s: float = 1.0


Habit = Callable[[Random], Ring]


def answers(after_s: float = 0.5, talk_s: float | None = None) -> Habit:
    """A phone that always answers."""
    return lambda _: Ring(Pickup.ANSWER, after_s, talk_s)


def human(
    *,
    after_s: tuple[float, float] = (1.0, 4.0),
    talk_s: tuple[float, float] | None = None,
    no_answer: float = 0.02,
    reject: float = 0.01,
    hold: float = 0.05,
) -> Habit:
    """A phone with a person at it: times within the ranges, and now and then no answer, a rejection or a hold."""

    def ring(rng: Random) -> Ring:
        after = rng.uniform(*after_s)
        talk = None if talk_s is None else rng.uniform(*talk_s)
        chance = rng.random()
        if chance < no_answer:
            return Ring(Pickup.NO_ANSWER)
        if chance < no_answer + reject:
            return Ring(Pickup.REJECT, after)
        hold_after = rng.uniform(1.0, 5.0) if rng.random() < hold else None
        return Ring(Pickup.ANSWER, after, talk, hold_after, rng.uniform(2.0, 8.0))

    return ring


class Phone:
    """One endpoint. `plan` is what it does with its next calls; after that, its `habit` counts."""

    def __init__(self, name: str, rng: Random, habit: Habit | None = None) -> None:
        self.name = name
        self.registered = True
        self.habit: Habit = habit or answers()
        self.plan: deque[Ring] = deque()
        self.legs: list[Line] = []
        self.rung = 0
        self.answered = 0
        self.shown = "NOT_INUSE"
        self._rng = rng
        self._picked_up = False

    @property
    def interface(self) -> str:
        return f"PJSIP/{self.name}"

    @property
    def state(self) -> str:
        """The device state: UNAVAILABLE, NOT_INUSE or BUSY."""
        if self.legs:
            return "BUSY"
        return "NOT_INUSE" if self.registered else "UNAVAILABLE"

    def next_ring(self) -> Ring:
        """What it does with the call that comes now. Busy when it has one already."""
        self.rung += 1
        self._picked_up = False
        if len(self.legs) > 1:
            return Ring(Pickup.BUSY, 0.0)
        return self.plan.popleft() if self.plan else self.habit(self._rng)

    def pick_up(self) -> None:
        """Lift the receiver now, whatever the plan says. Without a ringing call nothing happens."""
        if self.legs:
            self._picked_up = True
            self.legs[-1].wake()

    def hang_up(self) -> None:
        """Put the receiver down: ends the talk, or rejects what rings."""
        if self.legs:
            self.legs[-1].ask_hangup(cause=16)

    @property
    def picked_up(self) -> bool:
        return self._picked_up
