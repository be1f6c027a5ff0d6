"""What people see on the wall, and what they see when it hears nothing."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.pages import AT_US, ORIGIN, Json, Server

pytestmark = pytest.mark.needs("chromium")

AGENTS: Json = {"available": 1, "ringing": 0, "on_call": 1, "wrap_up": 0, "not_ready": 1, "unreachable": 0}


def figures(**more: object) -> Json:
    known: Json = {"waiting": 0, "offered": 0, "answered": 0, "abandoned": 0, "flowed_out": 0, "talking": 0}
    return {**known, "agents": AGENTS, **more}


def wall_state() -> Json:
    busy = figures(
        waiting=12,
        longest_wait_since_us=AT_US - 30_000_000,
        offered=40,
        answered=30,
        abandoned=4,
        service_level=0.5,
        abandon_rate=0.1,
        asa_s=75.0,
    )
    return {
        "site": {"name": {"fa": "بانک", "en": "Bank"}, "language": "fa", "time_zone": "Asia/Tehran"},
        "queues": {
            "loans": {"label": {"fa": "وام", "en": "Loans"}, "target_s": 20.0, **busy},
            "vip": {"label": {"fa": "ویژه", "en": "VIP"}, "target_s": 20.0, **figures()},
        },
        "total": busy,
        "agents": {
            "sara": {
                "name": {"fa": "سارا", "en": "Sara"},
                "status": "available",
                "activity": "on_call",
                "since_us": AT_US - 65_000_000,
                "queue": "loans",
            },
            "ali": {
                "name": "Ali",
                "status": "not_ready",
                "reason": "meal",
                "activity": "idle",
                "since_us": AT_US,
            },
        },
        "reasons": {"meal": {"fa": "ناهار", "en": "Meal"}},
        "contacts_now": 13,
    }


def open_wall(serve: Open, language: str, **size: int) -> Server:
    server = serve(language, **size)
    server.account = {"name": "wall", "role": "wall"}
    server.state = wall_state()
    server.page.goto(f"{ORIGIN}/wall?lang={language}")
    server.page.wait_for_selector("[data-tile=waiting]")
    return server


@pytest.mark.parametrize(
    ("language", "direction", "waiting", "share", "answer"),
    [("fa", "rtl", "۱۲", "۵۰", "۰۱:۱۵"), ("en", "ltr", "12", "50", "01:15")],
)
def test_a_wall_speaks_both_languages(
    serve: Open, language: str, direction: str, waiting: str, share: str, answer: str
) -> None:
    page = open_wall(serve, language).page
    assert page.get_attribute("html", "dir") == direction
    assert page.inner_text("[data-tile=waiting] .big") == waiting
    assert share in page.inner_text("[data-tile=service_level] .big")
    assert page.inner_text("[data-tile=asa] .big") == answer
    assert page.evaluate("document.fonts.check('16px Vazirmatn')")


def test_a_choice_of_language_is_kept(serve: Open) -> None:
    page = open_wall(serve, "en").page
    page.click("button:has-text('فارسی')")
    expect(page.locator("[data-tile=waiting] .big")).to_have_text("۱۲")
    page.goto(f"{ORIGIN}/wall")
    expect(page.locator("[data-tile=waiting] .big")).to_have_text("۱۲")


def test_what_was_not_counted_is_a_dash_and_not_zero(serve: Open) -> None:
    row = open_wall(serve, "en").page.locator("[data-queue=vip]")
    for label in ("Longest wait", "Service level", "Abandoned", "Average answer time"):
        assert "—" in row.locator(f"td[data-label='{label}']").inner_text()


def test_a_missed_target_is_said_in_words(serve: Open) -> None:
    page = open_wall(serve, "en").page
    expect(page.locator("[data-tile=service_level]")).to_have_attribute("data-level", "action")
    assert "Act now" in page.inner_text("[data-tile=service_level]")


def test_an_agent_has_a_word_and_a_time(serve: Open) -> None:
    page = open_wall(serve, "en").page
    assert "On call" in page.inner_text("[data-agent=sara] .state")
    assert page.inner_text("[data-agent=sara] .time").startswith("01:0")
    assert page.inner_text("[data-agent=ali] .state") == "Meal"


def test_a_change_is_shown_and_a_missing_number_is_asked_for(serve: Open) -> None:
    server = open_wall(serve, "en")
    server.patch({"total": {"waiting": 13}})
    expect(server.page.locator("[data-tile=waiting] .big")).to_have_text("13")
    server.seq += 1
    server.state["total"]["waiting"] = 15
    server.patch({"total": {"waiting": 14}})
    expect(server.page.locator("[data-tile=waiting] .big")).to_have_text("15")
    assert server.heard[-1] == {"type": "resume", "epoch": "e1", "seq": 2}


def test_a_wall_that_hears_nothing_says_so_and_stops_its_timers(serve: Open) -> None:
    server = open_wall(serve, "en")
    page, wall = server.page, server.page.locator(".wall")
    expect(wall).to_have_attribute("data-freshness", "fresh")
    server.away = True
    page.clock.pause_at(AT_US / 1_000_000 + 60)
    page.clock.run_for(1_000)
    expect(wall).to_have_attribute("data-freshness", "stale")
    frozen = page.inner_text("[data-tile=longest_wait] .big")
    page.clock.run_for(20_000)
    assert page.inner_text("[data-tile=longest_wait] .big") == frozen
    assert "STALE" in page.inner_text("body")


@pytest.mark.parametrize("language", ["fa", "en"])
@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (390, 844)])
def test_nothing_is_wider_than_the_screen(serve: Open, language: str, width: int, height: int) -> None:
    page = open_wall(serve, language, width=width, height=height).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if height == 1080:
        assert page.evaluate("document.documentElement.scrollHeight") <= height


def test_who_is_not_signed_in_is_asked_to(serve: Open) -> None:
    server = serve("en")
    server.page.goto(f"{ORIGIN}/wall?kiosk")
    server.page.wait_for_url("**/login?next=%2Fwall%3Fkiosk")


def test_signing_in_goes_on_to_the_wanted_page(serve: Open) -> None:
    server = serve("en")
    server.state = wall_state()
    page = server.page
    page.goto(f"{ORIGIN}/login?next=/wall?kiosk")
    page.fill("[name=name]", "board")
    page.fill("[name=password]", "wrong")
    page.click("[type=submit]")
    expect(page.locator("[role=alert]")).to_have_text("The user name or the password is not right.")
    page.fill("[name=password]", "right")
    page.click("[type=submit]")
    page.wait_for_url("**/wall?kiosk")


def test_signing_in_never_leads_to_a_foreign_page(serve: Open) -> None:
    server = serve("en")
    server.accounts = [{"name": "board", "password": "right", "role": "wall"}]
    server.state = wall_state()
    server.page.goto(f"{ORIGIN}/login?next=//elsewhere.example/wall")
    server.page.click(".demo-accounts button")
    server.page.wait_for_url(f"{ORIGIN}/wall")


ALARM: Json = {
    "kind": "unroutable",
    "queues": ["loans"],
    "missing": ["loans>=3"],
    "missing_labels": [{"fa": "وام (سطح 3 و بالاتر)", "en": "Loans ≥ 3"}],
    "since_us": AT_US - 70_000_000,
}


@pytest.mark.parametrize(
    ("language", "said", "needed"),
    [
        ("fa", "وام: هیچ‌یک از کارشناسان حاضر نمی‌تواند پاسخ دهد", "نیاز: وام (سطح ۳ و بالاتر)"),
        ("en", "Loans: nobody who is signed in can answer", "Needed: Loans ≥ 3"),
    ],
)
def test_that_nobody_can_answer_is_said_in_words_until_somebody_can(
    serve: Open, language: str, said: str, needed: str
) -> None:
    server = open_wall(serve, language, width=1920, height=1080)
    strip = server.page.locator(".alarm-strip")
    expect(strip.locator("li")).to_have_count(0)
    server.patch({"alarms": {"unroutable:loans>=3": ALARM}})
    expect(strip).to_contain_text(said)
    expect(strip).to_contain_text(needed)
    assert server.page.evaluate("document.documentElement.scrollHeight") <= 1080
    server.patch({"alarms": {"unroutable:loans>=3": None}})
    expect(strip.locator("li")).to_have_count(0)


def test_a_queue_says_what_to_expect_and_that_its_reserve_is_open(serve: Open) -> None:
    server = open_wall(serve, "en")
    row = server.page.locator("[data-queue=loans]")
    expect(row.locator("[data-expected]")).to_have_count(0)
    server.patch({"queues": {"loans": {"expected_wait_s": {"low": 30, "likely": 60, "high": 95}}}})
    expect(row.locator("[data-expected]")).to_have_text("Expected wait 00:30 to 01:35")
    server.patch({"queues": {"loans": {"expected_wait_s": None, "reserve_open": True}}})
    expect(row.locator("[data-expected]")).to_have_count(0)
    expect(row.locator("[data-reserve]")).to_have_text("Reserve open")


def line_of_loans() -> Json:
    common = {"queue": "loans", "contact": "c1", "kind": "call", "step": 0, "priority": 0, "attached": True}
    return {
        "loans": [
            {
                **common,
                "visit": "c1.1",
                "state": "waiting",
                "waiting_since_us": AT_US - 130_000_000,
                "requirement_label": {"fa": "وام (سطح 3 و بالاتر)", "en": "Loans ≥ 3"},
                "ahead": 0,
                "cause": "nobody_signed_in",
                "agents": [
                    {"agent": "reza", "name": {"fa": "رضا", "en": "Reza"}, "reason": "signed_out"},
                    {
                        "agent": "sara",
                        "name": {"fa": "سارا", "en": "Sara"},
                        "reason": "missing_skill",
                        "skill_label": {"fa": "وام", "en": "Loans"},
                        "needed": 3,
                        "has": 0,
                    },
                ],
            },
            {
                **common,
                "visit": "c2.1",
                "state": "waiting",
                "waiting_since_us": AT_US - 40_000_000,
                "requirement_label": {"fa": "سارا", "en": "Sara"},
                "step": 1,
                "ahead": 2,
                "cause": "all_busy",
                "waits_for": "sara",
                "expected_wait_s": {"low": 20, "likely": 90, "high": 200},
                "agents": [],
            },
        ]
    }


def open_panel(serve: Open, language: str, **size: int) -> Server:
    server = serve(language, **size)
    server.account = {"name": "boss", "role": "supervisor"}
    server.answers["/api/v1/queues/waiting"] = {"queues": line_of_loans()}
    server.state = wall_state()
    server.page.goto(f"{ORIGIN}/wall?lang={language}")
    server.page.click("[data-action=why]")
    return server


def test_a_supervisor_sees_who_waits_and_why(serve: Open) -> None:
    page = open_panel(serve, "en").page
    first, second = (page.locator(f"[data-visit='{name}']") for name in ("c1.1", "c2.1"))
    expect(first).to_contain_text("Nobody who could answer is signed in")
    expect(first).to_contain_text("Asks for Loans ≥ 3 · next in line")
    expect(first).to_contain_text("Reza not signed in")
    expect(first).to_contain_text("Sara Loans: has 0, needs 3")
    expect(second).to_contain_text("All who can answer are busy")
    expect(second).to_contain_text("step 1 · 2 before them · waits for Sara · about 01:30 more")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)


def test_who_waits_and_why_is_said_in_persian_within_a_narrow_screen(serve: Open) -> None:
    page = open_panel(serve, "fa", width=390, height=844).page
    expect(page.locator("[data-visit='c1.1']")).to_contain_text("کسی که بتواند پاسخ دهد وارد نشده است")
    expect(page.locator("[data-visit='c1.1']")).to_contain_text("وام: سطح ۰، لازم ۳")
    assert page.evaluate("document.querySelector('dialog').scrollWidth") <= 390


def test_a_screen_on_a_wall_is_not_asked_why(serve: Open) -> None:
    expect(open_wall(serve, "en").page.locator("[data-action=why]")).to_have_count(0)
