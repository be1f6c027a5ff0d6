"""Tests of flows as data: the shipped ones hold, and what comes out otherwise is told with its place."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from textwrap import dedent

import pytest

from acd.common.document import load_document
from acd.errors import DocumentError
from ivr.flow import Flow
from ivr.flow_test import FlowCase, FlowTestFailed, cases, cases_of, file_of_tests, follows, load_tests
from ivr.library import shipped_flows
from ivr.play import Heard
from tests.ivr import worlds

FLOWS = Path(str(files("ivr") / "flows"))
SHIPPED = [case for name in shipped_flows() for case in cases(FLOWS / f"{name}.yaml")]


@pytest.mark.parametrize("case", SHIPPED, ids=lambda case: case.id)
def test_the_shipped_flows_do_what_their_tests_say(case: FlowCase) -> None:
    case.check()


def test_every_shipped_flow_has_tests_in_both_languages() -> None:
    for name in shipped_flows():
        languages = {case.case.expect.language for case in SHIPPED if case.flow.flow == name}
        assert file_of_tests(FLOWS / f"{name}.yaml").exists()
        cases_here = [case for case in SHIPPED if case.flow.flow == name]
        if not cases_here[0].flow.is_called:  # what is only called by others is tried with them
            assert len(cases_here) >= 5
            assert "en" in languages, name


def read_cases(text: str) -> tuple[FlowCase, ...]:
    return cases_of(worlds.flow(), load_tests(dedent(text), "bank.test.yaml"), worlds.site())


def told(text: str) -> str:
    """The one difference of the one case."""
    (case,) = read_cases(text)
    with pytest.raises(FlowTestFailed) as failed:
        case.check()
    assert str(failed.value).count("bank.test.yaml:") == 1, str(failed.value)
    return str(failed.value)


CALL = """
    at: 2026-11-22T11:30
    cases:
      - name: a call
