"""Every rule of a line on a real Asterisk: whom it rings, who waits how long for whom, and where those go who leave.

One house for all: a site with a queue for each rule and a number for each queue, so that nobody presses a key but to
leave the line. What SIPp saw is held against the records.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio

from acd.site import Site
from acd.store import reports
from acd.store.reports import ContactStory
from pasokh.app import Running
from tests.live.center import PARTS, Keys, Place, premises
from tests.live.lives import Lives, Witness, complete_records, records, witness
from tests.live.pages import Desk, Wall
from tests.live.sipp import Answer, Callers, Moment, Outcome, Speak

pytestmark = [
    pytest.mark.needs(*(part for part in PARTS if part != "postgres")),
    pytest.mark.asyncio(loop_scope="module"),
]

LABEL = {"fa": "خط", "en": "Line"}
NEVER = {"weekly": {}, "closed_on_holidays": False}
PLAIN: Mapping[str, Any] = {"label": LABEL, "requires": {}, "wrap_up_s": 0, "ring_timeout_s": 5}


def only(*names: str) -> dict[str, Any]:
    return {"agents_if": " || ".join(f"agent.id == '{name}'" for name in names)}


QUEUES: Mapping[str, Mapping[str, Any]] = {
    "both": {**only("c1", "c2"), "ring_at_once": 2, "ring_timeout_s": 20},
    "relaxed": {"requires": {"loans": 10}, "relax": [{"after_s": 1, "requires": {"loans": 1}}]},
    "impatient": {**only("c3"), "max_wait_s": 1, "overflow": {"max_wait": {"queue": "second"}}},
    "second": only("c4"),
    "small": {**only("c5"), "capacity": 1, "overflow": {"full": "voicemail"}},
    "closed": {**only("c5"), "hours": "never", "overflow": {"closed": "voicemail"}},
    "to_small": {**only("c5"), "max_wait_s": 1, "overflow": {"max_wait": {"queue": "small"}}},
    "left": {**only("c6"), "stay_needs": "available", "empty_after_s": 1},
    "asked": {**only("c7"), "ring_timeout_s": 20},
    "again": {**only("e1", "e2"), "same_agent_within_s": 60},
}
NUMBER_OF = {name: f"021900000{n:02}" for n, name in enumerate(QUEUES)}
WORDS: Keys = [(1_600, Speak(1.0)), (1_200, "#")]
"""Said after the tone, and a key that ends the message."""
WORDS_A_SECOND_LATER: Keys = [(2_700, Speak(1.0)), (1_200, "#")]


def flow(queue: str) -> str:
    """Straight into the line; every way out of it is there."""
    return f"""\
flow: {queue}
label: {{fa: خط, en: Line}}
languages: [fa, en]
start: line
person: line
prompts:
  leave-message: {{fa: پیام., en: Speak.}}
  message-kept: {{fa: بله., en: Kept.}}
  callback-offer-here: {{fa: تماس؟, en: Call back?}}
  callback-noted: {{fa: بله., en: Noted.}}
  nobody: {{fa: کسی نیست., en: Nobody is here.}}
  offer: {{fa: برای تماس ما، یک., en: "To be called back, press one."}}
nodes:
  line:
    kind: queue
    queue: {queue}
    voicemail: message
    empty: nobody
    callback: called
    waiting: {{first_after_s: 5, keys: {{"1": callback}}, offer: offer}}
  message: {{kind: voicemail, queue: {queue}, confirm: false}}
  nobody: {{kind: hangup, prompt: nobody}}
  called: {{kind: callback, queue: {queue}, other_number: false}}
