"""Whom a visit needs: skills with levels, all or any of them, expressions, variants; and how that relaxes."""

from __future__ import annotations

from typing import Any

import pytest

from acd.common.document import DocumentError
from acd.events import CallArrived, CustomerFound, OfferFailed, VisitQueued
from acd.facts import RequirementChanged, VisitBegan
from acd.routing.needs import plan_of, said
from acd.site import Queue, load_site
from acd.types import RingFailure
from tests.acd.worlds import World, label, site_of

AGENTS = {"a1": {"x": 3, "y": 9}, "a2": {"x": 7}, "a3": {"y": 2}, "a4": {}}


def world_of(queue: dict[str, Any], *ready: str, agents: dict[str, Any] | None = None, **more: Any) -> World:
    world = World(site_of({"main": queue}, agents or AGENTS, **more))
    world.ready(*ready)
    return world


@pytest.mark.parametrize(
    ("queue", "answers"),
    [
        ({"requires": {"x": 3}}, {"a1", "a2"}),
        ({"requires": {"x": 4}}, {"a2"}),
        ({"requires": {"x": 1, "y": 1}}, {"a1"}),
        ({"requires_any": [{"x": 7}, {"y": 2}]}, {"a1", "a2", "a3"}),
        ({"requires": {"y": 1}, "requires_any": [{"x": 1}, {"y": 9}]}, {"a1"}),
        ({"agents_if": "agent.id in ['a3', 'a4']"}, {"a3", "a4"}),
        ({"agents_if": "agent.skills.x > 5"}, {"a2"}),
        ({"requires": {"y": 1}, "agents_if": "agent.skills.y < 5"}, {"a3"}),
        ({}, {"a1", "a2", "a3", "a4"}),
    ],
)
def test_whoever_meets_what_is_asked_for_answers_and_nobody_else(
    queue: dict[str, Any], answers: set[str]
) -> None:
    world = world_of(queue, *AGENTS)
    for number in range(len(AGENTS)):
        world.call(f"c{number}")
    assert {agent for _, agent in world.rings()} == answers


def test_the_contact_chooses_its_variant_once_when_the_visit_begins() -> None:
    gold = {"if": "contact.segment == 'gold' && contact.known", "requires": {"x": 7}, "priority": 10}
    world = world_of({"requires": {"x": 1}, "variants": [gold]}, "a1", "a2")
    world.do(CallArrived("c1", "2100", None))
    world.do(CustomerFound("c1", "k1", "gold"))
    world.do(VisitQueued("c1", "main"))
    assert world.serving("c1.1") == "a2"  # although a1 has been idle longer
    assert world.visit("c1.1").priority == 15
    world.call("c2")
    world.do(CustomerFound("c2", "k2", "gold"))
    assert world.visit("c2.1").requirement == "x>=1"
    assert [fact.skills for fact in world.told(VisitBegan)] == [("x",), ("x",)]


def test_a_rule_without_a_value_for_a_contact_is_not_about_it() -> None:
    odd = {"if": "contact.segment.size() / 0 == 1", "requires": {"x": 9}}
    world = world_of({"requires": {"x": 1}, "variants": [odd]}, "a1")
    world.call("c1")
    assert world.serving("c1.1") == "a1"


def test_a_requirement_relaxes_in_steps_in_the_same_place_in_line() -> None:
    steps = [
        {"after_s": 10, "requires": {"x": 2}},
        {"after_s": 20, "add": [{"requires": {"y": 2}}], "priority": 7},
        {"after_s": 30, "add": [{"agents": ["a4"]}]},
    ]
    world = world_of({"requires": {"x": 5}, "relax": steps}, "a1", "a3", "a4")
    world.call("c1")
    world.wait(9.9)
    assert world.rings() == []
    world.wait(0.1)
    assert world.serving("c1.1") == "a1"
    world.call("c2")
    world.wait(20)
    assert world.serving("c2.1") == "a3"
    world.call("c3")
    began_us = world.visit("c3.1").entered_us
    world.wait(29.9)
    assert world.serving("c3.1") is None
    world.wait(0.2)
    assert world.serving("c3.1") == "a4"
    assert world.visit("c3.1").place_us == began_us
    told = [(f.step, f.requirement, f.priority) for f in world.told(RequirementChanged) if f.visit == "c3.1"]
    assert told == [(1, "x>=2", 0), (2, "x>=2 | y>=2", 7), (3, "x>=2 | y>=2 | a4", 7)]


def test_it_relaxes_also_while_an_offer_is_out() -> None:
    world = world_of({"requires": {"x": 5}, "relax": [{"after_s": 5, "requires": {"x": 0}}]}, "a2", "a4")
    world.call("c1")
    assert world.serving("c1.1") == "a2"
    world.wait(6)
    world.miss("c1.1")
    assert world.serving("c1.1") == "a4"


