"""What Prometheus reads: the counters every room keeps anyway, asked at the moment of the scrape.

No caller, number, name or key is ever a label.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from acd.view import SiteView


class RoomCounters(Collector):
    """Dataclasses of plain numbers, each under its room's name; and the live figures of the center."""

    def __init__(
        self, rooms: Mapping[str, Callable[[], object]], view: Callable[[], SiteView] | None
    ) -> None:
        self._rooms = rooms
        self._view = view

    def collect(self) -> Iterable[Metric]:
        for room, counters in self._rooms.items():
            yield from _numbers(room, counters())
        if self._view is not None:
            yield from _live(self._view())


def _numbers(room: str, counters: object) -> Iterator[Metric]:
    assert dataclasses.is_dataclass(counters)
    for each in dataclasses.fields(counters):
        value = getattr(counters, each.name)
        name = f"pasokh_{room}_{each.name}"
        if isinstance(value, int | float):
            yield GaugeMetricFamily(name, f"{each.name} of {room}", value)
        elif isinstance(value, dict):
            family = CounterMetricFamily(name, f"{each.name} of {room}", labels=["why"])
            for why, count in value.items():
                family.add_metric([why], count)
            yield family


def _live(view: SiteView) -> Iterator[Metric]:
    waiting = GaugeMetricFamily("pasokh_waiting", "Callers waiting", labels=["queue"])
    answered = GaugeMetricFamily("pasokh_answered_today", "Answered today", labels=["queue"])
    abandoned = GaugeMetricFamily("pasokh_abandoned_today", "Abandoned today", labels=["queue"])
    for queue, figures in view.queues.items():
        waiting.add_metric([queue], figures.waiting)
        answered.add_metric([queue], figures.answered)
        abandoned.add_metric([queue], figures.abandoned)
    yield from (waiting, answered, abandoned)
    yield GaugeMetricFamily("pasokh_contacts_now", "Contacts that are open", view.contacts_now)
