"""One Chromium for all tests of pages, and for each test a page of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests import parts
from tests.browser.pages import AT_US, Server

Open = Callable[..., Server]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = parts.chromium()
    if program is None:
        pytest.skip("a real part is missing: chromium")
    expect.set_options(timeout=15_000)  # a busy machine takes its time; what is wrong is wrong then, too
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=program, args=list(parts.CHROMIUM_ARGS))
        yield found
        found.close()


@pytest.fixture
def serve(browser: Browser) -> Iterator[Open]:
    """Makes a page with its server; afterwards the page must have asked nobody else and broken nothing."""
    servers: list[Server] = []

    def make(language: str = "fa", width: int = 1280, height: int = 900) -> Server:
        context = browser.new_context(
            locale="fa-IR" if language == "fa" else "en-GB",
            timezone_id="Asia/Tehran",
            viewport={"width": width, "height": height},
        )
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.clock.install(time=AT_US / 1_000_000)
        server = Server(page)
        server.start()
        servers.append(server)
        return server

    yield make
    for server in servers:
        server.page.context.close()
    assert [url for server in servers for url in server.outside] == []
    assert [error for server in servers for error in server.errors] == []
