"""A broken flow of every kind is refused with a sentence that says where and how to mend it."""

from __future__ import annotations

import pytest

from acd.common.document import load_document
from acd.errors import DocumentError, Problem
from ivr.check import check_flow, load_flow
from ivr.flow import Flow
from tests.ivr import worlds

OUTSIDE = "{kind: hangup, prompt: {fa: بیرون, en: Out}}"


def problems(old: str = "", new: str = "", *more: tuple[str, str]) -> list[Problem]:
    """What is wrong with the flow of the tests after these replacements, with the site known."""
    text = worlds.FLOW_TEXT
    for before, after in ((old, new), *more):
        assert before in text
        text = text.replace(before, after, 1) if before else text
    return check_flow(load_document(text, "bank.yaml", Flow), worlds.site())


def test_the_flow_of_the_tests_is_whole() -> None:
    assert problems() == []


@pytest.mark.parametrize(
    ("old", "new", "said", "fix"),
    [
        ("2: pin", "2: pim", 'nodes.main.keys.2 names the node "pim", which does not exist', 'write "pin"'),
        ("start: greeting", "start: greting", 'start names the node "greting"', 'write "greeting"'),
        ("person: people", "person: peopel", 'person names the node "peopel"', 'write "people"'),
        (
            "  thanks:",
            f"  island: {OUTSIDE}\n  thanks:",
            'no caller can reach the node "island"',
            "lead to it or remove it",
        ),
        (
            "2: pin",
            "2: trap, 3: pin",
            'from the node "trap" a caller never reaches',
            "lead it to a queue or a hangup",
        ),
        (
            "comfort: {fa: صبر, en: Patience}",
            "comfort: {fa: صبر}",
            "nodes.cards.comfort has no text in en",
            "add `en: …`",
        ),
        (
            "wrong: {fa: اشتباه, en: Wrong}",
            "wrong: {en: Wrong}",
            "prompts.wrong has no text in fa",
            "add `fa: …`",
        ),
        ("prompt: menu", "prompt: manu", 'names the prompt "manu", which does not exist', 'write "menu"'),
        (
            "next: opening",
            "next: greeting",
            "is in a loop that never waits for the caller",
            "put a menu or a queue",
        ),
        (
            "queue: {fa: cards, en: english}",
            "queue: {fa: card, en: english}",
            'names the queue "card"',
            'write "cards"',
        ),
        (
            "queue: {fa: cards, en: english}",
            "queue: {fa: cards}",
            "has no queue for callers in en",
            "add `en: …`",
        ),
        ("kind: hours, ", "kind: hours, hours: ofice, ", 'names the opening hours "ofice"', 'write "office"'),
        ("pin: $pin", "pin: $pim", 'names the variable "pim"', 'write "pin"'),
        ('"A-$account"', '"A-$pin"', "the secret digits $pin would be put on the channel", "leave them out"),
    ],
)
def test_what_is_wrong_between_nodes_is_refused(old: str, new: str, said: str, fix: str) -> None:
    trap = "  trap: {kind: menu, prompt: menu, no_input: silent, no_match: wrong, keys: {1: trap}, after_tries: trap}"
    more = (("  thanks:", f"{trap}\n  thanks:"),) if "trap" in new else ()
    found = problems(old, new, *more)
    assert any(said in p.message and fix in p.fix and p.severity == "error" for p in found), found


def test_a_problem_says_line_and_column() -> None:
    (problem,) = problems("comfort: {fa: صبر, en: Patience}", "comfort: {fa: صبر}")
    lines = worlds.FLOW_TEXT.splitlines()
    assert lines[problem.line - 1].strip().startswith("comfort:")
    assert lines[problem.line - 1][problem.column - 1 :].startswith("comfort:")


def test_three_strikes_need_somewhere_to_lead() -> None:
    text = worlds.FLOW_TEXT.replace("person: people\n", "", 1)
    found = check_flow(load_document(text, "bank.yaml", Flow))
    assert [p.fix for p in found if "does not say where a caller goes who fails 3 times" in p.message] == [
        "add `after_tries: …`, or `person: …` to the flow"
    ] * 2


@pytest.mark.parametrize(
    "silent",
    ["quiet: {kind: hangup}", "quiet: {kind: hours, open: cards, closed: end}\n  end: {kind: hangup}"],
)
def test_three_strikes_never_lead_to_a_silent_hangup(silent: str) -> None:
    found = problems(
        "no_match: wrong\n    keys",
        "no_match: wrong\n    after_tries: quiet\n    keys",
        ("  thanks:", f"  {silent}\n  thanks:"),
    )
    assert ["may be hung up on without a word" in p.message for p in found] == [True]


def test_three_strikes_lead_to_a_queue_while_it_is_open() -> None:
    found = problems("no_match: wrong\n    keys", "no_match: wrong\n    after_tries: thanks\n    keys")
    assert ['at "main" reaches no queue' in p.message for p in found] == [True]


def test_a_menu_for_closed_hours_may_end_with_a_last_word() -> None:
    menu = "{kind: menu, prompt: menu, no_input: silent, no_match: wrong, keys: {1: cards}, after_tries: bye}"
    bye = "{kind: hangup, prompt: {fa: بسته, en: Closed}}"
    assert (
        problems("closed: {kind: hangup, prompt: {fa: بسته, en: Closed}}", f"closed: {menu}\n  bye: {bye}")
        == []
    )


def test_an_unused_prompt_is_a_warning_that_does_not_stop_the_flow() -> None:
    text = worlds.FLOW_TEXT.replace("prompts:\n", "prompts:\n  spare: {fa: یدکی, en: Spare}\n", 1)
    read = load_flow(text, "bank.yaml", worlds.site())
    assert [p.message for p in read.warnings] == ['nobody says the prompt "spare"']


def test_all_problems_are_told_at_once() -> None:
    text = worlds.FLOW_TEXT.replace("prompt: menu", "prompt: manu", 1).replace("$pin", "$pim", 1)
    with pytest.raises(DocumentError) as caught:
        load_flow(text, "bank.yaml")
    assert len(caught.value.problems) == 3  # the third: nobody says "menu" any more


def test_without_a_site_its_words_are_not_asked_for() -> None:
    text = worlds.FLOW_TEXT.replace("queue: cards,", "queue: elsewhere,", 1)
    assert load_flow(text, "bank.yaml").warnings == ()
