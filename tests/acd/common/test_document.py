"""A document's problems are all told at once, each with its place and its remedy."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from acd.common.document import (
    DEPTH_LIMIT,
    PROBLEM_LIMIT,
    SIZE_LIMIT_BYTES,
    Written,
    load_document,
    nearest,
    read_tree,
    wrong,
)
from acd.errors import DocumentError, Problem


class Say(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: Literal["say"]
    text: str


class Menu(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: Literal["menu"]
    keys: dict[Annotated[Written, Field(pattern=r"^[0-9*#]$")], str]
    tries: Annotated[int, Field(ge=1, le=9)] = 3


class Flow(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    code: Written = ""
    share: float = 1
    nodes: dict[str, Annotated[Say | Menu, Field(discriminator="kind")]] = {}


FLOW = """\
name: bank
code: 021
nodes:
  hello: {kind: say, text: سلام}
  main:
    kind: menu
    keys:
      1: loans
      "2": cards
      "#": hello
"""


def problems(text: str | bytes) -> tuple[Problem, ...]:
    with pytest.raises(DocumentError) as caught:
        load_document(text, "flow.yaml", Flow)
    return caught.value.problems


def test_a_document_fits_its_model_and_knows_its_places() -> None:
    loaded = load_document(FLOW, "flow.yaml", Flow)
    main = loaded.model.nodes["main"]
    assert isinstance(main, Menu)
    assert main.keys == {"1": "loans", "2": "cards", "#": "hello"}
    assert loaded.model.code == "021"
    assert loaded.where(("nodes", "main", "keys", "1")) == (8, 10)
    assert loaded.tree.where_key(("nodes", "main", "keys", "1")) == (8, 7)
    assert loaded.where(("nodes", "hello", "text")) == (4, 28)
    assert loaded.where(("nodes", "main", "absent")) == (6, 5)
    assert loaded.where(("absent",)) == (1, 1)


@pytest.mark.parametrize(
    ("change", "line", "column", "message", "fix"),
    [
        (("tries", ""), 0, 0, "", ""),
        (
            ("kind: menu", "kind: menu\n    trys: 2"),
            7,
            5,
            '"trys" is not known in nodes.main',
            'write "tries"',
        ),
        (("kind: menu", "kind: menu\n    tries: 0"), 7, 12, '"0", which is out of range', "at least 1"),
        (("kind: menu", "kind: menu\n    tries: many"), 7, 12, "not a whole number", "a whole number"),
        (("kind: menu", "kind: meny"), 6, 5, "kind", ""),
        (('"#": hello', "bye: hello"), 10, 7, "right form", "form"),
        (("name: bank", "nam: bank"), 1, 1, 'the key "name" is missing', "name:"),
        (("name: bank", "name: [bank]"), 1, 7, "is a list, not a text", "a text"),
        (("name: bank", "name:"), 1, 1, "is empty, not a text", "a text"),
        (('"2": cards', '"1": cards'), 9, 7, "a second time, first on line 8", "keep one"),
        (("name: bank", "name: bank\nname: shop"), 2, 1, "a second time, first on line 1", "keep one"),
        (("  main:", "\tmain:"), 5, 1, "a tab", "spaces"),
        (("text: سلام}", "text: سلام"), 5, 7, "not valid YAML", "indentation"),
        (("  main:", "  main: &m"), 0, 0, "", ""),
        (("hello: {", "hello: !x {"), 4, 10, "the tag !x", "remove"),
        (("text: سلام", "text: *m"), 4, 28, "the alias *m", "write the value out"),
        (("  main:", "  <<: {}\n  main:"), 5, 3, "merge key", "write the values out"),
        (("  main:", "  ? [a]\n  : b\n  main:"), 5, 5, "where a key is needed", "plain word"),
        (("nodes:", "---\nnodes:"), 3, 1, "a second document", "one document"),
        (("bank", "ba\x07nk"), 1, 9, "forbids", "remove that character"),
        (("code: 021", "share: .nan"), 2, 8, "not a number", "a number"),
    ],
)
def test_a_problem_has_its_place_and_its_remedy(
    change: tuple[str, str], line: int, column: int, message: str, fix: str
) -> None:
    text = FLOW.replace(*change, 1)
    if not message:  # nothing wrong with it
        load_document(text, "flow.yaml", Flow)
        return
    found = problems(text)
    first = next((p for p in found if message in p.message), found[0])
    assert message in first.message, first
    assert fix in first.fix, first
    assert (first.line, first.column) == (line, column), first


def test_all_problems_are_told_in_the_order_of_their_lines() -> None:
    text = (
        FLOW.replace("bank", "[]").replace("text:", "txt:").replace("kind: menu", "kind: menu\n    tries: 99")
    )
    found = problems(text)
    assert [p.line for p in found] == sorted(p.line for p in found)
    assert len(found) == 4
    assert str(found[0]) == "flow.yaml:1:7: name is a list, not a text; write a text."


def test_a_problem_is_one_sentence_on_one_line() -> None:
    for text in ("name: [", "a: b: c", "%", "name: 'x", '"\\xZZ": 1', "- a\nb", "name: x\n  y: z", "{", "@"):
        for problem in problems(text):
            assert "\n" not in str(problem), text
            assert str(problem).endswith(".")


def test_a_file_that_is_not_utf_8_is_told_by_its_place() -> None:
    (problem,) = problems("name: bank\ncode: caf\xe9\n".encode("latin-1"))
    assert (problem.line, problem.column) == (2, 10)
    assert "UTF-8" in problem.message


def test_a_byte_order_mark_is_no_problem() -> None:
    assert load_document(b"\xef\xbb\xbfname: bank\n", "f", Flow).model.name == "bank"
    assert load_document("\ufeffname: bank\r\n", "f", Flow).model.name == "bank"


@pytest.mark.parametrize("text", ["", "# only a comment\n", "- a\n- b\n", "just words", "null"])
def test_what_is_no_mapping_is_told(text: str) -> None:
    assert "the document is" in problems(text)[0].message


def test_size_depth_and_length_have_limits() -> None:
    assert "bytes" in problems("#" * (SIZE_LIMIT_BYTES + 1))[0].message
    assert "levels deep" in problems("name: " + "[" * 5_000)[0].message
    assert "levels deep" in problems("name: " + "{a: " * (DEPTH_LIMIT + 1))[0].message
    assert "longer than" in problems("name: " + "x" * 100_000)[0].message
    many = "name: x\n" + "".join(f"wrong{n}: 1\n" for n in range(500))
    assert len(problems(many)) == PROBLEM_LIMIT


def test_a_bomb_of_aliases_is_not_expanded() -> None:
    bomb = "a: &a [x]\n" + "".join(
        f"{c}: &{c} [*{p}, *{p}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert "alias" in problems(bomb)[0].message


def test_scalars_are_those_of_yaml_1_2_and_others_stay_text() -> None:
    text = "a: 1\nb: 1.5\nc: true\nd: no\ne: 2026-12-01\nf: '1'\ng: 0x10\nh: ~\n"
    text += "i: 12:30\nj: 1_000\nk: .inf\nl: |\n  x\n"
    assert read_tree(text, "f").data == {
        "a": 1,
        "b": 1.5,
        "c": True,
        "d": "no",
        "e": "2026-12-01",
        "f": "1",
        "g": "0x10",
        "h": None,
        "i": "12:30",
        "j": "1_000",
        "k": ".inf",
        "l": "x\n",
    }


@given(
    st.text(max_size=120) | st.text(alphabet="a: -[]{}'\"\n#&*!|>%@\t0", max_size=60) | st.binary(max_size=60)
)
def test_any_text_is_read_or_refused_in_sentences(text: str | bytes) -> None:
    found: tuple[Problem, ...] = ()
    try:
        assert isinstance(read_tree(text, "f").data, dict)
    except DocumentError as error:
        found = error.problems
        if not found:
            raise
    assert all(p.line >= 1 and p.column >= 1 and "\n" not in str(p) for p in found)


@given(
    st.dictionaries(
        st.text(alphabet="abc019", min_size=1, max_size=5), st.text(alphabet="x01۲.-", max_size=8)
    )
)
def test_quoted_texts_come_back_as_written(data: dict[str, str]) -> None:
    text = "".join(f"'{key}': '{value}'\n" for key, value in data.items()) or "{}"
    assert read_tree(text, "f").data == data


def test_a_validator_can_say_both_halves_of_the_sentence() -> None:
    error = wrong('"{x}" is odd', "make it even")
    assert error.message() == '"{x}" is odd'
    assert nearest("laons", ["loans", "cards"]) == "loans"
    assert nearest("zzz", ["loans", "cards"]) is None
