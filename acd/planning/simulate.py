"""The center under a virtual clock: the same `Center` that takes live calls, fed with a trace of calls and shifts.

There is no second router here. This file plays the world around the center: callers who come and lose patience,
agents who sign in, answer at once and talk as long as the trace says, and the timers that the center asks for. Pure.

At one instant (rule R7): ends of work, logins and logouts, the center's own timers, callers who give up, arrivals;
within a class in the order of roster or trace.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from acd.center import Center, Step
from acd.effects import CancelTimer, LeaveLine, Refused, RefuseLine, RingAgent, StartTimer
from acd.events import (
    Asked,
    CallArrived,
    CallerLeft,
    Event,
    MenuEnded,
    OfferAnswered,
    SetStatus,
    SignIn,
    TimerFired,
    VisitQueued,
)
from acd.planning.errors import PlanningError
from acd.site import Site
from acd.turn import Rules
from acd.types import AgentId, ContactId, PhoneId, QueueId, Status, TimerId

_END, _SHIFT, _TIMER, _GIVE_UP, _ARRIVAL = range(5)
_NO_CARD = Rules(card_wait_us=0)
_TELL_EVERY = 200


class Outcome(StrEnum):
    """What became of a call. `FLOWED_OUT` and `REFUSED` come only from the rules of a center.yaml; `WAITING`: endless
    patience, and nobody ever came."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    FLOWED_OUT = "flowed_out"
    REFUSED = "refused"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the trace; `patience_us` None: waits without end. `name` and `kind` are as the trace has them."""

    name: str
    kind: str
    queue: QueueId
    arrival_us: int
    handle_us: int
    patience_us: int | None
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Shift:
    """When an agent is there; `logout_us` None: to the end. `name` is as the roster has it. `always`: nobody said when
    they come, so their time counts from the first call."""

    name: str
    agent: AgentId
    phone: PhoneId
    login_us: int
    logout_us: int | None = None
    always: bool = False


@dataclass(frozen=True, slots=True)
class World:
    """What is simulated: a site with its people, and what comes at it. Shifts in the order of the site's agents.
    `origin_us`: the instant that trace and roster call 0 s."""

    site: Site
    shifts: Sequence[Shift]
    calls: Sequence[Call]
    origin_us: int = 0


@dataclass(slots=True)
class CallEnd:
    """`wait_us`: to the answer, or to the end of waiting. `shift`: index of the agent's; None without an answer."""

    outcome: Outcome = Outcome.WAITING
    wait_us: int = 0
    shift: int | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """`ends`: one for each call, in order of the trace. `worked_until_us`: by shift, the end of the last work (its
    login, if there was none). `over_us`: when nothing more could happen to a caller. `events`: what the center was
    handed."""

    ends: Sequence[CallEnd]
    worked_until_us: Sequence[int]
    over_us: int
    events: int


def simulate(world: World, progress: Callable[[int], None] | None = None) -> Run:
    """Play the whole trace. `progress` is told now and then how many calls are over.

    Raises PlanningError if the site refuses somebody their place.
    """
    return _Play(world, progress).run()


