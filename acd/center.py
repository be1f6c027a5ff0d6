"""The center: `handle(event, now)` turns what happened into what to do and what is true now.

Pure: no socket, no clock, no chance, one writer. The same inputs give the same center, bit for bit, which is what
the journal, the simulation and every test of routing stand on. Here events are only handed to those who think:
`callers`, `offers`, `agents`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from acd import agents, callers, events, offers
from acd.effects import Effect, Granted, Refused
from acd.errors import JournalError
from acd.facts import Fact, SiteChanged
from acd.routing.lines import Lines
from acd.routing.roster import roster_of
from acd.site import Site, site_json, version_of
from acd.state import Agent, State
from acd.turn import DEFAULT_RULES, Rules, Turn, announce, free_or_occupy, stand_or_leave
from acd.types import Status


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
        self.site = Site.from_json(state.site_json)
        self.roster = roster_of(self.site)
        self._lines = Lines()
        turn = self._turn(state.at_us)
        stand_or_leave(turn, state.visits)
        free_or_occupy(turn, state.agents)

    @classmethod
    def new(cls, site: Site, now_us: int, rules: Rules = DEFAULT_RULES) -> Center:
        """A center on its first day: nobody signed in, nobody waiting."""
        agents_ = {name: Agent(name, since_us=now_us) for name in site.agents}
        return cls(State(site_json(site), version_of(site), now_us, agents=agents_), rules)

    def handle(self, event: events.Event, now_us: int) -> Step:
        """One event at `now_us` (microseconds, never less than the last). Never raises for any event."""
        self.state.at_us = now_us
        turn = self._turn(now_us)
        _HANDLERS[type(event)](self, turn, event)
        self._settle(turn)
        return Step(tuple(turn.effects), tuple(turn.facts), turn.ignored)

    def waiting(self, queue: str) -> int:
        return self._lines.waiting(queue)

    def _turn(self, now_us: int) -> Turn:
        return Turn(self.state, self.site, self.roster, self._lines, self.rules, now_us)

    def _settle(self, turn: Turn) -> None:
        for agent_id in turn.touched_agents:
            agents.apply_next_status(turn, self.state.agents[agent_id])
        offers.match(turn)
        for agent_id in turn.touched_agents:
            agent = self.state.agents[agent_id]
            announce(turn, agent)
            if agent.status is Status.OFFLINE and agent_id not in self.site.agents and not agent.busy:
                del self.state.agents[agent_id]

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

    def _apply_site(self, turn: Turn, command: events.ApplySite) -> str | None:
        """Waiting visits keep their place; who was taken out of the site finishes what they have."""
        try:
            site = Site.from_json(command.site_json)
        except JournalError:
            return "site_unreadable"
        gone = {visit.queue for visit in self.state.visits.values()} - site.queues.keys()
        if gone:
            return f"queue_in_use:{min(gone)}"
        self.site = turn.site = site
        self.roster = turn.roster = roster_of(site)
        self.state.site_json, self.state.version = command.site_json, command.version
        for name in site.agents:
            self.state.agents.setdefault(name, Agent(name, since_us=turn.now_us))
        for agent in self.state.agents.values():
            if agent.agent not in site.agents or (agent.phone and agent.phone not in site.phones):
                agents.send_offline(turn, agent)
            turn.touch(agent)
        for visit in self.state.visits.values():
            turn.touch_visit(visit)
        turn.tell(SiteChanged(turn.now_us, command.version))
        return None


_TIMERS: dict[str, Callable[[Turn, str], None]] = {
    "card": offers.card_is_late,
    "offer": offers.out_of_time,
    "wrap": agents.wrap_up_is_over,
    "backoff": agents.backoff_is_over,
}

_COMMANDS: dict[type, Callable[[Center, Turn, Any], str | None]] = {
    events.SignIn: lambda _, turn, command: agents.sign_in(turn, command),
    events.SetStatus: lambda _, turn, command: agents.set_status(turn, command),
    events.RejectOffer: lambda _, turn, command: agents.reject_offer(turn, command),
    events.AcceptOffer: lambda _, turn, command: "offer_over",
    events.FinishWork: lambda _, turn, command: "visit_over",
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
    events.TaskArrived: lambda _, turn, event: turn.ignore("tasks_come_later"),
    events.TaskWithdrawn: lambda _, turn, event: turn.ignore("tasks_come_later"),
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
