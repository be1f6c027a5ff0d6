"""Callers who serve themselves: a real Asterisk, keys by SIP INFO and RFC 2833, and the bank's own system.

What callers hear is told by who listens on the wire between us and Asterisk: the sounds, in their order. The system
behind is the sample line of business of `tests/lob`. All calls are made at once.
"""

from __future__ import annotations

import asyncio
import logging
import re
import urllib.request
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from sqlalchemy import select

from acd.site import Number, Queue, Site
from crm_lookup.services.example import people
from crm_lookup.services.settings import AuthenticationSettings
from crm_lookup.store.tables import verification
from ivr.check import load_flow
from ivr.flow import Flow, Slot, named
from ivr.library import shipped_flows
from ivr.prompts import PromptLibrary
from ivr.say import speak
from ivr.voices import Espeak
from pasokh.app import Running
from tests.crm_lookup.services.worlds import told
from tests.live.center import PARTS, Keys, Place, PlacePorts, premises
from tests.live.sipp import Answer, Callers
from tests.live.wiretap import Connection, Wiretap
from tests.lob import LineOfBusiness

pytestmark = pytest.mark.needs(*(part for part in PARTS if part != "postgres"))

BANK, BANK_IN_ENGLISH, INSURER, PROOF = "02191001500", "02191001501", "02191001600", "02191001700"
WRONG_PIN = "739182640517"  # so long that it cannot stand anywhere by chance
CARD = "9999990000010047"  # of c-1004
PROOF_FLOW = """
flow: proof
start: who
person: people
nodes:
  who: {kind: authenticate, ask: [card, pin], verified: people, failed: people}
  people: {kind: queue, queue: cards}
"""


def keys(first: str, then: str = "", gap_ms: int = 240) -> Keys:
    """Choices of menus one by one, each in its own time, then what is keyed in one go (a key by RFC 2833 lasts 200
    ms)."""
    return [
        *((1500, key) for key in first),
        *((1200 if n == 0 else gap_ms, key) for n, key in enumerate(then)),
    ]


@dataclass(frozen=True, slots=True)
class SelfService:
    """One caller: what they key and how, and what they must hear last."""

    number: str
    dial: str
    keys: Keys
    keys_by: Literal["info", "rfc2833"]
    language: str
    flow: str
    hears: str
    values: Mapping[str, str]


SERVED = [
    SelfService(
        "09125550001", BANK, keys("14", "1001#2681#"), "info",
        "fa", "bank", "your-balance", {"balance": "1788470000"},
    ),
    SelfService(
        "09127770002", BANK_IN_ENGLISH, keys("4", "1002#9809#"), "rfc2833",
        "en", "bank", "your-balance", {"balance": "2533990000"},
    ),
    SelfService(
        "09127770003", INSURER, keys("14", "00010003731333"), "rfc2833",
        "fa", "insurer", "policy-in-force", {"until": "2027-07-02"},
    ),
    SelfService(
        "09127770004", INSURER, keys("26", "00010007481363"), "info",
        "en", "insurer", "next-premium", {"premium": "134000000", "due": "2026-12-26"},
    ),
]  # fmt: skip
MISTAKEN = "09127770005"
PROVED = "09127770006"


def with_more_lines(site: Site) -> Site:
    """The bank, and on the same Asterisk an insurer and a line that asks for card and PIN at once."""
    label = {"fa": "خط", "en": "Line"}
    lines = {
        dialled: Number.model_validate(
            {"flow": flow, "hours": "always", "language": language, "label": label}
        )
        for dialled, flow, language in ((INSURER, "insurer", None), (PROOF, "proof", "fa"))
    }
    queues = {
        name: Queue.model_validate({"label": label, "requires": {}})
        for name in ("claims", "policies", "sales")
    }
    return site.model_copy(update={"numbers": {**site.numbers, **lines}, "queues": {**site.queues, **queues}})


@dataclass(slots=True)
class House:
    place: Place
    run: Running
    lob: LineOfBusiness
    agi: Wiretap
    ami: Wiretap

    def sounds_of(self, caller: str) -> list[str]:
        """What this caller was played, in order, over all sessions of theirs."""
        return [
            found[1]
            for connection in self.agi.connections
            if _caller(connection) == caller
            for side, line in connection.said
            if side == ">" and (found := re.match(r'STREAM FILE "?([^" ]+)', line))
        ]

    def expected(self, flow: str, prompt: str, language: str, values: Mapping[str, str]) -> list[str]:
        """The sounds of a prompt with its values."""
        found = []
        library = PromptLibrary(self.place.settings.asterisk.sounds, Espeak())
        for part in _flow(flow).parts(named(prompt), language):
            if isinstance(part, Slot):
                phrases = speak(part.kind or "digits", values[part.name], language)
                found += [library.sound(phrase) for phrase in phrases]
            else:
                found.append(library.sound(part))
        return found

    async def until_heard(
        self, caller: str, flow: str, prompt: str, language: str, values: Mapping[str, str]
    ) -> None:
        wanted = self.expected(flow, prompt, language, values)
        await self.agi.until(
            f"{prompt} in {language} said to {caller}: {wanted}, not only {self.sounds_of(caller)}",
            lambda: _holds(self.sounds_of(caller), wanted),
            timeout_s=30,
        )


def _caller(connection: Connection) -> str:
    said = next((line for _, line in connection.said if line.startswith("agi_callerid:")), "")
    return said.partition(":")[2].strip()


