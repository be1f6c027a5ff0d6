"""Nodes that neither speak nor listen: branches by what is known, holidays, variables."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from acd.verbs import Answer, Ask, Begun, Collect, Digits, Key, Say, Set, WaitInLine
from ivr.flow import Flow
from tests.ivr.worlds import CLOSED, small, walk, walker

BYE = Say(("en:Bye",))
PERSON = WaitInLine("cards", "en")


def branch(condition: str) -> Flow:
    return small(f"first: {{kind: branch, when: [{{if: '{condition}', then: bye}}], otherwise: people}}")


@pytest.mark.parametrize(
    ("condition", "asked", "answer", "way"),
    [
        ("queues.cards.waiting > 3", Ask("queue", {"queue": "cards"}, 1), {"waiting": "4"}, BYE),
        ("queues.cards.waiting > 3", Ask("queue", {"queue": "cards"}, 1), {"waiting": "3"}, PERSON),
        ("queues.cards.waiting > 3", Ask("queue", {"queue": "cards"}, 1), None, PERSON),
        ("queues.cards.estimated_wait_s > 60", Ask("queue", {"queue": "cards"}, 1), {"estimated_wait_s": ""}, PERSON),
        ("queues.cards.estimated_wait_s > 60", Ask("queue", {"queue": "cards"}, 1), {"estimated_wait_s": "60.5"}, BYE),
        ("!queues.cards.staffed", Ask("queue", {"queue": "cards"}, 1), {"staffed": "false"}, BYE),
        ('customer.segment == "vip"', Ask("customer", {}, 1), {"segment": "vip"}, BYE),
        ("!customer.known", Ask("customer", {}, 1), None, BYE),
        ("customer.verified", Ask("customer", {}, 1), {"verified": "true"}, BYE),
        ("caller.withheld", Ask("caller", {}, 1), {"number": "", "withheld": "true"}, BYE),
        ("caller.known", Ask("caller", {}, 1), {"number": "09121234567", "withheld": "false"}, BYE),
    ],
)  # fmt: skip
def test_what_is_live_is_asked_before_it_is_judged(
    condition: str, asked: Ask, answer: dict[str, str] | None, way: object
) -> None:
    script = walker(branch(condition))
    assert script.next(Begun()) == asked
    assert script.next(Answer(answer)) == way


@pytest.mark.parametrize(
    ("condition", "way"),
    [
        ('now.hour == 11 && now.minute == 30 && now.weekday == "sun"', BYE),
        ('now.date == "2026-11-22" && now.time < "12:00"', BYE),
        ("now.holiday", PERSON),
        ("1 / 0 == 1", PERSON),
    ],
)
def test_the_time_is_that_of_the_site(condition: str, way: object) -> None:
    assert walk(walker(branch(condition))) == way


def test_the_first_case_that_holds_wins_and_each_fact_is_asked_once() -> None:
    flow = small("""
        first:
          kind: branch
          when:
            - {if: "queues.english.waiting > 9", then: bye}
            - {if: "queues.cards.waiting > 1 && queues.english.waiting > 1", then: second}
          otherwise: people
        second: {kind: hangup, prompt: {en: Second}}
    """)
    script = walker(flow)
    assert script.next(Begun()) == Ask("queue", {"queue": "cards"}, 1)
    assert script.next(Answer({"waiting": "2"})) == Ask("queue", {"queue": "english"}, 1)
    assert script.next(Answer({"waiting": "5"})) == Say(("en:Second",))


def test_variables_are_set_by_expressions_one_after_the_other() -> None:
    flow = small("""
        first: {kind: collect, type: amount, into: sum, prompt: {en: Sum}, next: let}
        let:
          kind: set
          let: {fee: "values.sum / 100", total: "values.sum + values.fee", broken: "values.sum / 0"}
          name: TOTAL
          value: "$total rial"
          next: bye
    """)
    assert walk(walker(flow), Digits("500", True)) == Set("TOTAL", "505 rial")


HOLIDAY = datetime(2026, 3, 21, 8, 0, tzinfo=UTC)  # Nowruz, a Saturday


def test_a_holiday_has_its_own_word() -> None:
    flow = small("""
        first: {kind: hours, open: people, closed: bye, holiday: feast}
        feast: {kind: hangup, prompt: {en: Happy Nowruz}}
    """)
    assert walk(walker(flow, at=HOLIDAY)) == Say(("en:Happy Nowruz",))
    assert walk(walker(flow, at=CLOSED)) == BYE
    assert walk(walker(flow)) == PERSON


def test_a_key_pressed_before_a_menu_passes_through_what_only_decides() -> None:
    flow = small("""
        first: {kind: say, prompt: {en: Hello}, next: which}
        which: {kind: branch, when: [{if: "now.holiday", then: bye}], otherwise: main}
        main: {kind: menu, prompt: {en: Menu}, keys: {1: bye}}
    """)
    assert walk(walker(flow), Digits("1", True)) == Collect(("en:Menu",), 1, first_key_s=5, end_key="")
    assert walk(walker(flow), Key("1")) == BYE
