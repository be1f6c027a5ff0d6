"""One call through the whole house, on both stacks; and no room that could be left out unnoticed."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from acd.common.number import Number
from acd.effects import ClearScreen, PopScreen, TelephonyEffect
from acd.store import counting, reports
from acd.store.base import instant
from acd.store.counting import Bounds
from acd.types import US_PER_S, ContactId
from acd.verbs import Hangup, Position, Reply, Verb
from ami_bridge.bridge import Bridge
from ami_bridge.simulator import CallerId, CallerScript, CallOutcome, KeyPress, Left
from crm_lookup.lookup import CallerLookup
from pasokh.app import Running
from realtime.desk import Desk
from tests.e2e.house import MEHDI, NUMBER, PATIENCE_S, House, Page, client, house, page, running, sign_in


async def _one_call(at: House, run: Running, within_s: float = PATIENCE_S) -> CallOutcome:
    """A known customer asks for loans while nobody is there, waits, is served, and is wrapped up."""
    async with page(at, "wall", "wall") as wall, page(at, "sara", "agent", as_page=True) as sara:
        calling = at.simulator.begin(
            CallerScript(NUMBER, CallerId(MEHDI, "Mehdi"), keys=(KeyPress("2", 0.2),), talk_s=0.3)
        )
        try:
            await _serve(wall, sara, within_s)
            async with asyncio.timeout(within_s):
                return await calling
        finally:
            calling.cancel()
            await asyncio.gather(calling, return_exceptions=True)


async def _serve(wall: Page, sara: Page, within_s: float) -> None:
    def loans() -> Mapping[str, Any]:
        found: Mapping[str, Any] = wall.state.get("queues", {}).get("loans", {})
        return found

    def activity() -> str:
        return str(sara.state["agent"]["activity"])

    await wall.until("one caller waits for loans", lambda: loans().get("waiting") == 1, within_s)
    assert loans()["offered"] == 1
    await sign_in(sara)
    offer = await sara.until("an offer", sara.offer, within_s)
    assert offer["queue"] == "loans"
    assert offer["wait_us"] > 0
    card = offer["card"]
    assert card["known"] is True, "the caller was not recognised"
    assert card["customer"]["id"] == "c-1001"
    assert card["customer"]["name"] == {"fa": "مهدی حسینی", "en": "Mehdi Hosseini"}
    assert card["caller"].replace(" ", "") == MEHDI
    assert card["verified"] is False
    await sara.say(type="shown", offer=offer["offer"])
    await sara.until("a talk", lambda: activity() == "on_call", within_s)
    await wall.until("one talks on the wall", lambda: loans().get("talking") == 1, within_s)
    await sara.until("wrap-up", lambda: activity() == "wrap_up", within_s)
    visit = sara.state["visit"]
    assert [each["code"] for each in visit["dispositions"]] == ["resolved", "follow_up"]
    assert visit["disposition_required"] is True
    assert (await sara.command("disposition", visit=visit["visit"], code="resolved"))["ok"]
    assert (await sara.command("end_wrap_up"))["ok"]
    await sara.until("the agent is idle again", lambda: activity() == "idle", within_s)
    await wall.until("the wall is calm", lambda: wall.state["contacts_now"] == 0, within_s)
    assert (loans()["answered"], loans()["abandoned"], loans()["waiting"]) == (1, 0, 0)
    assert wall.state["total"]["service_level"] == 1.0
    assert wall.state["card_before_ring"] == 1.0
    assert wall.deltas > 3
    assert wall.holes == 0


async def _counted(run: Running) -> None:
    """The interval report of the records equals the live counts, number by number."""
    assert run.engine is not None
    site, now_us = run.engine.site, run.engine.now_us()
    bounds = {
        name: Bounds(int(queue.target_s * US_PER_S), int(queue.short_abandon_s * US_PER_S))
        for name, queue in site.queues.items()
    }
    live = {
        (queue, began_us): counts
        for queue, of_queue in run.engine.measures.queues.items()
        for began_us, counts in of_queue.items()
    }
    end = instant(now_us) + timedelta(hours=1)
    report = await counting.interval_report(run.database.reporting, end - timedelta(hours=3), end, bounds)
    assert {(row.queue, int(row.began_at.timestamp()) * US_PER_S): row.counts for row in report} == live
    assert sum(row.counts.answered for row in report) == run.engine.view().total.answered


async def _recorded(run: Running, outcome: CallOutcome) -> None:
    """The record says what the caller's side saw."""
    assert run.records is not None
    await run.records.flush()
    story = await reports.contact_story(run.database.reporting, outcome.contact)
    assert story is not None
    assert (story.contact.customer, story.contact.handled_by) == ("c-1001", "center")
    assert story.contact.caller_e164 == "+989125550001"
    assert story.contact.ended_at is not None
    [visit], [offer] = story.visits, story.offers
    assert (visit.queue, visit.agent, visit.outcome) == ("loans", "sara", "answered")
    assert (visit.disposition, visit.ended_by) == ("resolved", "caller")
    assert visit.wait_us is not None
    assert 0 < visit.wait_us <= outcome.wait_s * US_PER_S
    assert visit.talk_us is not None
    assert abs(visit.talk_us - outcome.talk_s * US_PER_S) < 0.3 * US_PER_S
    assert visit.acw_us is not None
    assert (offer.agent, offer.phone, offer.state) == ("sara", "desk1", "accepted")
    assert offer.shown_before_ring is True
    assert offer.shown_at is not None
    assert offer.rang_at is not None
    assert offer.shown_at <= offer.rang_at


