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
