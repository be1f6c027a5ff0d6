"""What a wall shows, and the difference of two such states. Pure.

The state holds no null and no caller: what is unknown is left out (a null in a merge patch deletes), and a
wall hangs where visitors stand. An agent is counted in every queue they could answer (by the center's own rule: the
first step of what the queue asks for, and its reserve while that is open), and once in the total.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from acd.outlook import Outlook
from acd.routing.needs import Requirement, meets, need_of, plan_of
from acd.site import Agent, Queue, Site
from acd.types import US_PER_S, Activity, AgentId, QueueId, Status
from acd.view import AgentView, AlarmView, QueueFigures, SiteView
from realtime.reasons import Json, label, requirement_label, wait_range

COUNTS = ("available", "ringing", "on_call", "wrap_up", "not_ready", "unreachable")

_BY_ACTIVITY = {
    Activity.RINGING: "ringing",
    Activity.ON_CALL: "on_call",
    Activity.ON_HOLD: "on_call",
    Activity.CONSULTING: "on_call",
    Activity.WRAP_UP: "wrap_up",
    Activity.NOT_RESPONDING: "not_ready",
    Activity.UNREACHABLE: "unreachable",
}


def wall_state(site: Site, view: SiteView, serving: Mapping[QueueId, Sequence[AgentId]]) -> Json:
    """The state of every wall of this site, in the shape of the wall's socket. Instants are microseconds.

    `serving`: who can answer each queue (`Serving.of`).
    """
    buckets = {name: bucket(agent) for name, agent in view.agents.items()}
    state: Json = {
        "site": {"name": label(site.name), "language": site.language, "time_zone": site.time_zone},
        "queues": {
            name: {
                "label": label(queue.label),
                **_figures(view.queues[name]),
                "target_s": queue.target_s,
                "agents": _counts(buckets.get(agent) for agent in serving[name]),
                **_expected(view.outlooks.get(name)),
                **({"reserve_open": True} if name in view.reserves_open else {}),
            }
            for name, queue in site.queues.items()
            if name in view.queues
        },
        "total": {**_figures(view.total), "agents": _counts(buckets.values())},
        "agents": {name: _agent(site.agents.get(name), agent) for name, agent in view.agents.items()},
        "reasons": {code: label(text) for code, text in site.not_ready_reasons.items()},
        "contacts_now": view.contacts_now,
        "alarms": {name: _alarm(site, alarm) for name, alarm in view.alarms.items()},
    }
    if view.card_before_ring is not None:
        state["card_before_ring"] = round(view.card_before_ring, 4)
    return state


@dataclass(slots=True)
class Lately:
    """How many waited during the last minutes: one number for each span, so that a wall that begins knows it too.

    An object keyed by instant, not a list: then each span costs a difference of two numbers, not the whole.
    """

    every_us: int = 5 * US_PER_S
    spans: int = 120
    points: dict[int, int] = field(default_factory=dict)

    def note(self, at_us: int, waiting: int) -> None:
        """Keep the largest number of the span; spans in which nobody looked stay holes."""
        span = at_us // self.every_us
        self.points[span] = max(waiting, self.points.get(span, 0))
        for old in [each for each in self.points if each <= span - self.spans]:
            del self.points[old]

    def state(self) -> Json:
        return {
            "every_us": self.every_us,
            "spans": self.spans,
            "waiting": {str(span): waiting for span, waiting in self.points.items()},
        }


def bucket(agent: AgentView) -> str | None:
    """Under which of `COUNTS` an agent is counted; None: not here today."""
    if agent.activity in _BY_ACTIVITY and (
        agent.status is not Status.OFFLINE or agent.activity is not Activity.UNREACHABLE
    ):
        return _BY_ACTIVITY[agent.activity]
    if agent.status is Status.OFFLINE:
        return None
    if agent.status is Status.NOT_READY:
        return "not_ready"
    return "available"


@dataclass(slots=True)
class Serving:
    """Who can answer each queue, worked out once for a site and its open reserves: a wall is drawn often, and an
    expression over every agent is not free."""

    _site: Site | None = None
    _open: frozenset[QueueId] = frozenset()
    _known: Mapping[QueueId, Sequence[AgentId]] = field(default_factory=dict)

    def of(self, site: Site, reserves_open: Iterable[QueueId] = ()) -> Mapping[QueueId, Sequence[AgentId]]:
        open_now = frozenset(reserves_open)
        if site is not self._site or open_now != self._open:
            self._site, self._open, self._known = site, open_now, servers(site, open_now)
        return self._known


def servers(site: Site, reserves_open: Collection[QueueId] = ()) -> dict[QueueId, list[AgentId]]:
    """Who may answer a caller of each queue who comes now; queues that ask for the same are worked out once."""
    asked = {name: _asked(queue, name in reserves_open) for name, queue in site.queues.items()}
    able = {
        requirement: [agent for agent, who in site.agents.items() if meets(agent, who, requirement)]
        for requirement in set(asked.values())
    }
    return {name: able[requirement] for name, requirement in asked.items()}


def _asked(queue: Queue, reserve_open: bool) -> Requirement:
    requirement = plan_of(queue)[-1].steps[0].requirement
    if queue.reserve is None or not reserve_open:
        return requirement
    return tuple(dict.fromkeys((*requirement, need_of(queue.reserve.people))))


def difference(old: Mapping[str, object], new: Mapping[str, object]) -> Json | None:
    """The merge patch (RFC 7396) that makes `old` into `new`; None when they are equal. Neither holds a
    null.
    """
    patch: Json = {key: None for key in old if key not in new}
    for key, value in new.items():
        if key not in old:
            patch[key] = value
        elif isinstance(value, dict) and isinstance(before := old[key], dict):
            inner = difference(before, value)
            if inner is not None:
                patch[key] = inner
        elif old[key] != value or type(old[key]) is not type(value):
            patch[key] = value
    return patch or None


def apply(state: Mapping[str, object], patch: Mapping[str, object]) -> Json:
    """`state` with a merge patch applied (RFC 7396). The given state is not changed."""
    result: Json = dict(state)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            before = result.get(key)
            result[key] = apply(before if isinstance(before, dict) else {}, value)
        else:
            result[key] = value
    return result


def without_nulls(value: Mapping[str, object]) -> Json:
    """The same object without what is null, at any depth: what is unknown is left out."""
    return {
        key: without_nulls(inner) if isinstance(inner, Mapping) else inner
        for key, inner in value.items()
        if inner is not None
    }


def _figures(figures: QueueFigures) -> Json:
    known: Json = {
        "waiting": figures.waiting,
        "offered": figures.offered,
        "answered": figures.answered,
        "abandoned": figures.abandoned,
        "flowed_out": figures.flowed_out,
        "talking": figures.talking,
    }
    if figures.longest_wait_since_us is not None:
        known["longest_wait_since_us"] = figures.longest_wait_since_us
    for name, value, digits in (
        ("service_level", figures.service_level, 4),
        ("abandon_rate", figures.abandon_rate, 4),
        ("asa_s", figures.asa_s, 1),
        ("aht_s", figures.aht_s, 1),
    ):
        if value is not None:
            known[name] = round(value, digits)
    return known


def _expected(outlook: Outlook | None) -> Json:
    """What one who calls now may expect to wait; left out where nobody can tell."""
    expected = wait_range(outlook.expected) if outlook is not None else None
    return {} if expected is None else {"expected_wait_s": expected}


def _alarm(site: Site, alarm: AlarmView) -> Json:
    return {
        "kind": alarm.kind,
        "queues": list(alarm.queues),
        "missing": list(alarm.missing),
        "missing_labels": [requirement_label(site, each) for each in alarm.missing],
        "since_us": alarm.since_us,
    }


def _counts(buckets: Iterable[str | None]) -> Json:
    counted = Counter(buckets)
    return {name: counted[name] for name in COUNTS}


def _agent(who: Agent | None, view: AgentView) -> Json:
    shown: Json = {
        "name": label(who.label) if who else view.agent,
        "status": view.status.value,
        "activity": view.activity.value,
        "since_us": view.since_us,
    }
    if view.reason is not None:
        shown["reason"] = view.reason
    if view.queue is not None:
        shown["queue"] = view.queue
    return shown
