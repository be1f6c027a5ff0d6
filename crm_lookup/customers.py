"""Customers in our own store: add, find, and take in from a CSV file.

A customer without an id of the house gets one made from name and numbers, so the same file read twice makes
nobody twice. Nothing here is on the way of a call; imports run in a process of their own.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql.expression import Executable

from acd.common.number import Number, parse_number
from acd.common.text import ascii_digits, clean_label, matching_key
from acd.types import CustomerId
from crm_lookup.card import from_key
from crm_lookup.errors import CustomerError
from crm_lookup.store.tables import customer, phone
from crm_lookup.types import Customer, Kind

COLUMNS = ("id", "kind", "name_fa", "name_en", "segment", "language", "value", "notes", "phones")
PHONES_MOST = 20
NOTES_MOST = 2000
_BATCH = 500
_KINDS: Mapping[str, Kind] = {"": "person", "person": "person", "organisation": "organisation"}


@dataclass(frozen=True, slots=True)
class LineProblem:
    """What is wrong with one line of a file, and what to do; no value of the line is repeated."""

    line: int
    message: str
    fix: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}; {self.fix}."


@dataclass(frozen=True, slots=True)
class Progress:
    """So far: `rows` read, `stored` of them; `problems` are those found since the last progress."""

    rows: int
    stored: int
    problems: tuple[LineProblem, ...]


async def add(engine: AsyncEngine, new: Customer, at: datetime) -> Customer:
    """Store a customer, new or changed, with exactly these phones. Raises CustomerError if nothing names it."""
    checked = _checked(new)
    async with engine.begin() as connection:
        await _store(connection, [checked], at)
    return checked


async def get(engine: AsyncEngine, customer_id: CustomerId) -> Customer | None:
    found = await _fetch(engine, select(*_FIELDS).where(customer.c.id == customer_id))
    return found[0] if found else None


async def search(
    engine: AsyncEngine, text: str, country: str = "IR", area_code: str = "", limit: int = 50
) -> Sequence[Customer]:
    """Customers whose name contains `text`, or whose number it is or ends with; all of them for an empty text."""
    key = matching_key(text)
    digits = "".join(c for c in ascii_digits(text) if c.isdigit())
    matches = [customer.c.name_key.contains(key, autoescape=True)]
    if len(digits) >= 3:
        number = parse_number(text, country, area_code)
        of_number = or_(
            phone.c.key == number.key, phone.c.key.endswith(digits.lstrip("0") or digits, autoescape=True)
        )
        matches.append(customer.c.id.in_(select(phone.c.customer).where(of_number)))
    query = select(*_FIELDS).where(or_(*matches)).order_by(customer.c.name_key, customer.c.id).limit(limit)
    return await _fetch(engine, query)


async def import_csv(
    engine: AsyncEngine, lines: Iterable[str], at: datetime, country: str = "IR", area_code: str = ""
) -> AsyncIterator[Progress]:
    """Store the customers of a CSV file (its first line names the columns, see COLUMNS; phones are separated by
    `;`), in batches; a line that is no customer is told and left out.

    Raises CustomerError when the first line does not name the columns.
    """
    rows, stored = 0, 0
    batch: list[Customer] = []
    problems: list[LineProblem] = []
    for one in _read(lines, country, area_code):
        rows += 1
        if isinstance(one, LineProblem):
            problems.append(one)
        else:
            batch.append(one)
        if len(batch) + len(problems) >= _BATCH:
            stored += await _store_batch(engine, batch, at)
            yield Progress(rows, stored, tuple(problems))
            batch, problems = [], []
    stored += await _store_batch(engine, batch, at)
    yield Progress(rows, stored, tuple(problems))


# ---- reading a file --------------------------------------------------------------------------------------------


def _read(lines: Iterable[str], country: str, area_code: str) -> Iterator[Customer | LineProblem]:
    reader = csv.reader(line.replace("\x00", "") for line in lines)
    header = [name.strip().lstrip("\ufeff").lower() for name in next(reader, [])]
    unknown = [name for name in header if name not in COLUMNS]
    if unknown or "phones" not in header:
        raise CustomerError(
            f"The first line of the file must name the columns, of {', '.join(COLUMNS)} (phones at least)."
        )
    while True:
        try:
            cells = next(reader, None)
        except csv.Error:
            yield LineProblem(
                reader.line_num, "this is not CSV", "quote fields with commas or quotes in them"
            )
            continue
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield _row(reader.line_num, header, cells, country, area_code)


def _row(
    line: int, header: Sequence[str], cells: Sequence[str], country: str, area_code: str
) -> Customer | LineProblem:
    if len(cells) != len(header):
        return LineProblem(line, f"it has {len(cells)} fields, not {len(header)}", "quote fields with commas")
    cell = dict(zip(header, (cell.strip() for cell in cells), strict=True))
    if cell.get("kind", "") not in _KINDS:
        return LineProblem(line, "the kind is neither person nor organisation", "write one of the two")
    if cell.get("language", "") not in ("", "fa", "en"):
        return LineProblem(line, "the language is neither fa nor en", "write one of the two, or nothing")
    value = ascii_digits(cell.get("value", ""))
    if value and not (value.isdecimal() and len(value) <= 18):
        return LineProblem(line, "the value is not a whole number", "write digits only, or nothing")
    keys = _keys(cell["phones"], country, area_code)
    if isinstance(keys, str):
        return LineProblem(line, keys, "write numbers as they are dialled, separated by ;")
    try:
        return _checked(
            Customer(
                id=cell.get("id", ""),
                kind=_KINDS[cell.get("kind", "")],
                name_fa=cell.get("name_fa") or None,
                name_en=cell.get("name_en") or None,
                segment=cell.get("segment") or None,
                language=cell.get("language") or None,
                value=int(value) if value else None,
                notes=cell.get("notes") or None,
                phones=keys,
            )
        )
    except CustomerError as error:
        return LineProblem(line, str(error).partition(";")[0], "give it a name or a number")


def _keys(written: str, country: str, area_code: str) -> tuple[str, ...] | str:
    """The keys of written numbers, or what is wrong with them."""
    numbers = [parse_number(one, country, area_code) for one in written.split(";") if one.strip()]
    if len(numbers) > PHONES_MOST:
        return f"there are more than {PHONES_MOST} numbers"
    if not all(map(_can_be_kept, numbers)):
        return "a number cannot be read"
    return tuple(dict.fromkeys(number.key for number in numbers))


def _can_be_kept(number: Number) -> bool:
    return number.kind in ("e164", "short", "extension") or number.written.isdecimal()


def _checked(new: Customer) -> Customer:
    """Cleaned for a screen and given an id if it has none."""
    name_fa = clean_label(new.name_fa or "") or None
    name_en = clean_label(new.name_en or "") or None
    phones = tuple(dict.fromkeys(key for key in new.phones if key))
    if not (name_fa or name_en or phones):
        raise CustomerError("A customer has neither a name nor a number; give one of them.")
    made = hashlib.blake2b(
        "\x1f".join([name_fa or "", name_en or "", *sorted(phones)]).encode(), digest_size=6
    )
    return replace(
        new,
        id=clean_label(new.id, 64) or f"c-{made.hexdigest()}",
        name_fa=name_fa,
        name_en=name_en,
        segment=clean_label(new.segment or "", 32) or None,
        notes=(new.notes or "")[:NOTES_MOST].replace("\x00", "") or None,
        phones=phones,
    )


# ---- the database ----------------------------------------------------------------------------------------------

_FIELDS = (
    customer.c.id,
    customer.c.kind,
    customer.c.name_fa,
    customer.c.name_en,
    customer.c.segment,
    customer.c.language,
    customer.c.value,
    customer.c.notes,
)


async def _fetch(engine: AsyncEngine, query: Executable) -> Sequence[Customer]:
    async with engine.connect() as connection:
        found = {row.id: Customer(*row) for row in await connection.execute(query)}
        keys: dict[str, list[str]] = {}
        phones = (
            select(phone.c.customer, phone.c.key).where(phone.c.customer.in_(found)).order_by(phone.c.key)
        )
        for row in await connection.execute(phones):
            keys.setdefault(row.customer, []).append(row.key)
    return [replace(one, phones=tuple(keys.get(one.id, ()))) for one in found.values()]


async def _store_batch(engine: AsyncEngine, batch: Sequence[Customer], at: datetime) -> int:
    if batch:
        async with engine.begin() as connection:
            await _store(connection, batch, at)
    return len(batch)


async def _store(connection: AsyncConnection, customers: Sequence[Customer], at: datetime) -> None:
    newest = list({one.id: one for one in customers}.values())  # the last line about somebody counts
    rows = [
        {
            "id": one.id,
            "kind": one.kind,
            "name_fa": one.name_fa,
            "name_en": one.name_en,
            "name_key": matching_key(" ".join(filter(None, (one.name_fa, one.name_en)))),
            "segment": one.segment,
            "language": one.language,
            "value": one.value,
            "notes": one.notes,
            "changed_at": at,
        }
        for one in newest
    ]
    await connection.execute(_upsert(connection.dialect.name), rows)
    await connection.execute(delete(phone).where(phone.c.customer.in_([one.id for one in newest])))
    phones = [
        {"customer": one.id, "key": key, "kind": from_key(key).kind} for one in newest for key in one.phones
    ]
    if phones:
        await connection.execute(phone.insert(), phones)


def _upsert(dialect: str) -> Executable:
    insert = sqlite.insert(customer) if dialect == "sqlite" else postgresql.insert(customer)
    changed = {column.name: insert.excluded[column.name] for column in customer.c if column.name != "id"}
    return insert.on_conflict_do_update(index_elements=["id"], set_=changed)
