"""Tasks and callbacks: made over HTTP, offered on the agent's page beside calls, done there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from acd.events import OfferAnswered
from acd.types import Activity
from realtime.store import queries
from realtime.task_cards import restore
from tests.realtime.house import T0_US, House, house
from tests.realtime.test_desk import ready

LEILA = {
    "id": "k1",
    "name_fa": "لیلا",
    "name_en": "Leila",
    "language": "fa",
    "phones": ("+989123456789",),
}


class Customers:
    async def search(self, text: str, *, limit: int) -> Sequence[Mapping[str, object]]:
        return ()

    async def one(self, customer: str) -> Mapping[str, object] | None:
        return LEILA if customer == "k1" else None


async def made(house: House, **body: object) -> str:
    async with await house.client("boss") as http:
        answer = await http.post("/api/v1/tasks", json={"queue": "sales", **body})
    assert answer.status_code == 201, answer.text
    contact: str = answer.json()["contact"]
    return contact


async def test_a_task_is_accepted_and_finished_on_the_page(tmp_path: Path) -> None:
    async with house(tmp_path, more={"customers": Customers()}) as built:
        page = await ready(built, "sara")
        contact = await made(built, customer="k1", note="Send the contract.")
        offer = await page.hear_type("offer")
        assert (offer["kind"], offer["can_accept"], offer["queue"]) == ("task", True, "sales")
        assert offer["why"]["rule"] == "longest-idle"
        assert offer["card"] == {
            "contact": contact,
            "known": True,
            "verified": False,
            "caller": "0912 345 6789",
            "note": "Send the contract.",
            "customer": {"id": "k1", "language": "fa", "name": {"fa": "لیلا", "en": "Leila"}},
        }
        await page.say(type="shown", offer=offer["offer"])
        state = await page.until(lambda state: "task_offers" in state)
        assert "offer" not in state
        assert state["task_offers"][0]["offer"] == offer["offer"]

        assert (await page.command("3", "accept", offer=offer["offer"]))["ok"]
        state = await page.until(lambda state: "tasks" in state and "task_offers" not in state)
        task = state["tasks"][0]
        assert (task["kind"], task["contact"], task["disposition_required"]) == ("task", contact, True)
        assert state["agent"]["activity"] == "on_task"
        assert "visit" not in state

        refused = await page.command("4", "finish", visit=task["visit"])
        assert refused["reason"] == "disposition_needed"
        assert (await page.command("5", "disposition", visit=task["visit"], code="resolved"))["ok"]
        await page.until(lambda state: state["tasks"][0].get("disposition") == "resolved")
        assert (await page.command("6", "finish", visit=task["visit"]))["ok"]
        state = await page.until(lambda state: "tasks" not in state)
        assert state["agent"]["activity"] == "idle"
        assert (await page.command("7", "finish", visit=task["visit"]))["reason"] == "visit_over"
        assert built.desk._task_cards == {}, "a card goes with its task"
        await page.close()


async def test_a_call_comes_while_a_task_is_in_hand(a_house: House) -> None:
    page = await ready(a_house, "sara")
    await made(a_house)
    offer = await page.hear_type("offer")
    assert (await page.command("3", "accept"))["ok"], "the only offer there is"
    await page.until(lambda state: "tasks" in state)
    await a_house.call("c1")
    call = await page.hear_type("offer")
    assert "kind" not in call
    assert call["offer"] != offer["offer"]
    state = await page.until(lambda state: "offer" in state)
    assert [len(state["tasks"]), state["offer"]["contact"]] == [1, "c1"]
    assert (await page.command("4", "accept", offer=call["offer"]))["reason"] == "lift_the_receiver"
    ring = await a_house.phones.ring()
    a_house.engine.post(OfferAnswered(ring.offer))
    state = await page.until(lambda state: "visit" in state)
    assert state["visit"]["contact"] == "c1"
    assert (await page.command("5", "finish", visit=state["visit"]["visit"]))["reason"] == "visit_over"
    assert len(state["tasks"]) == 1
    assert a_house.engine.view().agents["sara"].activity is Activity.ON_CALL
    await page.close()


async def test_a_callback_takes_the_telephone_and_ends_in_wrap_up(a_house: House) -> None:
    page = await ready(a_house, "sara")
    contact = await made(a_house, kind="callback", note="About the loan.")
    offer = await page.hear_type("offer")
    assert (offer["kind"], offer["can_accept"]) == ("callback", True)
    state = await page.until(lambda state: "offer" in state)
    assert "task_offers" not in state
    assert (await page.command("3", "accept", offer=offer["offer"]))["ok"]
    state = await page.until(lambda state: "visit" in state)
    assert (state["visit"]["kind"], state["card"]["note"]) == ("callback", "About the loan.")
    assert (await page.command("4", "finish"))["ok"]
    state = await page.until(lambda state: state["agent"]["activity"] == "wrap_up")
    assert state["card"]["contact"] == contact, "whoever writes it up still sees whom"
    assert (await page.command("5", "disposition", code="resolved"))["ok"]
    assert (await page.command("6", "end_wrap_up"))["ok"]
    await page.until(lambda state: "visit" not in state)
    assert a_house.desk._task_cards == {}
    await page.close()


async def test_a_task_that_is_rejected_or_withdrawn_leaves_the_page(a_house: House) -> None:
    page = await ready(a_house, "sara")
    contact = await made(a_house)
    offer = await page.hear_type("offer")
    other = await a_house.open("/ws/v1/agent", "reza")
    await other.begin()
    await other.say(type="shown", offer=offer["offer"])
    assert (await other.command("x", "accept", offer=offer["offer"]))["reason"] == "offer_over"
    assert (await page.command("3", "reject", offer=offer["offer"]))["ok"]
    async with await a_house.client("boss") as http:
        (task,) = (await http.get("/api/v1/tasks")).json()["tasks"]
        assert (task["contact"], task["state"], task["requirement"]) == (contact, "waiting", "fa>=1")
        assert (await http.delete(f"/api/v1/tasks/{contact}")).status_code == 204
        assert (await http.delete(f"/api/v1/tasks/{contact}")).status_code == 404
        assert (await http.get("/api/v1/tasks")).json() == {"tasks": []}
    await page.until(lambda state: "task_offers" not in state)
    await page.close()
    await other.close()


async def test_a_task_in_hand_is_not_taken_back(a_house: House) -> None:
    page = await ready(a_house, "sara")
    contact = await made(a_house)
    await page.hear_type("offer")
    assert (await page.command("3", "accept"))["ok"]
    async with await a_house.client("boss") as http:
        held = await http.delete(f"/api/v1/tasks/{contact}")
        assert (held.status_code, held.json()["code"]) == (409, "task_held")
        (task,) = (await http.get("/api/v1/tasks")).json()["tasks"]
        assert (task["state"], task["agent"]) == ("held", "sara")
    await page.close()


async def test_the_same_request_makes_one_task(a_house: House) -> None:
    async with await a_house.client("boss") as http:
        body, key = {"queue": "loans", "note": "x"}, {"idempotency-key": "k-9"}
        first = await http.post("/api/v1/tasks", json=body, headers=key)
        again = await http.post("/api/v1/tasks", json=body, headers=key)
        assert first.json() == again.json()
        assert len((await http.get("/api/v1/tasks")).json()["tasks"]) == 1
        for wrong, status in (
            ({"queue": "nowhere"}, 422),
            ({"queue": "loans", "preferred_agent": "ghost"}, 422),
            ({"queue": "loans", "segment": "ghost"}, 422),
            ({"queue": "loans", "kind": "call"}, 422),
            ({"queue": "loans", "note": "x" * 2_001}, 422),
        ):
            assert (await http.post("/api/v1/tasks", json=wrong)).status_code == status, wrong
    async with await a_house.client("sara") as http:
        assert (await http.post("/api/v1/tasks", json=body)).status_code == 403
        assert (await http.get("/api/v1/tasks")).status_code == 403


async def test_what_goes_with_a_task_is_there_after_a_start(tmp_path: Path) -> None:
    async with house(tmp_path, more={"customers": Customers()}) as built:
        async with await built.client("boss") as http:
            gone = await http.post("/api/v1/tasks", json={"queue": "sales", "customer": "k2"})
            assert (gone.status_code, gone.json()["code"]) == (422, "unknown_customer")
        contact = await made(built, note="Send it.")
        built.desk._task_cards.clear()
        await queries.keep_task_note(
            built.deps.database, queries.TaskNoteRow(contact, "k1", "another", "boss", T0_US)
        )
        await restore(built.deps)
        assert built.desk._task_cards[contact]["note"] == "Send it.", "what was kept first stays"