"""


def a_case(lines: str) -> str:
    return CALL + "".join(f"        {line}\n" for line in dedent(lines).strip().splitlines())


def test_a_wrong_way_is_told_with_its_line_and_where_it_parts() -> None:
    said = told(
        a_case("""
        keys: ["1", "1"]
        expect:
          path: [greeting, language, opening, main, people]
    """)
    )
    assert said.startswith('bank.test.yaml:7:13: "a call": the way is\n')
    assert "greeting → language → opening → main → cards\n" in said
    assert 'where "people" should come, "cards" comes' in said


@pytest.mark.parametrize(
    ("path", "parting"),
    [
        ("[greeting, language]", 'where it should end, "opening" comes'),
        ('[greeting, "...", cards, thanks]', "with these nodes in this order"),
        ("[greeting, language, opening, main, cards, thanks]", 'where "thanks" should come, it ends'),
    ],
)
def test_where_two_ways_part(path: str, parting: str) -> None:
    assert parting in told(a_case(f'keys: ["1", "1"]\nexpect: {{path: {path}}}'))


def test_what_is_not_said_is_told_with_what_is() -> None:
    said = told(a_case('keys: ["1", "1"]\nexpect: {said: ["سلام", "Connecting"]}'))
    assert "bank.test.yaml:6:29: " in said
    assert "“Connecting” is not said after “سلام”" in said
    assert "وصل می‌شود" in said


def test_what_must_not_be_said() -> None:
    assert "“منو” is said" in told(a_case('keys: ["1", "1"]\nexpect: {not_said: [منو]}'))


def test_another_outcome_is_told_with_what_it_may_be() -> None:
    said = told(a_case('keys: ["1", "1"]\nexpect: {outcome: queue english}'))
    assert 'it comes out as "queue cards" at "cards", not as "queue english"' in said


def test_keys_that_run_out_are_told() -> None:
    said = told(a_case('keys: ["1"]\nexpect: {outcome: queue cards}'))
    assert 'comes out as "listening" at "main" (the keys ran out while the flow listens)' in said


def test_keys_that_nobody_took_are_told_with_their_line() -> None:
    said = told(a_case('keys: ["1", "1", "5"]\nexpect: {outcome: queue cards}'))
    assert "bank.test.yaml:5:22: " in said
    assert 'comes to queue at "cards" before `press` (item 3 of keys)' in said


def test_a_question_without_an_answer_is_told() -> None:
    said = told(a_case('keys: ["1", "2", "1234#"]\nexpect: {outcome: queue cards}'))
    assert "the flow asks bank.balance, and the case has no answer" in said
    assert "answers: {bank.balance: …}" in said


def test_the_language_in_the_end() -> None:
    assert "language is fa in the end, not en" in told(a_case("keys: [hangup]\nexpect: {language: en}"))


def test_look_up_answers_lead_and_are_used_in_turn() -> None:
    (case,) = read_cases(
        a_case("""
        keys: ["1", "2", "1234#", "2", "1234#"]
        answers:
          bank.balance: [{result: ok, account: 77}, none]
        expect:
          path: [greeting, language, opening, main, pin, balance, mark, main, pin, balance, people]
          asked: {bank.balance: {kind: main}}
          set: {ACCOUNT: A-77}
          outcome: queue cards
    """)
    )
    case.check()


def test_a_value_that_was_set_or_asked_otherwise_is_told() -> None:
    said = told(
        a_case("""
        keys: ["1", "2", "1234#"]
        answers: {bank.balance: {result: ok, account: 77}}
        expect: {set: {ACCOUNT: A-78}}
    """)
    )
    assert 'ACCOUNT is "A-77", not "A-78"' in said
    said = told(
        a_case("""
        keys: ["1", "2", "1234#"]
        answers: {bank.balance: none}
        expect: {asked: {bank.balance: {kind: other}}}
    """)
    )
    assert "bank.balance is not asked with {'kind': 'other'}" in said


def test_secret_digits_are_in_nothing_that_is_kept_of_a_trial() -> None:
    (case,) = read_cases(
        a_case("""
        keys: ["1", "2", "1234#"]
        answers: {bank.balance: none}
        expect: {outcome: queue cards}
    """)
    )
    result = case.run()
    assert result.differences == ()
    assert "1234" not in repr(result.moments)


def test_the_line_lets_go_and_the_flow_goes_on() -> None:
    (case,) = read_cases(
        a_case("""
        keys: ["1", "1", {line: answered}]
        expect: {outcome: queue cards, path: ["...", cards, thanks]}
    """)
    )
    case.check()


def test_hours_are_opened_and_closed_by_the_case() -> None:
    opened, closed = read_cases("""
        at: 2026-11-22T23:30
        cases:
          - {name: open, open: true, keys: ["1", hangup], expect: {path: ["...", main], outcome: left}}
          - {name: closed, keys: ["1"], expect: {path: ["...", closed], outcome: hangup}}
    """)
    opened.check()
    closed.check()


@pytest.mark.parametrize(
    ("text", "place", "sentence"),
    [
        ("cases: []", "x.test.yaml:1:1", "there are no cases"),
        ("cases:\n- {name: a, keys: [], expect: {paht: []}}", "x.test.yaml:2:32", 'write "path"'),
        ("cases:\n- {name: a, keys: [x], expect: {}}", "x.test.yaml:2:20", "form"),
        (
            "cases:\n- {name: a, keys: [{line: full, in_line: 2}], expect: {}}",
            "x.test.yaml:2:20",
            "one thing",
        ),
        ("cases:\n- {name: a, at: soon, expect: {}}", "x.test.yaml:2:17", "2026-12-01T10:00"),
        ("cases:\n- {name: a, expect: {}}\n- {name: a, expect: {}}", "x.test.yaml:1:1", "two cases"),
        ("cases:\n- {name: a}", "x.test.yaml:2:3", "expect"),
    ],
)
def test_a_broken_file_of_tests_is_told_with_its_line(text: str, place: str, sentence: str) -> None:
    with pytest.raises(DocumentError) as broken:
        load_tests(text, "x.test.yaml")
    assert str(broken.value).startswith(f"{place}: "), str(broken.value)
    assert sentence in str(broken.value)


def test_a_file_of_tests_may_name_its_flow(tmp_path: Path) -> None:
    (tmp_path / "menu.yaml").write_text(worlds.FLOW_TEXT, encoding="utf-8")
    text = "flow: menu.yaml\ncases: [{name: a, keys: [hangup], expect: {outcome: left}}]"
    (tmp_path / "odd.test.yaml").write_text(text, encoding="utf-8")
    (case,) = cases(tmp_path / "odd.test.yaml")
    case.check()


def test_any_nodes() -> None:
    assert follows(["a", "...", "c"], ["a", "c"])
    assert follows(["...", "c"], ["a", "b", "c"])
    assert not follows(["a", "..."], ["b"])
    assert follows([], [])
    assert not follows(["a"], [])


def test_a_sentence_with_a_number_in_it_is_said_in_pieces() -> None:
    flow = load_document(
        "flow: f\nlanguages: [en]\nstart: a\nperson: q\nnodes:\n"
        "  a: {kind: collect, prompt: {en: How many}, into: n, max_digits: 3, next: b}\n"
        '  b: {kind: say, prompt: {en: "You have {n:number} points."}, next: q}\n'
        "  q: {kind: queue, queue: cards}",
        "f",
        Flow,
    ).model
    text = "cases: [{name: a, keys: ['21#'], expect: {said: [You have twenty one points]}}]"
    (case,) = cases_of(flow, load_tests(text, "f.test.yaml"))
    heard = [moment.text for moment in case.run().moments if isinstance(moment, Heard)]
    case.check()
    assert len(heard) > 3


def test_the_example_of_the_operators_guide_holds() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "operator.md").read_text(encoding="utf-8")
    example = guide.partition("```yaml\n")[2].partition("```")[0]
    flow = next(case for case in SHIPPED if case.flow.flow == "bank")
    for case in cases_of(flow.flow, load_tests(dedent(example), "operator.md"), None, flow.others):
        case.check()
