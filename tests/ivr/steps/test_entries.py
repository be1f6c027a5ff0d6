"""What a caller keyed is what it should be, or it is nothing."""

from __future__ import annotations

import pytest

from ivr.flow import CollectNode
from ivr.steps.entries import read_date, read_entry, read_factor


def entry(**fields: object) -> CollectNode:
    common = {"kind": "collect", "prompt": {"en": "Key it"}, "into": "it", "next": "on"}
    return CollectNode.model_validate({**common, **fields})


@pytest.mark.parametrize(
    ("digits", "calendar", "day"),
    [
        ("14050901", "any", "2026-11-22"),
        ("14050901", "jalali", "2026-11-22"),
        ("14050901", "gregorian", None),
        ("20261122", "any", "2026-11-22"),
        ("20261122", "jalali", None),
        ("14051230", "any", None),  # 1405 is no leap year
        ("14031230", "any", "2025-03-20"),
        ("20260229", "any", None),
        ("14050000", "any", None),
        ("17000101", "any", None),
        ("00000000", "any", None),
        ("99991231", "any", None),
    ],
)
def test_the_year_tells_the_calendar(digits: str, calendar: str, day: str | None) -> None:
    assert read_date(digits, calendar) == day


@pytest.mark.parametrize(
    ("fields", "digits", "value"),
    [
        ({"max_digits": 4}, "0042", "0042"),
        ({"max_digits": 4}, "00421", None),
        ({"max_digits": 4, "min_digits": 2}, "7", None),
        ({"max_digits": 4}, "۱۲۳۴", None),
        ({"type": "amount"}, "1500", 1500),
        ({"type": "amount", "unit": "toman"}, "1500", 15_000),
        ({"type": "amount", "unit": "toman", "at_most": 1500}, "1500", 15_000),
        ({"type": "amount", "at_least": 1000}, "999", None),
        ({"type": "amount", "at_most": 1000}, "1001", None),
        ({"type": "amount"}, "9" * 13, None),
        ({"type": "date"}, "14050901", "2026-11-22"),
        ({"type": "date"}, "1405090", None),
        ({"type": "national_id"}, "0499370899", "0499370899"),
        ({"type": "national_id"}, "499370899", "0499370899"),
        ({"type": "national_id"}, "0499370898", None),
        ({"type": "national_id"}, "1111111111", None),
        ({"type": "card"}, "6037991234567893", "6037991234567893"),
        ({"type": "card"}, "6037991234567894", None),
        ({"type": "card"}, "603799123456789", None),
    ],
)
def test_an_entry_is_checked_by_its_type(
    fields: dict[str, object], digits: str, value: str | int | None
) -> None:
    assert read_entry(entry(**fields), digits) == value


def test_a_proof_of_identity_is_checked_before_it_is_sent_anywhere() -> None:
    assert read_factor("national_id", "499370899") == "0499370899"
    assert read_factor("national_id", "0499370898") is None
    assert read_factor("card", "6037991234567894") is None
    assert read_factor("card_last4", "789") is None
    assert read_factor("birth_year", "1365") == "1365"
    assert read_factor("birth_year", "0013") is None
    assert read_factor("pin", "12*4") is None
    assert read_factor("pin", "1234") == "1234"
