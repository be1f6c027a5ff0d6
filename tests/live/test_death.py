"""Our process dies at every point of a call, and nobody is lost: what SIPp saw is what the records say afterwards.

The process is killed with SIGKILL (once, politely, with SIGTERM), on a real Asterisk, with the product's own clocks
unless a test says otherwise. Times are compared within `TOLERANCE_US`: Asterisk's own queue counts whole seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack

import pytest

from acd.site import Site
from tests.live.center import CARDS, ENGLISH, LOANS, PARTS, Keys, Place, premises
from tests.live.lives import (
    ContactKept,
    Lives,
    VisitKept,
    Wire,
    complete_records,
    offers_in_order,
    witness,
)
from tests.live.pages import Desk, wall_clock_us
from tests.live.sipp import Answer, Callers, Moment

pytestmark = pytest.mark.needs(*PARTS)

US = 1_000_000
TOLERANCE_US = 1_500_000
TWENTY = [*(f"c{n}" for n in range(1, 9)), *(f"l{n}" for n in range(1, 9)), *(f"e{n}" for n in range(1, 5))]


def numbers(kind: int, count: int) -> list[str]:
    return [f"0912{kind:03}{n:04}" for n in range(count)]


def e164(number: str) -> str:
    return "+98" + number.removeprefix("0")


def talkers(place: Place, stack: ExitStack, stays_ms: int | None = None) -> list[Callers]:
    """20 callers, as many in each queue as TWENTY has agents there. Those for cards hang up after `stays_ms`."""
    groups: list[tuple[int, int, Keys, int | None]] = [
        (101, 8, CARDS, stays_ms),
        (102, 8, LOANS, None),
        (103, 4, ENGLISH, None),
    ]
    return [
        stack.enter_context(
            place.callers(numbers(kind, count), keys=keys, talk_ms=stay, calls_per_s=10, timeout_s=90)
        )
        for kind, count, keys, stay in groups
    ]


def by_caller(kept: Iterable[ContactKept]) -> dict[str, ContactKept]:
    """By the caller's number; each has called once."""
    found = {each.caller: each for each in kept if each.caller is not None}
    return {number: found[number] for number in found}


def only_visit(kept: ContactKept) -> VisitKept:
    assert len(kept.visits) == 1, kept
    return kept.visits[0]


def near(mine_us: int | None, theirs_us: int, tolerance_us: int = TOLERANCE_US) -> bool:
    return mine_us is not None and abs(mine_us - theirs_us) <= tolerance_us


def first(moments: Sequence[Moment], what: Sequence[str], who: str) -> Moment:
    return next(moment for moment in moments if moment.what in what and moment.who == who)


