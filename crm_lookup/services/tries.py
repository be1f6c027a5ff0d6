"""How often somebody may try to prove who they are, before they are locked out. Pure.

A try is counted before it is judged and taken back when it was right, so that many calls at once have no more tries
than one. Counted by customer (nobody guesses one PIN) and by calling number (nobody guesses many customers'); the
count of a number is not forgotten for a right PIN, or a thief with an account of their own would have endless tries.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace

US_PER_S = 1_000_000


@dataclass(frozen=True, slots=True)
class TriesSettings:
    """After `most` failures within `within_s`: locked for `lock_s`. `keys_most`: how many are remembered."""

    most: int
    within_s: float
    lock_s: float
    keys_most: int = 100_000


@dataclass(frozen=True, slots=True)
class Count:
    """Failures of one key since an instant; center time in microseconds."""

    key: str
    failed: int
    since_us: int
    locked_until_us: int | None = None


class Tries:
    """The counts of one kind of key."""

    def __init__(self, settings: TriesSettings, known: Iterable[Count] = ()) -> None:
        self._settings = settings
        self._counts: OrderedDict[str, Count] = OrderedDict((each.key, each) for each in known)

    def is_locked(self, key: str, now_us: int) -> bool:
        count = self._now(key, now_us)
        return count.locked_until_us is not None

    def take(self, key: str, now_us: int) -> Count | None:
        """Count a try, before it is judged; None: locked, nothing may be tried."""
        count = self._now(key, now_us)
        if count.locked_until_us is not None:
            return None
        failed = count.failed + 1
        locked = now_us + self._us(self._settings.lock_s) if failed >= self._settings.most else None
        return self._keep(Count(key, failed, count.since_us, locked))

    def give_back(self, key: str, now_us: int) -> Count:
        """The try was right, or could not be judged: it is no failure."""
        count = self._counts.get(key, Count(key, 1, now_us))
        return self._keep(replace(count, failed=max(0, count.failed - 1), locked_until_us=None))

    def forget(self, key: str, now_us: int) -> Count:
        return self._keep(Count(key, 0, now_us))

    def count(self, key: str) -> Count | None:
        return self._counts.get(key)

    def _now(self, key: str, now_us: int) -> Count:
        """The count as it holds now: a lock that is over, or failures long ago, begin anew."""
        count = self._counts.get(key)
        if count is None:
            return Count(key, 0, now_us)
        if count.locked_until_us is not None:
            return count if now_us < count.locked_until_us else Count(key, 0, now_us)
        return count if now_us - count.since_us < self._us(self._settings.within_s) else Count(key, 0, now_us)

    def _keep(self, count: Count) -> Count:
        self._counts[count.key] = count
        self._counts.move_to_end(count.key)
        if len(self._counts) > self._settings.keys_most:
            self._counts.popitem(last=False)
        return count

    @staticmethod
    def _us(seconds: float) -> int:
        return round(seconds * US_PER_S)