async def _whole(at: House, logged: io.StringIO) -> None:
    async with running(at) as run:
        assert run.engine is not None
        behind_us = time.time_ns() // 1000 - run.engine.now_us()
        assert abs(behind_us) < 50_000, "center time is the wall's"
        outcome = await _one_call(at, run)
        assert (outcome.answered_by, outcome.left, outcome.attaches) == ("desk1", Left.CALLER, 1)
        counted = at.simulator.counters()
        assert (counted.offered, counted.answered, counted.abandoned) == (1, 1, 0)
        await _recorded(run, outcome)
        await _counted(run)
        async with client(at) as http:
            metrics = (await http.get("/metrics")).text
            assert (await http.get("/readyz")).status_code == 200
        assert 'pasokh_answered_today{queue="loans"} 1.0' in metrics
        assert '"level": "info"' in logged.getvalue(), "nothing was logged, so nothing was proved"
        journal = "".join(path.read_text() for path in at.settings.state.rglob("*.journal"))
        for where, text in (("metrics", metrics), ("logs", logged.getvalue()), ("journal", journal)):
            for personal in ("9125550001", "Mehdi", "مهدی"):
                assert personal not in text, f"{personal} stands in the {where}"
    assert "9125550001" not in logged.getvalue()


async def test_one_call_on_one_machine(tmp_path: Path, logged: io.StringIO) -> None:
    async with house(tmp_path / "site") as at:
        await _whole(at, logged)


async def test_one_call_on_postgresql_and_redis(
    tmp_path: Path,
    postgres_url: str,
    redis_url: str,
    logged: io.StringIO,
) -> None:
    async with house(tmp_path / "site", database_url=postgres_url, redis_url=redis_url) as at:
        await _whole(at, logged)


async def test_without_a_voice_the_call_goes_on_and_the_log_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: io.StringIO
) -> None:
    async with house(tmp_path / "site") as at:
        monkeypatch.setenv("PATH", str(tmp_path))
        nowhere = at.settings.asterisk.model_copy(update={"sounds": tmp_path / "sounds"})
        at.settings = at.settings.model_copy(update={"asterisk": nowhere})
        at.simulator.exchange.settings = replace(at.simulator.exchange.settings, sound_length=lambda _: None)
        async with running(at) as run:
            outcome = await _one_call(at, run)
            assert (outcome.answered_by, outcome.heard) == ("desk1", ())
            assert run.bridge is not None
            assert run.bridge.counters.sounds_missing > 0
    assert "espeak-ng cannot be started, so texts cannot be spoken; install it" in logged.getvalue()


# Without one room ------------------------------------------------------------------------------------------


class _NoScript:
    """A menu that hangs up at once."""

    position = Position("none", "0", "none", "fa")
    passed: tuple[str, ...] = ()

    def next(self, reply: Reply) -> Verb:
        return Hangup()


class _NoLookup(CallerLookup):
    def begin(self, contact: ContactId, caller: Number) -> None:
        """Finds nobody."""


class _NoDesk(Desk):
    def perform(self, effect: PopScreen | ClearScreen) -> None:
        """Shows nothing."""


class _NoBridge(Bridge):
    def perform(self, effect: TelephonyEffect) -> None:
        """Rings nothing."""


WITHOUT = {
    "the menu": ("ivr.library.Flows.script_for", lambda *_, **__: _NoScript(), "one caller waits for loans"),
    "the lookup": ("pasokh.customers.CallerLookup", _NoLookup, "card"),
    "the desk": ("pasokh.app.Desk", _NoDesk, "an offer"),
    "the routing": ("acd.offers.match", lambda _: None, "an offer"),
    "the bridge": ("pasokh.app.Bridge", _NoBridge, "a talk"),
}


@pytest.mark.parametrize("room", WITHOUT)
async def test_without_one_room_the_call_fails(
    room: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, nothing, missed = WITHOUT[room]
    monkeypatch.setattr(place, nothing)
    async with house(tmp_path / "site") as at, running(at) as run:
        with pytest.raises((AssertionError, KeyError), match=missed):
            await _one_call(at, run, within_s=1.5)
