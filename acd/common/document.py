"""Documents that people write (center.yaml, flows): YAML with the place of every value, checked by a model.

A document is read from the events of ruamel.yaml's parser, not from its constructor, because

- every key and value then has its line and column, which a `Problem` shows;
- keys are strings as written, with ASCII digits (`1`, `"1"` and `۱` are one key; `021` keeps its zero), and a
  number remembers its writing where a text is asked for (`Written`);
- nothing is ever expanded: aliases and merge keys are refused, size and depth are capped while reading.

Everything wrong is collected and raised at once as `DocumentError`; a person mends a file in one go.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, TypeVar, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from acd.common.text import ascii_digits
from acd.errors import DocumentError, Problem, Severity

__all__ = [
    "DocumentError",
    "Loaded",
    "Path",
    "Problem",
    "Tree",
    "Written",
    "load_document",
    "nearest",
    "read_tree",
    "wrong",
]

SIZE_LIMIT_BYTES = 2_000_000
DEPTH_LIMIT = 24
SCALAR_LIMIT = 20_000
PROBLEM_LIMIT = 100

Path = tuple[str | int, ...]
Place = tuple[int, int]
ModelT = TypeVar("ModelT", bound=BaseModel)

_INT = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_CONSTANTS: dict[str, bool | None] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}


class _WrittenInt(int):
    written: str


class _WrittenFloat(float):
    written: str


def _as_written(value: object) -> object:
    if isinstance(value, _WrittenInt | _WrittenFloat):
        return ascii_digits(value.written)
    return ascii_digits(value) if isinstance(value, str) else value


Written = Annotated[str, BeforeValidator(_as_written)]
"""A text that may look like a number (`021`, `1001`, `۱۵۰۰`): kept as written, with ASCII digits."""


def wrong(message: str, fix: str) -> PydanticCustomError:
    """The error for a validator of a document's model to raise: both halves of the problem's sentence."""
    return PydanticCustomError("document", "{message}", {"message": message, "fix": fix})


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, if any is near."""
    return next(iter(difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)), None)


@dataclass(frozen=True, slots=True)
class Tree:
    """A document as plain dicts, lists and scalars, with the place of each value and key by its path."""

    file: str
    data: object
    values: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)

    def where(self, path: Path) -> Place:
        """Line and column (from 1) of the value at `path`; of the nearest thing around it if it is absent."""
        for length in range(len(path), -1, -1):
            if (place := self.values.get(path[:length])) is not None:
                return place
        return (1, 1)

    def where_key(self, path: Path) -> Place:
        """Line and column (from 1) of the key (or list item) at `path`; of what is around it if absent."""
        return self.keys.get(path) or self.where(path)

    def problem(
        self, path: Path, message: str, fix: str, *, severity: Severity = "error", at_key: bool = False
    ) -> Problem:
        line, column = self.where_key(path) if at_key else self.where(path)
        return Problem(self.file, line, column, message, fix, severity)


@dataclass(frozen=True, slots=True)
class Loaded(Generic[ModelT]):
    """A document that fits its model, and the tree that knows where everything in it was written."""

    model: ModelT
    tree: Tree

    def where(self, path: Path) -> Place:
        return self.tree.where(path)


def load_document(text: str | bytes, file: str, model: type[ModelT]) -> Loaded[ModelT]:
    """Read `text` (UTF-8 YAML, one mapping) into `model`; `file` is the name that problems show.

    Raises DocumentError with everything that is wrong.
    """
    tree = read_tree(text, file)
    try:
        return Loaded(model.model_validate(tree.data), tree)
    except ValidationError as error:
        problems = [_translate(tree, model, details) for details in error.errors(include_url=False)]
    raise DocumentError(sorted(set(problems), key=lambda p: (p.line, p.column, p.message))[:PROBLEM_LIMIT])


def read_tree(text: str | bytes, file: str) -> Tree:
    """Read YAML into plain data with places. DocumentError unless it is one mapping of plain values."""
    return _Reader(file).read(_decoded(text, file))


