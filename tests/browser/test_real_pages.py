"""The pages against the product itself: its server, its center, a simulated PBX with callers and phones.

An agent's whole day is done by keyboard alone, and every page on the way is read by axe, in light and in dark.
With PASOKH_SHOTS set to a folder, what was seen is kept there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from realtime.settings import HttpSettings
from tests.browser.real import Product, product

pytestmark = pytest.mark.needs("chromium")

AXE = HttpSettings().dist.parent / "node_modules" / "axe-core" / "axe.min.js"
LABELS = {
    "fa": {"queue": "تسهیلات", "disposition": "شکایت", "agent": "شما", "by": "سارا احمدی"},
    "en": {"queue": "Loans", "disposition": "Complaint", "agent": "You", "by": "Sara Ahmadi"},
}


class Watch:
    """A page that remembers what went wrong on it and whom else it asked."""

    def __init__(self, browser: Browser, product: Product, language: str, width: int, height: int) -> None:
        self.product = product
        self.language = language
        self.wrong: list[str] = []
        self.unfit: dict[str, object] = {}
        self.page = browser.new_context(viewport={"width": width, "height": height}).new_page()
        self.page.set_default_timeout(15_000)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", self._console)
        self.page.on("request", self._request)

    def _console(self, message: object) -> None:
        if getattr(message, "type", "") in ("error", "warning"):
            self.wrong.append(str(getattr(message, "text", "")))

    def _request(self, request: object) -> None:
        url = str(getattr(request, "url", ""))
        if urlsplit(url).netloc != urlsplit(self.product.url).netloc:
            self.wrong.append(f"asked {url}")

    def log_in(self, name: str) -> None:
        page = self.page
        page.goto(f"{self.product.url}/login?lang={self.language}")
        self.look("login")
        self.reach("input[name=name]")
        page.keyboard.type(name)
        self.reach("input[name=password]")
        page.keyboard.type(self.product.password(name))
        page.keyboard.press("Enter")

    def reach(self, selector: str) -> None:
        """Tab until it has the focus, and see that the focus can be seen."""
        expect(self.page.locator(selector).first).to_be_visible()
        for _ in range(60):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("wanted => document.activeElement?.matches(wanted) ?? false", selector):
                outline = self.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
                assert outline != "none", f"nobody sees that {selector} has the focus"
                return
        raise AssertionError(f"{selector} cannot be reached by Tab")

    def press(self, selector: str) -> None:
        self.reach(selector)
        self.page.keyboard.press("Enter")

    def look(self, name: str) -> None:
        """Read the page with axe, in light and in dark, and keep a picture of it."""
        if folder := os.environ.get("PASOKH_SHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=Path(folder) / f"{name}-{self.language}.png")
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        # Colours do not depend on the language: the dark ones are read once.
        for scheme in ("dark", "light") if self.language == "fa" else ("light",):
            self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            result = self.page.evaluate("axe.run(document)")
            assert len(result["passes"]) > 10, "axe has read the page"
            for each in result["violations"]:
                places = [
                    (node["target"], node["any"][:1] and node["any"][0]["message"]) for node in each["nodes"]
                ]
                self.unfit[f"{name} {scheme} {each['id']}"] = places[:4]


@pytest.fixture(scope="module")
def running() -> Iterator[Product]:
    with product(agents=1) as built:
        yield built


@pytest.fixture
def watch(browser: Browser, running: Product) -> Iterator[Callable[..., Watch]]:
    made: list[Watch] = []

    def make(language: str, width: int = 1440, height: int = 860) -> Watch:
        made.append(Watch(browser, running, language, width, height))
        return made[-1]

    yield make
    for each in made:
        each.page.context.close()
    assert [wrong for each in made for wrong in each.wrong] == []
    assert {place: found for each in made for place, found in each.unfit.items()} == {}


def begin(agent: Watch, by: str) -> None:
    """Log in, sit down at the usual phone, become available: what the page itself leads to."""
    page = agent.page
    agent.log_in("agent")
    expect(page.locator("[data-phone=you] input")).to_be_checked()
    expect(page.locator("[data-phone=p01]")).to_contain_text(by)
    expect(page.locator("[data-phone=p01] input")).to_be_disabled()
    agent.look("agent-phones")
    agent.press("[data-action=sign_in]")
    expect(page.locator(".quiet-panel.asks")).to_be_visible()
    agent.look("agent-not-ready")
    agent.press("[data-action=available]")
    expect(page.locator(".quiet-panel.waits")).to_be_visible()


@pytest.mark.parametrize("language", ["fa", "en"])
def test_an_agents_day_by_keyboard(watch: Callable[..., Watch], running: Product, language: str) -> None:
    words = LABELS[language]
    agent = watch(language)
    page = agent.page
    before = running.view()
    begin(agent, words["by"])

    running.answer_after(4.0)
    calls = [running.call("13", talk_s=4.0, number=len(language))]
    expect(page.locator(".offer .card h3")).not_to_be_empty()
    name = page.locator(".offer .card h3").inner_text()
    expect(page.locator(".offer h2")).to_contain_text(words["queue"])
    page.reload()
    expect(page.locator(".offer .card h3")).to_have_text(name)
    expect(page.locator(".offer .countdown")).to_have_text(re.compile("[0-9۰-۹]{2}:[0-9۰-۹]{2}"))
    agent.look("agent-offer")

    expect(page.locator(".visit:not(.wrapping) .card h3")).to_have_text(name)
    page.reload()
    expect(page.locator(".visit:not(.wrapping) .card h3")).to_have_text(name)
    expect(page.locator(".dispositions [data-code]")).to_have_count(3)

    expect(page.locator(".wrapping .card h3")).to_have_text(name)
    page.reload()
    expect(page.locator(".wrapping .card h3")).to_have_text(name)
    expect(page.locator(".wrapping .countdown")).to_have_text(re.compile("[0-9۰-۹]{2}:[0-9۰-۹]{2}"))
    expect(page.locator("[data-action=done]")).to_have_attribute("aria-disabled", "true")
    agent.press("[data-code=complaint]")
    expect(page.locator("[data-code=complaint]")).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(page.locator("[data-code=complaint]")).to_have_attribute("aria-pressed", "true")
    agent.look("agent-wrap-up")
    agent.press("[data-action=done]")
    expect(page.locator(".quiet-panel.waits")).to_be_visible()

    calls.append(running.call("13", talk_s=1.0, number=len(language)))
    recent = page.locator(".offer .recent li").first
    expect(recent).to_contain_text(words["queue"])
    expect(recent).to_contain_text(words["disposition"])
    expect(recent).to_contain_text(words["agent"])
    expect(page.locator(".wrapping")).to_be_visible()
    page.keyboard.press("F7")
    page.keyboard.press("Enter")
    expect(page.locator("[data-action=done]")).to_have_attribute("aria-disabled", "false")
    page.keyboard.press("F10")
    expect(page.locator(".quiet-panel.waits")).to_be_visible()
    expect(page.locator("[data-figure=answered] dd")).to_have_text(re.compile("[2-9۲-۹]"))
    agent.press("button[data-status=offline]")
    expect(page.locator(".phones")).to_be_visible()

    assert [call.result(30).answered_by for call in calls] == ["you", "you"]
    after = running.view()
    assert after.total.answered - before.total.answered == 2
    assert after.card_before_ring is not None
    assert after.card_before_ring > 0


@pytest.mark.parametrize("language", ["fa", "en"])
def test_the_wall_shows_what_the_center_counts(
    watch: Callable[..., Watch], running: Product, language: str
) -> None:
    wall = watch(language, 1600, 900)
    wall.log_in("supervisor")
    page = wall.page
    expect(page.locator("[data-tile=waiting]")).to_be_visible()
    running.call("12", talk_s=0.5, number=9).result(60)
    nobody = running.call("13", talk_s=1.0, number=8, patience_s=10.0)
    expect(page.locator("[data-tile=waiting] .big")).to_have_text(re.compile("[1۱]"))
    expect(page.locator(".chart .line")).to_have_attribute("d", re.compile("M"))
    view = running.view()
    assert view.total.waiting == 1
    total = view.total
    left = plain(page.locator("[data-tile=abandoned] .note").inner_text())
    assert re.search(rf"\b{total.abandoned} (از|of) {total.offered}\b", left)
    answered = plain(page.locator("[data-tile=asa] .note").inner_text())
    assert re.search(rf"\b{total.answered}\b", answered)
    assert plain(page.locator("[data-queue=loans] td").first.inner_text()) == "1"
    level = total.service_level
    assert level is not None
    assert plain(page.locator("[data-tile=service_level] .big").inner_text()) == f"{level:.0%}"
    assert "80%" in plain(page.locator("[data-tile=service_level] .note").inner_text())
    page.reload()
    expect(page.locator(".chart .line")).to_have_attribute("d", re.compile("M.*L"))
    wall.look("wall")
    page.set_viewport_size({"width": 390, "height": 844})
    wall.look("wall-narrow")
    assert nobody.result(60).answered_by is None


def plain(text: str) -> str:
    """With ASCII digits, as a program would read it."""
    return text.translate(str.maketrans("۰۱۲۳۴۵۶۷۸۹٪", "0123456789%")).strip()
