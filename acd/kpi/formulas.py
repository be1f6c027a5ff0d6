"""The dictionary of measures: every figure has an id, a formula in words, a version, and one function.

The letters are those of the counts: O offered, A answered, Ax answered within the target x, B abandoned, Bx
abandoned within x, Bs short abandons, F flowed out, C callbacks, R refused (outside O), Wx waiting now beyond x.
A figure of which nothing was counted is None: an empty interval is neither 0 % nor 100 %.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

from acd.types import US_PER_S


@dataclass(slots=True)
class Counts:
    """What was counted of the visits that began in one interval; durations are sums in microseconds."""

    offered: int = 0
    answered: int = 0
    answered_in: int = 0
    abandoned: int = 0
    abandoned_in: int = 0
    abandoned_short: int = 0
    flowed_out: int = 0
    callbacks: int = 0
    refused: int = 0
    handled: int = 0
    wait_answered_us: int = 0
    talk_us: int = 0
    hold_us: int = 0
    acw_us: int = 0

    def add(self, other: Counts) -> None:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    @property
    def open(self) -> int:
        """Still waiting, by the identity O = A + B + F + C + waiting."""
        return self.offered - self.answered - self.abandoned - self.flowed_out - self.callbacks


def ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def service_level(c: Counts, waiting_beyond: int = 0) -> float | None:
    return ratio(c.answered_in, c.answered + c.abandoned - c.abandoned_in + waiting_beyond)


def service_level_answered(c: Counts) -> float | None:
    return ratio(c.answered_in, c.answered)


def service_level_offered(c: Counts) -> float | None:
    return ratio(c.answered_in, c.answered + c.abandoned)


def service_level_lenient(c: Counts) -> float | None:
    return ratio(c.answered_in + c.abandoned_in, c.answered + c.abandoned)


def service_level_flow(c: Counts) -> float | None:
    return ratio(c.answered_in, c.answered + c.abandoned + c.flowed_out - c.abandoned_short)


def abandon_rate(c: Counts) -> float | None:
    return ratio(c.abandoned - c.abandoned_short, c.offered - c.abandoned_short)


def abandon_rate_gross(c: Counts) -> float | None:
    return ratio(c.abandoned, c.offered)


def asa_s(c: Counts) -> float | None:
    return ratio(c.wait_answered_us / US_PER_S, c.answered)


def talk_s(c: Counts) -> float | None:
    return ratio(c.talk_us / US_PER_S, c.handled)


def hold_s(c: Counts) -> float | None:
    return ratio(c.hold_us / US_PER_S, c.handled)


def acw_s(c: Counts) -> float | None:
    return ratio(c.acw_us / US_PER_S, c.handled)


def aht_s(c: Counts) -> float | None:
    return ratio((c.talk_us + c.hold_us + c.acw_us) / US_PER_S, c.handled)


@dataclass(frozen=True, slots=True)
class Measure:
    formula: str
    version: int
    of: Callable[[Counts], float | None]


MEASURES: dict[str, Measure] = {
    "service_level": Measure("Ax / (A + B − Bx + Wx)", 1, service_level),
    "service_level_answered": Measure("Ax / A", 1, service_level_answered),
    "service_level_offered": Measure("Ax / (A + B)", 1, service_level_offered),
    "service_level_lenient": Measure("(Ax + Bx) / (A + B)", 1, service_level_lenient),
    "service_level_flow": Measure("Ax / (A + B + F − Bs)", 1, service_level_flow),
    "abandon_rate": Measure("(B − Bs) / (O − Bs)", 1, abandon_rate),
    "abandon_rate_gross": Measure("B / O", 1, abandon_rate_gross),
    "asa_s": Measure("Σ wait of answered / A", 1, asa_s),
    "talk_s": Measure("Σ talk / handled", 1, talk_s),
    "hold_s": Measure("Σ hold / handled", 1, hold_s),
    "acw_s": Measure("Σ after-call work / handled", 1, acw_s),
    "aht_s": Measure("Σ (talk + hold + after-call work) / handled", 1, aht_s),
}
