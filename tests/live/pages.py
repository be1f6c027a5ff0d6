"""Agents and walls as real clients of the product's sockets, with what each saw by the host's wall clock.

async with Desk(url, token, "c1") as desk:
    await desk.sign_in("c1-phone")
    await desk.until("the call", lambda: desk.activity == "on_call")
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

Json = dict[str, Any]


def wall_clock_us() -> int:
    return time.time_ns() // 1000


@dataclass(slots=True)
class SeenOffer:
    """An offer as the page had it: `came_us`, `shown_us` are wall-clock microseconds; `card` as it first came."""

    offer: str
    contact: str
    queue: str
    card: Json | None
    came_us: int
    shown_us: int


class Page:
    """A socket that keeps its state up to date. Entering it says hello and waits for the first state."""

    path = ""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.replace("http", "ws", 1) + self.path
        self._token = token
        self._changed = asyncio.Condition()
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self.state: Json = {}
        self.messages: list[Json] = []
        self.open = False

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    async def connect(self) -> None:
        """Also after the connection was lost: the state is asked for anew."""
        await self.close()
        headers = {"Authorization": f"Bearer {self._token}"}
        self._socket = await connect(self._url, additional_headers=headers)
        self.state, self.open = {}, True
        self._reader = asyncio.create_task(self._read(self._socket), name=f"page {self.path}")
        await self._socket.send('{"type":"hello"}')
        await self.until("the first state", lambda: bool(self.state))

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()
        if self._reader is not None:
            await self._reader
        self._socket = self._reader = None

    async def until(self, what: str, true: Callable[[], bool], timeout_s: float = 15) -> None:
        """Waits for a state or message; TimeoutError with the state when it does not come."""
        try:
            async with asyncio.timeout(timeout_s), self._changed:
                await self._changed.wait_for(true)
        except TimeoutError:
            raise TimeoutError(
                f"{self!r} did not see {what} within {timeout_s} s, but {self.brief()}"
            ) from None

    def brief(self) -> Json:
        return {key: value for key, value in self.state.items() if key not in ("site", "phones", "reasons")}

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for text in socket:
                await self._take(socket, json.loads(text))
        except ConnectionClosed:
            pass  # told by `open`
        finally:
            self.open = False
            async with self._changed:
                self._changed.notify_all()

    async def _take(self, socket: ClientConnection, message: Json) -> None:
        came_us = wall_clock_us()
        if message["type"] == "snapshot":
            self.state = message["state"]
        elif message["type"] == "delta":
            merge(self.state, message["patch"])
        elif message["type"] != "tick":
            self.messages.append(message)
        await self._heard(socket, message, came_us)
        async with self._changed:
            self._changed.notify_all()

    async def _heard(self, socket: ClientConnection, message: Json, came_us: int) -> None:
        """What this kind of page does with a message, before those who wait are woken."""


class Wall(Page):
    """A screen on the wall."""

    path = "/ws/v1/wall"

    @property
    def total(self) -> Json:
        found: Json = self.state["total"]
        return found


class Desk(Page):
    """One agent at their page. Every offer's card is shown at once, as a page does; `finish` is the disposition
    with which wrap-up is ended by itself (None: it is left to the test)."""

    path = "/ws/v1/agent"

    def __init__(self, url: str, token: str, agent: str, finish: str | None = None) -> None:
        super().__init__(url, token)
        self.agent = agent
        self.finish = finish
        self.offers: list[SeenOffer] = []
        self.activities: list[str] = []
        self._requests = 0
        self._finished: str | None = None
        self._results: dict[str, Json] = {}

    def __repr__(self) -> str:
        return f"the page of {self.agent}"

    @property
    def activity(self) -> str:
        return str(self.state.get("agent", {}).get("activity"))

    @property
    def status(self) -> str:
        return str(self.state.get("agent", {}).get("status"))

    async def sign_in(self, phone: str) -> None:
        """Signed in at this phone, available and idle."""
        await self.command("sign_in", phone=phone)
        await self.command("status", status="available")
        await self.until_idle()

    async def until_idle(self) -> None:
        await self.until("being idle", lambda: (self.status, self.activity) == ("available", "idle"))

    async def until_done(self) -> None:
        """The call at this desk is over, however it went."""
        await self.until("the end", lambda: self.activity in ("idle", "not_responding"))

    async def command(self, command: str, **arguments: Any) -> None:
        """Asks, and waits for yes. AssertionError with the reason for no."""
        assert self._socket is not None
        request = await self._ask(self._socket, command, **arguments)
        await self.until(f"an answer to {command}", lambda: request in self._results)
        answer = self._results[request]
        assert answer["ok"], f"{self!r}: {command} was refused: {answer['reason']}"

    async def _ask(self, socket: ClientConnection, command: str, **arguments: Any) -> str:
        self._requests += 1
        request = str(self._requests)
        await socket.send(json.dumps({"type": "command", "id": request, "command": command, **arguments}))
        return request

    async def _heard(self, socket: ClientConnection, message: Json, came_us: int) -> None:
        if message["type"] == "offer":
            await socket.send(json.dumps({"type": "shown", "offer": message["offer"]}))
            self.offers.append(
                SeenOffer(
                    message["offer"],
                    message["contact"],
                    message["queue"],
                    message.get("card"),
                    came_us,
                    wall_clock_us(),
                )
            )
        elif message["type"] == "result":
            self._results[message["id"]] = message
        if self.state and (not self.activities or self.activities[-1] != self.activity):
            self.activities.append(self.activity)
        visit = self.state.get("visit")
        if (
            self.finish is not None
            and self.activity == "wrap_up"
            and visit
            and visit["visit"] != self._finished
        ):
            self._finished = visit["visit"]
            await self._ask(socket, "disposition", visit=visit["visit"], code=self.finish)
            await self._ask(socket, "end_wrap_up")


def merge(state: Json, patch: Json) -> None:
    """RFC 7396, in place."""
    for key, value in patch.items():
        if value is None:
            state.pop(key, None)
        elif isinstance(value, dict) and isinstance(state.get(key), dict):
            merge(state[key], value)
        else:
            state[key] = value
