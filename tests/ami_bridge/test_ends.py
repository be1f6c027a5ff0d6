"""What Asterisk's database keeps of a call's end, and when it may be removed there."""

from __future__ import annotations

import asyncio
import functools
import operator
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.events import FoundEnded
from ami_bridge.ends import KEYS_AT_ONCE, Ends, instant_us, read_end
from ami_bridge.errors import AmiActionError, AmiDown, AmiTimeout

S = 1_000_000
AT, BEGAN, TALK = 1_700_000_100, 1_700_000_000, 1_700_000_040


def found(
    answered_s: float | None = None,
    *,
    native: bool = False,
    agent: str | None = None,
    wait_s: int = 0,
    dialled: str = "91",
    began_us: int = BEGAN * S,
    at_us: int = AT * S,
) -> FoundEnded:
    talk_us = None if answered_s is None else round(answered_s * S)
    return FoundEnded("c1", dialled, began_us, at_us, talk_us, native, agent, wait_s)


# ---- rows --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "end"),
    [
        (f"{AT}|||16|wait|{BEGAN}|91||||", found()),
        (f"{AT}|NOANSWER||16|wait|{BEGAN}|91|||", found()),
        (f"{AT}|CANCEL||16|wait|{BEGAN}|91|||{TALK}", found()),
        (f"{AT}|ANSWER|55|16|wait|{BEGAN}|91|||{TALK}", found(60.0)),
        (f"{AT}.25|ANSWER|55|16|wait|{BEGAN}|91|||{TALK}.75", found(59.5, at_us=AT * S + 250_000)),
        (f"{AT}|ANSWER|55|16|wait|{BEGAN}|91|||{AT + 3}", found(0.0)),
        (f"{AT}|ANSWER|55|16|wait|{BEGAN}|91|||", found()),
        (f"{AT}|||16|native|{BEGAN}|91||7|", found(native=True, wait_s=7)),
        (f"{AT}||30|16|native|{BEGAN}|91|agent1|7|", found(30, native=True, agent="agent1", wait_s=7)),
        (f"{AT}||0|16|native|{BEGAN}|91|agent1|7|", found(0, native=True, agent="agent1", wait_s=7)),
        (f"{AT}|||16|native|{BEGAN}|91|agent1|7|", found(native=True, agent="agent1", wait_s=7)),
        (
            f"{AT}.5|||16|native-CONTINUE|{BEGAN}|91|agent1|7|{TALK}.25",
            found(60.25, native=True, agent="agent1", wait_s=7, at_us=AT * S + 500_000),
        ),
        (
            f"{AT}|ANSWER|30|16|native-CONTINUE|{BEGAN}|91|agent1|7|{TALK}",
            found(60, native=True, agent="agent1", wait_s=7),
        ),
        (f"{AT}|||16|native-TIMEOUT|{BEGAN}|91|||{TALK}", found(native=True)),
        (f"{AT}||30|16|native|{BEGAN}|91|||", found(native=True)),
        (f"{AT}|||16|wait||91|||", found(began_us=AT * S)),
        (f"{AT}", found(dialled="", began_us=AT * S)),
        (f"{AT}|||||||||||more|fields", found(dialled="", began_us=AT * S)),
        (f"{AT}|||16|wait|{BEGAN}.5||||", found(dialled="", began_us=BEGAN * S + 500_000)),
    ],
)
def test_a_row_tells_how_a_call_ended(row: str, end: FoundEnded) -> None:
    assert read_end("c1", row) == end


@pytest.mark.parametrize(
    "row",
    [
        "",
        "|",
        "-5|||",
        "soon|ANSWER",
        "1e9|",
        " 17|",
        "0x11|",
        "²|",
        "\N{ARABIC-INDIC DIGIT FIVE}|",
        "1.2.3|",
        "9" * 5000,
        "1" * 11,
        "1_000|",
        "\x00",
    ],
)
def test_a_row_without_an_instant_is_not_ours(row: str) -> None:
    assert read_end("c1", row) is None


@pytest.mark.parametrize(
    "hostile", ["²", "9" * 5_000, "-1", "1.5", "\N{ARABIC-INDIC DIGIT FIVE}", "1e3", "x"]
)
def test_a_field_that_is_no_number_is_left_out(hostile: str) -> None:
    assert read_end(
        "c1", f"{AT}|ANSWER|{hostile}|16|native|{hostile}x|91|agent1|{hostile}|{hostile}x"
    ) == found(native=True, agent="agent1", began_us=AT * S)


