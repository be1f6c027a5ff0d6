"""Finds out who is calling, and is never in the way of the call.

The center gets its answer (`CustomerFound`) within `deadline_s`, whatever the source does. A source that answers
later still fills the card, up to `late_s`. One number is asked for once at a time, however many callers have it,
and an answer is kept for a short while, also the answer that nobody has this number. Numbers are never logged.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from acd.common.number import Number
from acd.events import CustomerFound
from acd.types import ContactId, CustomerId
from crm_lookup.card import Card, Why, in_order, make_card, proved_first
from crm_lookup.sources import Source
from crm_lookup.types import Customer, Proof, Recent

_log = logging.getLogger(__name__)

Post = Callable[[CustomerFound], None]
History = Callable[[CustomerId, ContactId], Awaitable[Sequence[Recent]]]
"""The customer's earlier contacts, newest first, without the one going on."""


@dataclass(frozen=True, slots=True)
class LookupSettings:
    """`at_once`: questions to the source at a time; `country`: of the site, for showing numbers."""

    deadline_s: float = 0.3
    late_s: float = 10.0
    history_deadline_s: float = 1.0
    cache_s: float = 30.0
    cache_unknown_s: float = 10.0
    cache_most: int = 10_000
    at_once: int = 32
    country: str = "IR"


@dataclass(slots=True)
class LookupCounters:
    """Callers since the start, each in one of `cached, found, unknown, unasked`, and also `slow` when the answer
    came after the deadline or never; `errors` of the source, `asked` questions to it."""

    asked: int = 0
    cached: int = 0
    found: int = 0
    unknown: int = 0
    unasked: int = 0
    slow: int = 0
    errors: int = 0


@dataclass(slots=True)
class _Caller:
    """One contact's card as far as it is known."""

    number: Number
    matches: tuple[Customer, ...] = ()
    recent: Sequence[Recent] = ()
    why_unknown: Why | None = None
    posted: CustomerFound | None = None
    task: asyncio.Task[None] | None = None
    proof: Proof | None = None


@dataclass(slots=True)
class _Kept:
    until: float
    matches: tuple[Customer, ...] = field(repr=False)


