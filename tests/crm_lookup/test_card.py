"""The card says what is known and leaves the rest out."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from acd.common.number import parse_number
from crm_lookup.card import from_key, in_order, make_card
from crm_lookup.types import Customer, Recent


def test_a_card_without_an_answer_yet() -> None:
    card = make_card("c", parse_number("09125550001"))
    assert card == {
        "contact": "c",
        "known": False,
        "matches": 0,
        "caller": "0912 555 0001",
        "verified": False,
        "recent": [],
        "others": [],
    }


def test_a_withheld_number_is_not_shown_as_text() -> None:
    card = make_card("c", parse_number("anonymous"), why_unknown="withheld")
    assert "caller" not in card
    assert card["why_unknown"] == "withheld"


def test_why_is_not_said_of_a_known_caller_and_a_customer_without_names_is_called_by_the_id() -> None:
    card = make_card("c", parse_number("0044 20 7946 0000"), [Customer("k-9")], why_unknown="slow")
    assert "why_unknown" not in card
    assert card["caller"] == "+44 20 7946 0000"
    assert card["customer"] == {"id": "k-9", "kind": "person", "name": "k-9", "phones": []}


def test_a_card_is_plain_json_and_its_instants_are_utc() -> None:
    at = datetime(2026, 11, 22, 3, 0, tzinfo=timezone(timedelta(hours=3, minutes=30)))
    customer = Customer(
        "k", name_fa="<img src=x onerror=alert(1)>", phones=("short:110", "raw:alice", "ext:12")
    )
    card = make_card("c", parse_number("09125550001"), [customer], [Recent(at, None, None, None, None)])
    assert json.loads(json.dumps(card)) == card
    assert card["recent"] == [{"at": "2026-11-21T23:30:00Z"}]


def test_who_was_in_touch_last_comes_first_then_by_id() -> None:
    old, new = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    people = [
        Customer("z"),
        Customer("old", last_contact_at=old),
        Customer("a"),
        Customer("new", last_contact_at=new),
    ]
    assert [one.id for one in in_order(people)] == ["new", "old", "a", "z"]


@pytest.mark.parametrize("written", ["09125550001", "110", "ext 12", "sip:alice@example.org"])
def test_a_key_says_what_kind_of_number_it_is(written: str) -> None:
    number = parse_number(written)
    assert (from_key(number.key).kind, from_key(number.key).key) == (number.kind, number.key)
