"""The FastAGI listener: who may connect, how long they may take, and when a call begins.

A connection passes, in this order and each counted: allowed address, room for one more session, the opening
lines within their deadlines and limits, a request that can be read, a signature of our dialplan that is
fresh and unused. Only then is the handler asked. Whatever else connects (health checks, scanners, slow
writers) is closed without touching anything; Asterisk's dialplan then tries again or falls back.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from .agi import AgiSession
from .errors import AgiEnded, AgiGone, AgiMalformed, AgiSignatureError
from .signature import CallRequest, UsedOnce, parse_request, verify
from .wire import AgiEnv, AgiItem, AgiLimits, AgiReader


@dataclass(frozen=True, slots=True)
class FastAgiSettings:
    """Where to listen, whom to believe, and every deadline.

    `allow` are networks (`10.0.0.5/32`). `header_idle_s` is the longest silence while the opening lines come,
    `header_total_s` the longest they may take altogether. `command_deadline_s` is the default of commands
    that answer at once; `hangup_grace_s` how long a failed command waits for a HANGUP that explains it.
    `keepalive_s` and `user_timeout_s` let the kernel find a dead peer (Linux; 0 switches them off).
    """

    secret: str = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 4573
    allow: tuple[str, ...] = ("127.0.0.1/32", "::1/128")
    header_idle_s: float = 5.0
    header_total_s: float = 10.0
    max_sessions: int = 2000
    signature_window_s: float = 30.0
    command_deadline_s: float = 10.0
    hangup_grace_s: float = 0.05
    keepalive_s: int = 15
    user_timeout_s: int = 20
    limits: AgiLimits = field(default_factory=AgiLimits)

    def __post_init__(self) -> None:
        if not self.secret:
            raise ValueError("The FastAGI secret is empty; set the same secret here and in the dialplan.")
        for network in self.allow:
            try:
                ipaddress.ip_network(network)
            except ValueError as error:
                raise ValueError(f"FastAGI allow-list: {error}; write networks like 10.0.0.5/32.") from None


@dataclass(slots=True)
class FastAgiCounters:
    """What the listener met; `live` is a gauge of sessions that were accepted and are not over."""

    connections: int = 0
    accepted: int = 0
    refused_address: int = 0
    refused_full: int = 0
    refused_signature: int = 0
    header_timeouts: int = 0
    malformed: int = 0
    closed_early: int = 0
    suspect_headers: int = 0
    handler_errors: int = 0
    live: int = 0


_READ_BYTES = 16_384

Handler = Callable[[AgiSession, CallRequest], Awaitable[None]]
OnError = Callable[[str, Exception], None]


class FastAgiServer:
    """Listens, checks, and runs `handler(session, request)` as one task per accepted session.

    `clock` gives center time as seconds since the epoch (for signatures). When the handler returns, the
    session is closed and the dialplan goes on. AgiEnded out of a handler is an ordinary end; any other
    exception closes that session only and is reported as `on_error(uniqueid, exception)`.
    """

    def __init__(
        self, settings: FastAgiSettings, handler: Handler, *, clock: Callable[[], float], on_error: OnError
    ) -> None:
        self.settings = settings
        self.counters = FastAgiCounters()
        self.clock = clock
        self._handler = handler
        self._on_error = on_error
        self._networks = [ipaddress.ip_network(network) for network in settings.allow]
        self._used = UsedOnce(settings.signature_window_s)
        self._server: asyncio.Server | None = None
        self._buffer = memoryview(bytearray(_READ_BYTES))
        self._connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Starts to listen. Raises OSError when the address cannot be had."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Connection(self), self.settings.host, self.settings.port, backlog=1024
        )

    @property
    def address(self) -> tuple[str, int]:
        """Host and port, with the port that was really bound (settings may say 0)."""
        if self._server is None or not self._server.sockets:
            raise RuntimeError("The FastAGI listener has not been started.")
        host, port = self._server.sockets[0].getsockname()[:2]
        return str(host), int(port)

    async def stop(self, grace_s: float) -> None:
        """Stops listening, gives sessions `grace_s` to end, then closes what is left."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for connection in list(self._connections):
            connection.close_if_waiting()
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=grace_s)
        leftover = set(self._tasks)
        for task in leftover:
            task.cancel()
        if leftover:
            await asyncio.wait(leftover)
        for connection in list(self._connections):
            connection.close()
        if server is not None:
            await server.wait_closed()

    # ------------------------------------------------------------ from connections

    def _admits(self, transport: asyncio.BaseTransport) -> bool:
        self.counters.connections += 1
        peer = transport.get_extra_info("peername")
        if not self._allowed(peer[0] if isinstance(peer, tuple) and peer else ""):
            self.counters.refused_address += 1
            return False
        if len(self._connections) >= self.settings.max_sessions or self._server is None:
            self.counters.refused_full += 1
            return False
        return True

    def _allowed(self, host: str) -> bool:
        try:
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            return False
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return any(address in network for network in self._networks)

    def _begin(self, env: AgiEnv, transport: asyncio.Transport) -> AgiSession | None:
        """The session of these opening lines, its handler running; None when it is refused."""
        try:
            request = self._checked(env)
        except AgiSignatureError:
            self.counters.refused_signature += 1
            return None
        except AgiMalformed:
            self.counters.malformed += 1
            return None
        self.counters.accepted += 1
        self.counters.suspect_headers += env.suspect
        session = AgiSession(
            env,
            transport,
            command_deadline_s=self.settings.command_deadline_s,
            hangup_grace_s=self.settings.hangup_grace_s,
        )
        task = asyncio.get_running_loop().create_task(self._run(session, request), name="agi-session")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return session

    def _checked(self, env: AgiEnv) -> CallRequest:
        uniqueid = env.values.get("agi_uniqueid", "")
        if not uniqueid or "agi_network_script" not in env.values:
            raise AgiMalformed("The AGI peer sent no agi_uniqueid or no agi_network_script.")
        request = parse_request(env.values["agi_network_script"])
        now_s, settings = self.clock(), self.settings
        signed = request.contact or uniqueid
        verify(
            request,
            uniqueid=signed,
            secret=settings.secret,
            now_s=now_s,
            window_s=settings.signature_window_s,
        )
        self._used.use(request, uniqueid=signed, now_s=now_s)
        return request

    async def _run(self, session: AgiSession, request: CallRequest) -> None:
        self.counters.live += 1
        try:
            await self._handler(session, request)
        except AgiEnded:
            pass  # the ordinary end of a call that its handler did not wait for
        except Exception as error:  # noqa: BLE001 - one session's fault must not end the others
            self.counters.handler_errors += 1
            self._on_error(session.uniqueid, error)
        finally:
            self.counters.live -= 1
            session.close()