async def test_a_full_hall_outlives_us(postgres_url: str) -> None:
    """20 talk and 20 wait when we are killed; we come back, and all go on as if nothing had been."""
    waiting = [*numbers(201, 10), *numbers(202, 10)]
    async with (
        premises(postgres_url) as place,
        witness(place) as seen,
        Lives(place) as lives,
    ):
        await lives.begin()
        with ExitStack() as stack:
            async with place.desks(TWENTY) as desks:
                phones = stack.enter_context(place.phones(Answer(talk_ms=14_000)))
                talking = talkers(place, stack, stays_ms=13_000)
                answers = await phones.heard("ANSWER", 20)
                async with place.wall() as wall:
                    lines = [
                        stack.enter_context(
                            place.callers(waiting[:10], keys=CARDS, calls_per_s=10, timeout_s=90)
                        ),
                        stack.enter_context(
                            place.callers(waiting[10:], keys=LOANS, calls_per_s=10, timeout_s=90)
                        ),
                    ]
                    await wall.until("20 in line", lambda: wall.total["waiting"] == 20)
                    since = {name: desk.state["agent"]["since_us"] for name, desk in desks.items()}
                    tickets = await seen.tickets()
                    killed_us = wall_clock_us()
                    await lives.kill()
            assert all(desk.activity == "on_call" for desk in desks.values())

            await lives.begin()
            back_s = await lives.attached(20)
            print(f"ready after {lives.ready_s:.2f} s, all attached {back_s:.2f} s later")
            again_us = wall_clock_us()
            assert not seen.heard("MusicOnHoldStop", killed_us)
            assert not [m for each in (*talking, *lines) for m in each.moments() if m.what.startswith("BYE")]
            async with place.wall() as wall:
                assert (wall.total["waiting"], wall.total["talking"]) == (20, 20)
            for desk in desks.values():
                await desk.connect()
                assert (desk.activity, desk.state["agent"]["since_us"]) == ("on_call", since[desk.agent])

            # The talks end by themselves.
            for each in talking:
                done = await each.finished()
                assert done.failed == 0, done.errors
            assert all(m.at_us > again_us for each in talking for m in each.moments() if "BYE" in m.what)
            for desk in desks.values():
                await desk.until("wrap-up", lambda desk=desk: desk.activity == "wrap_up")  # type: ignore[misc]
            ended = phones.stop()
            stack.enter_context(place.phones(Answer(talk_ms=200)))
            for desk in desks.values():
                desk.finish = "resolved"  # from the next message on, the page ends wrap-up by itself
                await desk.command("disposition", visit=desk.state["visit"]["visit"], code="resolved")
            for line in lines:
                done = await line.finished()
                assert (done.succeeded, done.failed) == (10, 0), done.errors
            for desk in desks.values():
                await desk.until("being idle", lambda desk=desk: desk.activity == "idle")  # type: ignore[misc]
                await desk.close()

            await place.until_no_channels()
            kept = await complete_records(place, 40)
            await place.until_no_rows()
            found = by_caller(kept.values())
            for ring in ended.of("RING")[:20]:
                visit = only_visit(found[e164(ring.detail)])
                answer = first(answers, ["ANSWER"], ring.who)
                bye = first(ended.moments, ["BYE_SENT", "BYE_HEARD"], ring.who)
                assert (visit.outcome, f"{visit.agent}-phone") == ("answered", ring.who)
                assert near(visit.answered_us, answer.at_us), (visit, answer)
                assert near(visit.talk_us, bye.at_us - answer.at_us), (visit, answer, bye)
                assert near(visit.ended_us, bye.at_us)
            for number in waiting:
                one = found[e164(number)]
                ticket, visit = tickets[one.contact], only_visit(one)
                assert (visit.visit, visit.began_us) == (ticket.visit, ticket.entered_us)
                assert visit.outcome == "answered"
                assert visit.began_us < killed_us < again_us < visit.began_us + (visit.wait_us or 0)
            for queue in ("cards", "loans"):
                line_of = [only_visit(found[e164(n)]) for n in waiting]
                line_of = sorted((v for v in line_of if v.queue == queue), key=lambda v: v.began_us)
                order = [visit.visit for visit in line_of]
                assert len(order) == 10
                assert await offers_in_order(place, order) == order
            async with place.wall() as wall:
                assert (wall.total["offered"], wall.total["answered"], wall.total["waiting"]) == (40, 40, 0)


