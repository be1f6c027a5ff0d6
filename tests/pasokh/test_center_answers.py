"""What a flow asks of the center, and whom it may have called back."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from acd.common.number import Number, parse_number
from acd.effects import PopScreen
from acd.events import CallArrived, TaskArrived, VisitLeft, VisitQueued
from acd.types import Kind, LeftFor
from pasokh.center_answers import AnswersOfCenter
from tests.acd.test_engine import House, settled
from tests.sim.loop import run

OWN = {"numbers": {"02191001500": {"flow": "bank"}}}


def number_of(written: str | None) -> tuple[Number, str | None]:
    return parse_number(written or "", "IR", "21"), None


def asked(
    what: str, args: Mapping[str, str], caller: str = "09121234567"
) -> tuple[Mapping[str, str] | None, House]:
    """The answer to a caller who waits in the only queue, with nobody there."""

    async def main() -> tuple[Mapping[str, str] | None, House]:
        house = House()
        house.engine.arrive(CallArrived("c1", "2100", None), number_of(caller)[0])
        house.engine.post(VisitQueued("c1", "main"))
        await settled()
        answer = await AnswersOfCenter(house.engine, number_of).answer("c1", what, args)
        await settled()
        house.engine.close()
        return answer, house

    return run(main())


def test_the_caller_is_told_as_a_number_that_can_be_said() -> None:
    assert asked("caller", {})[0] == {
        "number": "09121234567",
        "withheld": "false",
        "country": "IR",
        "known": "true",
    }
    assert asked("caller", {}, "anonymous")[0] == {
        "number": "",
        "withheld": "true",
        "country": "",
        "known": "false",
    }


def test_a_queue_and_the_place_in_it_are_told_and_no_estimate_is_made_up() -> None:
    answer = {"waiting": "1", "estimated_wait_s": "", "staffed": "false", "open": "true"}
    assert asked("queue", {"queue": "main"})[0] == answer
    assert asked("queue", {"queue": "nowhere"})[0] is None
    assert asked("place", {})[0] == {"ahead": "0", "estimated_wait_s": ""}
    assert asked("weather", {})[0] is None


def test_a_callback_stands_in_line_with_the_age_of_the_wait_it_replaces() -> None:
    async def main() -> None:
        house = House()
        answers = AnswersOfCenter(house.engine, number_of)
        for contact in ("c1", "c2"):
            house.engine.arrive(CallArrived(contact, "2100", None), number_of("09121234567")[0])
            house.engine.post(VisitQueued(contact, "main"))
            await asyncio.sleep(60)
        house.engine.post(VisitLeft("c1", LeftFor.CALLBACK))
        await settled()
        for contact in ("c1", "c1", "c2"):
            assert await answers.answer(contact, "callback", {"queue": "main", "number": ""}) == {
                "result": "ok"
            }
            await settled()
        state = house.engine.center.state
        kinds = [contact.kind for contact in state.contacts.values()]
        assert kinds.count(Kind.CALLBACK) == 1
        visit = state.visits["c1-callback.1"]
        assert visit.place_us < state.visits["c2.1"].place_us
        await house.ready(page=True)
        await settled()
        (popped,) = [effect for effect in house.rooms.of("effect") if isinstance(effect, PopScreen)]
        assert popped.contact == "c1-callback"
        assert ("c1-callback", number_of("09121234567")[0]) in house.rooms.of("lookup")
        journaled = [event for event in house.rooms.of("journal") if isinstance(event, TaskArrived)]
        assert journaled
        assert "9121234567" not in str(journaled)
        house.engine.close()

    run(main())


@pytest.mark.parametrize(
    "written",
    [
        "+19005550100",  # premium
        "+881612345678",  # satellite
        "+3725551234",  # abroad
        "110",  # emergency
        "9091234567",  # premium in Iran
        "02191001500",  # our own
        "not a number",
        "1",
    ],
)
def test_nobody_is_called_back_on_such_a_number(written: str) -> None:
    async def main() -> None:
        house = House()
        site = house.engine.center.site.model_validate(
            house.engine.center.site.model_dump(mode="json", by_alias=True) | OWN
        )
        house.engine.center.site = site
        house.engine.arrive(CallArrived("c1", "2100", None), number_of("09121234567")[0])
        await settled()
        answers = AnswersOfCenter(house.engine, number_of)
        assert await answers.answer("c1", "callback", {"queue": "main", "number": written}) == {
            "result": "invalid"
        }
        house.engine.close()

    run(main())


def test_a_caller_without_a_number_and_an_unknown_queue_have_no_callback() -> None:
    assert asked("callback", {"queue": "main", "number": ""}, "anonymous")[0] == {"result": "invalid"}
    assert asked("callback", {"queue": "nowhere", "number": ""})[0] == {"result": "failed"}
