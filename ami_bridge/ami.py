"""The manager link to one Asterisk: always there or on its way back.

`Ami` keeps one TCP connection: greeting, login by challenge, resync (`on_up`), then events until it breaks;
then again, with growing pauses. Replies are matched by ActionID, lists are collected, everything has a
deadline and a bound. Events are handed over in order, synchronously, in slices, so that a flood neither
blocks the loop nor grows our memory: while we are behind we do not read, and Asterisk drops us if that
takes long; the next resync heals it. pyst2 gives the words of the actions (`Ami.pyst2`), its threads and
sockets are not used.

Typed actions are in `actions.py`.
"""

from __future__ import annotations

import asyncio
import enum
import hashlib
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from .actions import ManagerActions, TypedActions, accepted, name_of
from .errors import AmiAuthError, AmiDown, AmiError, AmiMalformed, AmiRefused, AmiTimeout
from .wire import ActionFields, AmiMessage, AmiReader, encode_action


@dataclass(frozen=True, slots=True)
class AmiSettings:
    """Where Asterisk's manager is, as whom we log in, and every deadline and bound.

    `events` is the mask of classes we want to hear; the user's `read=` must allow them. The pause before the
    n-th try is `backoff_first_s` doubled n-1 times, at most `backoff_max_s`, times a random 0.5 to 1; it
    starts anew after the link was up for `stable_after_s`.
    """

    username: str
    secret: str = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 5038
    tls: ssl.SSLContext | None = None
    events: str = "call,agent,user"
    connect_timeout_s: float = 5.0
    greeting_timeout_s: float = 5.0
    action_timeout_s: float = 5.0
    list_timeout_s: float = 10.0
    resync_timeout_s: float = 10.0
    ping_every_s: float = 5.0
    dead_after_s: float = 15.0
    backoff_first_s: float = 1.0
    backoff_max_s: float = 30.0
    stable_after_s: float = 30.0
    slice_messages: int = 100
    max_message_bytes: int = 262_144
    max_pending: int = 5000
    max_list_items: int = 50_000
    max_unsent_bytes: int = 1_048_576


class AmiStatus(enum.StrEnum):
    DOWN = "down"
    CONNECTING = "connecting"
    AUTH_FAILED = "auth_failed"
    UP = "up"


@dataclass(frozen=True, slots=True)
class AmiState:
    """How the link is, why (one sentence for a person), and since when (loop time, seconds)."""

    status: AmiStatus
    reason: str
    since_s: float


@dataclass(slots=True)
class AmiCounters:
    connects: int = 0
    drops: int = 0
    auth_failures: int = 0
    events: int = 0
    late_replies: int = 0
    timeouts: int = 0
    callback_errors: int = 0


OnEvent = Callable[[AmiMessage], None]
OnUp = Callable[[], Awaitable[None]]
OnDown = Callable[[str], None]
OnError = Callable[[Exception], None]

_LIST_ENDS: Final = ("complete", "cancelled")