async def test_what_ended_and_what_came_while_we_were_dead_is_recorded(postgres_url: str) -> None:
    """20 talks and 20 waits end without us; of five new callers two leave, two are answered by Asterisk's own
    queue, and one waits there when we come back."""
    waiting, new = numbers(201, 20), numbers(301, 5)
    async with (
        premises(postgres_url) as place,
        witness(place) as seen,
        Lives(place) as lives,
    ):
        await _sooner_native(place, 6)
        await lives.begin()
        with ExitStack() as stack:
            async with place.desks(TWENTY) as desks:
                phones = stack.enter_context(place.phones(Answer(talk_ms=8000)))
                talking = talkers(place, stack)
                answers = await phones.heard("ANSWER", 20)
                for name in TWENTY:
                    if name not in ("c1", "l1"):
                        await desks[name].command("status", status="not_ready", reason="break")
                async with place.wall() as wall:
                    line = stack.enter_context(
                        place.callers(waiting, keys=CARDS, talk_ms=5000, calls_per_s=20, timeout_s=60)
                    )
                    await wall.until("20 in line", lambda: wall.total["waiting"] == 20)
                    tickets = await seen.tickets()
                    await lives.kill()
            killed_us = wall_clock_us()
            impatient = stack.enter_context(place.callers(new[:2], talk_ms=2000, timeout_s=60))
            keys = [(800, key) for _ in range(11) for key in "12"]  # until somebody listens
            patient = stack.enter_context(place.callers(new[2:], keys=keys, talk_ms=500, timeout_s=60))
            for each in (*talking, line, impatient):
                done = await each.finished()
                assert done.failed == 0, done.errors
            assert all(
                m.at_us > killed_us for each in (*talking, line) for m in each.moments() if "BYE" in m.what
            )
            native = (await phones.heard("ANSWER", 22))[20:]
            for name in ("c1", "l1"):  # or one of them would be free before we are back
                assert await seen.ami.queue_pause(f"PJSIP/{name}-phone", True, queue="pasokh-fallback")
            await lives.begin()
            print(f"ready after {lives.ready_s:.2f} s")
            await lives.attached(1)
            for name in ("c2", "e2"):
                desk = desks[name]
                await desk.connect()
                bye = next(m for m in phones.moments() if m.who == f"{name}-phone" and "BYE" in m.what)
                assert desk.activity == "wrap_up"
                assert near(desk.state["agent"]["since_us"], bye.at_us)
                await desk.command("disposition", visit=desk.state["visit"]["visit"], code="resolved")
                await desk.command("end_wrap_up")
                await desk.until("their break", lambda desk=desk: desk.status == "not_ready")  # type: ignore[misc]
                desk.finish = "resolved"
                await desk.command("status", status="available")
            await place.until_no_channels(timeout_s=20)
            kept = await complete_records(place, 45)
            await place.until_no_rows()
            for name in ("c2", "e2"):
                await desks[name].until("being idle", lambda name=name: desks[name].activity == "idle")  # type: ignore[misc]
                await desks[name].close()
            found = by_caller(kept.values())
            ended = phones.stop()
            came, patience, rush = patient.moments(), line.moments(), impatient.moments()

        for answer in answers:
            ring = first(ended.of("RING"), ["RING"], answer.who)
            bye = first(ended.moments, ["BYE_SENT", "BYE_HEARD"], answer.who)
            one = found[e164(ring.detail)]
            visit = only_visit(one)
            assert (visit.outcome, f"{visit.agent}-phone") == ("answered", answer.who)
            assert one.handled_by == "center"
            assert near(visit.talk_us, bye.at_us - answer.at_us), (visit, answer, bye)
            assert near(one.ended_us, bye.at_us)
        for bye in patience:
            if bye.what != "BYE_SENT":
                continue
            one = found[e164(bye.who)]
            visit, ticket = only_visit(one), tickets[one.contact]
            assert (visit.visit, visit.began_us) == (ticket.visit, ticket.entered_us)
            assert (visit.outcome, one.handled_by, visit.agent) == ("abandoned", "center", None)
            assert near(visit.wait_us, bye.at_us - visit.began_us)
            assert near(one.ended_us, bye.at_us)
        strangers = [one for one in kept.values() if one.caller is None]
        left = sorted((one for one in strangers if not one.visits), key=lambda one: one.began_us)
        assert len(left) == 2
        for number in new[:2]:
            invite, bye = first(rush, ["INVITE"], number), first(rush, ["BYE_SENT"], number)
            assert any(near(one.began_us, invite.at_us) and near(one.ended_us, bye.at_us) for one in left)
        assert {one.handled_by for one in left} == {"fallback"}
        taken = [one for one in strangers if one.visits]
        assert {f"{only_visit(one).agent}-phone" for one in taken} == {m.who for m in native}
        for one in taken:
            visit = only_visit(one)
            answer = next(m for m in native if m.who == f"{visit.agent}-phone")
            bye = next(m for m in ended.moments if m.call == answer.call and "BYE" in m.what)
            assert (visit.queue, visit.outcome, one.handled_by) == ("fallback", "answered", "fallback")
            assert near(visit.answered_us, answer.at_us), (visit, answer)
            assert near(visit.talk_us, bye.at_us - answer.at_us)
        (number,) = [number for number in new[2:] if e164(number) in found]
        rescued = found[e164(number)]
        visit = only_visit(rescued)
        assert (rescued.handled_by, visit.outcome) == ("center", "answered")
        assert visit.agent in ("c2", "e2")
        assert near(rescued.began_us, first(came, ["INVITE"], number).at_us)
        async with place.wall() as wall:
            total = wall.total
            assert total["offered"] == total["answered"] + total["abandoned"] + total["flowed_out"] == 43
            assert (total["waiting"], total["talking"]) == (0, 0)
            assert (total["answered"], total["abandoned"]) == (23, 20)


