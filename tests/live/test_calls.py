"""Real calls through the whole house: SIPp callers, a real Asterisk, the product, agents at their pages.

What the product says of a call is held against what SIPp saw, at both ends, and what Asterisk's CDR says.
"""

from __future__ import annotations

import asyncio
import csv
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.resources import files
from typing import Literal

import pytest

from acd.common.number import parse_number
from acd.site import Site
from acd.store import reports
from acd.store.base import to_us
from acd.store.reports import ContactStory, VisitRow
from pasokh.app import Running
from tests.live.center import (
    CARDS,
    ENGLISH,
    LOANS,
    PARTS,
    Keys,
    Place,
    agents,
    may_serve,
    premises,
)
from tests.live.pages import SeenOffer
from tests.live.sipp import Answer, Callers, Moment, Outcome, Refuse

pytestmark = pytest.mark.needs(*PARTS)

TALK_TOLERANCE_S = (
    0.75  # SIPp tells at the ACK and the BYE, we at Asterisk's word, on two cores that carry it all
)
WAIT_TOLERANCE_S = 0.5  # a key by RFC 2833 lasts 160 ms before it is one
CDR_TOLERANCE_S = 1.5  # its instants are whole seconds


async def test_one_call_with_the_product_as_a_process(postgres_url: str) -> None:
    async with premises(postgres_url) as place, place.serving(), place.desk("c1", finish="resolved") as desk:
        with (
            place.phones(Answer(talk_ms=300)) as phones,
            place.callers(["09125550001"], keys=CARDS) as callers,
        ):
            done = await callers.finished()
            rang = await phones.heard("RING")
        assert (done.succeeded, done.failed) == (1, 0), done.errors
        assert [moment.who for moment in rang] == ["c1-phone"]
        assert [offer.contact for offer in desk.offers] == [rang[0].contact]
        await place.until_no_channels()
        await place.until_no_rows()


# ---- many at once ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Group:
    """Callers who press the same keys in the same way. `stay_ms`: how long after the last key they hang up by
    themselves (None: the agent does)."""

    queue: str
    keys: Keys
    keys_by: Literal["info", "rfc2833"]
    numbers: Sequence[str]
    stay_ms: int | None = None
    headers: Sequence[str] = ()

    def call(self, place: Place) -> Callers:
        return place.callers(
            self.numbers, keys=self.keys, keys_by=self.keys_by, talk_ms=self.stay_ms, headers=self.headers
        )


WITHHELD = "anonymous"
STRANGERS = [f"0912777000{n}" for n in range(7)]


def groups(known: Iterable[str]) -> list[Group]:
    """28 calls: half by INFO and half by RFC 2833; more for cards than there are agents."""
    some = iter(known)

    def take(count: int) -> list[str]:
        return list(itertools.islice(some, count))

    private = ["Privacy: id", "P-Asserted-Identity: <sip:09125550009@127.0.0.1>"]
    return [
        Group("cards", CARDS, "info", take(6)),
        Group("cards", CARDS, "rfc2833", take(6)),
        Group("cards", CARDS, "info", [WITHHELD], headers=private),
        Group("loans", LOANS, "info", take(4), stay_ms=1500),
        Group("loans", LOANS, "rfc2833", take(4), stay_ms=1500),
        Group("english", ENGLISH, "info", STRANGERS[:3]),
        Group("english", ENGLISH, "rfc2833", STRANGERS[3:]),
    ]


def customers() -> dict[str, str]:
    """Written numbers of the sample customers, each of one customer only, with that customer's Persian name."""
    text = files("crm_lookup").joinpath("example/customers.csv").read_text("utf-8")
    owners: dict[str, set[str]] = {}
    for row in csv.DictReader(text.splitlines()):
        for written in row["phones"].split(";"):
            number = parse_number(written, "IR", "21", ())
            if number.key.startswith("+98912"):
                owners.setdefault("0" + number.key.removeprefix("+98"), set()).add(row["name_fa"])
    return {number: next(iter(names)) for number, names in owners.items() if len(names) == 1}


@dataclass(frozen=True, slots=True)
class Heard:
    """One answered call as SIPp heard it at both ends, in wall-clock microseconds."""

    contact: str
    caller: str
    group: Group
    phone: str
    began_us: int
    last_key_us: int
    rang_us: int
    answered_us: int
    ended_us: int

    @property
    def agent(self) -> str:
        return self.phone.removesuffix("-phone")