class Ami(TypedActions):
    """The link. `start()` begins to connect and returns; `stop()` ends it.

    - `on_event(message)`: every event that is not part of a list we asked for; from login on, so also while
      `on_up` runs. Synchronous and quick; an exception is counted and given to `on_error`.
    - `on_up()`: awaited after each login, before the status becomes UP: ask Asterisk for its truth here.
      When it raises or takes too long, the link is cut and tried again.
    - `on_down(reason)`: an UP link broke.
    """

    def __init__(
        self,
        settings: AmiSettings,
        *,
        random: Random,
        on_event: OnEvent,
        on_up: OnUp,
        on_down: OnDown,
        on_error: OnError,
    ) -> None:
        self.settings = settings
        self.counters = AmiCounters()
        self.pyst2 = ManagerActions(self.send)
        """pyst2's manager actions; each returns a future of the response: `await ami.pyst2.ping()`."""
        self.state = AmiState(AmiStatus.DOWN, "The manager link was not started.", 0.0)
        self._random = random
        self._on_event = on_event
        self._on_up = on_up
        self._on_down = on_down
        self._on_error = on_error
        self._up = asyncio.Event()
        self._link: _Link | None = None
        self._links = 0
        self._task: asyncio.Task[None] | None = None

    # ------------------------------------------------------------ life

    def start(self) -> None:
        """Begins to connect. Needs a running loop."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._keep(), name="ami")

    async def stop(self) -> None:
        """Closes the link and ends all waiting."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        self._say(AmiStatus.DOWN, "The manager link was stopped.")

    async def wait_up(self) -> None:
        """Returns when the link is UP. Put your own deadline around it."""
        await self._up.wait()

    @property
    def version(self) -> str | None:
        """The manager protocol's version (not Asterisk's), None while there is no link."""
        return self._link.reader.version if self._link else None

    def _say(self, status: AmiStatus, reason: str) -> None:
        self.state = AmiState(status, reason, asyncio.get_running_loop().time())
        if status is AmiStatus.UP:
            self._up.set()
        else:
            self._up.clear()

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        tries = 0
        where = f"{self.settings.host}:{self.settings.port}"
        while True:
            self._say(AmiStatus.CONNECTING, f"Connecting to the manager at {where}.")
            failed: Exception = AmiDown("the link ended")
            try:
                await self._one_link()
            except Exception as error:  # noqa: BLE001 - whatever broke this link, the next one must be tried
                failed = error
            up_for_s = loop.time() - self.state.since_s if self.state.status is AmiStatus.UP else None
            self._report(failed, where, was_up=up_for_s is not None)
            tries = 0 if up_for_s is not None and up_for_s >= self.settings.stable_after_s else tries + 1
            await asyncio.sleep(self._pause_s(tries))

    def _pause_s(self, tries: int) -> float:
        doubled: float = self.settings.backoff_first_s * 2 ** min(max(tries - 1, 0), 16)
        return min(doubled, self.settings.backoff_max_s) * (0.5 + self._random.random() / 2)

    def _report(self, error: Exception, where: str, *, was_up: bool) -> None:
        refused = isinstance(error, ConnectionRefusedError)
        why = "nothing listens there" if refused else str(error) or type(error).__name__
        reason = f"The manager at {where}: {why.rstrip('.')}."
        auth = isinstance(error, AmiAuthError)
        self._say(AmiStatus.AUTH_FAILED if auth else AmiStatus.DOWN, reason)
        self.counters.auth_failures += auth
        if not isinstance(error, AmiError | OSError):
            self._callback_failed(error)
        if was_up:
            self.counters.drops += 1
            try:
                self._on_down(reason)
            except Exception as fault:  # noqa: BLE001 - reported; the link must be tried again
                self._callback_failed(fault)

    async def _one_link(self) -> None:
        """One connection from start to break; always ends by an exception."""
        settings = self.settings
        self._links += 1
        link = _Link(self, self._links)
        loop = asyncio.get_running_loop()
        try:
            async with _limit(settings.connect_timeout_s, "no connection"):
                await loop.create_connection(lambda: link, settings.host, settings.port, ssl=settings.tls)
            async with _limit(settings.greeting_timeout_s, "no greeting"):
                await link.greeted
            await self._login(link)
            self._link = link
            self.counters.connects += 1
            async with _limit(settings.resync_timeout_s, "the resync was not done"):
                await self._on_up()
            if link.broken is None:
                self._say(AmiStatus.UP, f"Up, manager protocol {link.reader.version}.")
                await self._watch(link)
            raise link.broken or AmiDown("the link broke during the resync")
        finally:
            self._link = None
            link.cut(AmiDown("the link was closed"))

    async def _login(self, link: _Link) -> None:
        timeout_s = self.settings.action_timeout_s
        challenge = await link.send({"Action": "Challenge", "AuthType": "MD5"}, timeout_s)
        if not challenge.ok or not challenge.get("Challenge"):
            raise AmiAuthError(f"the challenge was refused: {challenge.get('Message')[:200]}")
        text = challenge.get("Challenge") + self.settings.secret
        login = {
            "Action": "Login",
            "AuthType": "MD5",
            "Username": self.settings.username,
            "Key": hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
            "Events": self.settings.events,
        }
        answer = await link.send(login, timeout_s)
        if not answer.ok:
            raise AmiAuthError(
                f"the login as {self.settings.username} was refused ({answer.get('Message')[:200]}); compare "
                "user, secret and permit lines with manager.conf"
            )

    async def _watch(self, link: _Link) -> None:
        """Pings until the link breaks or is silent for too long."""
        loop = asyncio.get_running_loop()
        while link.broken is None:
            await asyncio.wait([link.gone], timeout=self.settings.ping_every_s)
            if link.broken is None:
                silent_s = loop.time() - link.heard_s
                if silent_s >= self.settings.dead_after_s:
                    raise AmiDown(f"nothing was heard for {silent_s:.0f} s")
                link.send({"Action": "Ping"}, self.settings.dead_after_s)

    # ------------------------------------------------------------ actions

    def send(self, fields: ActionFields, *, timeout_s: float | None = None) -> asyncio.Future[AmiMessage]:
        """Writes an action at once and returns the future of its response, error responses included.

        Actions may be sent without waiting for earlier ones. An `ActionID` of your own must be new. Raises
        AmiDown and AmiRefused; the future raises AmiDown or AmiTimeout.
        """
        return self._linked().send(fields, self.settings.action_timeout_s if timeout_s is None else timeout_s)

    async def action(self, fields: ActionFields, *, timeout_s: float | None = None) -> AmiMessage:
        """An action's response. Raises AmiActionError for an error response, and what `send` raises."""
        return accepted(name_of(fields), await self.send(fields, timeout_s=timeout_s))

    async def list_action(self, fields: ActionFields, *, timeout_s: float | None = None) -> list[AmiMessage]:
        """The events of an action that answers with a list (Status, CoreShowChannels, DBGetTree, …).

        The closing event is left out. Raises AmiActionError, AmiDown, AmiTimeout, AmiRefused.
        """
        limit = self.settings.list_timeout_s if timeout_s is None else timeout_s
        items: list[AmiMessage] = []
        accepted(name_of(fields), await self._linked().send(fields, limit, items))
        return items

    def _linked(self) -> _Link:
        if self._link is None or self._link.broken is not None:
            raise AmiDown(f"There is no manager link. {self.state.reason}")
        return self._link

    # ------------------------------------------------------------ from the link

    def _event(self, message: AmiMessage) -> None:
        self.counters.events += 1
        try:
            self._on_event(message)
            self.pyst2.dispatch(message)
        except Exception as error:  # noqa: BLE001 - one reader's fault must not cost the events after it
            self._callback_failed(error)

    def _callback_failed(self, error: Exception) -> None:
        self.counters.callback_errors += 1
        self._on_error(error)