"""


def bent(site: Site) -> Site:
    data = site.model_dump(mode="json", by_alias=True)
    data["hours"]["never"] = NEVER
    data["queues"] = {name: {**PLAIN, **rules} for name, rules in QUEUES.items()}
    data["numbers"] = {
        number: {"flow": queue, "language": "fa", "label": LABEL} for queue, number in NUMBER_OF.items()
    }
    return Site.model_validate(data)


@dataclass(slots=True)
class House:
    place: Place
    run: Running
    seen: Witness
    http: httpx.AsyncClient

    def call(
        self, queue: str, number: str, *, keys: Keys = (), talk_ms: int | None = None, count: int = 1
    ) -> Callers:
        return self.place.callers(
            [number] * count, dial=NUMBER_OF[queue], keys=keys, talk_ms=talk_ms, calls_per_s=10
        )

    async def stories(self, caller: str, count: int = 1, timeout_s: float = 15) -> list[ContactStory]:
        """The ended contacts of this number, in their order, when there are so many."""
        assert self.run.records is not None
        e164 = "+98" + caller.removeprefix("0")
        async with asyncio.timeout(timeout_s):
            while True:
                await self.run.records.flush()
                page = await reports.list_contacts(self.run.database.reporting, 200)
                mine = [each for each in page.contacts if each.caller_e164 == e164 and each.ended_at]
                if len(mine) >= count:
                    break
                await asyncio.sleep(0.05)
        assert len(mine) == count
        found = [await reports.contact_story(self.run.database.reporting, each.id) for each in mine]
        return sorted((each for each in found if each is not None), key=lambda story: story.contact.began_at)

    async def why(self, contact: str) -> Mapping[str, Any]:
        answer = await self.http.get(f"/api/v1/contacts/{contact}/why")
        assert answer.status_code == 200, answer.text
        found: Mapping[str, Any] = answer.json()
        return found

    def heard(self, story: ContactStory, event: str, since_us: int) -> int:
        """How often Asterisk told this of the caller's channel."""
        return sum(each.get("Uniqueid") == story.contact.id for each in self.seen.heard(event, since_us))

    async def waiting(self, queue: str, count: int, timeout_s: float = 10) -> None:
        """Until so many wait there."""
        assert self.run.engine is not None
        async with asyncio.timeout(timeout_s):
            while self.run.engine.view().queues[queue].waiting != count:  # noqa: ASYNC110 - a view is looked at
                await asyncio.sleep(0.02)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def at() -> AsyncIterator[House]:
    flows = {queue: flow(queue) for queue in QUEUES}
    async with AsyncExitStack() as stack:
        place = await stack.enter_async_context(premises("", change=bent, flows=flows))
        run = await stack.enter_async_context(place.running())
        assert run.prompts_made is not None
        await run.prompts_made
        seen = await stack.enter_async_context(witness(place))
        token = (await place.access.token_for("supervisor", "test")).token
        http = await stack.enter_async_context(
            httpx.AsyncClient(
                base_url=place.url, headers={"authorization": f"Bearer {token}"}, trust_env=False
            )
        )
        yield House(place, run, seen, http)
        await place.until_no_channels()
        await place.until_no_rows()


def visits(story: ContactStory) -> list[tuple[str, str | None]]:
    return [(each.queue, each.outcome) for each in story.visits]


def went_well(*done: Outcome) -> None:
    assert [(each.succeeded, each.failed) for each in done] == [(1, 0)] * len(done), done


# ---- whom it rings -----------------------------------------------------------------------------------------


async def test_of_two_phones_the_first_answer_has_the_caller_and_the_other_is_free_at_once(at: House) -> None:
    place = at.place
    async with place.desk("c1") as quick, place.desk("c2", phone="silent-1") as slow:
        with (
            place.phones(Answer(after_ms=400, talk_ms=600)) as phones,
            place.phones(Answer(after_ms=None), "silent") as silent,
            at.call("both", "09121000001") as caller,
        ):
            [answered] = await phones.heard("ANSWER")
            [cancelled] = await silent.heard("CANCEL")
            await slow.until("being free", lambda: slow.activity == "idle")
            freed_us = time.time_ns() // 1000
            assert quick.activity == "on_call"
            rings = [phones.moments()[0], silent.moments()[0]]
            went_well(await caller.finished())
            await quick.until_idle()
        assert slow.activities[-2:] == ["ringing", "idle"]
    [story] = await at.stories("09121000001")
    assert visits(story) == [("both", "answered")]
    assert {(each.agent, each.state) for each in story.offers} == {("c1", "accepted"), ("c2", "rescinded")}
    print(f"rings apart: {abs(rings[0].at_us - rings[1].at_us) / 1000:.1f} ms")
    print(f"cancelled {(cancelled.at_us - answered.at_us) / 1000:.1f} ms after the answer, ")
    print(f"their page free {(freed_us - answered.at_us) / 1000:.1f} ms after it")
    [visit] = (await at.why(story.contact.id))["visits"]
    reasons = {each["agent"]: each["chosen"] for each in visit["offers"]}
    assert all(each["rule"] == "longest-idle" and float(each["together"]) == 2 for each in reasons.values())
    assert set(reasons) == {"c1", "c2"}


async def test_an_agent_below_the_level_answers_after_the_step_s_time_in_the_same_place(at: House) -> None:
    async with at.place.desk("l1") as desk:
        with (
            at.place.phones(Answer(talk_ms=300)) as phones,
            at.call("relaxed", "09121000011") as first,
            at.call("relaxed", "09121000012") as second,
        ):
            went_well(*await asyncio.gather(first.finished(), second.finished()))
            rang = await phones.heard("RING", 2)
        await desk.until_idle()
    kept = [(await at.stories(each.detail))[0] for each in rang]
    [one], [two] = kept[0].visits, kept[1].visits
    assert one.began_at < two.began_at, "the first in line is the first to be answered"
    assert one.wait_us is not None
    print(f"answered after {one.wait_us / 1e6:.3f} s, of which 1 s was the step's")
    assert 1_000_000 <= one.wait_us < 2_500_000
    assert [each.outcome for each in (one, two)] == ["answered"] * 2
    [visit] = (await at.why(kept[0].contact.id))["visits"]
    assert float(visit["offers"][0]["chosen"]["step"]) == 1
    assert [each["requirement"] for each in visit["stretches"]] == ["loans>=10", "loans>=1"]


