"""The whole product in a thread of its own, for tests that drive its real pages in a browser.

The browser's library keeps the test's own thread, so the center, its server and the simulated PBX run on a loop
beside it. Nobody calls by themselves: a test says who calls, which keys they press and how long they talk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from acd.view import SiteView
from ami_bridge.simulator.callers import CallerId, CallerScript, CallOutcome, KeyPress
from ami_bridge.simulator.phones import answers
from pasokh.customers import sample_numbers
from pasokh.demo import YOU, Demo, DemoOptions, running

T = TypeVar("T")

NOBODY_CALLS = 0.000_001
"""Calls per second of the demonstration's own crowd: none while a test lasts."""


@dataclass(frozen=True, slots=True)
class Product:
    """A running product. Everything here may be called from the test's thread."""

    demo: Demo
    loop: asyncio.AbstractEventLoop

    @property
    def url(self) -> str:
        return self.demo.url

    def password(self, name: str) -> str:
        return next(one["password"] for one in self.demo.accounts if one["name"] == name)

    def view(self) -> SiteView:
        return self._there(self.demo.view)

    def answer_after(self, after_s: float) -> None:
        """The agent's phone is lifted so long after its first ring."""
        self.demo.simulator.phone(YOU).habit = answers(after_s)

    def call(
        self, keys: str, *, talk_s: float, number: int = 0, patience_s: float | None = None
    ) -> Future[CallOutcome]:
        """A known customer calls; what became of it, from the caller's side, when it is over."""
        dialled = next(iter(self.demo.run.engine.site.numbers)) if self.demo.run.engine else ""
        script = CallerScript(
            dialled,
            CallerId(sample_numbers()[number]),
            tuple(KeyPress(key, 0.2) for key in keys),
            patience_s,
            talk_s,
        )
        return asyncio.run_coroutine_threadsafe(self.demo.simulator.call(script), self.loop)

    def _there(self, what: Callable[[], T]) -> T:
        async def run() -> T:
            return what()

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(10)


@contextmanager
def product(agents: int) -> Iterator[Product]:
    """The product with so many busy colleagues of the agent whose page the test opens."""
    ready: Future[tuple[Product, asyncio.Event]] = Future()

    async def run() -> None:
        over = asyncio.Event()
        options = DemoOptions(port=0, agents=agents, calls_per_s=NOBODY_CALLS)
        async with running(options, lambda text: None) as demo:
            ready.set_result((Product(demo, asyncio.get_running_loop()), over))
            await over.wait()
            assert demo.failures == []

    with ThreadPoolExecutor(1, thread_name_prefix="product") as beside:
        ended = beside.submit(asyncio.run, run())
        wait([ready, ended], timeout=60, return_when=FIRST_COMPLETED)
        if ended.done():
            ended.result()
        built, over = ready.result(0)
        try:
            yield built
        finally:
            built.loop.call_soon_threadsafe(over.set)
            ended.result(60)
