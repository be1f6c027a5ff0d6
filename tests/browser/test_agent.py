"""The agent's page: the card before the ring, what can be pressed when, and that it never gets in the way."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.pages import AT_US, ORIGIN, Json, Server

pytestmark = pytest.mark.needs("chromium")

CARD: Json = {
    "contact": "c1",
    "known": True,
    "caller": "0912 345 6789",
    "matches": 1,
    "customer": {"id": "k1", "name": {"fa": "لیلا", "en": "Leila"}, "phones": []},
    "verified": False,
    "recent": [],
    "others": [],
}
OFFER: Json = {
    "offer": "c1.1.1",
    "contact": "c1",
    "queue": "loans",
    "queue_label": {"fa": "وام", "en": "Loans"},
    "wait_us": 73_000_000,
    "ring_until_us": AT_US + 600_000_000,
    "can_accept": False,
}
CODES = ["resolved", "follow_up", "complaint", "info", "wrong", "branch", "sale"]


def visit(**more: object) -> Json:
    return {
        "visit": "c1.1",
        "contact": "c1",
        "queue": "loans",
        "since_us": AT_US,
        "dispositions": [{"code": code, "label": {"fa": code, "en": code}} for code in CODES],
        "disposition_required": True,
        **more,
    }


def open_desk(serve: Open, language: str = "en", **agent: object) -> Server:
    server = serve(language)
    server.account = {"name": "sara", "role": "agent", "agent": "sara"}
    own = {"id": "sara", "name": {"fa": "سارا", "en": "Sara"}, "status": "available", "activity": "idle"}
    server.state = {
        "agent": {**own, "since_us": AT_US, "phone": "1001", **agent},
        "phones": [{"id": "1001", "label": "1001"}, {"id": "1002", "label": "1002"}],
        "reasons": {"meal": {"fa": "ناهار", "en": "Meal"}},
    }
    server.react = lambda message: (
        server.send({"type": "result", "id": message["id"], "ok": True})
        if message["type"] == "command"
        else None
    )
    server.page.goto(f"{ORIGIN}/agent?lang={language}")
    server.page.wait_for_selector("main")
    return server


def wait_said(server: Server, kind: str) -> Json:
    """The first message of this kind; it may be on its way."""
    for _ in range(100):
        if found := server.said(kind):
            return found[0]
        server.page.wait_for_timeout(20)
    raise AssertionError(f"The page never said {kind}; it said {server.heard}.")


def test_shown_is_said_once_and_only_when_the_card_is_there(serve: Open) -> None:
    server = open_desk(serve)
    server.send({"type": "offer", **OFFER})
    expect(server.page.locator(".offer")).to_contain_text("Loans")
    server.page.wait_for_timeout(200)
    assert server.said("shown") == []
    server.send({"type": "card", "contact": "c1", "card": CARD})
    assert wait_said(server, "shown") == {"type": "shown", "offer": "c1.1.1"}
    server.patch({"agent": {"activity": "ringing"}, "offer": {**OFFER, "card": CARD}})
    expect(server.page.locator(".offer h3")).to_have_text("Leila")
    server.page.wait_for_timeout(200)
    assert len(server.said("shown")) == 1


def test_a_phone_that_must_be_lifted_cannot_be_answered_by_a_button(serve: Open) -> None:
    server = open_desk(serve, "fa")
    server.send({"type": "offer", **OFFER, "card": CARD})
    accept = server.page.locator("[data-action=accept]")
    expect(accept).to_have_attribute("aria-disabled", "true")
    expect(server.page.locator(".offer")).to_contain_text("گوشی را بردارید")
    accept.click(force=True)
    server.page.click("[data-action=reject]")
    assert wait_said(server, "reject")["offer"] == "c1.1.1"
    assert server.said("accept") == []


def test_an_offer_that_is_over_leaves_the_screen(serve: Open) -> None:
    server = open_desk(serve)
    server.send({"type": "offer", **OFFER, "card": CARD})
    server.patch({"agent": {"activity": "ringing"}, "offer": {**OFFER, "card": CARD}})
    expect(server.page.locator(".offer")).to_be_visible()
    server.patch({"agent": {"activity": "idle"}, "offer": None})
    expect(server.page.locator(".offer")).to_have_count(0)


def test_the_card_stays_from_the_ring_to_the_end_of_wrap_up(serve: Open) -> None:
    server = open_desk(serve)
    server.send({"type": "offer", **OFFER, "card": CARD})
    server.patch({"agent": {"activity": "on_call"}, "visit": visit()})
    name = server.page.locator(".visit h3")
    expect(name).to_have_text("Leila")
    expect(server.page.locator(".offer")).to_have_count(0)
    server.patch({"agent": {"activity": "wrap_up"}, "visit": {"wrap_up_until_us": AT_US + 600_000_000}})
    expect(server.page.locator(".wrapping h3")).to_have_text("Leila")


def test_wrap_up_ends_after_a_required_disposition_by_keyboard_alone(serve: Open) -> None:
    server = open_desk(serve)
    server.patch(
        {"agent": {"activity": "wrap_up"}, "visit": visit(wrap_up_until_us=AT_US + 600_000_000), "card": CARD}
    )
    page = server.page
    expect(page.locator("[data-action=done]")).to_have_attribute("aria-disabled", "true")
    page.keyboard.press("F10")
    page.keyboard.press("F7")
    page.keyboard.type("compl")
    page.keyboard.press("Enter")
    assert wait_said(server, "disposition")["code"] == "complaint"
    assert server.said("end_wrap_up") == []
    server.patch({"visit": {"disposition": "complaint"}})
    expect(page.locator("[data-action=done]")).to_have_attribute("aria-disabled", "false")
    page.keyboard.press("F10")
    wait_said(server, "end_wrap_up")


def test_an_offer_takes_no_focus_from_a_text_field_and_is_announced(serve: Open) -> None:
    server = open_desk(serve)
    server.patch({"agent": {"activity": "on_call"}, "visit": visit(), "card": CARD})
    page = server.page
    page.click("input[type=search]")
    page.keyboard.type("sa")
    server.send({"type": "offer", **OFFER, "offer": "c2.1.1", "contact": "c2"})
    expect(page.locator(".offer")).to_be_visible()
    page.keyboard.type("le")
    assert page.input_value("input[type=search]") == "sale"
    expect(page.locator(".unseen[role=alert]")).to_have_text("Incoming call from Loans")
    expect(page.locator(".visit h3")).to_have_text("Leila")


def test_a_reason_is_asked_for_and_a_refusal_is_read_out(serve: Open) -> None:
    server = open_desk(serve, "fa")
    server.react = lambda message: (
        server.send({"type": "result", "id": message["id"], "ok": False, "reason": "unknown_reason"})
        if message["type"] == "command"
        else None
    )
    server.page.click("button[data-status=not_ready]")
    server.page.click("[data-reason=meal]")
    asked = wait_said(server, "status")
    assert (asked["status"], asked["reason"]) == ("not_ready", "meal")
    expect(server.page.locator(".refusal")).to_have_text("این دلیل وجود ندارد.")


def test_shortcuts_can_be_turned_off(serve: Open) -> None:
    server = open_desk(serve, status="not_ready")
    page = server.page
    page.click("button[aria-label='Keyboard shortcuts']")
    page.uncheck("dialog input[type=checkbox]")
    page.click("dialog button")
    page.keyboard.press("F2")
    page.click("button[data-status=offline]")
    assert wait_said(server, "status")["status"] == "offline"
    assert len(server.said("status")) == 1


def test_an_agent_signs_in_at_a_phone(serve: Open) -> None:
    server = serve("en")
    server.account = {"name": "sara", "role": "agent"}
    server.state = {
        "agent": {"id": "sara", "status": "offline", "activity": "idle", "since_us": AT_US},
        "usual_phone": "1002",
        "phones": [{"id": "1001"}, {"id": "1002"}],
    }
    server.page.goto(f"{ORIGIN}/agent?lang=en")
    expect(server.page.locator("[data-phone='1002'] input")).to_be_checked()
    server.page.click("[data-action=sign_in]")
    assert wait_said(server, "sign_in")["phone"] == "1002"


def test_the_sound_is_off_until_a_click_and_the_choice_is_remembered(serve: Open) -> None:
    server = open_desk(serve)
    page = server.page
    page.evaluate(
        "() => { window.beeps = 0; const start = OscillatorNode.prototype.start;"
        " OscillatorNode.prototype.start = function (at) { window.beeps++; start.call(this, at); }; }"
    )
    server.send({"type": "offer", **OFFER, "card": CARD})
    server.patch({"agent": {"activity": "ringing"}, "offer": {**OFFER, "card": CARD}})
    expect(page.locator(".offer")).to_be_visible()
    page.clock.run_for(5_000)
    assert page.evaluate("window.beeps") == 0
    switch = page.locator("[data-action=ring]")
    switch.click()
    expect(switch).to_have_attribute("aria-pressed", "true")
    page.clock.run_for(5_000)
    heard = page.evaluate("window.beeps")
    assert heard > 2
    server.patch({"agent": {"activity": "idle"}, "offer": None})
    expect(page.locator(".offer")).to_have_count(0)
    page.clock.run_for(5_000)
    assert page.evaluate("window.beeps") == heard, "silent once the call is gone"
    page.reload()
    expect(switch).to_have_attribute("aria-pressed", "true")


def test_the_title_changes_slowly_and_only_while_nobody_sees_the_page(serve: Open) -> None:
    server = open_desk(serve)
    page = server.page
    server.send({"type": "offer", **OFFER, "card": CARD})
    server.patch({"agent": {"activity": "ringing"}, "offer": {**OFFER, "card": CARD}})
    expect(page).to_have_title("☎ Incoming call")
    page.evaluate(
        "() => { window.titles = 0; new MutationObserver(() => window.titles++)"
        ".observe(document.querySelector('title'), {childList: true}); }"
    )
    page.clock.run_for(5_000)
    assert page.title() == "☎ Incoming call"
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    before = page.evaluate("window.titles")
    page.clock.run_for(5_000)
    assert 3 <= page.evaluate("window.titles") - before <= 6
    server.patch({"agent": {"activity": "idle"}, "offer": None})
    expect(page).to_have_title("Sara · Pasokh")


TASK: Json = {
    "kind": "task",
    "visit": "task-1.1",
    "contact": "task-1",
    "queue": "mail",
    "queue_label": {"fa": "نامه‌ها", "en": "Letters"},
    "since_us": AT_US,
    "dispositions": [{"code": "sent", "label": {"fa": "فرستاده شد", "en": "Sent"}}],
    "disposition_required": True,
    "card": {"contact": "task-1", "known": False, "verified": False, "note": "Send the contract."},
}
TASK_OFFER: Json = {
    "kind": "task",
    "offer": "task-1.1.1",
    "contact": "task-1",
    "queue": "mail",
    "queue_label": {"fa": "نامه‌ها", "en": "Letters"},
    "wait_us": 73_000_000,
    "ring_until_us": AT_US + 600_000_000,
    "can_accept": True,
    "why": {"rule": "longest-idle", "idle_s": 42.1, "free": 3},
    "card": {"contact": "task-1", "known": False, "verified": False, "note": "Send the contract."},
}


def test_a_task_is_taken_on_and_finished_by_keyboard(serve: Open) -> None:
    server = open_desk(serve)
    page = server.page
    server.send({"type": "offer", **TASK_OFFER})
    server.patch({"agent": {"activity": "ringing"}, "task_offers": [TASK_OFFER]})
    panel = page.locator("[data-task-offer]")
    expect(panel).to_contain_text("New task: Letters")
    expect(panel).to_contain_text("Send the contract.")
    expect(panel).to_contain_text("Why you: free the longest, free for 00:42")
    assert wait_said(server, "shown")["offer"] == "task-1.1.1"
    expect(page.locator(".offer")).to_have_count(0)
    page.keyboard.press("F8")
    assert wait_said(server, "accept")["offer"] == "task-1.1.1"
    server.patch({"agent": {"activity": "on_task"}, "task_offers": None, "tasks": [TASK]})
    expect(page.locator(".status-bar strong")).to_have_text("On a task")
    page.keyboard.press("F6")
    expect(page.locator("[data-task]")).to_contain_text("Choose how it ended first.")
    page.keyboard.press("F7")
    page.keyboard.press("Enter")
    assert wait_said(server, "disposition")["visit"] == "task-1.1"
    server.patch({"tasks": [{**TASK, "disposition": "sent"}]})
    expect(page.locator("[data-task] [data-action=finish]")).to_have_attribute("aria-disabled", "false")
    page.keyboard.press("F6")
    assert wait_said(server, "finish")["visit"] == "task-1.1"


def test_a_call_rings_beside_a_task_in_hand(serve: Open) -> None:
    server = open_desk(serve, "fa", activity="on_task")
    server.patch({"tasks": [TASK]})
    why: Json = {"rule": "preferred", "idle_s": 3.0, "free": 1}
    server.send({"type": "offer", **OFFER, "why": why, "card": CARD})
    page = server.page
    expect(page.locator(".offer")).to_contain_text("چرا شما: کارشناس همین مشتری هستید")
    expect(page.locator("[data-task]")).to_contain_text("نامه‌ها")
    page.keyboard.press("F9")
    assert wait_said(server, "reject")["offer"] == OFFER["offer"]


def test_a_callback_is_accepted_by_the_button_and_ended_by_the_agent(serve: Open) -> None:
    server = open_desk(serve)
    page = server.page
    known: Json = {**CARD, "note": "About the loan."}
    server.send({"type": "offer", **OFFER, "kind": "callback", "can_accept": True, "card": known})
    expect(page.locator(".offer")).to_contain_text("Call a customer back: Loans")
    expect(page.locator(".offer")).to_contain_text("About the loan.")
    page.click(".offer [data-action=accept]")
    assert wait_said(server, "accept")["offer"] == OFFER["offer"]
    server.patch({"agent": {"activity": "on_call"}, "visit": visit(kind="callback")})
    page.click("[data-action=finish]")
    assert wait_said(server, "finish")["visit"] == "c1.1"