async def test_who_calls_again_comes_to_the_same_agent_though_another_is_idle_for_longer(at: House) -> None:
    caller, other = "09121000021", "09121000022"
    async with at.place.desk("e1") as first, at.place.desk("e2") as second:
        with at.place.phones(Answer(talk_ms=200)) as phones:
            for number in (caller, caller, other):
                with at.call("again", number) as call:
                    went_well(await call.finished())
                await asyncio.gather(first.until_idle(), second.until_idle())
            rang = await phones.heard("RING", 3)
    assert [moment.who for moment in rang] == ["e1-phone", "e1-phone", "e2-phone"]
    again = (await at.stories(caller, 2))[1]
    [visit] = (await at.why(again.contact.id))["visits"]
    assert visit["offers"][0]["chosen"]["rule"] == "preferred"


# ---- who leaves, and for where -----------------------------------------------------------------------------


async def test_whom_the_longest_wait_moves_hears_music_until_the_other_queue_answers(at: House) -> None:
    async with at.place.desk("c4") as desk:
        with (
            at.place.phones(Answer(after_ms=200, talk_ms=300)) as phones,
            at.call("impatient", "09121000031") as caller,
        ):
            [rang] = await phones.heard("RING")
            went_well(await caller.finished())
        await desk.until_idle()
    [story] = await at.stories("09121000031")
    assert visits(story) == [("impatient", "flowed_out"), ("second", "answered")]
    first, second = story.visits
    assert first.wait_us is not None
    assert second.began_at == first.ended_at
    print(f"moved after {first.wait_us / 1e6:.3f} s, the next phone rang {late_s(rang, second):.3f} s later")
    assert 1_000_000 <= first.wait_us < 1_500_000
    assert late_s(rang, second) < 0.5
    before_us = rang.at_us - 50_000
    heard = {
        event: at.heard(story, event, 0) - at.heard(story, event, before_us)
        for event in ("MusicOnHoldStart", "MusicOnHoldStop")
    }
    assert heard == {"MusicOnHoldStart": 1, "MusicOnHoldStop": 0}


async def test_those_who_are_not_let_in_may_leave_a_message(at: House) -> None:
    """The full queue, the closed one, and one that moves its callers to the full one."""
    with at.call("small", "09121000041", talk_ms=6_000) as standing:
        await at.waiting("small", 1)
        with (
            at.call("small", "09121000042", keys=WORDS) as full,
            at.call("closed", "09121000043", keys=WORDS) as closed,
            at.call("to_small", "09121000044", keys=WORDS_A_SECOND_LATER) as moved,
        ):
            went_well(*await asyncio.gather(*(each.finished() for each in (full, closed, moved))))
        went_well(await standing.finished())
    told = {number: (await at.stories(number))[0] for number in (f"0912100004{n}" for n in range(1, 5))}
    assert [visits(story) for story in told.values()] == [
        [("small", "abandoned")],
        [],
        [],
        [("to_small", "flowed_out")],
    ]
    async with asyncio.timeout(20):
        while len(kept := (await at.http.get("/api/v1/voicemails")).json()["voicemails"]) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    queues = {each["caller"]: each["queue"] for each in kept}
    assert queues == {
        "+989121000042": "small",
        "+989121000043": "closed",
        "+989121000044": "to_small",
    }


async def test_those_in_line_leave_when_the_last_agent_does(at: House) -> None:
    async with at.place.desk("c6", phone="silent-2") as desk:
        with (
            at.place.phones(Answer(after_ms=None), "silent") as silent,
            at.call("left", "09121000051") as one,
        ):
            await silent.heard("RING")
            with at.call("left", "09121000052") as two:
                await at.waiting("left", 2)
                await desk.command("reject")
                await desk.command("status", status="not_ready", reason="break")
                gone_us = time.time_ns() // 1000
                went_well(*await asyncio.gather(one.finished(), two.finished()))
                byes = [each.moments()[-1] for each in (one, two)]
    for number in ("09121000051", "09121000052"):
        [story] = await at.stories(number)
        assert visits(story) == [("left", "flowed_out")]
    print(f"gone {[round((bye.at_us - gone_us) / 1e6, 2) for bye in byes]} s after the agent")


