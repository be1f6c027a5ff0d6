"""Services by name: asked with a deadline, retried where that does no harm, left alone while they are ill.

A question runs to its end even when the caller has hung up meanwhile: what it changes must be known to the breaker,
and a connection that is broken off in the middle is of no use to the next caller.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from crm_lookup.errors import ServiceError
from crm_lookup.services.breaker import Breaker
from crm_lookup.services.mapping import plain_arguments
from crm_lookup.services.settings import RESULT, ExampleService, HttpService, SqlService
from crm_lookup.types import Proof

_log = logging.getLogger(__name__)

FOUND, NOT_FOUND, FAILED = "found", "not_found", "failed"
CUSTOMER = "customer"
"""The argument that is the customer who has proved who they are, in a service that is for those only."""

OneService = HttpService | SqlService | ExampleService


class Answers(Protocol):
    """Whoever knows the answers of one service."""

    @property
    def may_retry(self) -> bool: ...

    async def ask(self, args: Mapping[str, str]) -> Mapping[str, str] | None:
        """Fields, or None for "no such thing". Raises ServiceError. May be cancelled at any moment."""
        ...

    async def aclose(self) -> None: ...


@dataclass(slots=True)
class ServiceCounters:
    """Since the start, by the service's name; `failed` by `name:why`. Names are of pasokh.toml, never a caller's."""

    asked: dict[str, int] = field(default_factory=dict)
    found: dict[str, int] = field(default_factory=dict)
    not_found: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    retried: dict[str, int] = field(default_factory=dict)
    opened: dict[str, int] = field(default_factory=dict)


def _count(counts: dict[str, int], name: str) -> None:
    counts[name] = counts.get(name, 0) + 1


@dataclass(slots=True)
class _Desk:
    """One service and how it has been lately."""

    name: str
    settings: OneService
    answers: Answers
    breaker: Breaker
    free: asyncio.Semaphore


class Services:
    """All services of this process."""

    def __init__(self, services: Mapping[str, tuple[OneService, Answers]]) -> None:
        self._desks = {
            name: _Desk(
                name,
                settings,
                answers,
                Breaker(settings.breaker_after, settings.breaker_open_s),
                asyncio.Semaphore(settings.at_once),
            )
            for name, (settings, answers) in services.items()
        }
        self._asking: set[asyncio.Task[Mapping[str, str] | None]] = set()
        self.counters = ServiceCounters()

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._desks)

    async def ask(self, name: str, args: Mapping[str, str], proof: Proof | None = None) -> Mapping[str, str]:
        """`result` (found, not_found, failed) and the fields of what was found.

        `proof`: who the caller has proved to be; without it, a service that is for verified callers fails.
        """
        try:
            found = await self.find(name, args, proof)
        except ServiceError as error:
            _count(self.counters.failed, f"{name if name in self._desks else 'unknown'}:{error.why}")
            return {RESULT: FAILED}
        if found is None:
            _count(self.counters.not_found, name)
            return {RESULT: NOT_FOUND}
        _count(self.counters.found, name)
        return {**found, RESULT: FOUND}

    async def find(
        self, name: str, args: Mapping[str, str], proof: Proof | None = None
    ) -> Mapping[str, str] | None:
        """As `ask`, but None for what is not found. Raises ServiceError for what failed."""
        desk = self._desks.get(name)
        if desk is None:
            raise ServiceError("unknown_service")
        if desk.settings.verified:
            if proof is None or not _is_enough(proof, desk.settings.methods):
                raise ServiceError("not_verified")
            args = {**args, CUSTOMER: proof.customer}
        plain_arguments(args)
        if desk.settings.arguments - set(args):
            raise ServiceError("missing_argument")
        if not desk.breaker.may_ask(_now_s()):
            raise ServiceError("left_alone")
        _count(self.counters.asked, name)
        asking = asyncio.get_running_loop().create_task(self._until_answered(desk, args), name="service")
        self._asking.add(asking)
        asking.add_done_callback(self._asked)
        await asyncio.wait((asking,))  # a caller who hangs up ends the waiting, not the question
        if asking.cancelled():
            raise ServiceError("stopping")
        return asking.result()

    def is_open(self, name: str) -> bool:
        """Whether this service is left alone now."""
        return self._desks[name].breaker.is_open

    async def aclose(self) -> None:
        for task in self._asking:
            task.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)
        for desk in self._desks.values():
            await desk.answers.aclose()

    def _asked(self, task: asyncio.Task[Mapping[str, str] | None]) -> None:
        self._asking.discard(task)
        if not task.cancelled():
            task.exception()  # its asker may have hung up; the counters know

    async def _until_answered(self, desk: _Desk, args: Mapping[str, str]) -> Mapping[str, str] | None:
        try:
            async with asyncio.timeout(desk.settings.deadline_s), desk.free:
                found = await self._with_retries(desk, args)
        except TimeoutError:
            self._ill(desk, "late")
            raise ServiceError("late", theirs=True) from None
        except ServiceError as error:
            if error.theirs:
                self._ill(desk, error.why)
            else:
                desk.breaker.went_well()  # it answered: the question was not to its liking
            raise
        except asyncio.CancelledError:
            desk.breaker.no_word()
            raise
        desk.breaker.went_well()
        return found

    async def _with_retries(self, desk: _Desk, args: Mapping[str, str]) -> Mapping[str, str] | None:
        left = desk.settings.retries if desk.answers.may_retry else 0
        while True:
            try:
                return await desk.answers.ask(args)
            except ServiceError as error:
                if left == 0 or not error.again:
                    raise
            left -= 1
            _count(self.counters.retried, desk.name)
            await asyncio.sleep(desk.settings.retry_after_s)

    def _ill(self, desk: _Desk, why: str) -> None:
        if desk.breaker.went_ill(_now_s()):
            _count(self.counters.opened, desk.name)
            _log.warning("The service %s fails (%s) and is left alone for a while.", desk.name, why)


def _is_enough(proof: Proof, methods: tuple[str, ...]) -> bool:
    """Whether this proof holds all that one of the methods asks for."""
    given = set(proof.method.split("+"))
    return not methods or any(set(method.split("+")) <= given for method in methods)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
