"""Who may see and do what: users, roles, passwords, tokens, tickets.

A token is opaque, random, kept as its SHA-256 and can be taken back; what it allows is read from its user each
time, so a changed role holds at once. A log-in takes the same time whether the user exists or not, runs argon2id
away from the loop's thread, and is limited by address and account. A ticket opens one socket, once, within 30 s,
at the process that gave it out.

The limiter is our own: those of the `limits` package read the wall clock and start threads, and this room must
also run on virtual time.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.ext.asyncio import AsyncEngine

from acd.types import US_PER_S, AgentId
from realtime.errors import NotSignedIn, TooManyTries, UserError
from realtime.settings import AccessSettings
from realtime.store import queries
from realtime.store.queries import UserRow


class Role(StrEnum):
    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"
    WALL = "wall"


class May(StrEnum):
    """What can be allowed."""

    SEE_WALL = "see_wall"
    BE_AGENT = "be_agent"
    SEE_AGENTS = "see_agents"
    STEER_AGENTS = "steer_agents"
    SEE_CONTACTS = "see_contacts"
    SEE_CUSTOMERS = "see_customers"
    MAKE_TASKS = "make_tasks"
    SEE_CENTER = "see_center"
    CHANGE_CENTER = "change_center"
    PUBLISH_FLOWS = "publish_flows"
    MANAGE_USERS = "manage_users"
    SEE_AUDIT = "see_audit"


_AGENT = frozenset({May.SEE_WALL, May.BE_AGENT})
_SUPERVISOR = frozenset(
    {
        May.SEE_WALL,
        May.BE_AGENT,
        May.SEE_AGENTS,
        May.STEER_AGENTS,
        May.SEE_CONTACTS,
        May.SEE_CUSTOMERS,
        May.MAKE_TASKS,
        May.SEE_CENTER,
        May.PUBLISH_FLOWS,
    }
)

ALLOWED = {
    Role.WALL: frozenset({May.SEE_WALL}),
    Role.AGENT: _AGENT,
    Role.SUPERVISOR: _SUPERVISOR,
    Role.ADMIN: frozenset(May),
}


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. `agent`: the agent this user is, if any. `token`: the hash of what they came with."""

    user: str
    role: Role
    agent: AgentId | None
    token: str

    def may(self, what: May) -> bool:
        return what in ALLOWED[self.role]


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """`token` is the text that nobody can read again."""

    principal: Principal
    token: str
    life_s: float


class Attempts:
    """Counts tries per key within a span; bounded. Times are the loop's."""

    def __init__(self, span_s: float, most_keys: int) -> None:
        self._span_s = span_s
        self._most_keys = most_keys
        self._counts: OrderedDict[tuple[str, ...], tuple[float, int]] = OrderedDict()

    def take(self, key: tuple[str, ...], most: int) -> float | None:
        """None: it may be tried. Else the seconds until it may be."""
        now = asyncio.get_running_loop().time()
        began, count = self._counts.get(key, (now, 0))
        if now - began >= self._span_s:
            began, count = now, 0
        if count >= most:
            return self._span_s - (now - began)
        self._counts[key] = (began, count + 1)
        self._counts.move_to_end(key)
        while len(self._counts) > self._most_keys:
            self._counts.popitem(last=False)
        return None

    def forget(self, key: tuple[str, ...]) -> None:
        self._counts.pop(key, None)