@given(st.text(), st.lists(st.text(st.characters(blacklist_characters="|")), max_size=12))
def test_no_row_raises(text: str, fields: list[str]) -> None:
    read_end("c1", text)
    end = read_end("c1", "|".join([str(AT), *fields]))
    assert end is not None
    assert end.at_us == AT * S


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("0", 0),
        ("1700000000", 1_700_000_000 * S),
        ("1700000000.", 1_700_000_000 * S),
        ("1700000000.5", 1_700_000_000 * S + 500_000),
        ("1700000000.000001", 1_700_000_000 * S + 1),
        ("1700000000.123456789", 1_700_000_000 * S + 123_456),
        (".5", None),
        ("", None),
        ("1.-5", None),
        ("+1", None),
        ("1\n", None),
    ],
)
def test_an_instant_with_or_without_a_fraction(text: str, us: int | None) -> None:
    assert instant_us(text) == us


# ---- removal -----------------------------------------------------------------------------------------------


class Dialplan:
    """The wire: takes the keys of each batch, or fails."""

    def __init__(self) -> None:
        self.batches: asyncio.Queue[list[str]] = asyncio.Queue()
        self.fails: list[Exception] = []

    async def originate(
        self, channel: str, *, application: str, data: str, variables: dict[str, str]
    ) -> None:
        assert (channel, application, data) == ("Local/del@pasokh-dbdel/n", "Wait", "0")
        if self.fails:
            raise self.fails.pop(0)
        self.batches.put_nowait(variables["PA_KEYS"].split("&"))

    async def batch(self) -> list[str]:
        async with asyncio.timeout(5):
            return await self.batches.get()


async def settled(ends: Ends) -> None:
    """Until nothing is left to be removed."""
    async with asyncio.timeout(5):
        while ends.removing:  # noqa: ASYNC110 - nothing tells of it but this
            await asyncio.sleep(0)


@pytest.mark.parametrize("row_first", [True, False])
async def test_a_row_goes_when_its_record_is_safe_whichever_is_told_first(row_first: bool) -> None:
    dialplan = Dialplan()
    ends = Ends(dialplan, every_s=0)
    steps: list[Callable[[], None]] = [lambda: ends.has_row("c1"), lambda: ends.durable(["c1"])]
    first, second = steps if row_first else steps[::-1]
    first()
    assert not ends.removing
    second()
    assert await dialplan.batch() == ["c1"]
    await settled(ends)
    await ends.close()


async def test_a_row_whose_record_is_not_safe_stays() -> None:
    dialplan = Dialplan()
    ends = Ends(dialplan, every_s=0)
    ends.has_row("not yet")
    ends.has_row("c1")
    ends.durable(["c1", "without a row"])
    assert await dialplan.batch() == ["c1"]
    await settled(ends)
    assert dialplan.batches.empty()


async def test_rows_go_in_batches_of_ten() -> None:
    dialplan = Dialplan()
    ends = Ends(dialplan, every_s=0)
    names = [f"c{n}" for n in range(23)]
    for name in names:
        ends.has_row(name)
    ends.durable(names)
    batches = [await dialplan.batch() for _ in range(3)]
    assert [len(batch) for batch in batches] == [KEYS_AT_ONCE, KEYS_AT_ONCE, 3]
    assert functools.reduce(operator.iadd, batches, []) == names
    await settled(ends)


async def test_a_row_that_is_seen_again_before_it_is_gone_is_removed_once() -> None:
    """Every comparison with Asterisk sees it until it is gone."""
    dialplan = Dialplan()
    ends = Ends(dialplan, every_s=0)
    ends.durable(["c1"])
    for _ in range(100):
        ends.has_row("c1")
    ends.durable(["c1"])
    assert await dialplan.batch() == ["c1"]
    await settled(ends)
    assert dialplan.batches.empty()


@pytest.mark.parametrize("fault", [AmiDown("down"), AmiTimeout("late"), AmiActionError("Originate", "no")])
async def test_a_row_stays_when_the_manager_fails_and_goes_when_it_is_seen_again(fault: Exception) -> None:
    dialplan = Dialplan()
    dialplan.fails.append(fault)
    ends = Ends(dialplan, every_s=0)
    ends.has_row("c1")
    ends.durable(["c1"])
    await settled(ends)
    assert dialplan.batches.empty()
    assert ends.failures == 1
    ends.has_row("c1")
    assert await dialplan.batch() == ["c1"]
    await settled(ends)


async def test_closing_ends_a_removal_that_waits() -> None:
    dialplan = Dialplan()
    ends = Ends(dialplan, every_s=3600)
    ends.has_row("c1")
    ends.durable(["c1"])
    assert ends.removing
    await ends.close()
    assert dialplan.batches.empty()
    await Ends(dialplan).close()
