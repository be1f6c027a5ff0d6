"""The engine: one inbox, one clock, one set of timers around the pure center.

For each input, in this order: journal it, step the center, fold the measures, perform the effects, keep the facts,
show the facts. The only file of `acd` outside `store/` that knows an event loop.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar, assert_never

from acd import journal
from acd.center import Center, Step
from acd.common.number import Number
from acd.effects import (
    CancelTimer,
    ClearScreen,
    Effect,
    Granted,
    KeepPlace,
    LeaveLine,
    LookUp,
    PopScreen,
    Refused,
    RefuseLine,
    RingAgent,
    SetFallbackMember,
    StartTimer,
    StopRing,
)
from acd.errors import Overloaded
from acd.events import Asked, CallArrived, Command, Event, TaskArrived, TimerFired
from acd.facts import ContactEnded, Fact, SiteChanged, WrapUpOver
from acd.kpi.measures import Measures
from acd.outlook import Outlook, Place, outlook, place
from acd.ports import Audience, Clock, Journal, Lookup, Records, Screens, Telephony
from acd.site import Site
from acd.types import US_PER_S, ContactId, Kind, QueueId, TimerId, VisitId
from acd.view import SiteView, view_of
from acd.why import WhyWaiting, why_waiting

_W = TypeVar("_W")


class CenterClock:
    """Center time: the wall read once at start, then carried on by the loop's clock; never back.

    `floor_us`: the last instant of the journal, so that a restart with a wrong wall clock does not run back.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, wall_us: int, floor_us: int = 0) -> None:
        self._loop = loop
        self._offset_us = max(wall_us, floor_us) - int(loop.time() * US_PER_S)

    def now_us(self) -> int:
        return self._offset_us + int(self._loop.time() * US_PER_S)


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """`inbox_limit`: beyond so many unhandled inputs no new caller is taken in; Asterisk keeps them meanwhile.
    `answers_kept`: so many answers to people are remembered for a repeated request."""

    inbox_limit: int = 10_000
    slice_events: int = 200
    answers_kept: int = 10_000


@dataclass(slots=True)
class EngineCounters:
    """`ignored`: by reason, inputs that changed nothing because they came late, twice or for nobody."""

    events: int = 0
    arrivals_refused: int = 0
    inbox_peak: int = 0
    ignored: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Doors:
    """The rooms around the engine."""

    journal: Journal
    telephony: Telephony
    screens: Screens
    lookup: Lookup
    records: Records
    audiences: tuple[Audience, ...] = ()