async def _sooner_native(place: Place, after_s: int) -> None:
    """Asterisk's own queue has callers sooner than after the 20 s of the product."""
    path = place.asterisk.etc / "pasokh-extensions.conf"
    text = path.read_text()
    assert text.count(">= 20]?native") == 1
    path.write_text(text.replace(">= 20]?native", f">= {after_s}]?native"))
    await place.cli("dialplan reload")


async def test_rings_wrap_up_and_menu_go_on_without_us(postgres_url: str) -> None:
    """Killed while one phone rings on unanswered, one is answered without us, one agent wraps up, and one caller is
    in the menu."""
    numbers_ = numbers(401, 4)
    rung, answered, wrapped, chooses = numbers_
    async with premises(postgres_url, change=_ring_and_wrap_up(8, 11)) as place, Lives(place) as lives:
        await lives.begin()
        with ExitStack() as stack:
            phones = stack.enter_context(place.phones(Answer(after_ms=1500, talk_ms=1500)))
            silent = stack.enter_context(place.phones(Answer(after_ms=None), "silent"))
            async with place.desk("c3") as wrapping:
                done = await stack.enter_context(place.callers([wrapped], keys=CARDS)).finished()
                assert done.failed == 0, done.errors
                await wrapping.until("wrap-up", lambda: wrapping.activity == "wrap_up")
                until_us = wrapping.state["visit"]["wrap_up_until_us"]
                async with (
                    place.desk("c1", phone="silent-1") as alone,
                    place.desk("c2") as idle,
                    place.desk("l1") as talks,
                    place.desk("l2"),
                ):
                    rings = stack.enter_context(place.callers([rung], keys=CARDS, timeout_s=60))
                    menu: Keys = ((600, "1"), (7000, "3"), (1500, "3"), (1500, "3"))
                    stack.enter_context(place.callers([chooses], keys=menu, timeout_s=60))
                    stack.enter_context(place.callers([answered], keys=LOANS, timeout_s=60))
                    await silent.heard("RING")
                    await phones.heard("RING", 2)
                    await lives.kill()
            assert not [m for m in phones.moments() if m.who == "l1-phone" and m.what == "ANSWER"]
            assert not silent.moments()[1:]

            await lives.begin()
            print(f"ready after {lives.ready_s:.2f} s")
            assert not silent.moments()[1:], "it rang out too soon for this test"
            assert not [m for m in phones.moments() if m.detail == rung]
            await wrapping.connect()
            assert wrapping.activity == "wrap_up"
            assert wrapping.state["visit"]["wrap_up_until_us"] == until_us
            for desk in (alone, idle):
                await desk.connect()
            idle.finish = "resolved"
            assert alone.activity == "ringing"
            (out,) = await silent.heard("CANCEL")
            done = await rings.finished()
            assert done.failed == 0, done.errors
            again = next(m for m in phones.moments() if m.what == "RING" and m.detail == rung)
            assert (again.who, out.at_us <= again.at_us) == ("c2-phone", True)
            await alone.until("having missed it", lambda: alone.activity == "not_responding")
            await wrapping.until("being idle", lambda: wrapping.activity == "idle")
            assert near(wrapping.state["agent"]["since_us"], until_us)
            await place.until_no_channels(timeout_s=20)
            kept = by_caller((await complete_records(place, 4)).values())
            await place.until_no_rows()
            for desk in (wrapping, alone, idle):
                await desk.close()
            ended = phones.stop()

        visits = {who: only_visit(kept[e164(who)]) for who in numbers_}
        assert {visit.outcome for visit in visits.values()} == {"answered"}
        assert [visits[who].queue for who in numbers_] == ["cards", "loans", "cards", "loans"]
        assert visits[wrapped].acw_us == 11 * US
        assert visits[rung].agent == "c2"
        answer = first(ended.moments, ["ANSWER"], "l1-phone")
        bye = first(ended.moments, ["BYE_SENT"], "l1-phone")
        assert near(visits[answered].answered_us, answer.at_us, US // 2)
        assert near(visits[answered].talk_us, bye.at_us - answer.at_us, US // 2)
        assert visits[answered].agent == talks.agent


async def test_a_polite_end_drops_nobody(postgres_url: str) -> None:
    waiting, talking = numbers(501, 3), numbers(502, 2)
    async with premises(postgres_url) as place, witness(place) as seen, Lives(place) as lives:
        await lives.begin()
        with ExitStack() as stack:
            phones = stack.enter_context(place.phones(Answer()))
            async with place.desks(["l1", "l2"]) as desks:
                talks = stack.enter_context(place.callers(talking, keys=LOANS, timeout_s=60))
                answers = {answer.who: answer.at_us for answer in await phones.heard("ANSWER", 2)}
                async with place.wall() as wall:
                    waits = stack.enter_context(place.callers(waiting, keys=CARDS, timeout_s=60))
                    await wall.until("3 in line", lambda: wall.total["waiting"] == 3)
                tickets = await seen.tickets()
                assert await lives.end() == 0
            ended_us = wall_clock_us()
            await lives.begin()
            print(f"ready after {lives.ready_s:.2f} s")
            await lives.attached(3)
            assert not [m for each in (talks, waits) for m in each.moments() if m.what.startswith("BYE")]
            assert {name: (await _now(desk)) for name, desk in desks.items()} == {
                "l1": "on_call",
                "l2": "on_call",
            }
            phones_of_cards = place.desk("c1", finish="resolved")
            await seen.hang_up(answers)
            done = await talks.finished()
            assert done.failed == 0, done.errors
            byes = {bye.who: bye.at_us for bye in done.of("BYE_HEARD")}
            phones.stop()
            stack.enter_context(place.phones(Answer(talk_ms=100)))
            async with phones_of_cards:
                done = await waits.finished()
                assert done.failed == 0, done.errors
            await place.until_no_channels()
            kept = by_caller((await complete_records(place, 5)).values())
            await place.until_no_rows()
        for number in waiting:
            visit = only_visit(kept[e164(number)])
            ticket = tickets[kept[e164(number)].contact]
            assert (visit.visit, visit.began_us, visit.outcome) == (
                ticket.visit,
                ticket.entered_us,
                "answered",
            )
            assert visit.began_us + (visit.wait_us or 0) > ended_us
        for number in talking:
            visit = only_visit(kept[e164(number)])
            assert near(visit.talk_us, byes[number] - answers[f"{visit.agent}-phone"])


async def test_the_managers_link_may_break_in_mid_call(postgres_url: str) -> None:
    """A phone is answered, a talk ends and a waiting caller leaves while we hear nothing from Asterisk."""
    talks, leaves = "09125550001", "09125550002"
    async with premises(postgres_url) as place, Wire(place.ports.asterisk.ami) as wire, Lives(place) as lives:
        text = place.config.read_text()
        assert text.count(f"ami_port = {place.ports.asterisk.ami}") == 1
        place.config.write_text(text.replace(str(place.ports.asterisk.ami), str(wire.port)))
        await lives.begin()
        with ExitStack() as stack:
            phones = stack.enter_context(place.phones(Answer(after_ms=1000)))
            async with place.desk("c1") as desk, place.wall() as wall:
                caller = stack.enter_context(place.callers([talks], keys=CARDS, talk_ms=7000))
                await phones.heard("RING")
                wire.cut()
                (answer,) = await phones.heard("ANSWER")
                wire.mend()
                await place.until_ready()
                await desk.until("the talk", lambda: desk.activity == "on_call", timeout_s=5)
                assert near(desk.state["agent"]["since_us"], answer.at_us, US // 2)
                line = stack.enter_context(place.callers([leaves], keys=CARDS, talk_ms=1000))
                await wall.until("one in line", lambda: wall.total["waiting"] == 1)
                wire.cut()
                for each in (line, caller):
                    done = await each.finished()
                    assert done.failed == 0, done.errors
                await wall.until("nobody in line", lambda: wall.total["waiting"] == 0)
                wire.mend()
                await desk.until("wrap-up", lambda: desk.activity == "wrap_up")
                (bye,) = await phones.heard("BYE_HEARD")
                (gone,) = [m for m in line.moments() if m.what == "BYE_SENT"]
                assert near(desk.state["agent"]["since_us"], bye.at_us)
            await place.until_no_channels()
            kept = by_caller((await complete_records(place, 2)).values())
            await place.until_no_rows()
        visit = only_visit(kept[e164(talks)])
        assert near(visit.answered_us, answer.at_us, US // 2)
        assert near(visit.talk_us, bye.at_us - answer.at_us)
        left = only_visit(kept[e164(leaves)])
        assert left.outcome == "abandoned"
        assert near(left.ended_us, gone.at_us)


@pytest.mark.long  # the product's own 20 s, in real time
async def test_if_nobody_comes_back_asterisks_own_queue_serves_the_callers(postgres_url: str) -> None:
    """After the product's own 20 s; its members are who could take a call when we were last seen."""
    waiting = numbers(601, 2)
    async with premises(postgres_url) as place, Lives(place) as lives:
        await lives.begin()
        with ExitStack() as stack:
            phones = stack.enter_context(place.phones(Answer(talk_ms=1500)))
            async with place.desk("l1"), place.desk("l2") as pauses, place.desk("l3") as leaves:
                await pauses.command("status", status="not_ready", reason="break")
                await leaves.command("status", status="offline")
                async with place.wall() as wall:
                    callers = stack.enter_context(place.callers(waiting, keys=CARDS, timeout_s=60))
                    await wall.until("2 in line", lambda: wall.total["waiting"] == 2)
                await lives.kill()
                killed_us = wall_clock_us()
            done = await callers.finished()
            assert done.failed == 0, done.errors
            answers = phones.moments()
            rings = [m for m in answers if m.what == "RING"]
            assert [m.who for m in rings] == ["l1-phone", "l1-phone"]
            assert 19 * US <= rings[0].at_us - killed_us <= 23 * US
            await place.until_no_channels()
            await lives.begin()
            kept = await complete_records(place, 2)
            await place.until_no_rows()
            ended = phones.stop()
        talked = [(a.at_us, b.at_us) for a, b in zip(ended.of("ANSWER"), ended.of("BYE_SENT"), strict=True)]
        for number in waiting:
            each = by_caller(kept.values())[e164(number)]
            ours, native = each.visits
            assert (ours.queue, ours.outcome, native.queue, native.outcome) == (
                "cards", "flowed_out", "fallback", "answered",
            )  # fmt: skip
            assert (native.agent, each.handled_by) == ("l1", "fallback")
            assert any(
                near(native.answered_us, began_us) and near(native.talk_us, over_us - began_us)
                for began_us, over_us in talked
            )
        async with place.wall() as wall:
            total = wall.total
            assert (total["offered"], total["flowed_out"], total["answered"], total["waiting"]) == (
                4,
                2,
                2,
                0,
            )


async def _now(desk: Desk) -> str:
    """What the agent does, as a page sees it that is opened now."""
    await desk.connect()
    seen = desk.activity
    await desk.close()
    return seen


def _ring_and_wrap_up(ring_s: float, wrap_up_s: float) -> Callable[[Site], Site]:
    def change(site: Site) -> Site:
        cards = site.queues["cards"].model_copy(
            update={"ring_timeout_s": ring_s, "wrap_up_s": wrap_up_s, "rona_misses": 1}
        )
        return site.model_copy(update={"queues": {**site.queues, "cards": cards}})

    return change
