"""What is counted, and the waits kept beside it, small enough to be kept for every quarter of an hour.

The letters of the measures' dictionary: O offered, A answered, Ax answered within the target x, B abandoned, Bx
abandoned within x, Bs short abandons, F flowed out, C callbacks taken, R refused (outside O).

Waits of the answered go into buckets of whole milliseconds with seven significant binary digits, so that any
quantile is known to within 1 % (or half a millisecond), in at most 64 buckets for each doubling. The bounds are whole
numbers, so SQL finds the same buckets. The longest wait is kept exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

import msgspec

from acd.types import US_PER_S, Activity, Status

_K = TypeVar("_K", int, str)

US_PER_MS = 1000
SIGNIFICANT_BITS = 7


class Counts(msgspec.Struct, array_like=True):
    """Counts of one interval, and sums in microseconds. As JSON it is an array: many of them go into a snapshot.

    Visits: `offered` to `acw_us`, in the interval in which the visit began; `wait_most_us` of the answered.
    Offers: `offers` to `cards_before_ring`, in the interval in which they were made. `offers_timed_out` and
    `offers_rejected` leave out those that were answered in the last instant. `rung_with_page`: ended offers to
    agents with a page open, `cards_before_ring`: those of them whose card was confirmed before the first ring.
    Estimates: `estimated` answered visits whose wait had been announced, the sum of |announced - wait|, and how many
    were off by at most 30 s.
    Agents' times, cut at the edges of intervals: `idle_us` (Available) to `not_ready_us`; `reasons`: that by reason.
    `waits`: of the answered, by bucket (`bucket_of`).
    """

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
    offers: int = 0
    offers_timed_out: int = 0
    offers_rejected: int = 0
    rung_with_page: int = 0
    cards_before_ring: int = 0
    estimated: int = 0
    estimate_error_us: int = 0
    estimate_close: int = 0
    idle_us: int = 0
    ringing_us: int = 0
    on_call_us: int = 0
    on_hold_us: int = 0
    consulting_us: int = 0
    on_task_us: int = 0
    wrap_up_us: int = 0
    not_responding_us: int = 0
    unreachable_us: int = 0
    not_ready_us: int = 0
    wait_most_us: int = 0
    reasons: dict[str, int] = {}
    waits: dict[int, int] = {}

    @property
    def open(self) -> int:
        """Still waiting, by the identity O = A + B + F + C + waiting."""
        return self.offered - self.answered - self.abandoned - self.flowed_out - self.callbacks

    @property
    def handle_time_us(self) -> int:
        """Time in which agents had a contact or its after-call work."""
        return self.on_call_us + self.on_hold_us + self.consulting_us + self.on_task_us + self.wrap_up_us

    @property
    def logged_in_us(self) -> int:
        resting_us = self.idle_us + self.not_responding_us + self.unreachable_us + self.not_ready_us
        return self.handle_time_us + self.ringing_us + resting_us

    def add(self, other: Counts) -> None:
        for name in SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.wait_most_us = max(self.wait_most_us, other.wait_most_us)
        _pour(self.reasons, other.reasons)
        _pour(self.waits, other.waits)


SUMS = Counts.__struct_fields__[: Counts.__struct_fields__.index("wait_most_us")]
_MOST, _REASONS, _WAITS = len(SUMS), len(SUMS) + 1, len(SUMS) + 2


def total(some: Iterable[Counts], *, waits: bool = True) -> Counts:
    """The sum of many. Without `waits` it is quick enough for every picture of a wall."""
    columns = list(zip(*map(msgspec.structs.astuple, some), strict=True))
    if not columns:
        return Counts()
    out = Counts(wait_most_us=max(columns[_MOST]))
    for name, column in zip(SUMS, columns, strict=False):
        setattr(out, name, sum(column))
    for reasons in columns[_REASONS]:
        _pour(out.reasons, reasons)
    for each in columns[_WAITS] if waits else ():
        _pour(out.waits, each)
    return out


def _pour(into: dict[_K, int], more: Mapping[_K, int]) -> None:
    for key, value in more.items():
        into[key] = into.get(key, 0) + value


# ---- waits ---------------------------------------------------------------------------------------------------


def bucket_of(wait_us: int) -> int:
    """The lower bound of a wait's bucket, in milliseconds."""
    ms = wait_us // US_PER_MS
    shift = ms.bit_length() - SIGNIFICANT_BITS
    return ms if shift <= 0 else ms >> shift << shift


def wait_s(counts: Counts, percent: int) -> float | None:
    """The wait that so many percent of the answered had at most (nearest rank), to within 1 %; None without any."""
    waits = counts.waits
    rank = -(-percent * sum(waits.values()) // 100)
    if rank == 0:
        return None
    seen = 0
    for bucket in sorted(waits):
        seen += waits[bucket]
        if seen >= rank:
            width = 1 << max(0, bucket.bit_length() - SIGNIFICANT_BITS)
            middle_us = bucket * US_PER_MS + width * US_PER_MS // 2
            return min(middle_us, counts.wait_most_us) / US_PER_S
    return counts.wait_most_us / US_PER_S


# ---- agents' times -------------------------------------------------------------------------------------------

_AT_WORK = frozenset({"ringing", "on_call", "on_hold", "consulting", "on_task", "wrap_up"})


def time_of(status: Status | str, activity: Activity | str) -> str | None:
    """Under which name of `Counts` an agent's time in this state is counted; None: not logged in.

    What they are at comes before what they chose: a talk is a talk, also when Offline was chosen for after it.
    """
    if activity in _AT_WORK:
        return f"{activity}_us"
    if status == Status.AVAILABLE:
        return f"{activity}_us"
    return "not_ready_us" if status == Status.NOT_READY else None
