"""The center: `handle(event, now)` turns what happened into what to do and what is true now.

Pure: no socket, no clock, no chance, one writer. The same inputs give the same center, bit for bit, which is what
the journal, the simulation and every test of routing stand on. Here events are only handed to those who think:
`callers`, `offers`, `agents`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from acd import agents, callers, entry, events, offers, tasks, waiting, watch
from acd.effects import Effect, Granted, Refused
from acd.errors import JournalError
from acd.facts import Fact, SiteChanged
from acd.routing.lines import Lines
from acd.routing.needs import plan_of
from acd.routing.ranking import Ranker
from acd.routing.roster import Roster
from acd.site import Site, site_json, version_of
from acd.state import Agent, State
from acd.turn import DEFAULT_RULES, Rules, Turn, announce, presence_and_kinds, see
from acd.types import Status, VisitId, VisitState


@dataclass(frozen=True, slots=True)
class Step:
    """What one event led to. `ignored`: why it changed nothing, when it came late, twice or for nobody."""

    effects: tuple[Effect, ...]
    facts: tuple[Fact, ...]
    ignored: str | None = None


class Center:
    """One site's center. `state` is all it knows; everything else here is worked out from it."""

    def __init__(self, state: State, rules: Rules = DEFAULT_RULES) -> None:
        self.state = state
        self.rules = rules
        self._use(Site.from_json(state.site_json))
        self._index(self.turn(state.at_us))

    def _use(self, site: Site) -> None:
        self.site = site
        self.plans = {queue_id: plan_of(queue) for queue_id, queue in site.queues.items()}
        watched = frozenset(name for name, queue in site.queues.items() if queue.stay_needs != "nobody")
        self.lines = Lines(Roster(site), Ranker(site.ranking), site.work_choice == "primary-first", watched)

    def _index(self, turn: Turn) -> None:
        """Work out from the state who is there and who stands where; nothing of it is told, it is known already."""
        for agent in self.state.agents.values():
            if agent.agent in self.site.agents:
                turn.lines.see(agent, *presence_and_kinds(turn, agent))
        for visit in self.state.visits.values():
            if visit.state in _IN_LINE:
                self.lines.count(visit.visit, visit.queue, in_line=True)
            waiting.stand(turn, visit)
        self.lines.take_changed()

    @classmethod
    def new(cls, site: Site, now_us: int, rules: Rules = DEFAULT_RULES) -> Center:
        """A center on its first day: nobody signed in, nobody waiting."""
        agents_ = {name: Agent(name, since_us=now_us) for name in site.agents}
        return cls(State(site_json(site), version_of(site), now_us, agents=agents_), rules)

    def handle(self, event: events.Event, now_us: int) -> Step:
        """One event at `now_us` (microseconds, never less than the last). Never raises for any event."""
        self.state.at_us = now_us
        turn = self.turn(now_us)
        _HANDLERS[type(event)](self, turn, event)
        self._settle(turn)
        return Step(tuple(turn.effects), tuple(turn.facts), turn.ignored)

    def waiting(self, queue: str) -> int:
        """How many are in line: waiting, or being offered."""
        return self.lines.waiting(queue)

    def turn(self, now_us: int) -> Turn:
        """What a step looks at; also for questions that change nothing (`acd.why`)."""
        return Turn(self.state, self.site, self.plans, self.lines, self.rules, now_us)

    def _settle(self, turn: Turn) -> None:
        """What follows from any change at all: who is free, who asks for what by now, who gets whom, who is told."""
        for agent_id in turn.touched_agents:
            agents.apply_next_status(turn, self.state.agents[agent_id])
        see(turn, turn.touched_agents)
        for agent_id in turn.touched_agents:
            waiting.release(turn, agent_id)
        self._review(turn)
        offers.match(turn)
        for agent_id in turn.touched_agents:
            agent = self.state.agents[agent_id]
            announce(turn, agent)
            if (
                agent_id not in self.site.agents
                and agent.status is Status.OFFLINE
                and not agent.holds_anything
            ):
                del self.state.agents[agent_id]
        watch.look(turn)

    def _review(self, turn: Turn) -> None:
        """Every visit that was touched, also those that are touched by what this leads to: who must leave goes, which
        may touch another queue; then reserves, which may touch whole lines; then what each asks for by now."""
        done: set[VisitId] = set()
        while todo := [visit_id for visit_id in turn.touched_visits if visit_id not in done]:
            for visit_id in todo:
                done.add(visit_id)
                self._let_stay_or_go(turn, visit_id)
        for queue_id in list(turn.touched_queues):
            watch.watch_reserve(turn, queue_id)
        for visit_id in turn.touched_visits:
            visit = self.state.visits.get(visit_id)
            if visit is not None and visit.state in _IN_LINE:
                waiting.review(turn, visit)
                waiting.stand(turn, visit)

    def _let_stay_or_go(self, turn: Turn, visit_id: VisitId) -> None:
        visit = self.state.visits.get(visit_id)
        if visit is not None and visit.state is VisitState.WAITING and (why := entry.must_leave(turn, visit)):
            entry.take_out(turn, visit, why)
            visit = None
        in_line = visit is not None and visit.state in _IN_LINE
        self.lines.count(visit_id, turn.touched_visits[visit_id], in_line)
        if not in_line:
            self.lines.leave(visit_id)

    def _on_asked(self, turn: Turn, event: events.Asked) -> None:
        command: Any = event.command
        reason = _COMMANDS[type(command)](self, turn, command)
        turn.ask(Granted(event.request) if reason is None else Refused(event.request, reason))

    def _on_timer(self, turn: Turn, event: events.TimerFired) -> None:
        at_us = self.state.timers.get(event.timer)
        if at_us is None:
            return turn.ignore("timer_unknown")
        if turn.now_us < at_us:
            return turn.ignore("timer_early")
        del self.state.timers[event.timer]
        kind, _, whom = event.timer.partition(":")
        return _TIMERS[kind](turn, whom)

    def _on_restarted(self, turn: Turn, event: events.Restarted) -> None:
        for visit in self.state.visits.values():
            offers.detach(turn, visit)
        for agent in self.state.agents.values():
            agent.page_open = False
            turn.touch(agent)

    def _apply_site(self, turn: Turn, command: events.ApplySite) -> str | None:
        """Waiting visits keep their place; who was taken out of the site finishes what they have."""
        try:
            site = Site.from_json(command.site_json)
        except JournalError:
            return "site_unreadable"
        gone = {visit.queue for visit in self.state.visits.values()} - site.queues.keys()
        if gone:
            return f"queue_in_use:{min(gone)}"
        self._use(site)
        turn.site, turn.plans, turn.lines = self.site, self.plans, self.lines
        self.state.site_json, self.state.version = command.site_json, command.version
        for name in site.agents:
            self.state.agents.setdefault(name, Agent(name, since_us=turn.now_us))
        for agent in self.state.agents.values():
            if agent.agent not in site.agents or (agent.phone and agent.phone not in site.phones):
                agents.send_offline(turn, agent)
            turn.touch(agent)
        self._index(turn)
        for visit in self.state.visits.values():
            if visit.state in _IN_LINE:
                waiting.choose_variant(turn, visit, self.state.contacts[visit.contact])
                turn.touch_visit(visit)
        turn.tell(SiteChanged(turn.now_us, command.version))
        return None