class Access:
    """Users and what opens doors for them. `now_us` is center time.

    `token` makes 256 bits of text that nobody can guess; `revoked` (if set) is told the hash of each token that
    is taken back here, so that its sockets can be closed at once.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        now_us: Callable[[], int],
        settings: AccessSettings,
        token: Callable[[], str] = secrets.token_urlsafe,
    ) -> None:
        self._engine = engine
        self._now_us = now_us
        self._settings = settings
        self._new_token = token
        self._hasher = PasswordHasher(
            time_cost=settings.argon2_time_cost,
            memory_cost=settings.argon2_memory_kib,
            parallelism=settings.argon2_lanes,
        )
        self._decoy: str | None = None
        self._hashing = asyncio.Semaphore(settings.hashing_at_once)
        self._attempts = Attempts(settings.tries_span_s, settings.tries_kept)
        self._tickets: OrderedDict[str, tuple[int, str, Principal]] = OrderedDict()
        self._known: OrderedDict[str, tuple[float, Principal]] = OrderedDict()
        self.revoked: Callable[[str], None] | None = None

    # ---- users --------------------------------------------------------------------------------------------

    async def add_user(self, name: str, password: str, role: Role, agent: AgentId | None = None) -> None:
        """Raises UserError when the name is taken or cannot be one, or the password is too short."""
        if not (1 <= len(name) <= 64 and name.isprintable() and name == name.strip()):
            raise UserError("A user name has 1 to 64 printable characters, without blanks around it.")
        if role is Role.AGENT and not agent:
            raise UserError("A user with the role agent must be one of the agents of the site; name it.")
        row = UserRow(name, role.value, agent, await self._hash(password), True, self._now_us())
        if not await queries.add_user(self._engine, row):
            raise UserError("There is already a user with this name; choose another one.")

    async def users(self) -> Sequence[UserRow]:
        return await queries.users(self._engine)

    async def set_password(self, name: str, password: str) -> None:
        """Also takes every token of this user back. Raises UserError."""
        await self._change(name, password_hash=await self._hash(password))

    async def set_role(self, name: str, role: Role, agent: AgentId | None) -> None:
        await self._change(name, role=role.value, agent=agent)

    async def set_active(self, name: str, active: bool) -> None:
        await self._change(name, active=active)

    async def ensure_admin(self, name: str = "admin") -> str | None:
        """A first user with a password made for them, when there are no users yet; the password, or None."""
        if await queries.count_users(self._engine):
            return None
        password = self._new_token()[:20]
        await self.add_user(name, password, Role.ADMIN)
        return password

    async def _change(self, name: str, **values: object) -> None:
        if not await queries.change_user(self._engine, name, **values):
            raise UserError("There is no user with this name.")
        await queries.revoke_tokens_of(self._engine, name, self._now_us())
        for hash_, (_, principal) in list(self._known.items()):
            if principal.user == name:
                self._forget(hash_)
        for ticket, (_, _, principal) in list(self._tickets.items()):
            if principal.user == name:
                del self._tickets[ticket]

    async def _hash(self, password: str) -> str:
        if len(password) < self._settings.password_min:
            raise UserError(f"A password has at least {self._settings.password_min} characters.")
        async with self._hashing:
            return await asyncio.to_thread(self._hasher.hash, password)

    # ---- logging in and out -------------------------------------------------------------------------------

    async def log_in(self, name: str, password: str, address: str, *, program: bool = False) -> LoggedIn:
        """Raises NotSignedIn for a wrong name or password alike, TooManyTries beyond the limits."""
        self._limit(name, address)
        found = await queries.user(self._engine, name)
        if not await self._fits(found, password):
            raise NotSignedIn("The user name or the password is wrong.")
        assert found is not None
        self._attempts.forget(("account and address", name, address))
        life_s = self._settings.program_token_life_s if program else self._settings.token_life_s
        return await self._issue(found, "program" if program else "page", life_s)

    async def kiosk_token(self, name: str, label: str) -> LoggedIn:
        """A long-lived token for a screen on a wall, for a user with the role wall. Raises UserError."""
        found = await queries.user(self._engine, name)
        if found is None or found.role != Role.WALL:
            raise UserError("A screen needs a user with the role wall.")
        return await self._issue(found, label[:64], self._settings.kiosk_token_life_s)

    async def token_for(self, name: str, label: str) -> LoggedIn:
        """A program's token without a password, for whoever runs this very process. Raises UserError."""
        found = await queries.user(self._engine, name)
        if found is None:
            raise UserError("There is no user with this name.")
        return await self._issue(found, label[:64], self._settings.program_token_life_s)

    async def log_out(self, principal: Principal) -> None:
        await queries.revoke_token(self._engine, principal.token, self._now_us())
        self._forget(principal.token)

    async def _issue(self, found: UserRow, label: str, life_s: float) -> LoggedIn:
        text = self._new_token()
        now_us = self._now_us()
        expires_us = now_us + int(life_s * US_PER_S)
        await queries.add_token(self._engine, hash_of(text), found.name, label, now_us, expires_us)
        return LoggedIn(Principal(found.name, Role(found.role), found.agent, hash_of(text)), text, life_s)

    def _limit(self, name: str, address: str) -> None:
        limits = (
            (("address", address), self._settings.tries_per_address),
            (("account and address", name, address), self._settings.tries_per_account_and_address),
            (("account", name), self._settings.tries_per_account),
        )
        for key, most in limits:
            wait_s = self._attempts.take(key, most)
            if wait_s is not None:
                raise TooManyTries(wait_s)

    async def _fits(self, found: UserRow | None, password: str) -> bool:
        """One verification, always, so that time does not tell whether the user exists."""
        async with self._hashing:
            if self._decoy is None:
                self._decoy = await asyncio.to_thread(self._hasher.hash, self._new_token())
            usable = found is not None and found.active
            against = found.password_hash if found is not None and usable else self._decoy
            try:
                await asyncio.to_thread(self._hasher.verify, against, password)
            except (VerificationError, InvalidHashError):
                return False
        return usable

    # ---- tokens and tickets -------------------------------------------------------------------------------

    async def principal(self, token: str) -> Principal:
        """Who this token belongs to. Raises NotSignedIn."""
        hash_ = hash_of(token)
        now = asyncio.get_running_loop().time()
        known = self._known.get(hash_)
        if known is not None and known[0] > now:
            return known[1]
        row = (await queries.tokens(self._engine, [hash_], self._now_us())).get(hash_)
        if row is None:
            self._known.pop(hash_, None)
            raise NotSignedIn("There is no valid token; log in.")
        principal = Principal(row.user, Role(row.role), row.agent, row.hash)
        self._known[hash_] = (now + self._settings.token_cache_s, principal)
        while len(self._known) > self._settings.token_cache_most:
            self._known.popitem(last=False)
        return principal

    async def still_valid(self, principals: Sequence[Principal]) -> set[Principal]:
        """Those whose token, role and agent are what they were."""
        rows = await queries.tokens(self._engine, sorted({each.token for each in principals}), self._now_us())
        return {
            each
            for each in principals
            if (row := rows.get(each.token)) is not None
            and (row.user, row.role, row.agent) == (each.user, each.role, each.agent)
        }

    def ticket(self, principal: Principal, scope: str) -> str:
        """Opens one socket of this scope, once, for `ticket_life_s`."""
        text = self._new_token()
        until_us = self._now_us() + int(self._settings.ticket_life_s * US_PER_S)
        self._tickets[hash_of(text)] = (until_us, scope, principal)
        while len(self._tickets) > self._settings.tickets_most:
            self._tickets.popitem(last=False)
        return text

    def redeem(self, ticket: str, scope: str) -> Principal:
        """Raises NotSignedIn: unknown, used, too old, or for another socket."""
        until_us, known_scope, principal = self._tickets.pop(hash_of(ticket), (0, "", None))
        if principal is None or until_us <= self._now_us() or known_scope != scope:
            raise NotSignedIn("The ticket is not valid (any more); ask for another one.")
        return principal

    def _forget(self, hash_: str) -> None:
        self._known.pop(hash_, None)
        for ticket, (_, _, principal) in list(self._tickets.items()):
            if principal.token == hash_:
                del self._tickets[ticket]
        if self.revoked is not None:
            self.revoked(hash_)


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
