"""The customer store and the records as the rest of the process needs them: lookup, cards, lists, import."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from rich.console import Console
from rich.progress import Progress as ProgressBar
from sqlalchemy.ext.asyncio import AsyncEngine

from acd.events import CustomerFound
from acd.site import Site, load_site
from acd.store import reports
from acd.store.base import Database, DatabaseSettings, instant, opened, to_us
from acd.store.menu_steps import MenuStepRow, menu_path
from acd.store.waits import Stretch, waits_of
from acd.types import ContactId, CustomerId
from crm_lookup import customers as store
from crm_lookup.lookup import CallerLookup, LookupSettings
from crm_lookup.sources import OwnStore
from crm_lookup.types import Customer, Recent
from pasokh.errors import NotReadyError
from pasokh.settings import Settings

_Row = (
    Customer
    | reports.ContactRow
    | reports.VisitRow
    | reports.OfferRow
    | reports.LegRow
    | MenuStepRow
    | Stretch
)

SAMPLE = "example/customers.csv"


class Customers:
    """`lookup` finds callers; this is also `acd.ports.Answers` and the lists of `realtime.ports`."""

    def __init__(
        self, lookup: CallerLookup, source: OwnStore, database: Database, site: Callable[[], Site]
    ) -> None:
        self.lookup = lookup
        self.contacts = Contacts(database.reporting)
        self.lists = CustomerLists(database.reporting, site)
        self._source = source

    def card(self, contact: ContactId) -> Mapping[str, object] | None:
        return self.lookup.card(contact)

    async def answer(
        self, contact: ContactId, what: str, args: Mapping[str, str]
    ) -> Mapping[str, str] | None:
        """What a flow may ask: `customer` (known, id, segment, language; verified, and its level). None for what
        nobody can answer."""
        if what != "customer":
            return None
        card = self.lookup.card(contact)
        found = card.get("customer") if card is not None else None
        if card is None or not isinstance(found, Mapping):
            return {"known": "false", "verified": "false"}
        named = {name: str(found[name]) for name in ("id", "segment", "language") if found.get(name)}
        verified = {
            "verified": "true" if card["verified"] else "false",
            "level": str(card.get("verified_level", "")),
        }
        return {"known": "true", **verified, **named}

    async def close(self) -> None:
        await self.lookup.aclose()
        await self._source.close()


def join_customers(
    settings: Settings,
    database: Database,
    site: Callable[[], Site],
    post: Callable[[CustomerFound], None],
    card_changed: Callable[[ContactId], None],
) -> Customers:
    source = OwnStore(database)

    async def history(customer: CustomerId, contact: ContactId) -> Sequence[Recent]:
        found = await reports.recent_contacts(database.reporting, customer, but=contact)
        return [Recent(each.at, each.queue, each.agent, each.outcome, each.disposition) for each in found]

    lookup = CallerLookup(
        source,
        post,
        history=history,
        on_card=card_changed,
        settings=LookupSettings(deadline_s=settings.deadlines.lookup_s),
    )
    return Customers(lookup, source, database, site)


@dataclass(frozen=True, slots=True)
class Contacts:
    """Implements `realtime.ports.Contacts`."""

    database: AsyncEngine

    async def recent(
        self, *, limit: int, before_us: int | None = None, queue: str | None = None, agent: str | None = None
    ) -> Sequence[Mapping[str, object]]:
        after = None if before_us is None else reports.After(instant(before_us), "")
        page = await reports.list_contacts(self.database, limit, after, queue=queue, agent=agent)
        return [_plain(row) for row in page.contacts]

    async def one(self, contact: ContactId) -> Mapping[str, object] | None:
        story = await reports.contact_story(self.database, contact)
        if story is None:
            return None
        return {
            **_plain(story.contact),
            "visits": [_plain(row) for row in story.visits],
            "offers": [_plain(row) for row in story.offers],
            "legs": [_plain(row) for row in story.legs],
            "menu": [_plain(row) for row in await menu_path(self.database, contact)],
        }

    async def waits(self, contact: ContactId, now_us: int) -> Sequence[Mapping[str, object]]:
        return [
            {
                **_plain(wait.visit),
                "to_us": wait.to_us,
                "stretches": [_plain(each) for each in wait.stretches],
                "offers": [_plain(each) for each in wait.offers],
            }
            for wait in await waits_of(self.database, contact, now_us)
        ]


@dataclass(frozen=True, slots=True)
class CustomerLists:
    """Implements `realtime.ports.Customers`."""

    database: AsyncEngine
    site: Callable[[], Site]

    async def search(self, text: str, *, limit: int) -> Sequence[Mapping[str, object]]:
        at = self.site()
        return [
            _plain(each) for each in await store.search(self.database, text, at.country, at.area_code, limit)
        ]

    async def one(self, customer: CustomerId) -> Mapping[str, object] | None:
        found = await store.get(self.database, customer)
        return None if found is None else _plain(found)


def _plain(row: _Row) -> dict[str, object]:
    """A row for JSON: instants as microseconds, and what is not known left out."""
    out: dict[str, object] = {}
    for each in dataclasses.fields(row):
        value = getattr(row, each.name)
        if isinstance(value, datetime):
            out["at_us" if each.name == "at" else each.name.removesuffix("_at") + "_at_us"] = to_us(value)
        elif value is not None:
            out[each.name] = value
    return out


# Import ----------------------------------------------------------------------------------------------------


def sample_numbers() -> list[str]:
    """The numbers of the sample customers."""
    lines = _sample().splitlines()
    at = lines[0].split(",").index("phones")
    return [line.split(",")[at].split(";")[0] for line in lines[1:] if line.count(",") >= at]


def _sample() -> str:
    return files("crm_lookup").joinpath(SAMPLE).read_text(encoding="utf-8")


async def import_sample(settings: Settings) -> None:
    async with opened(DatabaseSettings(url=settings.database_url)) as database:
        async for _ in store.import_csv(database.writing, _sample().splitlines(), datetime.now(UTC)):
            pass


def import_file(settings: Settings, file: Path, out: Console) -> int:
    """Store the customers of a file with a progress bar; how many of its lines were wrong."""
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines(keepends=True)
        site = load_site(settings.site.read_text(encoding="utf-8"), str(settings.site))
    except (OSError, UnicodeDecodeError) as error:
        raise NotReadyError(f"The file cannot be read: {error}.") from None
    with ProgressBar(console=out) as bar:
        return asyncio.run(_import(settings, lines, site, bar, out))


async def _import(
    settings: Settings, lines: Sequence[str], site: Site, bar: ProgressBar, out: Console
) -> int:
    task = bar.add_task("Customers", total=max(0, len(lines) - 1))
    wrong, stored = 0, 0
    at = datetime.now(UTC)
    async with opened(DatabaseSettings(url=settings.database_url)) as database:
        async for part in store.import_csv(database.writing, lines, at, site.country, site.area_code):
            bar.update(task, completed=part.rows)
            stored = part.stored
            wrong += len(part.problems)
            for problem in part.problems:
                out.print(str(problem), markup=False)
    out.print(f"{stored} customers are stored; {wrong} lines were left out.")
    return wrong