_IN_LINE = (VisitState.WAITING, VisitState.OFFERED)

_TIMERS: dict[str, Callable[[Turn, str], None]] = {
    "card": offers.card_is_late,
    "offer": offers.out_of_time,
    "wrap": agents.wrap_up_is_over,
    "backoff": agents.backoff_is_over,
    "visit": waiting.time_has_come,
    "closing": entry.closing_time,
    "target": watch.target_passed,
    "empty": watch.nobody_came_back,
    "unroutable": watch.unroutable,
}

_COMMANDS: dict[type, Callable[[Center, Turn, Any], str | None]] = {
    events.SignIn: lambda _, turn, command: agents.sign_in(turn, command),
    events.SetStatus: lambda _, turn, command: agents.set_status(turn, command),
    events.RejectOffer: lambda _, turn, command: agents.reject_offer(turn, command),
    events.AcceptOffer: lambda _, turn, command: tasks.accept(turn, command),
    events.FinishWork: lambda _, turn, command: tasks.finish(turn, command),
    events.Dispose: lambda _, turn, command: agents.dispose(turn, command),
    events.EndWrapUp: lambda _, turn, command: agents.ask_end_wrap_up(turn, command),
    events.ApplySite: Center._apply_site,
}

_HANDLERS: dict[type, Callable[[Center, Turn, Any], None]] = {
    events.CallArrived: lambda _, turn, event: callers.arrived(turn, event),
    events.CustomerFound: lambda _, turn, event: callers.known(turn, event),
    events.VisitQueued: lambda _, turn, event: callers.queued(turn, event),
    events.MenuStep: lambda _, turn, event: callers.menu_step(turn, event),
    events.VisitLeft: lambda _, turn, event: callers.left_line(turn, event),
    events.TaskArrived: lambda _, turn, event: tasks.arrived(turn, event),
    events.TaskWithdrawn: lambda _, turn, event: tasks.withdrawn(turn, event),
    events.CallerLeft: lambda _, turn, event: callers.left(turn, event.contact),
    events.MenuEnded: lambda _, turn, event: callers.menu_ended(turn, event.contact),
    events.SessionLost: lambda _, turn, event: callers.session_lost(turn, event.contact),
    events.FoundEnded: lambda _, turn, event: callers.found_ended(turn, event),
    events.TalkEnded: lambda _, turn, event: callers.talk_ended(turn, event.offer, event.by),
    events.Held: lambda _, turn, event: callers.hold(turn, event.offer),
    events.Unheld: lambda _, turn, event: callers.unheld(turn, event.offer),
    events.OfferRang: lambda _, turn, event: offers.rang(turn, event.offer),
    events.OfferAnswered: lambda _, turn, event: offers.answered(turn, event.offer, event.answered_us),
    events.OfferFailed: lambda _, turn, event: offers.failed(turn, event.offer, event.why),
    events.CardShown: lambda _, turn, event: offers.shown(turn, event.offer),
    events.PhoneChanged: lambda _, turn, event: agents.phone_changed(turn, event.phone, event.state),
    events.PageOpened: lambda _, turn, event: agents.page(turn, event.agent, True),
    events.PageClosed: lambda _, turn, event: agents.page(turn, event.agent, False),
    events.Asked: Center._on_asked,
    events.TimerFired: Center._on_timer,
    events.Restarted: Center._on_restarted,
}
