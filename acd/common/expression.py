"""Conditions that people write in documents: `customer.segment == "vip" && queues.cards.waiting < 5`.

The language is CEL (https://cel.dev), chosen because it always ends, reads nothing but what it is given and has
no side effects. What could still cost time is refused when a document is read: long texts, deep nesting, loops
(the macros all, exists, map, filter), costly patterns; and what makes two runs differ: clocks, dates, bytes.
`size` of a text counts its bytes in UTF-8.

A condition that passes here can fail later only on its values (a missing field, a division by zero); that is always
an `ExpressionError`, whose sentence holds no value, since values are callers' data.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from acd.common.document import nearest
from acd.errors import AcdError

if TYPE_CHECKING:
    import cel

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"

MOST_CHARACTERS = 500
DEEPEST = 12
MOST_PATTERN_CHARACTERS = 100
MOST_REPEATS = 20

FUNCTIONS = ("contains", "double", "endsWith", "has", "int", "matches", "size", "startsWith", "string")
_WORDS = frozenset({"true", "false", "null", "in"})
_INSTEAD = {"and": "&&", "or": "||", "not": "!", "True": "true", "False": "false", "None": "null"}

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    | (?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[A-Za-z_0-9]*)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<sign>//|&&|\|\||[=!<>]=|[-+*/%<>!?:.,()\[\]{}])
    )""",
    re.VERBOSE,
)
_SPACE = re.compile(r"\s*\Z")
_NEVER_BEFORE_DOT = frozenset("+-*/%<>!?:.,([{") | {"&&", "||", "==", "!=", "<=", ">=", "in"}
_COSTLY = re.compile(r"\\[wWsSDpPbB]|\(\?")
_REPEATS = re.compile(r"\{\s*([0-9]*)\s*(?:,\s*([0-9]*)\s*)?\}")


class ExpressionError(AcdError):
    """An expression cannot be used, or has no value for what it was given."""


