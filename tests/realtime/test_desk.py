"""Agents' pages over real sockets, with the real center behind them."""

from __future__ import annotations

import asyncio
from typing import Any

from acd.effects import PopScreen
from acd.events import OfferAnswered, OfferRang, TalkEnded
from acd.facts import VisitAnswered
from acd.types import EndedBy
from realtime.desk import Desk
from tests.realtime.house import SHORT, T0_US, House, Page

CARD = {"contact": "c1", "known": True, "customer": {"id": "7", "name": {"fa": "مریم"}, "notes": None}}


async def ready(house: House, name: str) -> Page:
    page = await house.open("/ws/v1/agent", name)
    await page.begin()
    assert (await page.command("1", "sign_in"))["ok"]
    assert (await page.command("2", "status", status="available"))["ok"]
    await page.until(lambda state: state["agent"]["status"] == "available")
    return page


async def test_a_call_on_the_agents_page_from_offer_to_wrap_up(a_house: House) -> None:
    page = await ready(a_house, "sara")
    a_house.cards["c1"] = CARD
    await a_house.call("c1")
    offer = await page.hear_type("offer")
    assert offer["queue_label"] == {"fa": "فروش", "en": "Sales"}
    assert offer["card"] == {"contact": "c1", "known": True, "customer": {"id": "7", "name": {"fa": "مریم"}}}
    assert not a_house.phones.effects or "RingAgent" not in repr(a_house.phones.effects)
    await page.say(type="shown", offer=offer["offer"])
    ring = await a_house.phones.ring()
    assert ring.offer == offer["offer"]
    state = await page.until(lambda state: "offer" in state)
    assert state["offer"]["ring_until_us"] > a_house.engine.now_us()

    a_house.engine.post(OfferRang(ring.offer))
    a_house.engine.post(OfferAnswered(ring.offer))
    state = await page.until(lambda state: "visit" in state and "offer" not in state)
    assert state["agent"]["activity"] == "on_call"
    assert state["visit"]["dispositions"][0] == {
        "code": "resolved",
        "label": {"fa": "حل شد", "en": "Resolved"},
    }
    assert state["visit"]["disposition_required"] is True
    assert state["card"]["customer"]["id"] == "7"

    a_house.engine.post(TalkEnded(ring.offer, EndedBy.CALLER))
    state = await page.until(lambda state: state["agent"]["activity"] == "wrap_up")
    assert state["visit"]["wrap_up_until_us"] > a_house.engine.now_us()
    refused = await page.command("3", "end_wrap_up")
    assert refused == {"type": "result", "id": "3", "ok": False, "reason": "disposition_needed"}
    assert (await page.command("4", "disposition", code="resolved"))["ok"]
    assert (await page.command("5", "end_wrap_up"))["ok"]
    state = await page.until(lambda state: "visit" not in state)
    assert "card" not in state
    assert state["agent"]["activity"] == "idle"
    await a_house.deps.audit.flush()
    async with await a_house.client("root") as http:
        rows = (await http.get("/api/v1/audit", params={"user": "sara"})).json()["audit"]
    assert [row["action"] for row in rows][:3] == [
        "agent.end_wrap_up",
        "agent.disposition",
        "agent.end_wrap_up",
    ]
    assert rows[2]["outcome"] == "disposition_needed"
    await page.close()


async def test_all_tabs_of_an_agent_show_the_same_and_the_last_one_closes_the_page(a_house: House) -> None:
    one = await ready(a_house, "sara")
    two = await a_house.open("/ws/v1/agent", "sara")
    await two.begin()
    await a_house.call("c1")
    first, second = await one.hear_type("offer"), await two.hear_type("offer")
    assert first == second
    await two.say(type="shown", offer=second["offer"])
    ring = await a_house.phones.ring()
    await one.close()
    await two.until(lambda state: "offer" in state)
    assert a_house.engine.center.state.agents["sara"].page_open
    await two.close()
    async with asyncio.timeout(5):
        while a_house.engine.center.state.agents["sara"].page_open:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    assert ring.agent == "sara"


async def test_only_the_agents_own_offer_can_be_shown(a_house: House) -> None:
    sara = await ready(a_house, "sara")
    other = await a_house.open("/ws/v1/agent", "reza")
    await other.begin()
    await a_house.call("c1")
    offer = await sara.hear_type("offer")
    await other.say(type="shown", offer=offer["offer"])
    assert (await other.command("x", "reject", offer=offer["offer"]))["reason"] == "offer_over"
    assert "RingAgent" not in repr(a_house.phones.effects)
    await sara.say(type="shown", offer=offer["offer"])
    assert (await a_house.phones.ring()).offer == offer["offer"]
    await sara.close()
    await other.close()


async def test_a_page_that_opens_late_sees_the_offer_in_its_first_state(a_house: House) -> None:
    page = await ready(a_house, "sara")
    await page.close()
    await a_house.call("c1")
    await a_house.phones.ring()
    late = await a_house.open("/ws/v1/agent", "sara")
    snapshot = await late.begin()
    assert snapshot["state"]["offer"]["contact"] == "c1"
    await late.close()


