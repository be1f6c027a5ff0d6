"""The manager's door: greeting, login, who may read and do what, and the sockets. `actions` does the actions.

Texts and delays of refusals were read from a real Asterisk 22.10. FullyBooted is of class `system`, so that a user
with our rights never sees it; this door does not send it either.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence

from ami_bridge.wire import AmiMessage, AmiReader, encode_message

from .actions import ACTIONS, Reply, refusal
from .exchange import Exchange

GREETING = b"Asterisk Call Manager/11.0.0\r\n"


class AmiSession(asyncio.Protocol):
    """One manager's connection."""

    def __init__(self, exchange: Exchange, forget: Callable[[AmiSession], None]) -> None:
        self.logged_in = False
        self._exchange = exchange
        self._forget = forget
        self._reader = AmiReader(greeting=False)
        self._transport: asyncio.Transport | None = None
        self._mask: frozenset[str] = frozenset()
        self._challenge: str | None = None
        self._late: asyncio.TimerHandle | None = None
        self._frozen = False
        self._held_in = bytearray()
        self._held_out = bytearray()

    # ---- socket

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._write(GREETING)

    def data_received(self, data: bytes) -> None:
        if self._frozen:
            self._held_in += data
            return
        # Real managers also end a line with a bare line feed; ours never does.
        for message in self._reader.feed(data):
            self._act(message)
        if self._reader.fault is not None:
            self.cut()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._late is not None:
            self._late.cancel()
        self._forget(self)

    def cut(self) -> None:
        """End the connection without a word, as a broken network does."""
        if self._transport is not None:
            self._transport.abort()

    def freeze(self, frozen: bool) -> None:
        """While frozen nothing is read or written; afterwards all of it, in order."""
        self._frozen = frozen
        if not frozen:
            out, self._held_out = bytes(self._held_out), bytearray()
            if out:
                self._write(out)
            held, self._held_in = bytes(self._held_in), bytearray()
            if held:
                self.data_received(held)

    def _write(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if self._frozen:
            self._held_out += data
            return
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > self._exchange.settings.ami_backlog_bytes:
            # Asterisk cuts off a manager that reads too slowly.
            self.cut()

    # ---- events

    def event(self, name: str, privilege: str, message: bytes) -> None:
        if self.logged_in and privilege in self._mask:
            self._write(message)

    # ---- actions

    def _act(self, action: AmiMessage) -> None:
        name = action.get("Action").lower()
        if name == "challenge":
            self._challenge = str(self._exchange.rng.randrange(10**8, 10**9))
            self._reply(action, {"Response": "Success"}, {"Challenge": self._challenge})
        elif name == "login":
            self._login(action)
        elif name == "logoff":
            farewell = {"Message": "Thanks for all the fish."}
            self._reply(action, {"Response": "Goodbye"}, farewell)
            self._close()
        elif not self.logged_in:
            self.send(action, refusal("Permission denied"))
        elif name == "events":
            self._set_mask(action.get("EventMask"))
            self._reply(action, {"Response": "Success"}, {"Events": "On" if self._mask else "Off"})
        else:
            self._do(name, action)

    def _do(self, name: str, action: AmiMessage) -> None:
        known = ACTIONS.get(name)
        if known is None:
            text = f"Invalid/unknown command: {action.get('Action')}. Use Action: ListCommands to show available "
            self.send(action, refusal(f"{text}commands."))
        elif known.classes and not known.classes & self._exchange.settings.ami_user.write:
            self.send(action, refusal("Permission denied"))
        elif known.perform is None:
            self.send(action, refusal("This action is not simulated"))
        else:
            self.send(action, known.perform(self._exchange, action))

    def _login(self, action: AmiMessage) -> None:
        user = self._exchange.settings.ami_user
        if action.get("AuthType").upper() == "MD5":
            digest = hashlib.md5(f"{self._challenge}{user.secret}".encode(), usedforsecurity=False)
            good = self._challenge is not None and _same(action.get("Key"), digest.hexdigest())
        else:
            good = _same(action.get("Secret"), user.secret)
        if not good or action.get("Username") != user.name:
            loop = asyncio.get_running_loop()
            self._late = loop.call_later(
                self._exchange.settings.failed_login_delay_s, self._refuse_login, action
            )
            return
        self.logged_in = True
        self._set_mask(action.get("Events") or "on")
        self._reply(action, {"Response": "Success"}, {"Message": "Authentication accepted"})

    def _refuse_login(self, action: AmiMessage) -> None:
        self.send(action, refusal("Authentication failed"))
        self._close()

    def _set_mask(self, mask: str) -> None:
        read = self._exchange.settings.ami_user.read
        match mask.lower():
            case "on" | "all" | "true" | "yes":
                self._mask = read
            case "off" | "false" | "no" | "none":
                self._mask = frozenset()
            case _:
                self._mask = read & {word.strip().lower() for word in mask.split(",")}

    def send(self, action: AmiMessage, reply: Reply) -> None:
        """The response, and a list's events after it, with the action's ActionID where Asterisk puts it."""
        self._reply(action, {"Response": reply.response}, reply.headers)
        marks = _action_id(action)
        for headers in reply.events:
            order = (
                {"Event": headers["Event"], **marks, **headers} if reply.marks_first else {**headers, **marks}
            )
            self._write(encode_message(AmiMessage(order)))
        if reply.complete:
            items = str(len(reply.events))
            end = {"Event": reply.complete, **marks, "EventList": "Complete", "ListItems": items}
            self._write(
                encode_message(AmiMessage({**end, **({"Items": items} if reply.counts_twice else {})}))
            )

    def _reply(
        self, action: AmiMessage, first: Mapping[str, str], rest: Mapping[str, str | Sequence[str]]
    ) -> None:
        headers: dict[str, str | list[str]] = {**first, **_action_id(action)}
        headers.update(
            {name: value if isinstance(value, str) else list(value) for name, value in rest.items()}
        )
        self._write(encode_message(AmiMessage(headers)))

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def _action_id(action: AmiMessage) -> dict[str, str | list[str]]:
    return {"ActionID": action.get("ActionID")} if action.has_header("ActionID") else {}


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(), right.encode())


class AmiServer:
    """Listens for managers."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._server: asyncio.Server | None = None
        self._sessions: set[AmiSession] = set()
        self._frozen = False

    @property
    def sessions(self) -> int:
        return len(self._sessions)

    async def start(self, port: int) -> int:
        """Listens; returns the port. Raises OSError when the port is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._session, self._exchange.settings.ami_host, port)
        taken: int = self._server.sockets[0].getsockname()[1] if self._server.sockets else port
        return taken

    def _session(self) -> AmiSession:
        session = AmiSession(self._exchange, self._forget)
        self._sessions.add(session)
        self._exchange.listeners.append(session)
        if self._frozen:
            session.freeze(True)
        return session

    def _forget(self, session: AmiSession) -> None:
        self._sessions.discard(session)
        if session in self._exchange.listeners:
            self._exchange.listeners.remove(session)

    def drop(self) -> None:
        """Cut every manager's connection; they may come again at once."""
        for session in list(self._sessions):
            session.cut()

    def freeze(self, frozen: bool) -> None:
        """Hold everything that goes in or out, also for those who come now; then let it go."""
        self._frozen = frozen
        for session in list(self._sessions):
            session.freeze(frozen)

    async def close(self) -> None:
        """Stop listening and cut every connection."""
        if self._server is not None:
            self._server.close()
            self.drop()
            await self._server.wait_closed()
            self._server = None
