"""The two sockets, `/ws/v1/wall` and `/ws/v1/agent`: who is let in, what they may say.

Whoever comes from a foreign page is turned away before the upgrade (403), whoever shows neither ticket nor
bearer token likewise (401). The client speaks first. A wall only listens: anything else it says closes it (1008).
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from urllib.parse import parse_qs

from fastapi import APIRouter, WebSocket
from sqlalchemy.exc import SQLAlchemyError

from acd.effects import Refused
from acd.events import AcceptOffer, Command, Dispose, EndWrapUp, FinishWork, RejectOffer, SetStatus, SignIn
from acd.types import AgentId, Status
from realtime import wire
from realtime.access import May, Principal
from realtime.deps import RealtimeDeps
from realtime.desk import Desk, Tab
from realtime.errors import ApiProblem, NotSignedIn
from realtime.http import problem
from realtime.origin import is_ours
from realtime.outlet import Outlet, outlet_for, query_of
from realtime.ports import Center
from realtime.reasons import Json

log = logging.getLogger(__name__)

POLICY = 1008
NOT_SIGNED_IN = 4401
NOT_ALLOWED = 4403


@dataclass(eq=False, frozen=True, slots=True)
class Live:
    """A socket that is open, and whose it is."""

    principal: Principal
    outlet: Outlet


class LiveSockets:
    """All sockets of this process. `run` closes those whose token, role or agent is no longer what it was."""

    def __init__(self, deps: RealtimeDeps) -> None:
        self._deps = deps
        self._live: set[Live] = set()
        deps.access.revoked = self.revoked

    def __len__(self) -> int:
        return len(self._live)

    def add(self, live: Live) -> None:
        self._live.add(live)

    def discard(self, live: Live) -> None:
        self._live.discard(live)

    def revoked(self, token: str) -> None:
        for live in [each for each in self._live if each.principal.token == token]:
            self._live.discard(live)
            live.outlet.close(NOT_SIGNED_IN, "signed out")

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._deps.settings.sockets.recheck_s)
            await self.recheck()

    async def recheck(self) -> None:
        live = list(self._live)
        if not live:
            return
        try:
            valid = await self._deps.access.still_valid([each.principal for each in live])
        except (SQLAlchemyError, OSError) as error:
            log.warning("sockets could not be compared with their tokens (%s)", type(error).__name__)
            return
        for each in live:
            if each.principal not in valid:
                self._live.discard(each)
                each.outlet.close(NOT_SIGNED_IN, "signed out")


class Allowance:
    """So many messages a client may send: `burst` at once, `per_s` in the long run."""

    def __init__(self, burst: int, per_s: float) -> None:
        self._burst, self._per_s = burst, per_s
        self._left, self._at = float(burst), asyncio.get_running_loop().time()

    def take(self) -> bool:
        now = asyncio.get_running_loop().time()
        self._left = min(self._burst, self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


def router_of(deps: RealtimeDeps, live: LiveSockets) -> APIRouter:
    router = APIRouter()

    @router.websocket("/ws/v1/wall")
    async def wall(socket: WebSocket) -> None:
        principal = await _admit(socket, deps, live, "wall")
        if principal is not None:
            await _Visit(socket, deps, live, principal).wall()

    @router.websocket("/ws/v1/agent")
    async def agent(socket: WebSocket) -> None:
        principal = await _admit(socket, deps, live, "agent")
        if principal is not None:
            await _Visit(socket, deps, live, principal).agent()

    return router


async def _admit(socket: WebSocket, deps: RealtimeDeps, live: LiveSockets, scope: str) -> Principal | None:
    """Who this is, after the upgrade; None: turned away before it."""
    try:
        principal = await _may_enter(socket, deps, live, scope)
    except NotSignedIn as error:
        answer = problem(401, "not_signed_in", str(error))
    except ApiProblem as error:
        answer = problem(error.status, error.code, error.detail, retry_after_s=error.retry_after_s)
    except SQLAlchemyError:
        answer = problem(503, "database_away", "The database does not answer; try again.")
    else:
        await socket.accept()
        return principal
    if "websocket.http.response" in socket.scope.get("extensions", {}):
        await socket.send_denial_response(answer)
    else:
        await socket.close(POLICY)
    return None


async def _may_enter(socket: WebSocket, deps: RealtimeDeps, live: LiveSockets, scope: str) -> Principal:
    """Raises NotSignedIn, or ApiProblem with the answer."""
    origin, host = socket.headers.get("origin"), socket.headers.get("host")
    if origin is not None and not is_ours(origin, host, deps.settings.http.public_origins):
        raise ApiProblem(403, "origin", "This page may not do that: its origin is not ours.")
    principal = await _who(socket, deps, scope)
    is_agent = principal.may(May.BE_AGENT) and principal.agent is not None
    if not principal.may(May.SEE_WALL) or (scope == "agent" and not is_agent):
        raise ApiProblem(403, "not_allowed", "You may not do this.")
    if len(live) >= deps.settings.sockets.sockets_most:
        raise ApiProblem(503, "full", "Too many sockets are open; try again.", retry_after_s=5)
    if scope == "agent" and (deps.desk is None or deps.center is None):
        raise ApiProblem(503, "not_here", "Agents work at the leader; ask there.")
    return principal


async def _who(socket: WebSocket, deps: RealtimeDeps, scope: str) -> Principal:
    tickets = parse_qs(query_of(socket)).get("ticket", [])
    if len(tickets) == 1:
        return deps.access.redeem(tickets[0], scope)
    scheme, _, bearer = socket.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and bearer:
        return await deps.access.principal(bearer.strip())
    raise NotSignedIn("Come with a ticket or a bearer token.")


class _Visit:
    """One socket from its acceptance to its end."""

    def __init__(
        self, socket: WebSocket, deps: RealtimeDeps, live: LiveSockets, principal: Principal
    ) -> None:
        self._socket = socket
        self._deps = deps
        self._live = live
        self._principal = principal
        self._outlet = outlet_for(socket, deps.settings.sockets.close_s)
        self._allowance = Allowance(deps.settings.sockets.burst, deps.settings.sockets.per_s)
        self._me = Live(principal, self._outlet)

    async def wall(self) -> None:
        self._live.add(self._me)
        watcher = None
        try:
            hello = await self._hello()
            if hello is None:
                return
            watcher = self._deps.wall.join(self._outlet, *hello)
            if await self._next() is not None:
                self._outlet.close(POLICY, "a wall only listens")
        finally:
            if watcher is not None:
                self._deps.wall.leave(watcher)
            await self._end()

    async def agent(self) -> None:
        desk, center, agent = self._deps.desk, self._deps.center, self._principal.agent
        assert desk is not None
        assert center is not None
        assert agent is not None
        self._live.add(self._me)
        tab = None
        try:
            hello = await self._hello()
            tab = desk.join(agent, self._outlet, *hello) if hello is not None else None
            while tab is not None and (message := await self._next()) is not None:
                if not await self._serve(desk, center, tab, message):
                    self._outlet.close(POLICY, "not understood")
                    return
        finally:
            if tab is not None:
                desk.leave(tab)
            await self._end()

    async def _end(self) -> None:
        self._live.discard(self._me)
        await self._outlet.ended()

    async def _hello(self) -> tuple[str | None, int | None] | None:
        """What the client knows already; None: it is gone, or it did not speak in time or not to the point."""
        try:
            async with asyncio.timeout(self._deps.settings.sockets.hello_s):
                message = await self._next()
        except TimeoutError:
            self._outlet.close(POLICY, "nothing was said in time")
            return None
        if message is None:
            return None
        epoch, seq = message.get("epoch"), message.get("seq")
        if message.get("type") == "hello":
            return None, None
        if message.get("type") == "resume" and isinstance(epoch, str) and type(seq) is int:
            return epoch, seq
        self._outlet.close(POLICY, "say hello or resume first")
        return None

    async def _next(self) -> Json | None:
        """The next message; None: the socket has ended, or was closed for what it sent."""
        received = await self._socket.receive()
        if received["type"] == "websocket.disconnect":
            return None
        text = received.get("text")
        if not self._allowance.take():
            self._outlet.close(POLICY, "too many messages")
            return None
        if text is None or len(text) > self._deps.settings.sockets.message_bytes:
            self._outlet.close(1003 if text is None else 1009, "only short texts are taken")
            return None
        message = wire.decode(text)
        if message is None:
            self._outlet.close(1007, "this is not a JSON object")
        return message

    async def _serve(self, desk: Desk, center: Center, tab: Tab, message: Json) -> bool:
        """One message of an agent's page. False: it cannot be understood."""
        kind = message.get("type")
        if kind == "shown" and isinstance(offer := message.get("offer"), str):
            desk.shown(tab, offer)
            return True
        request = message.get("id")
        if isinstance(request, int) and not isinstance(request, bool):
            request = str(request)
        if kind != "command" or not isinstance(request, str) or not 0 < len(request) <= 64:
            return False
        word, reason = str(message.get("command")), None
        command = command_of(tab.agent, message, desk, center)
        if isinstance(command, str):
            reason = command
        else:
            answer = await center.ask(self._principal.user, command)
            reason = answer.reason if isinstance(answer, Refused) else None
        address = self._socket.client.host if self._socket.client is not None else "-"
        self._deps.audit.note(self._principal.user, f"agent.{word}", tab.agent, reason or "ok", address)
        desk.answer(tab, request, reason)
        return True