def heard(callers: Mapping[int, Outcome], of: Sequence[Group], phones: Outcome) -> list[Heard]:
    """Joins the callers' ends and the phones' ends by the caller's number (the one that is withheld: the rest)."""
    ends = {(n, moment.who): outcome for n, outcome in callers.items() for moment in outcome.of("INVITE")}
    by_number = {who: n for n, who in ends}
    found = []
    for ring in phones.of("RING"):
        caller = ring.detail if ring.detail in by_number else WITHHELD
        mine = [m for m in callers[by_number[caller]].moments if m.who == caller]
        theirs = [m for m in phones.moments if m.call == ring.call]
        found.append(
            Heard(
                ring.contact,
                caller,
                of[by_number[caller]],
                ring.who,
                _at(mine, "INVITE"),
                max(m.at_us for m in mine if m.what == "KEY"),
                ring.at_us,
                _at(theirs, "ANSWER"),
                _at(theirs, "BYE_SENT", "BYE_HEARD"),
            )
        )
    return found


def _at(moments: Iterable[Moment], *what: str) -> int:
    return next(moment.at_us for moment in moments if moment.what in what)


def most_at_once(outcomes: Iterable[Outcome]) -> int:
    changes = []
    for outcome in outcomes:
        changes += [(m.at_us, 1) for m in outcome.of("INVITE")]
        changes += [(m.at_us, -1) for what in ("BYE_SENT", "BYE_HEARD") for m in outcome.of(what)]
    return max(itertools.accumulate(change for _, change in sorted(changes)))


async def test_twenty_eight_calls_at_once(postgres_url: str) -> None:
    known = customers()
    of = groups(known)
    total = sum(len(group.numbers) for group in of)
    async with (
        premises(postgres_url) as place,
        place.running() as run,
        place.wall() as wall,
        place.desks(agents(), finish="resolved") as desks,
    ):
        async with garbage(place.ports.agi) as thrown:
            with place.phones(Answer(after_ms=100, talk_ms=2500)) as phones, ExitStack() as stack:
                calling = {n: stack.enter_context(group.call(place)) for n, group in enumerate(of)}
                callers = {n: await each.finished() for n, each in calling.items()}
                await phones.heard("ANSWER", total)
                rang = phones.stop()
        await place.until_no_channels()
        for desk in desks.values():
            await desk.until_idle()
        assert run.engine is not None
        await wall.until("the end", lambda: (wall.total["answered"], wall.total["talking"]) == (total, 0))
        await stored(run)
        calls = heard(callers, of, rang)

        # SIPp's own count
        assert [(each.succeeded, each.failed) for each in callers.values()] == [
            (len(group.numbers), 0) for group in of
        ], callers
        assert (rang.succeeded, rang.failed) == (total, 0), rang.errors
        assert len({call.contact for call in calls}) == len(calls) == total
        assert most_at_once(callers.values()) >= 20
        assert thrown[0] > 50

        # the right agent, and the card before the ring
        offers = {offer.offer: offer for desk in desks.values() for offer in desk.offers}
        at_desk = {offer.contact: name for name, desk in desks.items() for offer in desk.offers}
        assert len(offers) == total
        for call in calls:
            assert may_serve(call.agent, call.group.queue)
            assert at_desk[call.contact] == call.agent
        by_contact = {offer.contact: offer for offer in offers.values()}
        assert all(by_contact[call.contact].shown_us < call.rang_us for call in calls)
        assert run.engine.view().card_before_ring == 1.0
        for call in calls:
            assert_card(by_contact[call.contact], call.caller, known)

        # records, wall, view, CDR
        cdr = answered_by_cdr(place.asterisk.cdr_text())
        assert len(cdr) == total
        for call in calls:
            assert_record(await story(run, call.contact), call, cdr[call.contact])
        expected = Counter(call.group.queue for call in calls)
        assert expected == {"cards": 13, "loans": 8, "english": 7}
        assert_counts(run, wall.state, expected)
        assert_all_came_from_sipp(run, calls)
        await place.until_no_rows()


def assert_card(offer: SeenOffer, caller: str, known: Mapping[str, str]) -> None:
    card = offer.card
    assert card is not None, f"no card came with the offer of a call from {caller}"
    if caller in known:
        assert card["known"]
        assert card["customer"]["name"]["fa"] == known[caller]
    else:
        assert not card["known"]
        assert "customer" not in card
        assert card["why_unknown"] == ("withheld" if caller == WITHHELD else "not_found")
    if caller == WITHHELD:
        assert "caller" not in card


