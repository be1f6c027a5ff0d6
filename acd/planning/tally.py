"""What came of a simulated day, in the measures of the whole house (`acd.kpi`), in all and by type of call.

Nothing is left out as a short abandon, and nobody waits any more at the end: so `service_level` is
Ax / (A + B - Bx), `service_level_offered` is Ax / (A + B), and `abandon_rate` is B / O. Occupancy is the time at work
divided by the time signed in; that of a type, by the time of those agents who have its skill.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from acd.kpi.formulas import Counts, abandon_rate, asa_s, ratio, service_level, service_level_offered
from acd.planning.simulate import Outcome, Run, World
from acd.types import US_PER_S

_US_PER_H = 3600 * US_PER_S


@dataclass(slots=True)
class Tally:
    """Counts and sums over calls; durations in microseconds. `waits_us` are those of the answered."""

    counts: Counts = field(default_factory=Counts)
    refused: int = 0
    waiting: int = 0
    wait_all_us: int = 0
    handle_us: int = 0
    signed_in_us: int = 0
    waits_us: list[int] = field(default_factory=list)

    def figures(self) -> dict[str, float | int | None]:
        """The measures by name; None where nothing was counted."""
        counts = self.counts
        waits = sorted(self.waits_us)
        return {
            "offered": counts.offered,
            "answered": counts.answered,
            "abandoned": counts.abandoned,
            "flowed_out": counts.flowed_out,
            "refused": self.refused,
            "waiting": self.waiting,
            "asa_s": asa_s(counts),
            "wait_all_s": ratio(self.wait_all_us / US_PER_S, counts.offered),
            "wait_p50_s": _quantile_s(waits, 50),
            "wait_p90_s": _quantile_s(waits, 90),
            "longest_wait_s": waits[-1] / US_PER_S if waits else None,
            "service_level": service_level(counts),
            "service_level_offered": service_level_offered(counts),
            "abandon_rate": abandon_rate(counts),
            "occupancy": ratio(self.handle_us, self.signed_in_us),
        }


@dataclass(frozen=True, slots=True)
class Day:
    """The whole, each type of call, and each hour (counted from 0 s of the trace) in which a call arrived."""

    target_us: int
    total: Tally
    kinds: Mapping[str, Tally]
    hours: Mapping[int, Tally]

    def figures(self) -> dict[str, object]:
        return {
            "target_s": self.target_us / US_PER_S,
            **self.total.figures(),
            "by_type": {kind: tally.figures() for kind, tally in self.kinds.items()},
        }


def tally(world: World, run: Run, target_us: int) -> Day:
    """Count the run. A call belongs to the hour in which it arrived."""
    kinds = {call.kind: Tally() for call in world.calls}
    hours: dict[int, Tally] = {}
    day = Day(target_us, Tally(), kinds, hours)
    for call, end in zip(world.calls, run.ends, strict=True):
        number = (call.arrival_us - world.origin_us) // _US_PER_H
        if number not in hours:
            hours[number] = Tally()
        for each in (day.total, kinds[call.kind], hours[number]):
            _count(each, end.outcome, end.wait_us, call.handle_us, target_us)
    _signed_in(world, run, day)
    return day


def _count(into: Tally, outcome: Outcome, wait_us: int, handle_us: int, target_us: int) -> None:
    if outcome is Outcome.REFUSED:
        into.refused += 1
        return
    counts = into.counts
    counts.offered += 1
    into.wait_all_us += wait_us
    if outcome is Outcome.ANSWERED:
        counts.answered += 1
        counts.answered_in += wait_us <= target_us
        counts.wait_answered_us += wait_us
        into.handle_us += handle_us
        into.waits_us.append(wait_us)
    elif outcome is Outcome.ABANDONED:
        counts.abandoned += 1
        counts.abandoned_in += wait_us <= target_us
    elif outcome is Outcome.FLOWED_OUT:
        counts.flowed_out += 1
    else:
        into.waiting += 1


def _signed_in(world: World, run: Run, day: Day) -> None:
    """To the logout, or to the end of the last work if that is later; without a logout to the end of the day."""
    able: dict[str, set[str]] = {}
    for call in world.calls:
        if call.kind not in able:
            needed = world.site.queues[call.queue].requires
            able[call.kind] = {
                name for name, agent in world.site.agents.items() if needed.keys() <= agent.skills.keys()
            }
    first_us = min((call.arrival_us for call in world.calls), default=0)
    for shift, worked_until_us in zip(world.shifts, run.worked_until_us, strict=True):
        since_us = first_us if shift.always else shift.login_us
        until_us = run.over_us if shift.logout_us is None else shift.logout_us
        time_us = max(until_us, worked_until_us, since_us) - since_us
        day.total.signed_in_us += time_us
        for kind, agents in able.items():
            if shift.agent in agents:
                day.kinds[kind].signed_in_us += time_us


def _quantile_s(ordered_us: list[int], percent: int) -> float | None:
    """The smallest wait that `percent` of all do not exceed."""
    if not ordered_us:
        return None
    return ordered_us[-(-len(ordered_us) * percent // 100) - 1] / US_PER_S