async def test_a_callback_taken_in_line_is_work_for_an_agent_s_page(at: House) -> None:
    number = "09121000061"
    with at.call("asked", number, keys=[(1_000, "1"), (1_000, "1")]) as caller:
        went_well(await caller.finished())
    [story] = await at.stories(number)
    assert visits(story) == [("asked", "callback")]
    waited = story.visits[0]
    contact = f"{story.contact.id}-callback"
    token = (await at.place.access.token_for("c7", "test")).token
    async with Desk(at.place.url, token, "c7") as desk:
        await desk.command("sign_in", phone="c7-phone")
        await desk.command("status", status="available")
        await desk.until("the callback", lambda: bool(desk.offers))
        [offer] = desk.offers
        assert (offer.contact, offer.queue) == (contact, "asked")
        assert offer.card is not None
        assert offer.card["caller"] == "0912 100 0061"
        await desk.command("accept", offer=offer.offer)
        await desk.until("having it", lambda: desk.activity == "on_call")
        await desk.command("finish")
        await desk.until_idle()
    stories = [each for each in await at.stories(number, 2) if each.contact.id == contact]
    assert [visits(each) for each in stories] == [[("asked", "answered")]]
    assert stories[0].contact.kind == "callback"
    assert stories[0].contact.began_at == waited.began_at, "it has the age of the wait that it replaces"


def late_s(rang: Moment, visit: reports.VisitRow) -> float:
    return rang.at_us / 1e6 - visit.began_at.timestamp()


# ---- our death ---------------------------------------------------------------------------------------------


async def test_a_round_that_rings_and_a_place_that_was_moved_outlive_us() -> None:
    """Killed while two phones ring and a moved caller waits: one phone is answered meanwhile, and the moved caller
    still stands before one who came to that queue first, but later than they came to theirs."""
    async with (
        premises("", change=bent, flows={queue: flow(queue) for queue in QUEUES}) as place,
        witness(place) as seen,
        Lives(place) as lives,
    ):
        await lives.begin()
        with ExitStack() as stack:
            silent = stack.enter_context(place.phones(Answer(after_ms=None), "silent"))
            patient = stack.enter_context(place.phones(Answer(after_ms=1_500), "patient"))

            def call(queue: str, number: str) -> Callers:
                return stack.enter_context(place.callers([number], dial=NUMBER_OF[queue]))

            async with (
                place.desk("c1", phone="silent-1") as loser,
                place.desk("c2", phone="patient-1") as winner,
                place.wall() as wall,
            ):
                moved = call("impatient", "09121000071")
                await wall.until("one in line", lambda: waiting(wall, "impatient") == 1)
                before_them = call("second", "09121000072")
                await wall.until("both in one line", lambda: waiting(wall, "second") == 2)
                called = call("both", "09121000073")
                await asyncio.gather(silent.heard("RING"), patient.heard("RING"))
                await numbers_kept(place, 3)
                tickets = {name: ticket.visit for name, ticket in (await seen.tickets()).items()}
                await lives.kill()
            [answered] = await patient.heard("ANSWER")
            assert len([each for each in silent.moments() if each.what == "CANCEL"]) == 1
            await lives.begin()
            await lives.attached(2)
            async with place.wall() as wall:
                assert waiting(wall, "second") == 2
                for desk in (loser, winner):
                    await desk.connect()
                await winner.until("the talk", lambda: winner.activity == "on_call")
                assert loser.activity == "idle"
                await seen.hang_up(["patient-1"])
                phones = stack.enter_context(place.phones(Answer(talk_ms=100)))
                async with place.desk("c4"):
                    went_well(
                        *await asyncio.gather(*(each.finished() for each in (moved, before_them, called)))
                    )
            assert [ring.detail for ring in phones.moments() if ring.what == "RING"] == [
                "09121000071",
                "09121000072",
            ]
            for desk in (loser, winner):
                await desk.close()
        kept = {each.caller: each for each in (await complete_records(place, 3)).values()}
        [one] = kept["+989121000073"].visits
        assert (one.outcome, one.agent) == ("answered", "c2")
        assert one.answered_us is not None
        assert abs(one.answered_us - answered.at_us) < 1_500_000
        first, second = kept["+989121000071"].visits
        assert [first.outcome, second.outcome] == ["flowed_out", "answered"]
        assert tickets[kept["+989121000071"].contact] == second.visit


async def numbers_kept(place: Place, count: int, timeout_s: float = 5) -> None:
    """Until so many numbers are written: no journal has them, so a death before that may lose them."""
    async with asyncio.timeout(timeout_s):
        while sum(each.caller is not None for each in (await records(place)).values()) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def waiting(wall: Wall, queue: str) -> int:
    return int(wall.state["queues"].get(queue, {}).get("waiting", 0))
