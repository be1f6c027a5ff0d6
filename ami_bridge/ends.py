"""The ends of calls that Asterisk kept for us, and their removal once they are in our records.

The `h` extension of the dialplan writes `DB(pasokh/<contact>)` for every call that ended without our word:
`at|DIALSTATUS|ANSWEREDTIME|HANGUPCAUSE|PA_END|began|number|member|hold|talk|peer`. `at`, `began` and `talk` (when the
talk with our agent began) are seconds of the epoch; `member`, `hold` and ANSWEREDTIME tell of Asterisk's own queue;
`peer` is the channel of the phone that answered the last Dial.
ANSWEREDTIME is not always there when the row is written, so a talk's length is the time from `talk` to `at`; it
counts only where `talk` is missing, as in rows of a configuration older than that.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from itertools import islice
from typing import Final, Protocol

from acd.events import FoundEnded
from acd.types import US_PER_S, ContactId, PhoneId

from .channels import phone_of
from .errors import AmiError

FAMILY = "pasokh"
KEYS_AT_ONCE = 10
DURABLE_KEPT = 20_000
NATIVE = "native"
_INSTANT: Final = re.compile(r"([0-9]{1,10})(?:\.([0-9]{0,9}))?")
_SECONDS: Final = re.compile(r"[0-9]{1,7}")


def instant_us(text: str) -> int | None:
    """Seconds of the epoch, with or without a fraction, as microseconds; None for anything else."""
    found = _INSTANT.fullmatch(text)
    if found is None:
        return None
    return int(found[1]) * US_PER_S + int(f"{found[2] or '':0<6}"[:6])


def _seconds(text: str) -> int | None:
    return int(text) if _SECONDS.fullmatch(text) else None


def read_end(contact: ContactId, row: str) -> FoundEnded | None:
    """A row of Asterisk's database as an event; None for a row that is not ours to understand."""
    fields = [*row.split("|"), *[""] * 10][:10]
    at, status, answered, _cause, end, began, number, member, hold, talk = fields
    at_us = instant_us(at)
    if at_us is None:
        return None
    native = end.startswith(NATIVE)
    talk_us: int | None = None
    if member if native else status == "ANSWER":
        began_talk_us, seconds = instant_us(talk), _seconds(answered)
        if began_talk_us is not None:
            talk_us = max(0, at_us - began_talk_us)
        elif native and seconds is not None:
            talk_us = seconds * US_PER_S
    return FoundEnded(
        contact=contact,
        dialled=number,
        began_us=instant_us(began) or at_us,
        at_us=at_us,
        talk_us=talk_us,
        native=native,
        agent=member or None,
        wait_s=_seconds(hold) or 0,
    )


def answered_phone(row: str) -> PhoneId:
    """The phone that answered the last Dial, by a row of Asterisk's database; "" where it does not say."""
    return phone_of([*row.split("|"), *[""] * 11][10])


class Originates(Protocol):
    async def originate(
        self, channel: str, *, application: str, data: str, variables: dict[str, str]
    ) -> None: ...


class Ends:
    """Which contacts have a row in Asterisk, and which of those are durable in our records."""

    def __init__(self, link: Originates, every_s: float = 1.0) -> None:
        self._link = link
        self._every_s = every_s
        self._rows: set[ContactId] = set()
        self._durable: dict[ContactId, None] = {}
        self._removable: dict[ContactId, None] = {}
        self._removing: asyncio.Task[None] | None = None
        self.failures = 0

    @property
    def removing(self) -> bool:
        """Whether rows are on their way out."""
        return self._removing is not None

    def has_row(self, contact: ContactId) -> None:
        """Asterisk keeps (or is just writing) the end of this contact."""
        self._rows.add(contact)
        if contact in self._durable:
            self._remove_soon(contact)

    def durable(self, contacts: Iterable[ContactId]) -> None:
        """The records of these contacts are safe; a row that comes later is remembered for a while."""
        for contact in contacts:
            self._durable[contact] = None
            if contact in self._rows:
                self._remove_soon(contact)
        while len(self._durable) > DURABLE_KEPT:
            del self._durable[next(iter(self._durable))]

    def _remove_soon(self, contact: ContactId) -> None:
        self._rows.discard(contact)
        self._removable[contact] = None
        if self._removing is None:
            self._removing = asyncio.get_running_loop().create_task(self._remove(), name="ends")

    async def _remove(self) -> None:
        """In small batches through the dialplan, since our manager user has no right to delete."""
        try:
            while self._removable:
                await asyncio.sleep(self._every_s)
                keys = list(islice(self._removable, KEYS_AT_ONCE))
                try:
                    await self._link.originate(
                        "Local/del@pasokh-dbdel/n",
                        application="Wait",
                        data="0",
                        variables={"PA_KEYS": "&".join(keys)},
                    )
                except AmiError:  # the rows stay; the next resync finds them again
                    self.failures += 1
                    self._rows.update(keys)
                for key in keys:  # only now: a row that is seen meanwhile must not be removed again
                    del self._removable[key]
        finally:
            self._removing = None

    async def close(self) -> None:
        if self._removing is not None:
            self._removing.cancel()
            await asyncio.gather(self._removing, return_exceptions=True)