def assert_record(kept: ContactStory, call: Heard, cdr: Mapping[str, str]) -> None:
    assert len(kept.visits) == len(kept.offers) == 1
    visit, offer = kept.visits[0], kept.offers[0]
    ended_by = "agent" if call.group.stay_ms is None else "caller"
    assert (visit.queue, visit.agent, visit.outcome) == (call.group.queue, call.agent, "answered")
    assert (visit.disposition, visit.ended_by) == ("resolved", ended_by)
    assert (offer.state, offer.phone, offer.shown_before_ring) == ("accepted", call.phone, True)
    assert (kept.contact.caller_kind == "withheld") == (call.caller == WITHHELD)
    assert visit.wait_us is not None
    assert visit.talk_us is not None
    assert visit.acw_us is not None
    assert visit.hold_us == 0
    assert visit.talk_us / 1e6 == pytest.approx(
        (call.ended_us - call.answered_us) / 1e6, abs=TALK_TOLERANCE_S
    )
    assert visit.wait_us / 1e6 == pytest.approx(
        (call.answered_us - call.last_key_us) / 1e6, abs=WAIT_TOLERANCE_S
    )
    assert visit.ended_at is not None
    assert to_us(visit.ended_at) / 1e6 == pytest.approx(_cdr_instant(cdr["end"]), abs=CDR_TOLERANCE_S)
    assert to_us(kept.contact.began_at) / 1e6 == pytest.approx(
        _cdr_instant(cdr["start"]), abs=CDR_TOLERANCE_S
    )
    assert cdr["dstchannel"].startswith(f"PJSIP/{call.phone}-")


def assert_counts(run: Running, wall: Mapping[str, object], expected: Mapping[str, int]) -> None:
    """The wall and the center say the same, and it is what SIPp counted."""
    assert run.engine is not None
    view = run.engine.view()
    queues = wall["queues"]
    assert isinstance(queues, dict)
    for name, count in expected.items():
        figures = asdict(view.queues[name])
        assert (figures["offered"], figures["answered"]) == (count, count)
        for figure in (
            "waiting",
            "offered",
            "answered",
            "abandoned",
            "flowed_out",
            "talking",
            "asa_s",
            "aht_s",
        ):
            assert queues[name].get(figure) == pytest.approx(figures[figure], abs=0.051)  # a wall rounds
    total = wall["total"]
    assert isinstance(total, dict)
    count = sum(expected.values())
    assert (total["offered"], total["answered"], total["abandoned"], total["waiting"]) == (count, count, 0, 0)
    assert (view.total.offered, view.total.answered, view.total.abandoned) == (count, count, 0)
    assert view.contacts_now == wall["contacts_now"] == 0
    assert not view.visits


def assert_all_came_from_sipp(run: Running, calls: Sequence[Heard]) -> None:
    """Garbage made no session, and every caller made one."""
    assert run.bridge is not None
    assert run.bridge.agi.counters.accepted == len(calls)
    assert run.bridge.agi.counters.handler_errors == 0
    assert run.bridge.counters.late_answers == 0
    assert run.bridge.counters.sounds_missing == 0
    assert run.bridge.calls == 0


def answered_by_cdr(text: str) -> dict[str, dict[str, str]]:
    """Asterisk's own record of the talks: uniqueid of the caller to its row."""
    names = (
        *("accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata"),
        *(
            "start",
            "answer",
            "end",
            "duration",
            "billsec",
            "disposition",
            "amaflags",
            "uniqueid",
            "userfield",
        ),
    )
    rows = [dict(zip(names, row, strict=False)) for row in csv.reader(text.splitlines())]
    return {
        row["uniqueid"]: row
        for row in rows
        if row["dstchannel"] and (row["lastapp"], row["disposition"]) == ("Dial", "ANSWERED")
    }


def _cdr_instant(text: str) -> float:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp()


async def stored(run: Running) -> None:
    assert run.records is not None
    await run.records.flush()


async def story(run: Running, contact: str) -> ContactStory:
    found = await reports.contact_story(run.database.reporting, contact)
    assert found is not None, f"there is no record of {contact}"
    return found


