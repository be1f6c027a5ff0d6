"""A flow document becomes a flow, or a sentence that says where it is wrong."""

from __future__ import annotations

import pytest

from acd.errors import DocumentError
from ivr.check import load_flow
from ivr.flow import Flow, QueueNode, fill, variables_in, version_of
from ivr.phrase import Phrase
from tests.ivr import worlds


def refusal(old: str, new: str) -> str:
    """What is said about the flow of the tests with `old` replaced by `new`."""
    assert old in worlds.FLOW_TEXT
    with pytest.raises(DocumentError) as caught:
        load_flow(worlds.FLOW_TEXT.replace(old, new, 1), "bank.yaml")
    return str(caught.value)


def place_of(text: str, word: str) -> str:
    """`bank.yaml:line:column` of the first `word`."""
    before = text[: text.index(word)]
    return f"bank.yaml:{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"


def test_a_flow_says_all_its_prompts_in_all_its_languages() -> None:
    phrases = worlds.flow().phrases()
    assert Phrase("fa", "سلام") in phrases
    assert Phrase("en", "Menu", "menu") in phrases  # a named prompt may be recorded under its name
    assert len(phrases) == 2 * 10


def test_a_queue_may_differ_by_language() -> None:
    nodes = worlds.flow().nodes
    assert isinstance(nodes["cards"], QueueNode)
    assert isinstance(nodes["people"], QueueNode)
    assert nodes["cards"].queue == {"fa": "cards", "en": "english"}
    assert nodes["people"].queue == {"fa": "cards", "en": "cards"}


def test_a_recording_is_named_by_the_prompt_itself_first() -> None:
    named = worlds.FLOW_TEXT.replace("wrong: {fa: اشتباه", "wrong: {recorded: oops, fa: اشتباه")
    assert Phrase("en", "Wrong", "oops") in worlds.flow(named).phrases()


def test_the_version_names_the_content_not_its_writing() -> None:
    written_otherwise = worlds.FLOW_TEXT.replace("{kind: say,", "{ kind:  say,").replace(
        "flow: bank", "flow: 'bank'"
    )
    other_text = worlds.FLOW_TEXT.replace("Hello", "Good day")
    version = version_of(worlds.flow())
    assert version_of(worlds.flow(written_otherwise)) == version
    assert version_of(worlds.flow(other_text)) != version
    assert version_of(Flow.model_validate_json(worlds.flow().model_dump_json())) == version


def test_an_unknown_kind_is_refused_with_its_place_and_the_nearest_one() -> None:
    text = worlds.FLOW_TEXT.replace("kind: hours", "kind: hour", 1)
    said = refusal("kind: hours", "kind: hour")
    assert said.startswith(place_of(text, "{kind: hour,"))
    assert 'the kind "hour" is not known; write "hours"' in said


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{kind: say, ", "{", "the node has no kind"),
        ("no_match: wrong", "no_mach: wrong", 'the key "no_mach" is not known'),
        ('"*": main', "A: main", "does not have the right form"),
        ("max_digits: 6", "max_digits: 3", "min_digits is more than max_digits"),
        ("prompt: {fa: رمز, en: Your PIN}", "prompt: {}", "the prompt has no text"),
        ("prompt: {fa: رمز, en: Your PIN}", 'prompt: {fa: " "}', "the text is empty"),
        (
            "prompt: {fa: رمز, en: Your PIN}",
            "prompt: {use: menu, fa: رمز}",
            "both names another and has texts",
        ),
        ("name: ACCOUNT", "name: TICKET", "belongs to the call center itself"),
        ("name: ACCOUNT", 'name: "A,B"', "does not have the right form"),
        ("start: greeting\n", "", 'the key "start" is missing'),
    ],
)
def test_what_is_wrong_within_a_node_is_refused(old: str, new: str, said: str) -> None:
    assert said in refusal(old, new)


def test_keys_may_be_written_in_persian_digits_and_as_numbers() -> None:
    text = worlds.FLOW_TEXT.replace('keys: {1: cards, 2: pin, "*": main}', "keys: {۱: cards, 2: pin}")
    node = worlds.flow(text).nodes["main"]
    assert [edge.path[-1] for edge in node.edges()] == ["1", "2"]


def test_values_are_filled_from_variables() -> None:
    assert variables_in("a-$one-$two.") == ("one", "two")
    assert fill("a-$one-$two.", {"one": "1"}) == "a-1-."
