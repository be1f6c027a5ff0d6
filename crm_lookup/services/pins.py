"""Checks PINs: argon2id in child processes, so that the loop that carries the calls never stops for one.

Not in threads: argon2's memory and time belong to a process that can be limited and killed, and nothing else of the
call's way is in a thread. A child gets a keyed digest, never the PIN: with four digits to guess, the key (a secret
in a file, not in the database) is what protects stolen hashes.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from crm_lookup.errors import PinError, ServiceError

_log = logging.getLogger(__name__)

SECRET_LEAST_BYTES = 16
_LINE_LIMIT = 4096


@dataclass(frozen=True, slots=True)
class PinSettings:
    """What one check costs (argon2id), how many are done at a time, and how long one may take."""

    memory_kib: int = 65_536
    time_cost: int = 2
    at_once: int = 2
    deadline_s: float = 3.0
    shortest: int = 4


class PinCheck(Protocol):
    """Whether a keyed PIN is the one of a hash."""

    async def right(self, hashed: str, keyed: str) -> bool:
        """Raises ServiceError when it cannot be said."""
        ...

    async def aclose(self) -> None: ...


def keyed(pin: str, secret: bytes) -> str:
    """HMAC-SHA-256 of a PIN, in hexadecimal digits: what is hashed and checked in place of the PIN."""
    if len(secret) < SECRET_LEAST_BYTES:
        raise ValueError(f"The secret for PINs is too short; give {SECRET_LEAST_BYTES} bytes or more.")
    return hmac.digest(secret, b"pasokh-pin:" + pin.encode(), "sha256").hex()


def hash_pin(pin: str, secret: bytes, settings: PinSettings) -> str:
    """The argon2id hash to store; it takes as long as it says, so not in a process that carries calls.

    Raises PinError for what is no PIN, or one of those that are guessed first.
    """
    digits = pin.isascii() and pin.isdigit()
    if not digits or not settings.shortest <= len(pin) <= 12:
        raise PinError(f"A PIN has {settings.shortest} to 12 digits; choose another.")
    if len(set(pin)) == 1 or pin in "01234567890" or pin in "09876543210":
        raise PinError("This PIN is among those that are guessed first; choose another.")
    return hasher(settings).hash(keyed(pin, secret))


def hasher(settings: PinSettings) -> PasswordHasher:
    return PasswordHasher(time_cost=settings.time_cost, memory_cost=settings.memory_kib, parallelism=1)


def hash_of_nobody(settings: PinSettings) -> str:
    """A hash that no PIN has, and that takes as long to check as any other."""
    return f"$argon2id$v=19$m={settings.memory_kib},t={settings.time_cost},p=1${'A' * 22}${'A' * 43}"


def is_right(hashed: str, keyed_pin: str) -> bool:
    """Checks here and now; blocks for as long as the hash says."""
    try:
        return PasswordHasher().verify(hashed, keyed_pin)
    except (VerificationError, InvalidHashError):
        return False


class ChildPinCheck:
    """Checks in `at_once` child processes, each made when it is first needed."""

    def __init__(self, settings: PinSettings) -> None:
        self._settings = settings
        self._idle: asyncio.Queue[_Child] = asyncio.Queue()
        self._children = [_Child() for _ in range(settings.at_once)]
        for child in self._children:
            self._idle.put_nowait(child)

    async def right(self, hashed: str, keyed: str) -> bool:
        """As the protocol; a child that does not answer in time is ended, and made anew for the next."""
        try:
            async with asyncio.timeout(self._settings.deadline_s):
                child = await self._idle.get()
                try:
                    return await child.ask(f"{hashed} {keyed}\n")
                except BaseException:
                    child.end()
                    raise
                finally:
                    self._idle.put_nowait(child)
        except TimeoutError:
            raise ServiceError("late", theirs=True) from None
        except OSError as error:
            _log.warning("PINs cannot be checked (%s).", type(error).__name__)
            raise ServiceError("no_checker", theirs=True) from None

    async def aclose(self) -> None:
        for child in self._children:
            await child.close()


class _Child:
    """One child process; what it is told and says are single lines."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._ended: list[asyncio.subprocess.Process] = []

    async def ask(self, line: str) -> bool:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "crm_lookup.services.pin_child"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=_LINE_LIMIT,
            )
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(line.encode())
        await stdin.drain()
        said = await stdout.readline()
        if said not in (b"yes\n", b"no\n"):
            raise BrokenPipeError("the child that checks PINs has ended")
        return said == b"yes\n"

    def end(self) -> None:
        """Its answer would be of a question that nobody asks any more."""
        process, self._process = self._process, None
        if process is not None:
            if process.returncode is None:
                process.kill()
            self._ended.append(process)

    async def close(self) -> None:
        self.end()
        for process in self._ended:
            await process.wait()


def serve(read: Callable[[], str], write: Callable[[str], object]) -> None:
    """The child's life: a line `hash keyed` in, `yes` or `no` out, until the parent is gone."""
    while line := read():
        hashed, _, keyed_pin = line.strip().partition(" ")
        write("yes\n" if is_right(hashed, keyed_pin) else "no\n")