@asynccontextmanager
async def garbage(port: int) -> AsyncIterator[list[int]]:
    """Peers that are no Asterisk come to the FastAGI port all the while; yields how many did."""
    thrown = [0]
    request = b"agi_network: yes\nagi_network_script: call?number=1&contact=x&t=1&attach=1&sig=%s\n"
    kinds = [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        bytes(range(256)) * 8,
        b"agi_network: yes\n" * 400,
        b"a" * 100_000,
        b"\n\n\n",
        request % (b"0" * 40) + b"agi_uniqueid: x\n\n",
        request % b"\xff\x00" + b"agi_uniqueid: \xd8\n\n",
        b"agi_uniqueid: half",
        b"",
    ]

    async def throw(kind: bytes) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(kind)
            async with asyncio.timeout(0.5):
                assert await reader.read() == b""
        except (TimeoutError, ConnectionError):
            pass  # kept waiting, or thrown out: both are right
        finally:
            writer.close()
        thrown[0] += 1

    async def throw_on() -> None:
        for kind in itertools.cycle(kinds):
            await throw(kind)

    throwing = [asyncio.create_task(throw_on(), name="garbage") for _ in range(4)]
    try:
        yield thrown
    finally:
        for task in throwing:
            task.cancel()
        await asyncio.gather(*throwing, return_exceptions=True)


# ---- phones that do not answer -----------------------------------------------------------------------------


def short_rings(site: Site) -> Site:
    """The phone rings for a second."""
    english = site.queues["english"].model_copy(update={"ring_timeout_s": 1.0})
    return site.model_copy(update={"queues": {**site.queues, "english": english}})


async def test_a_call_goes_on_from_busy_to_rejecting_to_silent_to_who_answers(postgres_url: str) -> None:
    async with premises(postgres_url, change=short_rings) as place, place.running() as run:
        async with (
            place.desk("e1", phone="busy-1") as busy,
            place.desk("e2", phone="rejects-1") as rejects,
            place.desk("e3", phone="silent-1") as silent,
            place.desk("e4", finish="resolved") as answers,
        ):
            with (
                place.phones(Refuse.busy(), "busy"),
                place.phones(Refuse.reject(), "rejects"),
                place.phones(Answer(after_ms=None), "silent") as unanswered,
                place.phones(Answer(talk_ms=300)) as phones,
                place.callers(["09125550001"], keys=ENGLISH) as callers,
            ):
                done = await callers.finished()
                [rang] = await phones.heard("RING")
                [answered] = await phones.heard("ANSWER")
                await unanswered.heard("CANCEL")
            assert done.succeeded == 1, done
            assert (busy.activity, busy.status) == ("idle", "available")
            assert (rejects.activity, rejects.status) == ("idle", "available")
            assert silent.activity == "not_responding"
            await answers.until(
                "wrap-up done", lambda: "wrap_up" in answers.activities and answers.activity == "idle"
            )
            await silent.command("status", status="available")
            await silent.until("being idle again", lambda: silent.activity == "idle")
        await place.until_no_channels()
        await stored(run)
        kept = await story(run, rang.contact)
        [visit] = kept.visits
        assert [(offer.agent, offer.state, offer.why) for offer in kept.offers] == [
            ("e1", "failed", "busy"),
            ("e2", "rejected", "rejected"),
            ("e3", "timed_out", "no_answer"),
            ("e4", "accepted", None),
        ]
        assert all(offer.shown_before_ring for offer in kept.offers)
        assert (visit.agent, visit.outcome) == ("e4", "answered")
        assert_waited(visit, _at(reversed(done.moments), "KEY"), answered.at_us)
        assert await place.rows() == []


def assert_waited(visit: VisitRow, from_us: int, to: int) -> None:
    assert visit.wait_us is not None
    assert visit.wait_us / 1e6 == pytest.approx((to - from_us) / 1e6, abs=WAIT_TOLERANCE_S)


async def test_who_was_first_in_line_stays_first_when_nobody_lifts(postgres_url: str) -> None:
    async with premises(postgres_url, change=short_rings) as place, place.running() as run:
        with (
            place.phones(Answer(after_ms=None), "silent") as silent,
            place.phones(Answer(talk_ms=200)) as phones,
        ):
            async with place.desk("e1", phone="silent-1") as first:
                with (
                    place.callers(["09125550001"], keys=ENGLISH) as one,
                ):
                    [rang] = await silent.heard("RING")
                    with place.callers(["09125550004"], keys=ENGLISH) as two:
                        await first.until("not responding", lambda: first.activity == "not_responding")
                        await waiting(run, 2)
                        async with place.desk("e2", finish="resolved") as second:
                            served = [m.contact for m in await phones.heard("RING", 2)]
                            assert (await one.finished()).succeeded == 1
                            assert (await two.finished()).succeeded == 1
                            await second.until(
                                "two finished", lambda: second.activities.count("wrap_up") == 2
                            )
        assert served[0] == rang.contact
        await stored(run)
        kept = await story(run, rang.contact)
        assert [visit.offer for visit in kept.visits] == [f"{rang.contact}.1.2"]
        later = await story(run, served[1])
        assert kept.visits[0].began_at < later.visits[0].began_at
        assert kept.visits[0].wait_us is not None
        assert kept.visits[0].wait_us > 1_000_000