def test_a_visit_that_is_answered_has_no_timer_left() -> None:
    world = world_of(
        {"requires": {"x": 5}, "relax": [{"after_s": 5, "requires": {"x": 0}}], "max_wait_s": 99}, "a2"
    )
    world.call("c1")
    world.answer("c1.1")
    assert not [timer for timer in world.timers if timer.startswith("visit:")]


def test_an_old_place_comes_back_at_its_step() -> None:
    world = world_of({"requires": {"x": 5}, "relax": [{"after_s": 60, "requires": {"x": 0}}]}, "a4")
    world.do(CallArrived("c1", "2100", None, attach=2))
    world.do(VisitQueued("c1", "main", visit="c1.1", entered_us=world.now_us - 61_000_000))
    assert world.serving("c1.1") == "a4"
    assert not [timer for timer in world.timers if timer.startswith("visit:")]


def test_a_free_agent_who_learns_a_skill_gets_the_caller_at_once() -> None:
    world = world_of({"requires": {"x": 9}}, "a1")
    world.call("c1")
    assert world.rings() == []
    assert world.apply(site_of({"main": {"requires": {"x": 9}}}, AGENTS | {"a1": {"x": 9}})) is None
    assert world.serving("c1.1") == "a1"


def test_an_agent_serves_many_queues() -> None:
    world = World(
        site_of(
            {f"q{n}": {"requires": {f"s{n}": 1}} for n in range(5)}, {"a1": {f"s{n}": 5 for n in range(5)}}
        )
    )
    world.ready("a1")
    for number in (3, 1, 4):
        world.call(f"c{number}", f"q{number}")
    assert world.serving("c3.1") == "a1"
    world.miss("c3.1", RingFailure.WITHDRAWN)
    assert world.serving("c3.1") == "a1"
    world.leave("c3")
    assert world.serving("c1.1") == "a1"
    assert world.step.ignored is None
    assert world.do(OfferFailed("c3.1.2", RingFailure.BUSY)).ignored is not None


def test_requirements_are_said_in_the_same_words_whatever_their_order() -> None:
    one = Queue.model_validate({"label": label("q"), "requires": {"x": 3, "a": 1}})
    other = Queue.model_validate({"label": label("q"), "requires": {"a": 1, "x": 3}})
    assert (
        said(plan_of(one)[0].steps[0].requirement)
        == "a>=1, x>=3"
        == said(plan_of(other)[0].steps[0].requirement)
    )


SITE = """
name: {fa: مرکز, en: Center}
time_zone: Asia/Tehran
skills: {x: {label: {fa: ایکس, en: X}}}
agents: {a1: {label: {fa: الف, en: A}, skills: {x: 5}}}
numbers: {"2100": {flow: main}}
queues:
  main:
    label: {fa: صف, en: Queue}
    requires: {x: 1}
"""


@pytest.mark.parametrize(
    ("more", "line", "said_"),
    [
        ("    relax: [{after_s: 20}, {after_s: 10}]", 9, "follow each other"),
        ("    relax: [{after_s: 20, requires: {z: 1}}]", 11, '"z", which is not defined'),
        ("    agents_if: agent.skills.x >", 11, "expression"),
        ("    agents_if: caller.segment == 'gold'", 11, "caller"),
        ("    variants: [{if: agent.id == 'a1'}]", 11, "agent"),
        ("    variants: [{if: 1 + 1}]", 11, "neither true nor false"),
        ("    agents_if: agent.tem == 'experts'", 11, '"agent" has no "tem"; write "team"'),
        ("    overflow: {full: {queue: other}}", 11, '"other", which is not defined'),
        ("    overflow: {full: {queue: main}}", 11, "comes back"),
        ("    overflow: {full: mailbox}", 11, "mailbox"),
        ("    reserve: {people: {agents: [a1]}, open_below: 0.9, close_above: 0.8}", 11, "leave a gap"),
        ("    reserve: {people: {}, open_below: 0.7, close_above: 0.8}", 11, "nobody in particular"),
        ("    hours: night", 11, '"night", which is not defined'),
        ("    agent_choice: random", 11, "agent_choice"),
        ("    requires_any: [{x: 11}]", 11, "10"),
    ],
)
def test_a_site_that_cannot_mean_this_is_refused_with_its_place(more: str, line: int, said_: str) -> None:
    with pytest.raises(DocumentError) as caught:
        load_site(SITE + more + "\n", "center.yaml")
    (problem,) = [each for each in caught.value.problems if each.severity == "error"]
    assert said_ in f"{problem.message}; {problem.fix}"
    assert problem.line == line, problem
