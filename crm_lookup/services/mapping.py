"""Arguments into questions, answers into fields. Pure.

An answer is data of another house: what has not the form that was asked for is refused as a whole, since half an
answer said to a caller is worse than none.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from acd.common.text import clean_label
from crm_lookup.errors import ServiceError

LONGEST_VALUE = 200
_IN_BRACES = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]{0,31})(\??)\}")
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,6})?\Z")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ].{0,30})?\Z", re.DOTALL)
_ABSENT = object()

Kind = Literal["text", "number", "date", "flag"]


@dataclass(frozen=True, slots=True)
class FieldOf:
    """`at`: steps of keys and of numbers in lists, joined by dots."""

    at: str
    kind: Kind = "text"
    optional: bool = False


@dataclass(frozen=True, slots=True)
class RowsOf:
    at: str
    most: int
    fields: Mapping[str, FieldOf]


def names_in(template: str) -> tuple[str, ...]:
    """The arguments that a template holds in braces, but those that may be missing (`{card?}`)."""
    return tuple(name for name, optional in _IN_BRACES.findall(template) if not optional)


def filled(template: str, args: Mapping[str, str]) -> str:
    """The template with its arguments, nothing for one that may be missing. Raises ServiceError
    `missing_argument`."""
    missing = [name for name in names_in(template) if name not in args]
    if missing:
        raise ServiceError("missing_argument")
    return _IN_BRACES.sub(lambda found: args.get(found[1], ""), template)


def filled_fields(templates: Mapping[str, str], args: Mapping[str, str]) -> Mapping[str, str]:
    """Several of them; without those of which nothing is left but what may be missing."""
    found = {name: filled(template, args) for name, template in templates.items()}
    return {name: text for name, text in found.items() if text or not templates[name]}


def plain_arguments(args: Mapping[str, str]) -> Mapping[str, str]:
    """Arguments that may leave the house. Raises ServiceError `bad_argument` for one that is too long, or holds
    what nobody can key or say."""
    for value in args.values():
        if len(value) > LONGEST_VALUE or clean_label(value, LONGEST_VALUE) != value.strip():
            raise ServiceError("bad_argument")
    return args


def fields_in(data: object, fields: Mapping[str, FieldOf]) -> dict[str, str]:
    """The named fields of an answer, as texts. Raises ServiceError `wrong_type`, `missing_field`."""
    found: dict[str, str] = {}
    for name, field in fields.items():
        value = at(data, field.at)
        if value is None or value is _ABSENT:
            if not field.optional:
                raise ServiceError("missing_field")
            continue
        found[name] = _text(value, field.kind)
    return found


def rows_in(data: object, rows: RowsOf) -> dict[str, str]:
    """`field_1` … of the first rows, and `rows`, how many those are. Raises ServiceError as `fields_in`."""
    listed = at(data, rows.at) if rows.at else data
    if not isinstance(listed, Sequence) or isinstance(listed, str):
        raise ServiceError("wrong_type")
    found = {"rows": str(min(len(listed), rows.most))}
    for number, row in enumerate(listed[: rows.most], start=1):
        found |= {f"{name}_{number}": value for name, value in fields_in(row, rows.fields).items()}
    return found


def at(data: object, path: str) -> object:
    """What stands at a path; a value that is no one's (None) where there is nothing."""
    for step in path.split("."):
        if isinstance(data, Mapping):
            data = data.get(step, _ABSENT)
        elif isinstance(data, Sequence) and not isinstance(data, str) and step.isdecimal() and len(step) < 5:
            data = data[int(step)] if int(step) < len(data) else _ABSENT
        else:
            return _ABSENT
    return data


def same(data: object, path: str, argument: str) -> bool:
    """Whether the answer holds at `path` exactly the argument that was sent."""
    value = at(data, path)
    return isinstance(value, str | int) and not isinstance(value, bool) and str(value) == argument


def _text(value: object, kind: Kind) -> str:
    match kind:
        case "flag" if isinstance(value, bool):
            return "true" if value else "false"
        case "number" if (number := _number(value)) is not None:
            return number
        case "date" if isinstance(value, str) and (day := _DATE.match(value)) and _is_day(day):
            return f"{day[1]}-{day[2]}-{day[3]}"
        case "text" if isinstance(value, str):
            return clean_label(value, LONGEST_VALUE)
        case "text" if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18:
            return str(value)
    raise ServiceError("wrong_type")


def _number(value: object) -> str | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        if not math.isfinite(value) or abs(value) >= 1e15:
            return None
        value = int(value) if value.is_integer() else round(value, 6)
    if isinstance(value, int) and abs(value) >= 10**18:
        return None
    text = str(value)
    return text if isinstance(value, str | int | float) and _NUMBER.match(text) else None


def _is_day(found: re.Match[str]) -> bool:
    return 1 <= int(found[2]) <= 12 and 1 <= int(found[3]) <= 31