_Read: TypeAlias = "dict[str, _Read | None]"
"""The fields that are read of each name, as far as they are written out; None: all there is."""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression. `names`: the top-level names it reads. `paths`: every name with the fields read of it,
    as far as they are written out: `values.amount` is `("values", "amount")`."""

    text: str
    names: tuple[str, ...]
    paths: frozenset[tuple[str, ...]]
    _program: cel.Program = field(repr=False, compare=False)
    _read: _Read = field(repr=False, compare=False)

    @classmethod
    def parse(cls, text: str, names: Collection[str]) -> Expression:
        """The expression that `text` writes over the top-level `names`. Raises ExpressionError."""
        if len(text) > MOST_CHARACTERS:
            raise ExpressionError(
                f"The expression has {len(text)} characters, more than {MOST_CHARACTERS}; shorten it."
            )
        tokens = list(_tokens(text))
        if not tokens:
            raise ExpressionError("The expression is empty; write a condition.")
        _refuse_depth(tokens)
        _refuse_calls(tokens)
        _refuse_patterns(tokens)
        program = _compiled(text)
        read = _read_names(tokens)
        for name in read:
            if name not in names:
                raise ExpressionError(_unknown_name(name, names))
        paths = frozenset(_paths(tokens))
        return cls(text, tuple(sorted(read)), paths, program, _tree_of(paths))

    def value(self, values: Mapping[str, Value]) -> Value:
        """What it comes to for these values. Raises ExpressionError."""
        given = _needed(values, self._read, DEEPEST)
        try:
            return _plain(self._program.execute(given))
        except ExpressionError:
            raise
        except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
            raise ExpressionError(f'The expression "{self.text}" has no value: {_why(error)}.') from None

    def holds(self, values: Mapping[str, Value]) -> bool:
        """Whether it is true for these values. Raises ExpressionError, also if it is neither true nor false."""
        value = self.value(values)
        if not isinstance(value, bool):
            raise ExpressionError(
                f'The expression "{self.text}" is neither true nor false; compare something.'
            )
        return value

    def __reduce__(self) -> tuple[object, ...]:
        return _parsed_again, (self.text, self.names)


def _parsed_again(text: str, names: tuple[str, ...]) -> Expression:
    return Expression.parse(text, names)


# Reading ---------------------------------------------------------------------------------------------------


def _tokens(text: str) -> Iterator[_Token]:
    at, before = 0, ""
    while not _SPACE.match(text, at):
        found = _TOKEN.match(text, at)
        if found is None:
            rest = text[at:].strip()
            if rest[0] in "'\"":
                raise ExpressionError("A text in the expression has no closing quote; add it.")
            if rest[0] in "=&|":
                instead = {"=": "==", "&": "&&", "|": "||"}[rest[0]]
                raise ExpressionError(f'The expression holds a single "{rest[0]}"; write "{instead}".')
            raise ExpressionError(f'The expression holds "{rest[0]}", which has no meaning; remove it.')
        kind, token = str(found.lastgroup), str(found[str(found.lastgroup)])
        if kind == "sign" and token == "//":
            raise ExpressionError('The expression holds a comment ("//"); write it outside.')
        if kind == "string" and found.start(kind) == at and before == "name":
            raise ExpressionError("A text in the expression has a letter right before its quote; remove it.")
        if kind == "string" and before == "string":
            raise ExpressionError("Two texts stand side by side in the expression; join them by +.")
        yield _Token(kind, token)
        at, before = found.end(), kind


def _refuse_depth(tokens: list[_Token]) -> None:
    depth = 0
    for token in tokens:
        if token.kind == "sign":
            depth += (token.text in "([{") - (token.text in ")]}")
            if depth > DEEPEST:
                raise ExpressionError(f"The expression is nested more than {DEEPEST} deep; make it flatter.")


def _refuse_calls(tokens: list[_Token]) -> None:
    """Only the listed functions; no structures, which are written `Name{…}`; no words of other languages."""
    nothing = _Token("end", "")
    for at, token in enumerate(tokens):
        after = tokens[at + 1] if at + 1 < len(tokens) else nothing
        if token.text == "." and (at == 0 or tokens[at - 1].text in _NEVER_BEFORE_DOT):
            raise ExpressionError("A dot in the expression has nothing before it; remove it.")
        if token.kind != "name":
            continue
        if token.text in _INSTEAD:
            raise ExpressionError(
                f'The expression holds the word "{token.text}"; write "{_INSTEAD[token.text]}".'
            )
        if after.text == "{":
            raise ExpressionError(f'The expression makes a "{token.text}", which does not exist; remove it.')
        if after.text == "(" and token.text not in FUNCTIONS and token.text not in _WORDS:
            meant = nearest(token.text, FUNCTIONS)
            fix = f'write "{meant}"' if meant else f"use one of {', '.join(FUNCTIONS)}"
            raise ExpressionError(f'The function "{token.text}" is not known here; {fix}.')


def _refuse_patterns(tokens: list[_Token]) -> None:
    """A pattern is compiled at each evaluation: it must be written out, and cheap."""
    for at, token in enumerate(tokens):
        if token.kind != "name" or token.text != "matches":
            continue
        around = [t.text for t in tokens[max(at - 1, 0) : at + 4]]
        pattern = tokens[at + 2] if at + 2 < len(tokens) else None
        if (
            pattern is None
            or pattern.kind != "string"
            or around[0] != "."
            or around[2:3] != ["("]
            or around[4:] != [")"]
        ):
            raise ExpressionError('Patterns are used as `text.matches("pattern")`; write it so.')
        _refuse_pattern(str(_compiled(pattern.text).execute({})))
        _try_pattern(pattern.text)


def _refuse_pattern(pattern: str) -> None:
    if len(pattern) > MOST_PATTERN_CHARACTERS:
        raise ExpressionError(f"A pattern has more than {MOST_PATTERN_CHARACTERS} characters; shorten it.")
    repeats = [max(int(low or 0), int(high or 0)) for low, high in _REPEATS.findall(pattern)]
    if sum(repeats) > MOST_REPEATS or "}{" in pattern or "){" in pattern:
        raise ExpressionError(
            f"A pattern repeats too much; repeat single characters only, and {MOST_REPEATS} times in all."
        )
    if _COSTLY.search(pattern):
        raise ExpressionError(
            r"A pattern uses \w, \s, \p or (?…), which cost too much; write [a-z] and the like."
        )


def _try_pattern(literal: str) -> None:
    import cel

    try:
        cel.compile(f'"".matches({literal})').execute({})
    except RuntimeError:
        raise ExpressionError(f"The pattern {literal} cannot be read; check its brackets.") from None


def _compiled(text: str) -> cel.Program:
    import cel  # here, since it takes 0.2 s and most sites write no expression

    try:
        return cel.compile(text)
    except ValueError as error:
        raise ExpressionError(f"The expression cannot be read: {_syntax(error)}.") from None


def _syntax(error: ValueError) -> str:
    found = re.search(r"<input>:\d+:(\d+): (?:Syntax error: )?([^\n]*)", str(error))
    if found is None:
        return "it is not complete"
    said = re.sub(r" expecting \{.*", "", found[2]).replace("'<EOF>'", "its end").rstrip(". ")
    return f"{said} at character {found[1]}"


def _read_names(tokens: list[_Token]) -> set[str]:
    return {path[0] for path in _paths(tokens)}


def _paths(tokens: list[_Token]) -> Iterator[tuple[str, ...]]:
    """Chains such as `a.b["c"]`, without the functions called on them."""
    at = 0
    while at < len(tokens):
        token = tokens[at]
        at += 1
        if token.kind != "name" or token.text in _WORDS or _text(tokens, at) == "(":
            continue
        if _text(tokens, at - 2) == "." and at >= 2:
            continue
        path = [token.text]
        while (step := _step(tokens, at)) is not None:
            path.append(step[0])
            at += step[1]
        yield tuple(path)


def _step(tokens: list[_Token], at: int) -> tuple[str, int] | None:
    """The field read next, and of how many tokens it is."""
    if _text(tokens, at) == "." and _text(tokens, at + 2) != "(" and at + 1 < len(tokens):
        return tokens[at + 1].text, 2
    if _text(tokens, at) == "[" and _text(tokens, at + 2) == "]" and tokens[at + 1].kind == "string":
        name = tokens[at + 1].text[1:-1]
        return None if "\\" in name else (name, 3)
    return None


def _text(tokens: list[_Token], at: int) -> str:
    return tokens[at].text if 0 <= at < len(tokens) and tokens[at].kind != "string" else ""


def _unknown_name(name: str, names: Collection[str]) -> str:
    meant = nearest(name, names)
    fix = f'write "{meant}"' if meant else f"use {' or '.join(sorted(names))}" if names else "remove it"
    return f'The name "{name}" is not known here; {fix}.'


# Evaluating ------------------------------------------------------------------------------------------------


def _tree_of(paths: Collection[tuple[str, ...]]) -> _Read:
    tree: _Read = {}
    for path in sorted(paths, key=len):  # a whole before what is in it
        at: _Read | None = tree
        for step in path[:-1]:
            assert at is not None
            at = at.setdefault(step, {})
            if at is None:
                break
        if at is not None:
            at[path[-1]] = None
    return tree


def _needed(values: Mapping[str, Value], read: _Read, left: int) -> dict[str, Value]:
    """Of these values what is read. Taking values in is most of the cost of an evaluation."""
    taken: dict[str, Value] = {}
    for name, inner in read.items():
        if name in values:
            value = values[name]
            if inner and isinstance(value, dict):
                taken[name] = _needed(value, inner, left - 1)
            else:
                _refuse_deep(value, left)
                taken[name] = value
    return taken


def _refuse_deep(value: object, left: int) -> None:
    """The evaluator takes values in by recursion without a limit of its own, and would end the process."""
    if left <= 0:
        raise ExpressionError(f"A value is nested more than {DEEPEST} deep, so no expression can read it.")
    if isinstance(value, dict | list | tuple):
        for each in value.values() if isinstance(value, dict) else value:
            if isinstance(each, dict | list | tuple):
                _refuse_deep(each, left - 1)


def _plain(value: object) -> Value:
    """The value as one of ours. A mapping comes in no order from the evaluator, so it is put in one."""
    match value:
        case None | bool() | int() | str():
            return value
        case float() if math.isfinite(value):
            return value
        case list():
            return [_plain(item) for item in value]
        case dict() if all(isinstance(key, str) for key in value):
            return {key: _plain(value[key]) for key in sorted(value)}
        case _:
            raise ExpressionError(
                "An expression comes to something that is no text, number, truth value or list."
            )


def _why(error: Exception) -> str:
    match error:
        case ZeroDivisionError():
            return "it divides by zero"
        case OverflowError():
            return "a number leaves the range of 64 bits"
        case LookupError():
            return "a field that it reads is missing"
        case TypeError():
            return (
                "it puts values of different kinds together, which int(), double() and string() can convert"
            )
        case _ if str(error).startswith("Undefined variable"):
            return "a name that it reads has no value, or a function does not take such a value"
        case _:
            return "a function does not take such a value"
