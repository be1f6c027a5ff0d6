from __future__ import annotations

import pickle
import random
import re

import pytest

from acd.common.expression import (
    DEEPEST,
    MOST_CHARACTERS,
    Expression,
    ExpressionError,
    Value,
)

NAMES = {"customer", "values", "queues"}
VALUES: dict[str, Value] = {
    "customer": {"segment": "vip", "known": True},
    "values": {"amount": 1500, "code": "0042", "none": None, "list": [1, 2]},
    "queues": {"cards": {"waiting": 3}},
}


def parse(text: str) -> Expression:
    return Expression.parse(text, NAMES)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("values.amount + 1", 1501),
        ("1 < 1.5", True),
        ('customer.segment == "vip" && queues.cards.waiting < 5', True),
        ("has(values.nothing)", False),
        ("values.none == null", True),
        ('values["code"].startsWith("00")', True),
        ("int(values.code)", 42),
        ("size(values.list) == 2 && 1 in values.list", True),
        ('customer.known ? "a" : "b"', "a"),
        ('values.code.matches("^[0-9]{4}$")', True),
        ('{"b": 1, "a": [2.5]}', {"a": [2.5], "b": 1}),
        ("'گرم'", "گرم"),
        ("'map(x, y) && \\'all(\\''", "map(x, y) && 'all('"),
    ],
)
def test_an_expression_has_its_value(text: str, value: Value) -> None:
    assert parse(text).value(VALUES) == value


def test_the_fields_it_reads_are_known_before_it_runs() -> None:
    read = parse('values.amount > 3 && values["code"] == "x" && customer.segment.size() > 1')
    assert read.names == ("customer", "values")
    assert read.paths == {("values", "amount"), ("values", "code"), ("customer", "segment")}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("has(values.list) && size(values.list) == 2", True),
        ("size(values) > 2 && values.amount == 1500", True),
        ("values.amount == 1500 && size(values) > 2", True),
        ("size(queues.cards) == 1 && queues.cards.waiting == 3", True),
        ('"waiting" in queues.cards && "cards" in queues', True),
        ('values["\\u0063ode"] == "0042"', True),
        ('queues["cards"]["waiting"] == queues.cards.waiting', True),
        ('[values.code][0] + {"a": values.code}["a"]', "00420042"),
        ("values[customer.key]", "0042"),
    ],
)
def test_what_is_read_is_there_however_it_is_written(text: str, value: Value) -> None:
    assert parse(text).value({**VALUES, "customer": {"key": "code"}}) == value


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("value.amount > 1", 'write "values"'),
        ("9**9**9", "cannot be read"),
        ("__import__('os')", 'function "__import__" is not known'),
        ("().__class__", "cannot be read"),
        ("[1, 2].map(x, x)", 'function "map" is not known'),
        ("values.list . exists (x, x == 1)", 'function "exists"'),
        ("values.list.\nall\n(x, true)", 'function "all"'),
        ("filter(values.list, x, true)", 'function "filter"'),
        ("now() > 1", 'function "now"'),
        ("timestamp('2020-01-01T00:00:00Z')", 'function "timestamp"'),
        ("strings('x')", 'write "string"'),
        ("customer.segment = 'vip'", 'write "=="'),
        ("customer.known and true", 'write "&&"'),
        ("not customer.known", 'write "!"'),
        ("Thing{a: 1}", 'makes a "Thing"'),
        (".values.amount", "nothing before it"),
        ("'open", "no closing quote"),
        ("values.amount // more", "comment"),
        ("b'bytes'", "letter right before"),
        ("r'\\d'", "letter right before"),
        ("r'\\'", "no closing quote"),
        ("'''[1].map(x, x)'''", "side by side"),
        ("values.code.matches(values.code)", "used as"),
        ("matches(values.code, 'x')", "used as"),
        ("values.code.matches('(')", "cannot be read"),
        ("values.code.matches('((a{9}){9}){9}')", "repeats too much"),
        ("values.code.matches('\\\\pL{9}')", "cost too much"),
        ("values.code.matches('" + "(a+)+" * 30 + "')", "more than 100 characters"),
        ("1 + ", "its end"),
        ("۱ + 1", "has no meaning"),
        ("'" + "x" * MOST_CHARACTERS + "'", "more than 500"),
        ("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), "nested more than 12"),
        ("9999999999999999999999", "cannot be read"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(text: str, says: str) -> None:
    with pytest.raises(ExpressionError, match=re.escape(says)) as refused:
        parse(text)
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize(
    "text",
    [
        "values.missing == 1",
        "customer.segment.deeper == 1",
        "values.list[9] == 1",
        "values.amount / 0",
        "9223372036854775807 + values.amount",
        "-9223372036854775808 / -1",
        "0.0 / 0.0",
        "1.0 / 0.0",
        "values.amount + values.code",
        "values.amount < values.code",
        "int(customer.segment)",
        "size(values.amount)",
        "{1: 2}",
        "[[1 % 0]]",
        "values",
    ],
)
def test_a_failure_at_run_time_is_one_kind_of_error_and_tells_no_value(text: str) -> None:
    private: dict[str, Value] = {
        "customer": VALUES["customer"],
        "values": {"amount": 77001, "code": "0042", "odd": object()},  # type: ignore[dict-item]
    }
    with pytest.raises(ExpressionError) as failed:
        parse(text).value(private)
    assert "77001" not in str(failed.value)
    assert "0042" not in str(failed.value)


def test_a_name_without_a_value_is_an_expression_error() -> None:
    with pytest.raises(ExpressionError, match="no value"):
        parse("queues.cards.waiting > 1").holds({})


def test_a_value_nested_without_end_is_refused_before_it_can_harm() -> None:
    deep: Value = 1
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ExpressionError, match="nested more than"):
        parse("size(values.deep) == 1").holds({"values": {"deep": deep}})
    shallow: Value = [[[[1]]]]
    assert parse("size(values.deep) == 1").holds({"values": {"deep": shallow}})


@pytest.mark.parametrize("text", ["values.amount", "1", "'true'", "null", "[]"])
def test_only_true_and_false_hold(text: str) -> None:
    with pytest.raises(ExpressionError, match="neither true nor false"):
        parse(text).holds(VALUES)


def test_whatever_is_written_the_error_is_an_expression_error() -> None:
    chance = random.Random(4)
    parts = (
        "values", ".code", ".amount", "customer", "(", ")", "[", "]", "{", "}", "'x'", "1", "-", "+", "*", "/",
        "%", "==", "<", "&&", "||", "!", "?", ":", ",", "size(", "int(", "string(", ".matches('a')", "has(",
        "in", "true", "null", ".contains(", "1.5", "double(", "\\", "'", "\ud800", "\0", "é",
    )  # fmt: skip
    usable = 0
    for _ in range(3_000):
        text = "".join(chance.choice(parts) + chance.choice(("", " ")) for _ in range(chance.randint(1, 9)))
        try:
            parse(text).value(VALUES)
            usable += 1
        except ExpressionError:
            continue
    assert usable > 20


def test_it_survives_pickling() -> None:
    expression = parse("values.amount > 3")
    again = pickle.loads(pickle.dumps(expression))
    assert again == expression
    assert again.holds(VALUES)
