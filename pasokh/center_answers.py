"""What a flow asks of the center: who is on the line, how long a queue is, where the caller stands; and to be called
back. The number stays between the session, the engine and the record: no journal and no log has it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import phonenumbers
from sqlalchemy import select

from acd.common.number import Number
from acd.engine import Engine
from acd.events import TaskArrived
from acd.routing.estimate import WaitRange
from acd.store.base import Database
from acd.store.tables import contact as contact_table
from acd.types import ContactId, Kind

_CALLED_BACK = frozenset(
    {
        phonenumbers.PhoneNumberType.FIXED_LINE,
        phonenumbers.PhoneNumberType.MOBILE,
        phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
    }
)


@dataclass(frozen=True, slots=True)
class AnswersOfCenter:
    """Answers `caller`, `queue`, `place` and `callback`, as ivr.steps.questions has them.

    A callback is work for an agent: it stands in the queue, of the same age as the wait it replaces, and whoever
    takes it sees the number on the card. One number has one callback open at a time. Numbers that cost money, lie
    abroad or are our own are `invalid`: somebody else might have keyed them.
    """

    engine: Engine
    number_of: Callable[[str | None], tuple[Number, str | None]]

    async def answer(
        self, contact: ContactId, what: str, args: Mapping[str, str]
    ) -> Mapping[str, str] | None:
        match what:
            case "caller":
                return self._caller(contact)
            case "queue":
                return self._queue(args.get("queue", ""))
            case "place":
                return self._place(contact)
            case "callback":
                return {"result": self._call_back(contact, args)}
            case _:
                return None

    def _caller(self, contact: ContactId) -> Mapping[str, str]:
        caller = self.engine.caller(contact)
        if caller is None or caller.kind != "e164":
            withheld = caller is not None and caller.kind == "withheld"
            return {"number": "", "withheld": _flag(withheld), "country": "", "known": "false"}
        parsed = phonenumbers.parse(caller.key)
        country = phonenumbers.region_code_for_number(parsed) or ""
        shown = phonenumbers.national_significant_number(parsed)
        local = f"0{shown}" if country == self.engine.site.country else f"00{caller.key.removeprefix('+')}"
        return {"number": local, "withheld": "false", "country": country, "known": "true"}

    def _queue(self, queue: str) -> Mapping[str, str] | None:
        seen = self.engine.outlook(queue)
        if seen is None:
            return None
        return {
            "waiting": str(seen.waiting),
            "estimated_wait_s": _seconds(seen.expected),
            "staffed": _flag(seen.staffed > 0),
            "open": _flag(seen.open),
        }

    def _place(self, contact: ContactId) -> Mapping[str, str] | None:
        place = self.engine.place(contact)
        if place is None:
            return None
        return {"ahead": str(place.position - 1), "estimated_wait_s": _seconds(place.expected)}

    def _call_back(self, contact: ContactId, args: Mapping[str, str]) -> str:
        written = args.get("number", "")
        number = self.number_of(written)[0] if written else self.engine.caller(contact)
        queue = args.get("queue", "")
        if number is None or not self._may_be_called(number):
            return "invalid"
        if queue not in self.engine.site.queues or contact not in self.engine.center.state.contacts:
            return "failed"
        if not self.engine.has_callback(number):
            asking = self.engine.center.state.contacts[contact]
            known = number == self.engine.caller(contact)
            self.engine.take_on(
                TaskArrived(
                    f"{contact}-callback",
                    Kind.CALLBACK,
                    queue,
                    asking.customer if known else None,
                    asking.segment if known else None,
                    args.get("language") or asking.language,
                    preferred_agent=asking.preferred_agent,
                    entered_us=asking.waited_from_us,
                ),
                number,
            )
        return "ok"

    def _may_be_called(self, number: Number) -> bool:
        if number.kind != "e164":
            return False
        parsed = phonenumbers.parse(number.key)
        own = {self.number_of(dialled)[0].key for dialled in self.engine.site.numbers}
        return (
            phonenumbers.number_type(parsed) in _CALLED_BACK
            and phonenumbers.region_code_for_number(parsed) == self.engine.site.country
            and number.key not in own
        )


async def recall_callers(
    engine: Engine, database: Database, number_of: Callable[[str | None], tuple[Number, str | None]]
) -> None:
    """After a restart: the numbers of those who are still to be called back, from their records."""
    open_ = [name for name, each in engine.center.state.contacts.items() if each.kind is not Kind.CALL]
    for at in range(0, len(open_), 500):
        asked = select(contact_table.c.id, contact_table.c.caller_e164).where(
            contact_table.c.id.in_(open_[at : at + 500]), contact_table.c.caller_e164.is_not(None)
        )
        async with database.reporting.connect() as connection:
            for name, written in (await connection.execute(asked)).all():
                engine.recall(name, number_of(written)[0])


def _flag(true: bool) -> str:
    return "true" if true else "false"


def _seconds(expected: WaitRange | None) -> str:
    return "" if expected is None else str(round(expected.likely_s))
