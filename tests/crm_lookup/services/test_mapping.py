"""Arguments into questions, answers into fields."""

from __future__ import annotations

import pytest

from crm_lookup.errors import ServiceError
from crm_lookup.services.mapping import (
    FieldOf,
    RowsOf,
    fields_in,
    filled,
    filled_fields,
    names_in,
    plain_arguments,
    rows_in,
    same,
)


def why(call: object) -> str:
    assert callable(call)
    with pytest.raises(ServiceError) as raised:
        call()
    return raised.value.why


def test_templates() -> None:
    assert names_in("/{a}/{b?}/{a}") == ("a", "a")
    assert filled("x-{a}{b?}", {"a": "1"}) == "x-1"
    assert filled_fields({"a": "{a?}", "b": "{b?}", "c": ""}, {"b": "2"}) == {"b": "2", "c": ""}
    assert why(lambda: filled("{a}", {})) == "missing_argument"


@pytest.mark.parametrize("value", ["a\r\nb", "\u202e1", "x" * 201, "a\x00", "tab\there"])
def test_what_nobody_can_key_or_say_is_not_asked(value: str) -> None:
    assert why(lambda: plain_arguments({"a": value})) == "bad_argument"


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        ("سارا", "text", "سارا"),
        (12, "text", "12"),
        ("a\x07b\u202e", "text", "ab"),
        (1788470000, "number", "1788470000"),
        ("-12.50", "number", "-12.50"),
        (12.0, "number", "12"),
        (0.1 + 0.2, "number", "0.3"),
        ("2026-11-22", "date", "2026-11-22"),
        ("2026-11-22T10:00:00Z", "date", "2026-11-22"),
        (True, "flag", "true"),
        (False, "flag", "false"),
    ],
)
def test_values(value: object, kind: str, text: str) -> None:
    assert fields_in({"a": {"b": [value]}}, {"x": FieldOf("a.b.0", kind)}) == {"x": text}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, "text"),
        (1.5, "text"),
        ({}, "text"),
        ([], "text"),
        (10**18, "text"),
        (10**18, "number"),
        (float("nan"), "number"),
        (float("inf"), "number"),
        (1e300, "number"),
        (True, "number"),
        ("12 rials", "number"),
        ("۱۲", "number"),
        ("1" * 5000, "number"),
        ("22.11.2026", "date"),
        ("2026-13-01", "date"),
        (20261122, "date"),
        ("yes", "flag"),
        (1, "flag"),
    ],
)
def test_wrong_types(value: object, kind: str) -> None:
    assert why(lambda: fields_in({"a": value}, {"x": FieldOf("a", kind)})) == "wrong_type"  # type: ignore[arg-type]


def test_what_is_not_there() -> None:
    for path in ("b", "a.b", "a.0.c", "c.7", "c.99999"):
        assert why(lambda path=path: fields_in({"a": "x", "c": []}, {"x": FieldOf(path)})) == "missing_field"
        assert fields_in({"a": "x", "c": []}, {"x": FieldOf(path, optional=True)}) == {}
    assert why(lambda: fields_in({"a": None}, {"x": FieldOf("a")})) == "missing_field"


def test_rows() -> None:
    rows = RowsOf("list", 2, {"n": FieldOf("n", "number"), "t": FieldOf("t", optional=True)})
    data = {"list": [{"n": 1, "t": "a"}, {"n": 2}, {"n": 3}]}
    assert rows_in(data, rows) == {"rows": "2", "n_1": "1", "t_1": "a", "n_2": "2"}
    assert rows_in({"list": []}, rows) == {"rows": "0"}
    assert why(lambda: rows_in({"list": "abc"}, rows)) == "wrong_type"
    assert why(lambda: rows_in({}, rows)) == "wrong_type"
    assert why(lambda: rows_in({"list": [{"n": 1}, {"n": "x"}]}, rows)) == "wrong_type"


def test_the_same() -> None:
    assert same({"a": {"id": 7}}, "a.id", "7")
    assert same({"id": "c-1"}, "id", "c-1")
    for data in ({}, {"id": None}, {"id": "c-10"}, {"id": True}, {"id": ["c-1"]}):
        assert not same(data, "id", "c-1")