def _flow(name: str) -> Flow:
    texts = {**shipped_flows(), "proof": PROOF_FLOW}
    return load_flow(texts[name], name).flow


def _holds(said: Sequence[str], wanted: Sequence[str]) -> bool:
    return any(list(said[at : at + len(wanted)]) == list(wanted) for at in range(len(said) - len(wanted) + 1))


@asynccontextmanager
async def a_house() -> AsyncIterator[House]:
    """The product on SQLite, so that all it keeps is in one folder."""
    async with AsyncExitStack() as stack:
        lob = await stack.enter_async_context(LineOfBusiness().listening())
        ports = PlacePorts.free(tapped=True)
        agi, ami = Wiretap(), Wiretap()
        place = await stack.enter_async_context(
            premises("", change=with_more_lines, flows={"proof": PROOF_FLOW}, ports=ports)
        )
        services, methods = told(lob.url, place.folder)
        place.settings = place.settings.model_copy(
            update={
                "services": services,
                "authentication": AuthenticationSettings(methods=methods.methods, number_tries=4),
            }
        )
        await stack.enter_async_context(agi.between(ports.agi_dialled, ports.agi, pbx_calls=True))
        await stack.enter_async_context(ami.between(ports.ami, ports.asterisk.ami, pbx_calls=False))
        run = await stack.enter_async_context(place.running())
        assert run.prompts_made is not None
        await run.prompts_made
        yield House(place, run, lob, agi, ami)


def calling(house: House, caller: SelfService, stack: ExitStack) -> Callers:
    return stack.enter_context(
        house.place.callers(
            [caller.number], keys=caller.keys, keys_by=caller.keys_by, dial=caller.dial, talk_ms=40_000
        )
    )


async def test_callers_serve_themselves_or_reach_a_person(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    async with a_house() as house, house.place.desk("c1") as first, house.place.desk("c2") as second:
        place = house.place
        with place.phones(Answer(after_ms=50)) as phones, ExitStack() as stack:
            for caller in SERVED:
                calling(house, caller, stack)
            wrong = keys("14", f"1003#{WRONG_PIN}", 100) + 2 * keys("", f"1003#{WRONG_PIN}", 100)
            stack.enter_context(place.callers([MISTAKEN], keys=wrong, talk_ms=40_000))
            stack.enter_context(
                place.callers(
                    [PROVED], keys=keys("", f"{CARD}{_pin_of('c-1004')}#", 100), dial=PROOF, talk_ms=40_000
                )
            )
            for caller in SERVED:
                await house.until_heard(
                    caller.number, caller.flow, caller.hears, caller.language, caller.values
                )

            # Who cannot prove it reaches a person, whose page says so; who can is known by name.
            await phones.heard("RING", 2, timeout_s=30)
            by_number = {
                moment.detail: moment.contact for moment in phones.moments() if moment.what == "RING"
            }
            offers = {offer.contact: offer for desk in (first, second) for offer in desk.offers}
            mistaken, proved = offers[by_number[MISTAKEN]].card, offers[by_number[PROVED]].card
            assert mistaken is not None
            assert proved is not None
            assert (mistaken["verified"], mistaken["known"]) == (False, False)
            assert (proved["verified"], proved["verified_by"], proved["customer"]["id"]) == (
                True,
                "pin",
                "c-1004",
            )
            assert not any(_holds(house.sounds_of(MISTAKEN), sounds[:1]) for sounds in _balances(house))

            # The right PIN from another number, after three wrong ones: nobody is told that it is right.
            with place.callers(
                ["09127770009"], keys=keys("14", f"1003#{_pin_of('c-1003')}#"), talk_ms=40_000
            ):
                await house.until_heard("09127770009", "bank", "locked", "fa", {})
                await place.cli("channel request hangup all")
            assert [each.body.get("pin") for each in house.lob.asked].count(WRONG_PIN) == 3

        await place.until_no_channels()
        async with house.run.database.reporting.connect() as connection:
            rows = await connection.execute(select(verification))
            kept = sorted((row.customer, row.method) for row in rows)
        assert kept == [
            ("c-1001", "birth_year"), ("c-1001", "pin"), ("c-1002", "birth_year"), ("c-1002", "pin"), ("c-1004", "pin")
        ]  # fmt: skip
        told_everywhere = [
            *(path.read_bytes().decode("latin-1") for path in _files(place.folder)),
            "\n".join(line for each in house.ami.connections for _, line in each.said),
            "\n".join(line for each in house.agi.connections for _, line in each.said),
            await asyncio.to_thread(_metrics, house),
            caplog.text,
        ]
    told_everywhere.append("".join(capfd.readouterr()))
    for secret in (CARD, WRONG_PIN, "0001000373", "0001000748"):
        assert not any(secret in text for text in told_everywhere)
    assert any(MISTAKEN[1:] in text for text in told_everywhere)  # it was looked at where digits could stand


def _balances(house: House) -> Iterable[list[str]]:
    for language in ("fa", "en"):
        yield house.expected("bank", "your-balance", language, {"balance": "0"})


def _pin_of(customer: str) -> str:
    return next(one.pin for one in people() if one.customer == customer)


def _files(folder: Path) -> Iterable[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _metrics(house: House) -> str:
    with urllib.request.urlopen(f"{house.place.url}/metrics", timeout=5) as answer:
        return str(answer.read().decode())
