"""The center as it was when this site's last process ended: snapshot, then every line after it.

What the replay says happened is kept again (records take each fact once), so that nothing is lost that was in
memory when the process died.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from acd import journal
from acd.center import Center
from acd.errors import JournalError
from acd.facts import Fact
from acd.kpi.measures import Measures
from acd.site import Site
from acd.store.journal_file import read_segment
from acd.turn import Rules


@dataclass(frozen=True, slots=True)
class Recovered:
    """`facts`: all that the replayed lines led to. `broken`: inputs that broke the center and were left out.
    `why_new`: the reason if the center could not be brought back."""

    center: Center
    measures: Measures
    facts: tuple[Fact, ...]
    lines: int
    broken: int
    why_new: str | None


def recover(segment: Path | None, code: str, site: Site, now_us: int, rules: Rules) -> Recovered:
    """The center of the last segment, or a new one of this site where there is none that can be read."""
    if segment is None:
        return _new(site, now_us, rules, None)
    try:
        header, lines = read_segment(segment)
        replayed = journal.read_header(header, code)
        facts: list[Fact] = []
        for step in journal.replay(replayed, lines):
            facts += step.facts
    except JournalError as error:
        return _new(site, now_us, rules, str(error))
    return Recovered(replayed.center, replayed.measures, tuple(facts), replayed.lines, replayed.broken, None)


def _new(site: Site, now_us: int, rules: Rules, why: str | None) -> Recovered:
    return Recovered(Center.new(site, now_us, rules), Measures(), (), 0, 0, why)