class _limit:  # noqa: N801
    """A deadline that tells what was missing."""

    def __init__(self, limit_s: float, missing: str) -> None:
        self._limit_s = limit_s
        self._missing = missing
        self._timeout = asyncio.timeout(limit_s)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        try:
            await self._timeout.__aexit__(kind, error, trace)  # type: ignore[arg-type]
        except TimeoutError:
            raise AmiTimeout(f"{self._missing} within {self._limit_s:g} s") from None


@dataclass(slots=True)
class _Pending:
    future: asyncio.Future[AmiMessage]
    timer: asyncio.TimerHandle
    items: list[AmiMessage] | None
    response: AmiMessage | None = None


class _Link(asyncio.Protocol):
    """One connection: bytes to messages in slices, replies to those who wait."""

    def __init__(self, ami: Ami, number: int) -> None:
        loop = asyncio.get_running_loop()
        self.reader = AmiReader(max_message_bytes=ami.settings.max_message_bytes)
        self.greeted: asyncio.Future[None] = loop.create_future()
        self.gone: asyncio.Future[None] = loop.create_future()
        self.broken: AmiError | None = None
        self.heard_s = loop.time()
        self._ami = ami
        self._loop = loop
        self._prefix = f"pasokh-{number}-"
        self._count = 0
        self._pending: dict[str, _Pending] = {}
        self._transport: asyncio.Transport | None = None
        self._draining = False

    # ------------------------------------------------------------ the socket

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self.broken is not None:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.cut(
            AmiDown("the connection was reset" if exc else "the connection was closed by the other side")
        )

    def cut(self, why: AmiError) -> None:
        """Ends the link for this reason; all who wait get it. Idempotent."""
        if self.broken is not None:
            return
        self.broken = why
        if self._transport is not None:
            self._transport.abort()
        if not self.greeted.done():
            self.greeted.set_exception(why)
            self.greeted.exception()
        if not self.gone.done():
            self.gone.set_result(None)
        pending, self._pending = self._pending, {}
        for waiting in pending.values():
            waiting.timer.cancel()
            if not waiting.future.done():
                waiting.future.set_exception(AmiDown(f"The manager link broke: {why}"))
                waiting.future.exception()

    # ------------------------------------------------------------ in

    def data_received(self, data: bytes) -> None:
        self.heard_s = self._loop.time()
        if self._draining:
            self.reader.feed(data, 0)
        else:
            self._drain(data)

    def _drain(self, data: bytes = b"") -> None:
        """One slice of messages; the rest in the next turn of the loop, and no reading until then."""
        if self.broken is not None or self._transport is None:
            return
        messages = self.reader.feed(data, self._ami.settings.slice_messages)
        if self.reader.version is not None and not self.greeted.done():
            self.greeted.set_result(None)
        for message in messages:
            self._take(message)
        if self.broken is not None:
            return
        if self.reader.fault is not None:
            self.cut(AmiMalformed(self.reader.fault))
        elif self.reader.more:
            if not self._draining:
                self._draining = True
                self._transport.pause_reading()
            self.heard_s = self._loop.time()
            self._loop.call_soon(self._drain)
        elif self._draining:
            self._draining = False
            self._transport.resume_reading()

    def _take(self, message: AmiMessage) -> None:
        action_id = message.get("ActionID")
        waiting = self._pending.get(action_id) if action_id else None
        if not message.has_header("Event"):
            if waiting is None:
                self._ami.counters.late_replies += 1
            elif waiting.items is None or not message.ok or message.get("EventList").lower() != "start":
                self._finish(action_id, waiting, message)
            else:
                waiting.response = message
        elif waiting is not None and waiting.items is not None and waiting.response is not None:
            self._collect(action_id, waiting, waiting.items, waiting.response, message)
        else:
            self._ami._event(message)

    def _collect(
        self,
        action_id: str,
        waiting: _Pending,
        items: list[AmiMessage],
        response: AmiMessage,
        message: AmiMessage,
    ) -> None:
        if message.get("EventList").lower() in _LIST_ENDS:
            self._finish(action_id, waiting, response)
        elif len(items) >= self._ami.settings.max_list_items:
            self._fail(
                action_id, AmiRefused("A manager list is over the limit of items; ask for less at once.")
            )
        else:
            items.append(message)

    def _finish(self, action_id: str, waiting: _Pending, response: AmiMessage) -> None:
        del self._pending[action_id]
        waiting.timer.cancel()
        if not waiting.future.done():
            waiting.future.set_result(response)

    def _fail(self, action_id: str, why: AmiError) -> None:
        waiting = self._pending.pop(action_id, None)
        if waiting is not None:
            waiting.timer.cancel()
            if not waiting.future.done():
                waiting.future.set_exception(why)
                waiting.future.exception()

    # ------------------------------------------------------------ out

    def send(
        self, fields: ActionFields, timeout_s: float, items: list[AmiMessage] | None = None
    ) -> asyncio.Future[AmiMessage]:
        if self.broken is not None or self._transport is None:
            raise AmiDown(f"The manager link broke: {self.broken}")
        if len(self._pending) >= self._ami.settings.max_pending:
            raise AmiRefused("Too many manager actions wait for their reply; send fewer at once.")
        self._count += 1
        given = fields.get("ActionID")
        action_id = given if isinstance(given, str) else f"{self._prefix}{self._count}"
        if action_id in self._pending:
            raise AmiRefused("An action with this ActionID still waits for its reply; choose another.")
        data = encode_action({**fields, "ActionID": action_id})
        if self._transport.get_write_buffer_size() > self._ami.settings.max_unsent_bytes:
            self.cut(AmiDown("Asterisk does not read what we send"))
            raise AmiDown("Asterisk does not read what we send; the manager link was cut.")
        future: asyncio.Future[AmiMessage] = self._loop.create_future()
        timer = self._loop.call_later(timeout_s, self._late, action_id, name_of(fields), timeout_s)
        self._pending[action_id] = _Pending(future, timer, items)
        self._transport.write(data)
        return future

    def _late(self, action_id: str, action: str, timeout_s: float) -> None:
        self._ami.counters.timeouts += 1
        self._fail(action_id, AmiTimeout(f"No reply to the manager action {action} within {timeout_s:g} s."))