class _Connection(asyncio.BufferedProtocol):
    """One socket: until its opening lines are whole a suspect, then the pipe of its session.

    All read into one buffer of the listener: asyncio asks for it, fills it and tells of it without anything in
    between. A buffer of their own for each read, as asyncio makes them otherwise, costs more than a reply's reading.
    """

    __slots__ = ("_idle", "_reader", "_server", "_session", "_total", "_transport")

    def __init__(self, server: FastAgiServer) -> None:
        self._server = server
        self._reader = AgiReader(server.settings.limits)
        self._transport: asyncio.Transport | None = None
        self._session: AgiSession | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._total: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        if not self._server._admits(transport):
            transport.abort()
            return
        self._transport = transport
        self._server._connections.add(self)
        _watch_peer(transport, self._server.settings)
        loop = asyncio.get_running_loop()
        self._idle = loop.call_later(self._server.settings.header_idle_s, self._too_slow)
        self._total = loop.call_later(self._server.settings.header_total_s, self._too_slow)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._server._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(bytes(self._server._buffer[:nbytes]))

    def data_received(self, data: bytes) -> None:
        if self._transport is None:
            return
        if self._session is None and self._idle is not None:
            self._idle.cancel()
            loop = asyncio.get_running_loop()
            self._idle = loop.call_later(self._server.settings.header_idle_s, self._too_slow)
        for item in self._reader.feed(data):
            if self._session is not None:
                self._session.receive(item)
            else:
                self._take(item)
        if self._reader.fault is not None:
            self._fail(AgiMalformed(self._reader.fault))

    def _take(self, item: AgiItem) -> None:
        if isinstance(item, AgiEnv) and self._transport is not None:
            self._stop_timers()
            self._session = self._server._begin(item, self._transport)
            if self._session is None:
                self.close()

    def _fail(self, why: AgiMalformed) -> None:
        self._server.counters.malformed += 1
        if self._session is not None:
            self._session.lose(why)
        self.close()

    def _too_slow(self) -> None:
        self._server.counters.header_timeouts += 1
        self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is None:
            return
        if self._idle is not None and self._session is None:
            self._server.counters.closed_early += 1
        self._stop_timers()
        self._server._connections.discard(self)
        if self._session is not None:
            text = "The AGI socket was reset." if exc else "The AGI socket was closed by the other side."
            self._session.lose(AgiGone(text))

    def close_if_waiting(self) -> None:
        if self._session is None:
            self.close()

    def close(self) -> None:
        self._stop_timers()
        if self._transport is not None:
            self._transport.abort()

    def _stop_timers(self) -> None:
        for timer in (self._idle, self._total):
            if timer is not None:
                timer.cancel()
        self._idle = self._total = None


def _watch_peer(transport: asyncio.Transport, settings: FastAgiSettings) -> None:
    """Lets the kernel find a peer that vanished without a word."""
    sock = transport.get_extra_info("socket")
    if sock is None or settings.keepalive_s <= 0:
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", settings.keepalive_s),
        ("TCP_KEEPINTVL", max(1, settings.keepalive_s // 3)),
        ("TCP_KEEPCNT", 3),
        ("TCP_USER_TIMEOUT", settings.user_timeout_s * 1000),
    ):
        option = getattr(socket, name, None)
        if option is not None:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