def _decoded(text: str | bytes, file: str) -> str:
    size = len(text)
    if size > SIZE_LIMIT_BYTES:
        message = f"the document has {size} bytes, more than the {SIZE_LIMIT_BYTES} that are read"
        raise DocumentError([Problem(file, 1, 1, message, "split it or shorten it")])
    if isinstance(text, str):
        return text.removeprefix("\ufeff")
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = text[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        message = f"the file is not UTF-8: byte 0x{text[error.start]:02x} cannot be read"
    raise DocumentError([Problem(file, line, column, message, "save it as UTF-8")])


@dataclass(slots=True)
class _Open:
    """A mapping or list that is being read."""

    path: Path
    into: dict[str, object] | list[object]
    key: str | None = None


class _Reader:
    """Builds the tree from parser events with a stack of its own, so that depth cannot exhaust Python's."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.tree = Tree(file, None)
        self.problems: list[Problem] = []
        self.stack: list[_Open] = []
        self.root: object = None
        self.documents = 0

    def read(self, text: str) -> Tree:
        for event in self._events(text):
            self._take(event)
        if not self.problems and not isinstance(self.root, dict):
            found = "empty" if self.root is None else "not a set of keys with values"
            self.problems.append(
                Problem(self.file, 1, 1, f"the document is {found}", "begin it with a line such as `name: …`")
            )
        if self.problems:
            raise DocumentError(self.problems[:PROBLEM_LIMIT])
        return Tree(self.file, self.root, self.tree.values, self.tree.keys)

    def _events(self, text: str) -> Iterator[Event]:
        yaml = YAML(typ="safe", pure=True)
        try:
            yield from yaml.parse(text)
        except (YAMLError, ValueError) as error:
            self.problems.append(self._syntax(error, text))

    def _syntax(self, error: Exception, text: str) -> Problem:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else _place_of(error, text)
        said = error.problem if isinstance(error, MarkedYAMLError) else None
        lines = text.splitlines()
        written = lines[line - 1] if 0 < line <= len(lines) else ""
        if "\t" in written[: max(column, 1)] or "'\\t'" in str(said):
            tab = written.find("\t") + 1 or column
            return Problem(
                self.file, line, tab, "a tab stands where spaces are needed", "indent with spaces only"
            )
        if (forbidden := getattr(error, "character", None)) is not None:
            code = ord(forbidden) if isinstance(forbidden, str) else int(forbidden)
            fix = "remove that character"
            return Problem(self.file, line, column, f"the text holds U+{code:04X}, which YAML forbids", fix)
        message = f"this is not valid YAML: {str(said or error).splitlines()[0].rstrip('. ')}"
        return Problem(
            self.file, line, column, message, "check the indentation, quotes and colons near this line"
        )

    def _take(self, event: Event) -> None:
        place = (event.start_mark.line + 1, event.start_mark.column + 1)
        if isinstance(event, DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                self._fatal(place, "a second document begins here", "keep one document in a file")
        elif isinstance(event, AliasEvent):
            self._fatal(place, f"the alias *{event.anchor} is not read here", "write the value out")
        elif isinstance(event, MappingStartEvent | SequenceStartEvent):
            self._open(event, place)
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            self.stack.pop()
        elif isinstance(event, ScalarEvent):
            self._scalar(event, place)

    def _open(self, event: MappingStartEvent | SequenceStartEvent, place: Place) -> None:
        self._refuse_tag(event, place)
        if len(self.stack) >= DEPTH_LIMIT:
            self._fatal(place, f"this is nested more than {DEPTH_LIMIT} levels deep", "make it flatter")
        top = self.stack[-1] if self.stack else None
        if top is not None and isinstance(top.into, dict) and top.key is None:
            self._fatal(
                place, "a list or mapping stands where a key is needed", "use a plain word as the key"
            )
        into: dict[str, object] | list[object] = {} if isinstance(event, MappingStartEvent) else []
        self.stack.append(_Open(self._put(into, place), into))

    def _scalar(self, event: ScalarEvent, place: Place) -> None:
        self._refuse_tag(event, place)
        if len(event.value) > SCALAR_LIMIT:
            self._fatal(place, f"a text is longer than {SCALAR_LIMIT} characters", "shorten it")
        top = self.stack[-1] if self.stack else None
        if top is not None and isinstance(top.into, dict) and top.key is None:
            self._key(top, event, place)
        else:
            absent = event.value == "" and event.style is None
            if absent and top is not None and top.key is not None:  # the parser places it on a later line
                place = self.tree.keys[(*top.path, top.key)]
            self._put(_value(event), place)

    def _key(self, top: _Open, event: ScalarEvent, place: Place) -> None:
        key = ascii_digits(str(event.value))  # so that 2100 and ۲۱۰۰ are seen to be one key
        top.key = key
        if key == "<<":
            self._fatal(place, "the merge key << is not read here", "write the values out")
        path = (*top.path, key)
        if path in self.tree.keys:
            first = self.tree.keys[path][0]
            message = f'the key "{key}" stands here a second time, first on line {first}'
            self.problems.append(Problem(self.file, *place, message, "keep one of the two"))
            top.key = f"{key}\0{place[0]}:{place[1]}"  # apart, so that what is in it is not a duplicate too
        else:
            self.tree.keys[path] = place

    def _put(self, value: object, place: Place) -> Path:
        """Put a value where the reader stands, and say its path."""
        if not self.stack:
            self.root = value
            self.tree.values[()] = place
            return ()
        top = self.stack[-1]
        path: Path
        if isinstance(top.into, dict):
            assert top.key is not None
            path = (*top.path, top.key)
            top.into.setdefault(top.key, value)
            top.key = None
        else:
            path = (*top.path, len(top.into))
            top.into.append(value)
        self.tree.values.setdefault(path, place)
        return path

    def _refuse_tag(self, event: MappingStartEvent | SequenceStartEvent | ScalarEvent, place: Place) -> None:
        if event.tag is not None and str(event.tag) not in ("!", "tag:yaml.org,2002:str"):
            self._fatal(place, f"the tag {str(event.tag)[:40]} is not read here", "remove it")

    def _fatal(self, place: Place, message: str, fix: str) -> None:
        raise DocumentError([*self.problems, Problem(self.file, *place, message, fix)])


def _place_of(error: Exception, text: str) -> Place:
    """ReaderError tells an offset in the text, not a line."""
    at = getattr(error, "position", None)
    if not isinstance(at, int):
        return (1, 1)
    before = text[:at]
    return before.count("\n") + 1, at - before.rfind("\n")


def _value(event: ScalarEvent) -> object:
    """YAML 1.2's core schema, decimal numbers only; quoted scalars are always text."""
    text = str(event.value)
    if event.style is not None or event.tag is not None:
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if len(text) > 30:
        return text
    if _INT.match(text):
        whole = _WrittenInt(text)
        whole.written = text
        return whole
    if _FLOAT.match(text):
        real = _WrittenFloat(text)
        real.written = text
        return real
    return text


# From pydantic's errors to sentences.


def _translate(tree: Tree, model: type[BaseModel], details: ErrorDetails) -> Problem:
    path, on_key = _path_in(tree, details["loc"])
    name = ".".join(str(step) for step in path) or "the document"
    kind, given, context = details["type"], details["input"], details.get("ctx", {})
    if kind == "extra_forbidden":
        meant = nearest(str(path[-1]), _fields_at(model, path[:-1]))
        known = ", ".join(sorted(_fields_at(model, path[:-1])))
        fix = f'write "{meant}"' if meant else f"use one of {known}" if known else "remove it"
        around = ".".join(str(step) for step in path[:-1])
        unknown = f'the key "{path[-1]}" is not known' + (f" in {around}" if around else "")
        return tree.problem(path, unknown, fix, at_key=True)
    if kind == "missing":
        absent = details["loc"][-1]
        message = f'the key "{absent}" is missing' + (f" in {name}" if path else "")
        return tree.problem(path, message, f"add a line `{absent}: …`", at_key=True)
    if kind == "document":
        return tree.problem(path, f"{name}: {context['message']}", str(context["fix"]), at_key=on_key)
    message, fix = _sentence(name, kind, given, context, details["msg"])
    return tree.problem(path, message, fix, at_key=on_key)


def _path_in(tree: Tree, loc: Iterable[str | int]) -> tuple[Path, bool]:
    """The path that exists in the document, without the names of unions and validators that pydantic adds."""
    path: Path = ()
    on_key = False
    for step in loc:
        if (*path, step) in tree.values:
            path = (*path, step)
        elif step == "[key]":
            on_key = True
    return path, on_key


_WANTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "dict_type": "a set of keys with values",
    "model_type": "a set of keys with values",
    "model_attributes_type": "a set of keys with values",
    "tuple_type": "a list, as [a, b]",
    "list_type": "a list, as [a, b]",
}


