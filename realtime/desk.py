"""Agents' pages: each agent's own state, offers with the customer's card, commands with one answer each.

All tabs of one agent show the same. The state is drawn from the center's view and sent as differences; a tab
that is behind gets the newest whole instead. An offer, a card or an answer is never dropped for that: it waits
in order, and a tab that leaves too much waiting is closed (1013). Popping a card never waits for anything.

A call (or callback) and tasks are kept apart: one telephone has one offer and one visit, a desk has a list of each.

Agents' own figures are folded here. After a restart they begin with what the last journal segment holds
(`recall`), and the state says from when on they count if that is not the whole day.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from acd.effects import ClearScreen, PopScreen
from acd.events import CardShown, PageClosed, PageOpened
from acd.facts import AgentChanged, ContactEnded, Fact, OfferEnded, OfferMade, SiteChanged, WrapUpOver
from acd.kpi.agents import AgentDays
from acd.kpi.measures import day_start_us
from acd.types import Activity, AgentId, ContactId, Kind, OfferId, PhoneId
from acd.view import AgentView, SiteView
from realtime import agent_state, wallboard, wire
from realtime.outlet import Outlet
from realtime.ports import Card, Cards, Center
from realtime.reasons import Json, label
from realtime.settings import SocketSettings
from realtime.wire import Encoded

TOO_SLOW = (1013, "too slow")
TOO_MANY = (1013, "too many pages")

_WITH_CALLER = (
    Activity.ON_CALL,
    Activity.ON_HOLD,
    Activity.CONSULTING,
    Activity.WRAP_UP,
)


@dataclass(eq=False, slots=True)
class Tab:
    """One page of an agent. `kept` waits for it to catch up; `stale`: then it also needs the whole state."""

    agent: AgentId
    outlet: Outlet
    kept: deque[Encoded] = field(default_factory=deque)
    kept_bytes: int = 0
    stale: bool = False
    behind_since: float | None = None


@dataclass(slots=True)
class _Desk:
    """What all tabs of one agent share."""

    epoch: str
    state: Json
    seq: int = 1
    tabs: list[Tab] = field(default_factory=list)
    ring: deque[tuple[int, Encoded]] = field(default_factory=deque)
    shown: set[OfferId] = field(default_factory=set)
    said: float = 0.0


class Desk:
    """The agents' sockets. It is `acd.ports.Screens` and `Audience`; `run` is its task (ticks, slow tabs).

    The engine needs its screens before it exists itself, so the center is joined afterwards: `join_center`.
    """

    def __init__(self, cards: Cards, settings: SocketSettings) -> None:
        self._cards = cards
        self._settings = settings
        self._center_or_none: Center | None = None
        self._desks: dict[AgentId, _Desk] = {}
        self._offers: dict[AgentId, PopScreen] = {}
        self._task_offers: dict[OfferId, PopScreen] = {}
        self._offered_us: dict[OfferId, int] = {}
        self._whys: dict[OfferId, str] = {}
        self._task_cards: dict[ContactId, Card] = {}
        self._seats: dict[AgentId, PhoneId | None] = {}
        self._days = AgentDays(ZoneInfo("UTC"), 0)
        self._dirty: set[AgentId] = set()
        self._all_dirty = False
        self._due: asyncio.TimerHandle | None = None
        self.closed_slow = 0
        self.messages = 0

    def join_center(self, center: Center) -> None:
        self._center_or_none = center
        self._days = AgentDays(ZoneInfo(center.site.time_zone), center.now_us())

    @property
    def _center(self) -> Center:
        if self._center_or_none is None:
            raise RuntimeError("The desk has no center yet; call join_center before it is used.")
        return self._center_or_none

    @property
    def tabs(self) -> int:
        return sum(len(desk.tabs) for desk in self._desks.values())

    # ---- Screens ------------------------------------------------------------------------------------------

    def perform(self, effect: PopScreen | ClearScreen) -> None:
        """Pop an offer up, or take it away. An agent without a page is no error."""
        if isinstance(effect, PopScreen):
            self._keep_offer(effect, self._center.now_us())
            desk = self._desks.get(effect.agent)
            if desk is not None:
                desk.shown.discard(effect.offer)
                self._tell(desk, wire.encode({"type": "offer", **self._offer(effect)}))
        else:
            self._forget_offer(effect.agent, effect.offer)
        self._look_soon(effect.agent)

    def _keep_offer(self, made: PopScreen, offered_us: int) -> None:
        if made.kind is Kind.TASK:
            self._task_offers[made.offer] = made
        else:
            if (before := self._offers.get(made.agent)) is not None:
                self._forget_offer(made.agent, before.offer)
            self._offers[made.agent] = made
        self._offered_us[made.offer] = offered_us

    def _forget_offer(self, agent: AgentId, offer: OfferId) -> None:
        self._task_offers.pop(offer, None)
        self._offered_us.pop(offer, None)
        self._whys.pop(offer, None)
        if self.offer_of(agent) == offer:
            del self._offers[agent]
        if (desk := self._desks.get(agent)) is not None:
            desk.shown.discard(offer)

    # ---- Audience -----------------------------------------------------------------------------------------

    def facts(self, facts: Sequence[Fact]) -> None:
        self._days.fold(facts)
        for fact in facts:
            if isinstance(fact, SiteChanged):
                self._days.zone = ZoneInfo(self._center.site.time_zone)
                self._all_dirty = True
                self._look_soon(None)
            elif (agent := getattr(fact, "agent", None)) is not None:
                self._look_soon(agent)
            if isinstance(fact, OfferMade) and not fact.page_open:
                self._whys[fact.offer] = fact.why  # a page that opens while it rings will say it
            elif isinstance(fact, OfferEnded):
                self._forget_offer(fact.agent, fact.offer)
            elif isinstance(fact, ContactEnded | WrapUpOver):
                self._forget_card(fact.contact)
            if isinstance(fact, AgentChanged) and self._seats.get(fact.agent) != fact.phone:
                self._seats[fact.agent] = fact.phone
                self._phones_changed()

    def recall(self, facts: Sequence[Fact]) -> None:
        """Count what a replay of the journal says of today, before anything new happens."""
        self._days.fold(facts)
        self._days.since_us = min((fact.at_us for fact in facts), default=self._days.since_us)

    def _phones_changed(self) -> None:
        """Whoever chooses a phone now sees which are taken."""
        for agent, desk in self._desks.items():
            own = desk.state.get("agent")
            if not (isinstance(own, dict) and "phone" in own):
                self._look_soon(agent)

    # ---- the card -----------------------------------------------------------------------------------------

    def card_changed(self, contact: ContactId) -> None:
        """More is known of this contact: pages that show it get the new card."""
        card = self._card(contact)
        if card is None:
            return
        message: Encoded | None = None
        for agent, desk in self._desks.items():
            if contact in self._contacts_of(agent, desk):
                message = message or wire.encode({"type": "card", "contact": contact, "card": card})
                self._tell(desk, message)
                self._look_soon(agent)

    def _contacts_of(self, agent: AgentId, desk: _Desk) -> set[ContactId]:
        """Whom this agent's pages show: of the telephone, and of the tasks."""
        offer = self._offers.get(agent)
        shown = [desk.state.get("visit"), *_rows(desk.state, "tasks"), *_rows(desk.state, "task_offers")]
        found = {offer.contact} if offer is not None else set()
        return found | {
            each["contact"] for each in shown if isinstance(each, dict) and isinstance(each["contact"], str)
        }

    def keep_card(self, contact: ContactId, card: Card) -> None:
        """The card of a task or callback: nobody called, so no lookup has made one."""
        self._task_cards[contact] = card
        self.card_changed(contact)

    def _forget_card(self, contact: ContactId) -> None:
        """Once nobody works on it any more, wrap-up included."""
        if contact not in self._task_cards:
            return
        if not any(seen.contact == contact for seen in self._center.view().agents.values()):
            del self._task_cards[contact]

    # ---- tabs ---------------------------------------------------------------------------------------------

    def join(
        self, agent: AgentId, outlet: Outlet, epoch: str | None = None, seq: int | None = None
    ) -> Tab | None:
        """A page has said hello (or what it knows already) and is sent what it lacks. None: too many pages."""
        desk = self._desks.get(agent)
        if desk is None:
            self._center.post(PageOpened(agent))
            epoch_now = f"{self._center.now_us():x}"
            desk = self._desks[agent] = _Desk(epoch_now, self._state(agent, self._center.view()))
            desk.said = asyncio.get_running_loop().time()
        elif len(desk.tabs) >= self._settings.sockets_per_agent:
            outlet.close(*TOO_MANY)
            return None
        tab = Tab(agent, outlet)
        desk.tabs.append(tab)
        outlet.when_writable(lambda: self._caught_up(tab))
        self._look_at(agent)
        missed = self._since(desk, epoch, seq)
        if missed is None:
            self._whole(desk, tab)
        else:
            for message in missed or [wire.tick(desk.epoch, desk.seq, self._center.now_us())]:
                self._send(tab, message)
        return tab

    def leave(self, tab: Tab) -> None:
        desk = self._desks.get(tab.agent)
        if desk is None or tab not in desk.tabs:
            return
        desk.tabs.remove(tab)
        if not desk.tabs:
            del self._desks[tab.agent]
            self._center.post(PageClosed(tab.agent))

    def shown(self, tab: Tab, offer: OfferId) -> bool:
        """The page says that the card is on the screen. False: that offer is not this agent's (any more)."""
        desk, task = self._desks.get(tab.agent), self._task_offers.get(offer)
        theirs = self.offer_of(tab.agent) == offer or (task is not None and task.agent == tab.agent)
        if desk is None or not theirs:
            return False
        if offer not in desk.shown:
            desk.shown.add(offer)
            self._center.post(CardShown(offer))
        return True

    def answer(self, tab: Tab, request: str, reason: str | None) -> None:
        """The one answer to a command of this tab; `reason` None: granted."""
        message: Json = {"type": "result", "id": request, "ok": reason is None}
        if reason is not None:
            message["reason"] = reason
        self._send(tab, wire.encode(message))

    async def run(self) -> None:
        """Ticks on quiet pages and closes those that stay behind, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._settings.quiet_s / 4)
            now = loop.time()
            for desk in list(self._desks.values()):
                for tab in list(desk.tabs):
                    if tab.behind_since is not None and now - tab.behind_since > self._settings.slow_s:
                        self._give_up(tab)
                if now - desk.said >= self._settings.quiet_s:
                    desk.said = now
                    message = wire.tick(desk.epoch, desk.seq, self._center.now_us())
                    for tab in desk.tabs:
                        if tab.outlet.writable and tab.behind_since is None:
                            tab.outlet.write(message)

    # ---- sending ------------------------------------------------------------------------------------------

    def _tell(self, desk: _Desk, message: Encoded) -> None:
        """To every tab, in order, never dropped."""
        for tab in list(desk.tabs):
            self._send(tab, message)

    def _send(self, tab: Tab, message: Encoded) -> None:
        if tab.outlet.writable and tab.behind_since is None:
            tab.outlet.write(message)
            self.messages += 1
            return
        tab.kept.append(message)
        tab.kept_bytes += len(message.text)
        self._behind(tab)
        if tab.kept_bytes > self._settings.kept_bytes:
            self._give_up(tab)

    def _send_state(self, desk: _Desk, message: Encoded) -> None:
        """A difference: worth nothing to a tab that is behind, it will get the whole."""
        for tab in desk.tabs:
            if tab.outlet.writable and tab.behind_since is None:
                tab.outlet.write(message)
                self.messages += 1
            else:
                tab.stale = True
                self._behind(tab)

    def _whole(self, desk: _Desk, tab: Tab) -> None:
        if tab.outlet.writable:
            tab.stale = False
            tab.outlet.write(wire.snapshot(desk.epoch, desk.seq, self._center.now_us(), desk.state))
            self.messages += 1
        else:
            tab.stale = True
            self._behind(tab)

    def _behind(self, tab: Tab) -> None:
        if tab.behind_since is None:
            tab.behind_since = asyncio.get_running_loop().time()

    def _caught_up(self, tab: Tab) -> None:
        """Send what waited, as far as it goes: first what must not be lost, then the newest state."""
        desk = self._desks.get(tab.agent)
        if desk is None or tab not in desk.tabs or tab.behind_since is None:
            return
        while tab.kept and tab.outlet.writable:
            message = tab.kept.popleft()
            tab.kept_bytes -= len(message.text)
            tab.outlet.write(message)
        if not tab.kept and tab.stale and tab.outlet.writable:
            self._whole(desk, tab)
        if not tab.kept and not tab.stale:
            tab.behind_since = None

    def _give_up(self, tab: Tab) -> None:
        self.closed_slow += 1
        tab.outlet.close(*TOO_SLOW)
        self.leave(tab)

    # ---- the state ----------------------------------------------------------------------------------------

    def _look_soon(self, agent: AgentId | None) -> None:
        if agent is not None and agent not in self._desks:
            return
        if agent is not None:
            self._dirty.add(agent)
        if self._due is None:
            loop = asyncio.get_running_loop()
            self._due = loop.call_later(self._settings.desk_delay_s, self._look)

    def _look(self) -> None:
        self._due = None
        agents = set(self._desks) if self._all_dirty else self._dirty & set(self._desks)
        self._all_dirty = False
        self._dirty = set()
        if agents:
            view = self._center.view()
            for agent in sorted(agents):
                self._look_at(agent, view)

    def _look_at(self, agent: AgentId, view: SiteView | None = None) -> None:
        desk = self._desks[agent]
        state = self._state(agent, view or self._center.view())
        patch = wallboard.difference(desk.state, state)
        if patch is None:
            return
        desk.seq += 1
        desk.state = state
        desk.said = asyncio.get_running_loop().time()
        message = wire.delta(desk.epoch, desk.seq, self._center.now_us(), patch)
        desk.ring.append((desk.seq, message))
        if len(desk.ring) > self._settings.ring_messages:
            desk.ring.popleft()
        self._send_state(desk, message)

    def _since(self, desk: _Desk, epoch: str | None, seq: int | None) -> list[Encoded] | None:
        if seq is None or epoch != desk.epoch or not 0 < seq <= desk.seq:
            return None
        if seq < desk.seq and (not desk.ring or desk.ring[0][0] > seq + 1):
            return None
        return [message for number, message in desk.ring if number > seq]

    def _state(self, agent: AgentId, view: SiteView) -> Json:
        site, seen = self._center.site, view.agents.get(agent)
        state = agent_state.site_part(site)
        state["phones"] = agent_state.phones(site, view, agent)
        who = site.agents.get(agent)
        if seen is None or who is None:
            return state
        state["agent"] = {**agent_state.own(seen), "name": label(who.label)}
        if seen.phone is None and who.phone is not None:
            state["usual_phone"] = who.phone
        state["today"] = agent_state.today(self._days.of(agent, view.at_us))
        if self._days.since_us > day_start_us(view.at_us, self._days.zone):
            state["today_since_us"] = self._days.since_us
        offer = self._held_out(seen, seen.offer, view) if seen.offer is not None else None
        if offer is not None:
            state["offer"] = self._offer(offer)
        contact = offer.contact if offer is not None else None
        if seen.visit is not None and seen.contact is not None and seen.activity in _WITH_CALLER:
            talked = view.visits.get(seen.visit)
            state["visit"] = agent_state.visit(site, seen, talked.kind if talked is not None else None)
            contact = seen.contact
        if contact is not None and (card := self._card(contact)) is not None:
            state["card"] = card
        tasks = [view.visits[name] for name in seen.tasks if name in view.visits]
        if tasks:
            state["tasks"] = [agent_state.task(site, each, self._card(each.contact)) for each in tasks]
        offers = [self._held_out(seen, name, view) for name in seen.task_offers]
        if any(offers):
            state["task_offers"] = [self._offer(each) for each in offers if each is not None]
        return state

    def _held_out(self, seen: AgentView, offer: OfferId, view: SiteView) -> PopScreen | None:
        """An offer that is out to this agent; also one made when no page was open, so that none popped up."""
        known = self._task_offers.get(offer) or self._offers.get(seen.agent)
        if known is not None and known.offer == offer:
            return known
        visit = view.visits.get(offer.rpartition(".")[0])
        if visit is None:
            return None
        queue = self._center.site.queues.get(visit.queue)
        wait_us, ring_s = seen.since_us - visit.entered_us, queue.ring_timeout_s if queue else 0.0
        why = self._whys.get(offer, "")
        made = PopScreen(seen.agent, offer, visit.contact, visit.queue, wait_us, ring_s, visit.kind, why)
        self._keep_offer(made, seen.since_us)
        return made

    def _offer(self, made: PopScreen) -> Json:
        offered_us = self._offered_us.get(made.offer, 0)
        return agent_state.offer(self._center.site, made, offered_us, self._card(made.contact))

    def _card(self, contact: ContactId) -> Json | None:
        known = self._task_cards.get(contact) or self._cards(contact)
        return agent_state.card(self._center.site, known) if known is not None else None

    # ---- what commands ask --------------------------------------------------------------------------------

    def offer_of(self, agent: AgentId) -> OfferId | None:
        """The offer of a call or a callback on this agent's pages now."""
        offer = self._offers.get(agent)
        return offer.offer if offer is not None else None

    def is_call(self, agent: AgentId, offer: OfferId) -> bool:
        """Whether this offer is accepted by lifting the receiver."""
        made = self._offers.get(agent)
        return made is not None and made.offer == offer and made.kind is Kind.CALL

    def work_offer_of(self, agent: AgentId) -> OfferId | None:
        """The first offer on this agent's pages that a button accepts."""
        made = self._offers.get(agent)
        if made is not None and made.kind is not Kind.CALL:
            return made.offer
        return next((name for name, task in self._task_offers.items() if task.agent == agent), None)

    def visit_of(self, agent: AgentId) -> str | None:
        """The visit this agent talks with or wraps up."""
        desk = self._desks.get(agent)
        visit = desk.state.get("visit") if desk is not None else None
        found = visit.get("visit") if isinstance(visit, dict) else None
        return found if isinstance(found, str) else None


def _rows(state: Json, name: str) -> list[object]:
    found = state.get(name)
    return found if isinstance(found, list) else []
