"""Services whose answers ship with the product: thirty people of a bank and an insurer that do not exist.

For demonstrations, and for writing a flow before the house's own systems can be asked. The PINs stand in
`crm_lookup/example/records.json` for everybody to read, so nothing here must ever guard anything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files

import msgspec

from crm_lookup.errors import ServiceError
from crm_lookup.services.mapping import FieldOf, RowsOf, rows_in

ROWS_MOST = 3


class Transaction(msgspec.Struct, frozen=True):
    day: str
    amount_rial: int
    direction: str


class Policy(msgspec.Struct, frozen=True):
    number: str
    subject: str
    state: str
    until: str
    premium_rial: int
    due: str


class Claim(msgspec.Struct, frozen=True):
    number: str
    state: str
    day: str
    amount_rial: int


class Person(msgspec.Struct, frozen=True):
    """One customer of the example houses. `birth_year` is of the Jalali calendar."""

    customer: str
    national_id: str
    birth_year: str
    card: str
    pin: str
    mobile: str
    balance_rial: int
    transactions: tuple[Transaction, ...]
    policies: tuple[Policy, ...]
    claims: tuple[Claim, ...]


@cache
def people() -> tuple[Person, ...]:
    """Everybody in the example data, by customer id."""
    text = files("crm_lookup").joinpath("example/records.json").read_bytes()
    return msgspec.json.decode(text, type=tuple[Person, ...])


class ExampleAnswers:
    """Answers one of `settings.EXAMPLES`. Implements `crm_lookup.services.service.Answers`."""

    may_retry = True

    def __init__(self, of: str) -> None:
        self._answer = _ANSWERS[of]

    async def ask(self, args: Mapping[str, str]) -> Mapping[str, str] | None:
        return self._answer(args)

    async def aclose(self) -> None:
        pass


def named(args: Mapping[str, str]) -> Person | None:
    """Who is meant by the identity in these arguments: customer, customer_number (the digits of their id),
    national_id or card."""
    if number := args.get("customer_number"):
        args = {"customer": f"c-{number}"}
    for name in ("customer", "national_id", "card"):
        if said := args.get(name):
            return next((one for one in people() if getattr(one, name) == said), None)
    raise ServiceError("missing_argument")


def _identified_by(second: str) -> Callable[[Mapping[str, str]], Mapping[str, str] | None]:
    def answer(args: Mapping[str, str]) -> Mapping[str, str] | None:
        person = named(args)
        if person is None or not args.get(second) or getattr(person, second) != args[second]:
            return None
        return {"customer": person.customer}

    return answer


def _balance(args: Mapping[str, str]) -> Mapping[str, str] | None:
    person = named(args)
    return None if person is None else {"balance": str(person.balance_rial)}


def _transactions(args: Mapping[str, str]) -> Mapping[str, str] | None:
    person = named(args)
    return None if person is None else rows_in(msgspec.to_builtins(person.transactions), TRANSACTIONS)


TRANSACTIONS = RowsOf(
    "",
    ROWS_MOST,
    {
        "amount": FieldOf("amount_rial", "number"),
        "day": FieldOf("day", "date"),
        "direction": FieldOf("direction"),
    },
)


def _block_card(args: Mapping[str, str]) -> Mapping[str, str] | None:
    person = named(args)
    return None if person is None else {"reference": reference(person)}


def reference(person: Person) -> str:
    """Six digits that name the order to block this person's card."""
    made = hashlib.blake2b(person.card.encode(), digest_size=4).digest()
    return f"{int.from_bytes(made, 'big') % 900_000 + 100_000}"


def _policy(args: Mapping[str, str]) -> Mapping[str, str] | None:
    person = named(args)
    if person is None or not person.policies:
        return None
    policy = person.policies[0]
    return {"number": policy.number, "subject": policy.subject, "state": policy.state, "until": policy.until}


def _premium(args: Mapping[str, str]) -> Mapping[str, str] | None:
    person = named(args)
    if person is None or not person.policies:
        return None
    return {"premium": str(person.policies[0].premium_rial), "due": person.policies[0].due}


def _claim(args: Mapping[str, str]) -> Mapping[str, str] | None:
    person = named(args)
    if person is None or not person.claims:
        return None
    claim = person.claims[0]
    return {"number": claim.number, "state": claim.state, "day": claim.day, "amount": str(claim.amount_rial)}


_ANSWERS: Mapping[str, Callable[[Mapping[str, str]], Mapping[str, str] | None]] = {
    "bank.identify": _identified_by("pin"),
    "bank.balance": _balance,
    "bank.transactions": _transactions,
    "bank.block_card": _block_card,
    "insurer.identify": _identified_by("birth_year"),
    "insurer.policy": _policy,
    "insurer.claim": _claim,
    "insurer.premium": _premium,
}
