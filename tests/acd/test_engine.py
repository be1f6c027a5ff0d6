"""The engine around the center: order of things, answers, timers, a bounded inbox; on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

import pytest

from acd import events
from acd.center import Center
from acd.common.number import Number, parse_number
from acd.effects import Effect, Granted, PopScreen, Refused, RingAgent
from acd.engine import CenterClock, Doors, Engine, EngineSettings
from acd.errors import Overloaded
from acd.events import (
    ApplySite,
    CallArrived,
    CallerLeft,
    Event,
    MenuEnded,
    OfferAnswered,
    PageOpened,
    SetStatus,
    SignIn,
    VisitQueued,
)
from acd.facts import ContactEnded, Fact
from acd.journal import decode_event
from acd.kpi.measures import Measures
from acd.site import site_json
from acd.types import ContactId, Status
from tests.acd.worlds import MORNING_US, S, World, site_of
from tests.sim.loop import run

CALLER = parse_number("09121234567")


class Rooms:
    """Every room around the engine; what each was told, in one list."""

    def __init__(self) -> None:
        self.log: list[tuple[str, Any]] = []
        self.broken_telephony = False

    def append(self, line: bytes) -> None:
        self.log.append(("journal", decode_event(line)[1]))

    def perform(self, effect: Effect) -> None:
        if self.broken_telephony and isinstance(effect, RingAgent):
            raise OSError("the line is cut")
        self.log.append(("effect", effect))

    def begin(self, contact: ContactId, caller: Number) -> None:
        self.log.append(("lookup", (contact, caller)))

    def forget(self, contact: ContactId) -> None:
        self.log.append(("forget", contact))

    def note_caller(self, contact: ContactId, caller: Number) -> None:
        self.log.append(("caller", contact))

    def take(self, facts: Sequence[Fact]) -> None:
        self.log.append(("records", tuple(facts)))

    def facts(self, facts: Sequence[Fact]) -> None:
        self.log.append(("audience", tuple(facts)))

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.log]

    def of(self, kind: str) -> list[Any]:
        return [what for each, what in self.log if each == kind]


class House:
    """An engine with its rooms, on the loop that runs."""

    def __init__(self, center: Center | None = None, settings: EngineSettings | None = None) -> None:
        self.rooms = Rooms()
        self.faults: list[tuple[Event, Exception]] = []
        self.engine = Engine(
            center or Center.new(site_of(), MORNING_US),
            Measures(),
            CenterClock(asyncio.get_running_loop(), MORNING_US),
            settings or EngineSettings(),
            lambda event, error: self.faults.append((event, error)),
        )
        rooms = self.rooms
        self.engine.join(Doors(rooms, rooms, rooms, rooms, rooms, (rooms,)))

    async def ready(self, agent: str = "a1", page: bool = False) -> None:
        await self.engine.ask("t", SignIn(agent, "p" + agent[1:]))
        if page:
            self.engine.post(PageOpened(agent))
        await self.engine.ask("t", SetStatus(agent, Status.AVAILABLE))

    def call(self, contact: str) -> None:
        self.engine.arrive(CallArrived(contact, "2100", None), CALLER)
        self.engine.post(VisitQueued(contact, "main"))


async def settled() -> None:
    """Everything that can happen now has happened."""
    await asyncio.sleep(1e-6)


def on_virtual_time(main: Coroutine[Any, Any, None]) -> None:
    run(main)


# ---- order -------------------------------------------------------------------------------------------------


def test_an_input_is_journaled_then_performed_then_kept_then_shown() -> None:
    async def main() -> None:
        house = House()
        await house.ready(page=True)
        house.rooms.log.clear()
        house.call("c1")
        assert house.rooms.kinds() == ["caller"]  # nothing happens before its turn
        await settled()
        assert house.rooms.kinds() == [
            "caller",
            *("journal", "lookup", "records", "audience"),
            *("journal", "effect", "effect", "records", "audience"),
        ]
        assert isinstance(house.rooms.of("effect")[-1], PopScreen)
        assert house.rooms.of("records") == house.rooms.of("audience")
        await asyncio.sleep(0.1)
        assert house.rooms.kinds()[-2:] == ["journal", "effect"]
        assert isinstance(house.rooms.of("effect")[-1], RingAgent)
        house.engine.close()

    on_virtual_time(main())


def test_inputs_are_handled_in_the_order_they_came_also_over_slices() -> None:
    async def main() -> None:
        house = House(settings=EngineSettings(slice_events=3))
        turns: list[int] = []

        async def somebody_else() -> None:
            while len(house.rooms.of("journal")) < 10:
                turns.append(len(house.rooms.of("journal")))
                await asyncio.sleep(0)

        task = asyncio.get_running_loop().create_task(somebody_else())
        for number in range(10):
            house.engine.post(MenuEnded(f"c{number}"))
        assert (house.engine.inbox, house.engine.counters.inbox_peak) == (10, 10)
        await task
        assert [event.contact for event in house.rooms.of("journal")] == [f"c{n}" for n in range(10)]
        assert {3, 6, 9} <= set(turns)  # everybody else had a turn between the slices
        assert house.engine.counters.ignored == {"end_of_no_contact": 10}

    on_virtual_time(main())


def test_the_callers_number_stays_out_of_the_journal_and_is_forgotten_at_the_end() -> None:
    async def main() -> None:
        house = House()
        house.call("c1")
        await settled()
        assert house.rooms.of("lookup") == [("c1", CALLER)]
        assert CALLER.key not in str(house.rooms.of("journal"))
        house.engine.post(CallerLeft("c1"))
        await settled()
        assert house.rooms.of("forget") == ["c1"]
        assert house.engine._callers == {}

    on_virtual_time(main())


# ---- people ------------------------------------------------------------------------------------------------


def test_a_command_has_one_answer_and_its_repetition_the_same() -> None:
    async def main() -> None:
        house = House()
        ask = house.engine.ask
        assert await ask("t", SignIn("a1", "p1"), "r1") == Granted("r1")
        assert await ask("t", SignIn("a2", "p1"), "r2") == Refused("r2", "phone_taken")
        await ask("t", SetStatus("a1", Status.OFFLINE))
        assert await ask("t", SignIn("a2", "p1"), "r2") == Refused("r2", "phone_taken")  # as it was answered
        assert await ask("t", SignIn("a2", "p1"), "r3") == Granted("r3")
        assert len(house.rooms.of("journal")) == 4

    on_virtual_time(main())


def test_a_command_repeated_before_its_answer_is_carried_out_once() -> None:
    async def main() -> None:
        house = House()
        command = SignIn("a1", "p1")
        both = await asyncio.gather(*(house.engine.ask("t", command, "r1") for _ in range(2)))
        assert both == [Granted("r1")] * 2
        assert len(house.rooms.of("journal")) == 1

    on_virtual_time(main())


def test_who_stops_waiting_does_not_stop_the_command() -> None:
    async def main() -> None:
        house = House()
        task = asyncio.get_running_loop().create_task(house.engine.ask("t", SignIn("a1", "p1"), "r1"))
        await asyncio.sleep(0)
        task.cancel()
        await settled()
        assert await house.engine.ask("t", SignIn("a1", "p1"), "r1") == Granted("r1")
        assert len(house.rooms.of("journal")) == 1

    on_virtual_time(main())


def test_old_answers_are_forgotten() -> None:
    async def main() -> None:
        house = House(settings=EngineSettings(answers_kept=2))
        for number in range(5):
            await house.engine.ask("t", SignIn("nobody", "p1"), f"r{number}")
        assert list(house.engine._answers) == ["r3", "r4"]

    on_virtual_time(main())


def test_who_asks_while_we_close_is_told() -> None:
    async def main() -> None:
        house = House()
        asking = asyncio.get_running_loop().create_task(house.engine.ask("t", SignIn("a1", "p1")))
        await asyncio.sleep(0)
        house.engine.close()
        answer = await asking
        assert isinstance(answer, Refused)
        assert answer.reason == "shutting_down"

    on_virtual_time(main())


# ---- time --------------------------------------------------------------------------------------------------


def test_after_a_restart_the_timers_go_on_from_their_own_time() -> None:
    world = World()
    world.ready("a1")
    world.call("c1")
    world.answer("c1.1")
    world.leave("c1")  # 30 s of wrap-up

    async def main(away_s: float) -> None:
        loop = asyncio.get_running_loop()
        house = House(Center(world.center.state, world.center.rules))
        house.engine._clock = CenterClock(loop, world.now_us + round(away_s * S))
        house.engine.arm_timers()
        await asyncio.sleep(30 - away_s - 0.001)
        assert house.engine.view().agents["a1"].activity == "wrap_up"
        await asyncio.sleep(0.002)
        assert house.engine.view().agents["a1"].activity == "idle"

    on_virtual_time(main(20))


def test_a_timer_that_ran_out_meanwhile_fires_at_once() -> None:
    world = World(site_of(agents={"a1": {}}))
    world.ready("a1")
    world.call("c1")

    async def main() -> None:
        house = House(world.center)
        house.engine._clock = CenterClock(asyncio.get_running_loop(), world.now_us + 3600 * S)
        house.engine.arm_timers()
        await settled()
        assert house.engine.view().agents["a1"].activity == "not_responding"
        house.engine.close()

    on_virtual_time(main())


def test_center_time_does_not_run_back_over_a_restart() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        clock = CenterClock(loop, wall_us=MORNING_US - 3600 * S, floor_us=MORNING_US)
        assert clock.now_us() == MORNING_US
        await asyncio.sleep(5)
        assert clock.now_us() == pytest.approx(MORNING_US + 5 * S, abs=2)

    on_virtual_time(main())


def test_nothing_is_left_on_the_loop_after_closing() -> None:
    async def main() -> None:
        house = House()
        await house.ready()
        house.call("c1")
        await settled()
        house.engine.close()
        await asyncio.sleep(3600)
        assert house.engine.view().agents["a1"].activity == "ringing"

    on_virtual_time(main())


# ---- too much, and faults ----------------------------------------------------------------------------------


def test_a_full_inbox_refuses_new_callers_and_nothing_else() -> None:
    async def main() -> None:
        house = House(settings=EngineSettings(inbox_limit=3))
        for number in range(3):
            house.engine.arrive(CallArrived(f"c{number}", "2100", None), CALLER)
        with pytest.raises(Overloaded):
            house.engine.arrive(CallArrived("c3", "2100", None), CALLER)
        assert house.engine.counters.arrivals_refused == 1
        house.engine.post(VisitQueued("c0", "main"))
        house.engine.post(CallerLeft("c1"))
        answer = await house.engine.ask("t", SignIn("a1", "p1"))
        assert isinstance(answer, Granted)
        assert len(house.rooms.of("journal")) == 6
        assert "c3" not in house.rooms.of("caller")
        house.engine.arrive(CallArrived("c3", "2100", None), CALLER)  # there is room again
        await settled()

    on_virtual_time(main())


def test_a_fault_in_the_center_is_told_and_whoever_asked_has_an_answer() -> None:
    async def main() -> None:
        house = House()
        house.engine.center.state.agents["a1"].wrap_up = 7  # type: ignore[assignment]
        answer = await house.engine.ask("t", events.EndWrapUp("a1"), "r1")
        assert answer == Refused("r1", "failed")
        assert [type(event) for event, _ in house.faults] == [events.Asked]
        assert await house.engine.ask("t", SignIn("a2", "p2"), "r2") == Granted("r2")

    on_virtual_time(main())


def test_a_fault_of_one_room_keeps_nothing_from_the_others() -> None:
    async def main() -> None:
        house = House()
        await house.ready()
        house.rooms.broken_telephony = True
        house.call("c1")
        await settled()
        assert [type(error) for _, error in house.faults] == [OSError]
        assert house.rooms.kinds()[-2:] == ["records", "audience"]
        await asyncio.sleep(60)
        assert house.engine.view().agents["a1"].activity == "not_responding"  # its timer ran all the same
        house.engine.post(CallerLeft("c1"))
        await settled()
        assert any(isinstance(fact, ContactEnded) for fact in house.rooms.of("audience")[-1])

    on_virtual_time(main())


def test_a_new_site_is_measured_by_its_own_limits() -> None:
    async def main() -> None:
        house = House()
        site = site_of({"main": {"target_s": 3}})
        assert isinstance(await house.engine.ask("t", ApplySite("v2", site_json(site))), Granted)
        assert house.engine.site == site
        assert house.engine.measures.limits["main"].target_us == 3 * S

    on_virtual_time(main())


def test_the_view_is_of_now() -> None:
    async def main() -> None:
        house = House()
        await house.ready()
        house.call("c1")
        await settled()
        house.engine.post(OfferAnswered("c1.1.1"))
        await asyncio.sleep(30)
        view = house.engine.view()
        assert view.at_us == house.engine.now_us()
        assert (view.total.offered, view.total.answered, view.total.talking) == (1, 1, 1)
        assert view.agents["a1"].contact == "c1"
        house.engine.close()

    on_virtual_time(main())


def test_without_doors_it_says_so() -> None:
    async def main() -> None:
        clock = CenterClock(asyncio.get_running_loop(), MORNING_US)
        engine = Engine(Center.new(site_of(), MORNING_US), Measures(), clock, EngineSettings())
        with pytest.raises(RuntimeError, match="call join"):
            engine.arrive(CallArrived("c1", "2100", None), CALLER)

    on_virtual_time(main())
