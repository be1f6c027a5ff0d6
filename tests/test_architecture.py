"""The house stands as ARCHITECTURE.md draws it: who may import whom, and what the pure files may not touch.

import-linter (pyproject.toml) says the same of whole rooms; here it is said file by file, from the source, so
that a forbidden import inside a function or behind TYPE_CHECKING is found too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]
ROOMS = ("acd", "ami_bridge", "asterisk_conf", "crm_lookup", "ivr", "pasokh", "realtime")
MAY_IMPORT = {
    "acd": set(),
    "ami_bridge": {"acd"},
    "asterisk_conf": {"acd"},
    "crm_lookup": {"acd"},
    "ivr": {"acd"},
    "realtime": {"acd", "crm_lookup", "ivr"},
    "pasokh": {"acd", "ami_bridge", "asterisk_conf", "crm_lookup", "ivr", "realtime"},
}
SHELLS_OF_ACD = ("acd/engine.py", "acd/planning/", "acd/store/")
PURE_ELSEWHERE = (
    "ami_bridge/wire.py",
    "ami_bridge/channels.py",
    "ivr/flow/",
    "ivr/script.py",
    "ivr/steps/",
    "ivr/say/",
    "ivr/play.py",
    "ivr/supposed.py",
    "ivr/flow_test.py",
    "ivr/draw.py",
    "ivr/draw_layout.py",
    "ivr/draw_words.py",
    "crm_lookup/card.py",
    "crm_lookup/services/breaker.py",
    "crm_lookup/services/mapping.py",
    "crm_lookup/services/tries.py",
    "realtime/wallboard.py",
)
IMPURE = {"asyncio", "socket", "threading", "time", "random", "uuid", "logging", "sqlalchemy"}
CLOCKS = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today")}


def _files(*where: str) -> list[str]:
    found = []
    for place in where:
        path = HOUSE / place
        found += [path] if path.suffix == ".py" else sorted(path.rglob("*.py"))
    return [path.relative_to(HOUSE).as_posix() for path in found if path.exists() and "web" not in path.parts]


def _pure_files() -> list[str]:
    acd = [name for name in _files("acd") if not name.startswith(SHELLS_OF_ACD)]
    return acd + _files(*PURE_ELSEWHERE)


def _imports(tree: ast.AST, name: str = "") -> Iterator[tuple[str, int]]:
    """Every imported module, by its absolute name, with its line; `name` is the importing file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = name.split("/")[: -node.level] if node.level else []
            yield ".".join([*package, *([node.module] if node.module else [])]), node.lineno


def _tree(name: str) -> ast.Module:
    return ast.parse((HOUSE / name).read_text(encoding="utf-8"), name)


def _impurities(tree: ast.AST) -> list[str]:
    found = [f"line {line} imports {name}" for name, line in _imports(tree) if name.split(".")[0] in IMPURE]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            last = owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")
            if (last, node.func.attr) in CLOCKS:
                found.append(f"line {node.lineno} reads the clock by {last}.{node.func.attr}()")
    return found


@pytest.mark.parametrize("name", _pure_files())
def test_a_pure_file_has_no_clock_no_socket_no_chance(name: str) -> None:
    assert _impurities(_tree(name)) == []


@pytest.mark.parametrize("name", _files(*ROOMS))
def test_a_room_imports_only_what_stands_below_it(name: str) -> None:
    room = name.split("/")[0]
    reached = {imported.split(".")[0] for imported, _ in _imports(_tree(name), name)} & set(ROOMS) - {room}
    assert reached <= MAY_IMPORT[room]


@pytest.mark.parametrize("name", _files("realtime"))
def test_what_shows_never_holds_what_moves_calls(name: str) -> None:
    for node in ast.walk(_tree(name)):
        if isinstance(node, ast.ImportFrom):
            assert "Telephony" not in {alias.name for alias in node.names}, f"line {node.lineno}"
        if isinstance(node, ast.Attribute):
            assert node.attr != "Telephony", f"line {node.lineno}"


def test_every_pure_place_is_there() -> None:
    assert [place for place in PURE_ELSEWHERE if not _files(place)] == []


@pytest.mark.parametrize(
    "source",
    [
        "import asyncio",
        "def f():\n    from random import Random",
        "import sqlalchemy.orm",
        "import datetime\nx = datetime.datetime.now()",
        "from datetime import date\nx = date.today()",
    ],
)
def test_an_impure_line_is_found(source: str) -> None:
    assert len(_impurities(ast.parse(source))) == 1


def test_the_house_is_told_the_same_to_import_linter() -> None:
    import tomllib

    told = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert tuple(told["importlinter"]["root_packages"]) == ROOMS
    assert tuple(told["mypy"]["packages"]) == ROOMS
    chance = next(c for c in told["importlinter"]["contracts"] if c.get("ignore_imports"))
    assert set(chance["forbidden_modules"]) == IMPURE