async def waiting(run: Running, count: int) -> None:
    """Until so many stand in line."""
    assert run.engine is not None
    async with asyncio.timeout(10):
        while run.engine.view().total.waiting != count:  # noqa: ASYNC110 - looked at from outside
            await asyncio.sleep(0.02)


async def test_an_agent_declines_on_the_page(postgres_url: str) -> None:
    async with premises(postgres_url) as place, place.running() as run:
        async with (
            place.desk("e1", phone="silent-1") as declines,
            place.desk("e2", finish="resolved") as next_one,
        ):
            with (
                place.phones(Answer(after_ms=None), "silent") as silent,
                place.phones(Answer(talk_ms=200)) as phones,
                place.callers(["09125550001"], keys=ENGLISH) as callers,
            ):
                [rang] = await silent.heard("RING")
                await declines.command("reject", offer=declines.offers[0].offer)
                [cancelled] = await silent.heard("CANCEL")
                await phones.heard("RING")
                assert (await callers.finished()).succeeded == 1
            await next_one.until("wrap-up", lambda: "wrap_up" in next_one.activities)
            assert (declines.activity, declines.status) == ("idle", "available")
        await stored(run)
        kept = await story(run, rang.contact)
        assert [(offer.agent, offer.state) for offer in kept.offers] == [
            ("e1", "rejected"),
            ("e2", "accepted"),
        ]
        assert cancelled.at_us - rang.at_us < 1_000_000


# ---- callers who leave -------------------------------------------------------------------------------------


async def test_callers_leave_at_every_moment(postgres_url: str) -> None:
    """While it rings, in the menu, in line; and one dials a number that is none of ours."""
    async with premises(postgres_url) as place, place.running() as run:
        async with (
            place.desk("l1", phone="silent-1") as desk,
            place.wall() as wall,
            garbage(place.ports.agi),
        ):
            with (
                place.phones(Answer(after_ms=None), "silent") as phones,
                place.callers(["09125550001"], keys=LOANS, talk_ms=700) as ringing,
                place.callers(["09125550004"], talk_ms=700) as in_menu,
                place.callers(["09125550005"], keys=CARDS, talk_ms=700) as in_line,
                place.callers(["09125550006"], dial="02100000000") as nowhere,
            ):
                gone = [await each.finished() for each in (ringing, in_menu, in_line, nowhere)]
                [cancelled] = await phones.heard("CANCEL")
                rang = phones.stop()
            assert [(each.succeeded, each.failed) for each in gone] == [(1, 0), (1, 0), (1, 0), (0, 1)], gone
            assert "404" in gone[3].errors
            assert cancelled.at_us - _at(gone[0].moments, "BYE_SENT") < 500_000
            await wall.until(
                "two who gave up", lambda: (wall.total["abandoned"], wall.state["contacts_now"]) == (2, 0)
            )
            await desk.until_idle()
            assert desk.activities[-2:] == ["ringing", "idle"]
            assert wall.total["offered"] == 2
            assert wall.total["answered"] == wall.total["waiting"] == 0
        await place.until_no_channels()
        await stored(run)
        listed = (await reports.list_contacts(run.database.reporting, 10)).contacts
        kept = [await story(run, each.id) for each in listed]
        outcomes = sorted(
            (
                each.visits[0].queue,
                str(each.visits[0].outcome),
                each.offers[0].state if each.offers else "none",
            )
            for each in kept
            if each.visits
        )
        assert outcomes == [("cards", "abandoned", "none"), ("loans", "abandoned", "cancelled")]
        assert len(kept) == 3
        assert all(each.contact.ended_at is not None for each in kept)
        assert rang.of("RING")[0].contact in {each.contact.id for each in kept}
        await place.until_no_rows()
