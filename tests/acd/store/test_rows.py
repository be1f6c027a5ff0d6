"""Facts become changes of rows; saying a thing twice says it once."""

from __future__ import annotations

from typing import get_args

import pytest

from acd.facts import ContactBegan, Disposed, Fact, SiteChanged
from acd.store.base import metadata
from acd.store.rows import At, CallerNoted, changes, merged
from acd.store.spool import decode, encode
from acd.store.tables import contact
from tests.acd.store.world import (
    DAY_US,
    abandoned_call,
    answered_call,
    callback_call,
    flowed_out_call,
    menu_call,
    refused_call,
    relaxed_call,
)

EVERYTHING = [
    *answered_call("pbx-1.1", DAY_US),
    *abandoned_call("pbx-1.2", DAY_US, 3),
    *flowed_out_call("pbx-1.3", DAY_US, 3),
    *refused_call("pbx-1.4", DAY_US),
    *menu_call("pbx-1.5", DAY_US),
    *callback_call("pbx-1.6", DAY_US, 3),
    *relaxed_call("pbx-1.7", DAY_US),
]
UNRECORDED = {"SiteChanged", "AlarmRaised", "AlarmCleared", "ReserveChanged"}


def test_the_world_of_these_tests_holds_every_kind_of_fact_but_what_is_not_recorded() -> None:
    assert {kind.__name__ for kind in get_args(Fact)} - {
        type(fact).__name__ for fact in EVERYTHING
    } <= UNRECORDED
    assert changes(SiteChanged(DAY_US, "abc")) == ()


@pytest.mark.parametrize("fact", EVERYTHING, ids=lambda fact: type(fact).__name__)
def test_changes_name_columns_that_there_are(fact: Fact) -> None:
    for change in changes(fact):
        table = metadata.tables[change.table]
        assert set(change.key) == {column.name for column in table.primary_key}
        assert set(change.values) <= set(table.columns.keys()) - set(change.key)
        if change.insert:
            needed = {c.name for c in table.columns if not c.nullable and c.server_default is None}
            assert needed <= set(change.key) | set(change.values), "a row can be made from this fact alone"


def test_facts_said_twice_in_order_are_said_once() -> None:
    assert merged([*EVERYTHING, *EVERYTHING]) == merged(EVERYTHING)


def test_each_row_is_named_once_and_later_values_win() -> None:
    rows = merged(EVERYTHING)
    assert len({change.row for change in rows}) == len(rows)
    visit = next(change for change in rows if change.row == ("visit", (("id", "pbx-1.1.1"),)))
    assert visit.insert
    assert visit.values["disposition"] == "sold"


def test_a_disposition_alone_makes_no_visit() -> None:
    (change,) = changes(Disposed(DAY_US, "v", "c", "loans", "reza", "sold"))
    assert not change.insert


def test_a_number_noted_before_the_contact_began_is_in_the_row_that_is_made() -> None:
    note = CallerNoted("c", "e164", "+989125550001")
    (row, _leg) = merged([note, ContactBegan(DAY_US, "c", "1500", None)])
    assert row.insert
    assert row.values["caller_e164"] == "+989125550001"
    assert row.values["began_at"] == At(DAY_US)
    assert row.table == contact.name


@pytest.mark.parametrize(
    "fact", [*EVERYTHING, CallerNoted("c", "withheld", None)], ids=lambda f: type(f).__name__
)
def test_what_is_spooled_comes_back_the_same(fact: Fact) -> None:
    line = encode(fact)
    assert line.count(b"\n") == 1
    assert decode(line) == fact


@pytest.mark.parametrize(
    "line", [b"", b"{}", b'["NoFact",{}]', b'["ContactBegan",{"at_us":"x"}]', b"\xff\xfe", b"[1]"]
)
def test_a_damaged_line_is_named_so(line: bytes) -> None:
    with pytest.raises(ValueError, match="not a record"):
        decode(line)