def _sentence(name: str, kind: str, given: object, context: dict[str, Any], said: str) -> tuple[str, str]:
    shown = _shown(given)
    if kind in _WANTED:
        return f"{name} is {shown}, not {_WANTED[kind]}", f"write {_WANTED[kind]}"
    if kind == "literal_error":
        meant = nearest(str(given), re.findall(r"'([^']*)'", str(context["expected"])))
        expected = str(context["expected"]).replace("'", "")
        return f"{name} is {shown}, which is not known", f'write "{meant}"' if meant else f"write {expected}"
    for limit, words in (("ge", "at least"), ("gt", "more than"), ("le", "at most"), ("lt", "less than")):
        if limit in context:
            return f"{name} is {shown}, which is out of range", f"write a number of {words} {context[limit]}"
    if kind == "string_pattern_mismatch":
        return f"{name} is {shown}, which does not have the right form", f"use the form {context['pattern']}"
    if kind == "string_too_long":
        return f"{name} is too long", f"use at most {context['max_length']} characters"
    if kind in ("string_too_short", "too_short"):
        return f"{name} is empty", "write something there"
    return f"{name}: {said[0].lower()}{said[1:].rstrip('.')}", "correct it"


def _shown(given: object) -> str:
    if isinstance(given, dict):
        return "a set of keys"
    if isinstance(given, list | tuple):
        return "a list"
    if given is None:
        return "empty"
    if isinstance(given, bool):
        return str(given).lower()
    text = str(given)
    return f'"{text[:40]}…"' if len(text) > 40 else f'"{text}"'