class CallerLookup:
    """Implements `acd.ports.Lookup`."""

    def __init__(
        self,
        source: Source,
        post: Post,
        *,
        history: History | None = None,
        on_card: Callable[[ContactId], None] = lambda _contact: None,
        settings: LookupSettings | None = None,
    ) -> None:
        """`on_card` is told whenever more is known of a contact than before."""
        self._source = source
        self._post = post
        self._history = history
        self._on_card = on_card
        self._settings = settings or LookupSettings()
        self._callers: dict[ContactId, _Caller] = {}
        self._searches: dict[str, asyncio.Task[tuple[Customer, ...]]] = {}
        self._kept: dict[str, _Kept] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._free = asyncio.Semaphore(self._settings.at_once)
        self._proofs_before: Mapping[ContactId, Proof] = {}
        self.counters = LookupCounters()

    def begin(self, contact: ContactId, caller: Number) -> None:
        """Look the caller up. Asked again of the same contact, the answer is told again."""
        known = self._callers.get(contact)
        if known is not None:
            if known.posted is not None:
                self._post(known.posted)
            return
        state = self._callers[contact] = _Caller(caller, proof=self._proofs_before.get(contact))
        if caller.kind not in ("e164", "raw"):
            self.counters.unasked += 1
            state.why_unknown = "withheld" if caller.kind == "withheld" else "short"
            self._tell(contact, state)
            return
        kept = self._kept.get(caller.key)
        if kept is not None and kept.until > asyncio.get_running_loop().time():
            self.counters.cached += 1
            self._settle(contact, state, kept.matches)
            if not state.matches or self._history is None:
                return
            self._start(state, self._add_history(contact, state))
            return
        self._start(state, self._look_up(contact, state))

    def forget(self, contact: ContactId) -> None:
        """The contact is over; its card is no longer kept."""
        state = self._callers.pop(contact, None)
        if state is not None and state.task is not None:
            state.task.cancel()

    def card(self, contact: ContactId) -> Card | None:
        """The card as far as it is known now; None for a contact that was never begun, or is forgotten."""
        state = self._callers.get(contact)
        if state is None:
            return None
        return make_card(
            contact,
            state.number,
            state.matches,
            state.recent,
            state.why_unknown,
            self._settings.country,
            state.proof,
        )

    def caller(self, contact: ContactId) -> tuple[Number, CustomerId | None] | None:
        """The caller's number, and whose it is if it is surely one customer's; None for a contact not known here."""
        state = self._callers.get(contact)
        if state is None:
            return None
        return state.number, state.matches[0].id if len(state.matches) == 1 else None

    def proof(self, contact: ContactId) -> Proof | None:
        state = self._callers.get(contact)
        return None if state is None else state.proof

    def prove(self, contact: ContactId, proof: Proof) -> None:
        """The caller has proved who they are: the card is that customer's from now on."""
        state = self._callers.get(contact)
        if state is None:
            return  # they have hung up meanwhile
        state.proof = proof
        known = any(one.id == proof.customer for one in state.matches)
        state.matches, state.recent = proved_first(state.matches, proof), ()
        self._tell(contact, state)
        if state.task is not None:
            state.task.cancel()
        self._start(state, self._add_history(contact, state) if known else self._fetch(contact, state, proof))

    def remember(self, proofs: Mapping[ContactId, Proof]) -> None:
        """What callers who are still there had proved before our last stop."""
        self._proofs_before = proofs

    def forget_answers(self) -> None:
        """Customers have changed: ask the source again from now on."""
        self._kept.clear()

    async def aclose(self) -> None:
        """End all questions."""
        self._callers.clear()
        tasks = [*self._searches.values(), *self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # ---- one caller --------------------------------------------------------------------------------------

    def _start(self, state: _Caller, work: Coroutine[Any, Any, None]) -> None:
        state.task = asyncio.get_running_loop().create_task(work, name="lookup")
        self._tasks.add(state.task)
        state.task.add_done_callback(self._tasks.discard)

    async def _look_up(self, contact: ContactId, state: _Caller) -> None:
        search = self._search_for(state.number)
        done, _ = await asyncio.wait((search,), timeout=self._settings.deadline_s)
        if not done:
            self.counters.slow += 1
            state.why_unknown = "slow"
            self._tell(contact, state)
            await asyncio.wait((search,))
        if search.cancelled() or search.exception() is not None:
            self._failed(contact, state, None if search.cancelled() else search.exception())
            return
        self._settle(contact, state, search.result())
        if state.matches:
            await self._add_history(contact, state)

    async def _fetch(self, contact: ContactId, state: _Caller, proof: Proof) -> None:
        """The record of a customer whose number this is not."""
        asked = asyncio.ensure_future(self._source.one(proof.customer))
        try:
            await asyncio.wait((asked,), timeout=self._settings.late_s)
        finally:
            asked.cancel()
            await asyncio.wait((asked,))
        if asked.cancelled() or asked.exception() is not None:
            self.counters.errors += 1
            _log.warning("The record of a customer who proved who they are cannot be read.")
        elif (found := asked.result()) is not None:
            state.matches = (found, *state.matches[1:])
            self._tell(contact, state)
        await self._add_history(contact, state)

    def _failed(self, contact: ContactId, state: _Caller, error: BaseException | None) -> None:
        if error is None or (isinstance(error, TimeoutError) and state.why_unknown == "slow"):
            return  # it has been told
        state.why_unknown = "error"
        self._tell(contact, state)

    def _settle(self, contact: ContactId, state: _Caller, matches: tuple[Customer, ...]) -> None:
        state.matches = proved_first(matches, state.proof)
        if matches:
            self.counters.found += 1
            state.why_unknown = None
        else:
            self.counters.unknown += 1
            state.why_unknown = "raw" if state.number.kind == "raw" else "not_found"
        self._tell(contact, state)

    def _tell(self, contact: ContactId, state: _Caller) -> None:
        found = CustomerFound(contact, None)
        if state.matches:
            first = state.matches[0]
            found = CustomerFound(contact, first.id, first.segment, first.language, value=first.value)
        if found != state.posted:
            state.posted = found
            self._post(found)
        self._on_card(contact)

    async def _add_history(self, contact: ContactId, state: _Caller) -> None:
        if self._history is None:
            return
        asked = asyncio.ensure_future(self._history(state.matches[0].id, contact))
        try:
            await asyncio.wait((asked,), timeout=self._settings.history_deadline_s)
        finally:
            asked.cancel()
            await asyncio.wait((asked,))
        if asked.cancelled():
            _log.warning("A customer's earlier contacts came too late for the card.")
        elif (error := asked.exception()) is not None:
            _log.warning("A customer's earlier contacts cannot be read (%s).", type(error).__name__)
        elif asked.result():
            state.recent = asked.result()
            self._on_card(contact)

    # ---- one number --------------------------------------------------------------------------------------

    def _search_for(self, number: Number) -> asyncio.Task[tuple[Customer, ...]]:
        """The question that is out for this number, or a new one."""
        search = self._searches.get(number.key)
        if search is None:
            search = asyncio.get_running_loop().create_task(self._search(number), name="customer search")
            self._searches[number.key] = search
            search.add_done_callback(lambda done: self._searched(number.key, done))
        return search

    async def _search(self, number: Number) -> tuple[Customer, ...]:
        async with asyncio.timeout(self._settings.late_s), self._free:
            self.counters.asked += 1
            return in_order(await self._source.find(number))

    def _searched(self, key: str, search: asyncio.Task[tuple[Customer, ...]]) -> None:
        del self._searches[key]
        if search.cancelled():
            return
        if (error := search.exception()) is not None:
            self.counters.errors += 1
            _log.warning("The source of customers failed (%s).", type(error).__name__)
            return
        self._keep(key, search.result())

    def _keep(self, key: str, matches: tuple[Customer, ...]) -> None:
        if len(self._kept) >= self._settings.cache_most:
            del self._kept[next(iter(self._kept))]
        kept_s = self._settings.cache_s if matches else self._settings.cache_unknown_s
        self._kept.pop(key, None)
        self._kept[key] = _Kept(asyncio.get_running_loop().time() + kept_s, matches)