def command_of(agent: AgentId, message: Json, desk: Desk, center: Center) -> Command | str:
    """What a page's command means; or the reason why it cannot be asked for.

    `accept` takes on a task or a callback. A call is accepted by lifting the receiver: no phone of ours can be made to
    answer from here yet.
    """
    word = message.get("command")
    if word == "sign_in":
        who = center.site.agents.get(agent)
        phone = message.get("phone") or (who.phone if who is not None else None)
        return SignIn(agent, phone) if isinstance(phone, str) else "no_phone"
    if word == "sign_out":
        return SetStatus(agent, Status.OFFLINE)
    if word == "status":
        return _status(agent, message)
    if word == "accept":
        wanted = message.get("offer") or desk.work_offer_of(agent)
        if not isinstance(wanted, str) or desk.is_call(agent, wanted):
            return "lift_the_receiver"
        return AcceptOffer(agent, wanted)
    if word == "finish":
        done = message.get("visit") or desk.visit_of(agent)
        return FinishWork(agent, done) if isinstance(done, str) else "no_visit"
    if word == "reject":
        offer = message.get("offer") or desk.offer_of(agent)
        return RejectOffer(agent, offer) if isinstance(offer, str) else "no_offer"
    if word == "disposition":
        visit, code = message.get("visit") or desk.visit_of(agent), message.get("code")
        if not isinstance(code, str):
            return "bad_command"
        return Dispose(agent, visit, code) if isinstance(visit, str) else "no_visit"
    if word == "end_wrap_up":
        return EndWrapUp(agent)
    return "bad_command"


def _status(agent: AgentId, message: Json) -> Command | str:
    status, reason = message.get("status"), message.get("reason")
    if not isinstance(status, str) or status not in set(Status):
        return "bad_command"
    if reason is not None and not isinstance(reason, str):
        return "bad_command"
    return SetStatus(agent, Status(status), reason)