def _fields_at(model: type[BaseModel], path: Path) -> set[str]:
    """The keys that the model knows at `path`, over all members of a union."""
    kinds: list[object] = [model]
    for step in path:
        kinds = [inner for kind in kinds for inner in _inside(kind, step)]
    flat = [leaf for kind in kinds for leaf in _leaves(kind)]
    return {
        info.alias or name
        for leaf in flat
        if isinstance(leaf, type) and issubclass(leaf, BaseModel)
        for name, info in leaf.model_fields.items()
    }


def _leaves(kind: object) -> list[object]:
    if get_origin(kind) is Annotated:
        return _leaves(get_args(kind)[0])
    if get_origin(kind) in (dict, tuple, list) or isinstance(kind, type):
        return [kind]
    return [leaf for member in get_args(kind) for leaf in _leaves(member)]


def _inside(kind: object, step: str | int) -> list[object]:
    found: list[object] = []
    for leaf in _leaves(kind):
        if get_origin(leaf) is dict:
            found.append(get_args(leaf)[1])
        elif get_origin(leaf) in (tuple, list):
            found.append(get_args(leaf)[0])
        elif isinstance(leaf, type) and issubclass(leaf, BaseModel):
            found += [
                info.annotation for name, info in leaf.model_fields.items() if (info.alias or name) == step
            ]
    return found