class Engine:
    """Runs one center. Everything is called from the loop's own thread."""

    def __init__(
        self,
        center: Center,
        measures: Measures,
        clock: Clock,
        settings: EngineSettings,
        broken: Callable[[Event, Exception], None] | None = None,
    ) -> None:
        self.center = center
        self.measures = measures
        self.counters = EngineCounters()
        self._clock = clock
        self._doors_or_none: Doors | None = None
        self._settings = settings
        self._broken = broken
        self._loop = asyncio.get_running_loop()
        self._inbox: deque[Event] = deque()
        self._scheduled = False
        self._timers: dict[TimerId, asyncio.TimerHandle] = {}
        self._callers: dict[ContactId, Number] = {}
        self._waiting: dict[str, asyncio.Future[Granted | Refused]] = {}
        self._answers: dict[str, Granted | Refused] = {}
        self._requests = 0
        measures.use(center.site)

    def join(self, doors: Doors) -> None:
        """Open the doors, before the first input. The rooms need the engine to be made, so they come after it."""
        self._doors_or_none = doors

    @property
    def _doors(self) -> Doors:
        if self._doors_or_none is None:
            raise RuntimeError("The engine has no doors yet; call join before the first input.")
        return self._doors_or_none

    # What the rooms call -----------------------------------------------------------------------------------

    def post(self, event: Event) -> None:
        """Take in an input; it is handled in this order, soon."""
        self._inbox.append(event)
        self.counters.inbox_peak = max(self.counters.inbox_peak, len(self._inbox))
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._drain)

    def arrive(self, event: CallArrived, caller: Number) -> None:
        """Take in a caller; the number stays here, out of the journal. Raises Overloaded when there is no room."""
        if len(self._inbox) >= self._settings.inbox_limit:
            self.counters.arrivals_refused += 1
            raise Overloaded("More inputs wait than can be handled; the caller is left to Asterisk for now.")
        self._callers[event.contact] = caller
        self._doors.records.note_caller(event.contact, caller)
        self.post(event)

    def take_on(self, event: TaskArrived, caller: Number | None = None) -> None:
        """Take in work that is no call; the number to call, if there is one, stays here, out of the journal."""
        if caller is not None:
            self._callers[event.contact] = caller
            self._doors.records.note_caller(event.contact, caller)
        self.post(event)

    def recall(self, contact: ContactId, caller: Number) -> None:
        """The number of an open contact, known again after a restart; whoever it is, is looked up again."""
        self._callers[contact] = caller
        self._doors.lookup.begin(contact, caller)

    def caller(self, contact: ContactId) -> Number | None:
        return self._callers.get(contact)

    def has_callback(self, caller: Number) -> bool:
        """Whether somebody is to be called back on this number already."""
        return any(
            known.key == caller.key
            for contact, known in self._callers.items()
            if (open_ := self.center.state.contacts.get(contact)) is not None and open_.kind is Kind.CALLBACK
        )

    async def ask(self, by: str, command: Command, request: str | None = None) -> Granted | Refused:
        """A person's command and its one answer; the same `request` again gets the same answer again."""
        if request is not None and (known := self._answers.get(request)) is not None:
            return known
        if request is not None and request in self._waiting:
            return await asyncio.shield(self._waiting[request])
        self._requests += 1
        name = request or f"{self._clock.now_us()}-{self._requests}"
        future: asyncio.Future[Granted | Refused] = self._loop.create_future()
        self._waiting[name] = future
        self.post(Asked(name, by, command))
        return await asyncio.shield(future)

    def view(self) -> SiteView:
        return view_of(self.center, self.measures, self.now_us())

    def why(self, visit: VisitId) -> WhyWaiting | None:
        """Why this visit waits, and each agent who does not get it; None if it is not open."""
        return why_waiting(self.center.turn(self.now_us()), visit)

    def outlook(self, queue: QueueId) -> Outlook | None:
        """What a caller who comes now may expect of this queue; None if it is not there."""
        return outlook(self.center.turn(self.now_us()), queue)

    def place(self, contact: ContactId) -> Place | None:
        """Where this contact stands in line; None if it does not wait."""
        return place(self.center.turn(self.now_us()), contact)

    @property
    def site(self) -> Site:
        return self.center.site

    @property
    def inbox(self) -> int:
        return len(self._inbox)

    def now_us(self) -> int:
        return self._clock.now_us()

    # Life --------------------------------------------------------------------------------------------------

    def arm_timers(self) -> None:
        """After a restart: every timer the center still counts on, those that are due at once."""
        for timer, at_us in list(self.center.state.timers.items()):
            self._start_timer(timer, at_us)

    def close(self) -> None:
        for handle in self._timers.values():
            handle.cancel()
        self._timers.clear()
        for future in self._waiting.values():
            if not future.done():
                future.set_result(Refused("", "shutting_down"))
        self._waiting.clear()

    def _drain(self) -> None:
        """Handle what is there, in slices, so that the sockets of everybody else get their turn."""
        try:
            for _ in range(self._settings.slice_events):
                if not self._inbox:
                    break
                self._handle(self._inbox.popleft())
        finally:  # a fault of one room must not silence the center
            self._scheduled = bool(self._inbox)
            if self._scheduled:
                self._loop.call_soon(self._drain)

    def _handle(self, event: Event) -> None:
        now_us = max(self._clock.now_us(), self.center.state.at_us)
        self._doors.journal.append(journal.encode_event(event, now_us))
        try:
            step = self.center.handle(event, now_us)
        except Exception as error:
            if isinstance(event, Asked):
                self._answer(Refused(event.request, "failed"))
            if self._broken is None:
                raise
            self._broken(event, error)
            return
        self._take(event, step)

    def _take(self, event: Event, step: Step) -> None:
        self.counters.events += 1
        if step.ignored is not None:
            self.counters.ignored[step.ignored] = self.counters.ignored.get(step.ignored, 0) + 1
        if any(isinstance(fact, SiteChanged) for fact in step.facts):
            self.measures.use(self.center.site)
        self.measures.fold(step.facts)
        for effect in step.effects:
            self._tell(event, self._perform, effect)
        if step.facts:
            self._tell(event, self._doors.records.take, step.facts)
            for audience in self._doors.audiences:
                self._tell(event, audience.facts, step.facts)
            self._tell(event, self._forget_callers, step.facts)

    def _tell(self, event: Event, room: Callable[[_W], None], what: _W) -> None:
        """The fault of one room must not keep this step from the others: timers least of all."""
        try:
            room(what)
        except Exception as error:
            if self._broken is None:
                raise
            self._broken(event, error)

    def _forget_callers(self, facts: Iterable[Fact]) -> None:
        """Number and card go when the contact is over and nobody writes it up any more."""
        for fact in facts:
            if isinstance(fact, ContactEnded | WrapUpOver) and not self._is_worked_on(fact.contact):
                self._callers.pop(fact.contact, None)
                self._doors.lookup.forget(fact.contact)

    def _is_worked_on(self, contact: ContactId) -> bool:
        state = self.center.state
        return contact in state.contacts or any(
            agent.wrap_up is not None and agent.wrap_up.contact == contact for agent in state.agents.values()
        )

    def _perform(self, effect: Effect) -> None:
        match effect:
            case KeepPlace() | RingAgent() | StopRing() | SetFallbackMember() | RefuseLine() | LeaveLine():
                self._doors.telephony.perform(effect)
            case PopScreen() | ClearScreen():
                self._doors.screens.perform(effect)
            case StartTimer(timer, at_us):
                self._start_timer(timer, at_us)
            case CancelTimer(timer):
                if (handle := self._timers.pop(timer, None)) is not None:
                    handle.cancel()
            case LookUp(contact):
                if (caller := self._callers.get(contact)) is not None:
                    self._doors.lookup.begin(contact, caller)
            case Granted() | Refused():
                self._answer(effect)
            case _:
                assert_never(effect)

    def _answer(self, answer: Granted | Refused) -> None:
        if answer.request in self._answers:
            return
        self._answers[answer.request] = answer
        if len(self._answers) > self._settings.answers_kept:
            del self._answers[next(iter(self._answers))]
        future = self._waiting.pop(answer.request, None)
        if future is not None and not future.done():
            future.set_result(answer)

    def _start_timer(self, timer: TimerId, at_us: int) -> None:
        if (old := self._timers.pop(timer, None)) is not None:
            old.cancel()
        delay_s = max(0, at_us - self._clock.now_us()) / US_PER_S
        self._timers[timer] = self._loop.call_later(delay_s, self._fire, timer, at_us)

    def _fire(self, timer: TimerId, at_us: int) -> None:
        if self._clock.now_us() < at_us:  # the loop's clock is coarser than ours
            self._start_timer(timer, at_us)
            return
        self._timers.pop(timer, None)
        self.post(TimerFired(timer))