async def test_a_card_that_is_known_later_is_sent_then(a_house: House) -> None:
    page = await ready(a_house, "sara")
    await a_house.call("c1")
    offer = await page.hear_type("offer")
    assert "card" not in offer
    a_house.cards["c1"] = CARD
    a_house.desk.card_changed("c1")
    message = await page.hear_type("card")
    assert message["card"]["customer"]["id"] == "7"
    await page.until(lambda state: "card" in state)
    await page.close()


async def test_own_figures_follow_the_calls_and_say_since_when_they_count(a_house: House) -> None:
    page = await ready(a_house, "sara")
    assert page.state["today"] == {"answered": 0, "missed": 0, "rejected": 0}
    assert page.state["today_since_us"] <= a_house.engine.now_us(), (
        "this process began in the middle of a day"
    )
    await a_house.call("c1")
    await page.hear_type("offer")
    ring = await a_house.phones.ring()
    a_house.engine.post(OfferAnswered(ring.offer))
    await page.until(lambda state: state["today"]["answered"] == 1)
    a_house.engine.post(TalkEnded(ring.offer, EndedBy.CALLER))
    state = await page.until(lambda state: "talk_s" in state["today"])
    assert state["today"]["aht_s"] >= state["today"]["talk_s"]
    again = Desk(a_house.cards.get, SHORT.sockets)
    again.join_center(a_house.engine)
    again.recall([VisitAnswered(T0_US, "c1.1", "c1", "sales", T0_US, "sara", ring.offer, 0)])
    assert again._state("sara", a_house.engine.view())["today"]["answered"] == 1  # type: ignore[index]
    await page.close()


async def test_phones_that_others_take_are_seen_while_one_chooses(a_house: House) -> None:
    page = await a_house.open("/ws/v1/agent", "reza")
    await page.begin()
    assert [phone["id"] for phone in page.state["phones"]] == ["desk2", "desk1"]
    sara = await ready(a_house, "sara")
    state = await page.until(lambda state: "taken_by" in state["phones"][1])
    assert state["phones"][1]["taken_by"] == {"fa": "سارا", "en": "Sara"}
    assert (await sara.command("9", "sign_out"))["ok"]
    await page.until(lambda state: "taken_by" not in state["phones"][1])
    await page.close()
    await sara.close()


async def test_commands_are_answered_once_each_with_the_reason(a_house: House) -> None:
    page = await a_house.open("/ws/v1/agent", "sara")
    await page.begin()
    answers: list[tuple[str, dict[str, Any], str]] = [
        ("accept", {}, "lift_the_receiver"),
        ("status", {"status": "asleep"}, "bad_command"),
        ("status", {"status": "available"}, "no_phone"),
        ("disposition", {"code": "resolved"}, "no_visit"),
        ("reject", {}, "no_offer"),
        ("dance", {}, "bad_command"),
        ("sign_in", {"phone": "nowhere"}, "unknown_phone"),
        ("status", {"status": "available", "reason": 5}, "bad_command"),
    ]
    for number, (command, args, reason) in enumerate(answers):
        answer = await page.command(str(number), command, **args)
        assert answer == {"type": "result", "id": str(number), "ok": False, "reason": reason}
    await page.close()


async def test_resuming_gives_what_was_missed(a_house: House) -> None:
    page = await ready(a_house, "sara")
    watching = await a_house.open("/ws/v1/agent", "sara")
    await watching.begin()
    epoch, seq, state = page.epoch, page.seq, page.state
    await page.close()
    assert (await watching.command("1", "status", status="not_ready", reason="lunch"))["ok"]
    await watching.until(lambda state: state["agent"]["status"] == "not_ready")
    again = await a_house.open("/ws/v1/agent", "sara")
    again.state, again.seq = state, seq
    await again.say(type="resume", epoch=epoch, seq=seq)
    assert (await again.hear())["type"] == "delta"
    assert again.state == watching.state
    await again.close()
    await watching.close()
    lost = await a_house.open("/ws/v1/agent", "sara")
    await lost.say(type="resume", epoch=epoch, seq=seq)
    assert (await lost.hear())["type"] == "snapshot", "the desk began anew, so the numbers mean nothing now"
    await lost.close()


async def test_words_that_make_no_sense_close_the_socket(a_house: House) -> None:
    for text, code in (
        ("{", 1007),
        ("[1]", 1007),
        ('{"type":"command"}', 1008),
        ('{"type":"x"}', 1008),
        ('{"type":"command","id":"' + "x" * 65 + '"}', 1008),
        ("[" * 5000, 1007),
        ('{"a":"' + "x" * 20_000 + '"}', 1009),
    ):
        page = await a_house.open("/ws/v1/agent", "sara")
        await page.begin()
        await page.socket.send(text)
        assert (await page.closed())[0] == code, text[:30]
    page = await a_house.open("/ws/v1/agent", "sara")
    await page.begin()
    await page.socket.send(b"\x00")
    assert (await page.closed())[0] == 1003


async def test_a_client_that_chatters_is_closed(a_house: House) -> None:
    page = await a_house.open("/ws/v1/agent", "sara")
    await page.begin()
    for number in range(60):
        await page.say(type="shown", offer=str(number))
    assert await page.closed() == (1008, "too many messages")


def test_the_effects_of_the_center_are_all_known() -> None:
    """A new screen effect needs a place here."""
    import typing

    from acd.effects import ClearScreen, ScreenEffect

    assert set(typing.get_args(ScreenEffect)) == {PopScreen, ClearScreen}