@dataclass(slots=True)
class _Play:
    """The heap holds (when, class, order within the class, number, what it is about)."""

    world: World
    progress: Callable[[int], None] | None
    center: Center = field(init=False)
    now_us: int = 0
    heap: list[tuple[int, int, int, int, TimerId]] = field(default_factory=list)
    timers: dict[TimerId, int] = field(default_factory=dict)
    ends: list[CallEnd] = field(init=False)
    until_us: list[int] = field(init=False)
    shift_of: dict[AgentId, int] = field(init=False)
    numbered: int = 0
    handled: int = 0
    over: int = 0
    over_us: int = 0

    def __post_init__(self) -> None:
        world = self.world
        self.ends = [CallEnd() for _ in world.calls]
        self.until_us = [shift.login_us for shift in world.shifts]
        self.shift_of = {shift.agent: at for at, shift in enumerate(world.shifts)}

    def run(self) -> Run:
        world = self.world
        for at, call in enumerate(world.calls):
            self._plan(call.arrival_us, _ARRIVAL, at)
        for at, shift in enumerate(world.shifts):
            self._plan(shift.login_us, _SHIFT, at)
        self.now_us = self.over_us = self.heap[0][0] if self.heap else 0
        self.center = Center.new(world.site, self.now_us, _NO_CARD)
        while self.heap:
            self.now_us, what, order, _, timer = heapq.heappop(self.heap)
            _HAPPENS[what](self, order, timer)
        for end, call in zip(self.ends, world.calls, strict=True):
            if end.outcome is Outcome.WAITING:
                end.wait_us = max(0, self.over_us - call.arrival_us)
        return Run(self.ends, self.until_us, self.over_us, self.handled)

    def _plan(self, at_us: int, what: int, order: int, timer: TimerId = "") -> None:
        self.numbered += 1
        heapq.heappush(self.heap, (at_us, what, order, self.numbered, timer))

    # ---- what happens

    def _arrival(self, at: int, _: TimerId) -> None:
        call, contact = self.world.calls[at], _contact(at)
        self.over_us = self.now_us
        self._do(CallArrived(contact, "", None))
        self._do(VisitQueued(contact, call.queue, None, call.priority))
        if call.patience_us is not None and self.ends[at].outcome is Outcome.WAITING:
            self._plan(self.now_us + call.patience_us, _GIVE_UP, at)

    def _gives_up(self, at: int, _: TimerId) -> None:
        if self.ends[at].outcome is Outcome.WAITING:
            self._ended(at, Outcome.ABANDONED)
            self._do(CallerLeft(_contact(at)))

    def _work_ends(self, shift: int, timer: TimerId) -> None:
        """Caller and agent part; `timer` is the contact here."""
        self.until_us[shift] = self.over_us = self.now_us
        self._do(CallerLeft(timer))

    def _shift(self, at: int, _: TimerId) -> None:
        shift = self.world.shifts[at]
        if self.center.state.agents[shift.agent].status is not Status.OFFLINE:
            return self._ask(SetStatus(shift.agent, Status.OFFLINE))
        if shift.logout_us is not None:
            self._plan(shift.logout_us, _SHIFT, at)
        self._ask(SignIn(shift.agent, shift.phone))
        return self._ask(SetStatus(shift.agent, Status.AVAILABLE))

    def _timer(self, _: int, timer: TimerId) -> None:
        if self.timers.get(timer) == self.now_us:
            del self.timers[timer]
            self._do(TimerFired(timer))

    # ---- the center, and what it asks for

    def _ask(self, command: SignIn | SetStatus) -> None:
        for effect in self._do(Asked("", "", command)).effects:
            if isinstance(effect, Refused):
                raise PlanningError(
                    f"The center refused {type(command).__name__} of {command.agent} ({effect.reason}); "
                    "check the agent's phone in center.yaml."
                )

    def _do(self, event: Event) -> Step:
        """Hand the event over, and do what is asked, and what is asked then, until nothing is."""
        first = step = self._handle(event)
        todo = deque((step,))
        while todo:
            rung: set[str] = set()  # of several phones of one caller the first answers
            for effect in todo.popleft().effects:
                kind = type(effect)
                if kind is RingAgent:
                    assert isinstance(effect, RingAgent)
                    if effect.visit not in rung:
                        rung.add(effect.visit)
                        todo.append(self._answer(effect))
                elif kind is StartTimer:
                    assert isinstance(effect, StartTimer)
                    self.timers[effect.timer] = effect.at_us
                    self._plan(max(effect.at_us, self.now_us), _TIMER, 0, effect.timer)
                elif kind is CancelTimer:
                    assert isinstance(effect, CancelTimer)
                    self.timers.pop(effect.timer, None)
                elif kind is RefuseLine or kind is LeaveLine:
                    assert isinstance(effect, RefuseLine | LeaveLine)
                    todo.append(self._line_left(effect))
        return first

    def _handle(self, event: Event) -> Step:
        self.handled += 1
        return self.center.handle(event, self.now_us)

    def _answer(self, ring: RingAgent) -> Step:
        step = self._handle(OfferAnswered(ring.offer))
        if step.ignored is not None:
            return step
        at, shift = int(ring.contact[1:]), self.shift_of[ring.agent]
        self._ended(at, Outcome.ANSWERED, shift)
        self._plan(self.now_us + self.world.calls[at].handle_us, _END, shift, ring.contact)
        return step

    def _line_left(self, effect: RefuseLine | LeaveLine) -> Step:
        left = isinstance(effect, LeaveLine)
        self._ended(int(effect.contact[1:]), Outcome.FLOWED_OUT if left else Outcome.REFUSED)
        return self._handle(MenuEnded(effect.contact))

    def _ended(self, at: int, outcome: Outcome, shift: int | None = None) -> None:
        end = self.ends[at]
        end.outcome, end.shift = outcome, shift
        end.wait_us = self.now_us - self.world.calls[at].arrival_us
        self.over_us = self.now_us
        self.over += 1
        if self.progress is not None and self.over % _TELL_EVERY == 0:
            self.progress(self.over)


_HAPPENS: tuple[Callable[[_Play, int, TimerId], None], ...] = (
    _Play._work_ends,
    _Play._shift,
    _Play._timer,
    _Play._gives_up,
    _Play._arrival,
)


def _contact(at: int) -> ContactId:
    return f"c{at}"
