"""One call, and a whole day, over virtual time: every room of the product, and the callers' own word for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from acd.facts import CardWasShown, ContactKnown, Disposed, OfferRinging, TalkOver, VisitAnswered, WrapUpOver
from ami_bridge.simulator import CallerId, CallerScript, KeyPress, Left
from tests.sim.house import CUSTOMERS, NUMBER
from tests.sim.loop import run
from tests.sim.run import day, main, one_call

SEEDS = [int(os.environ["PASOKH_SEED"])] if os.environ.get("PASOKH_SEED") else [1, 5, 10, 28]
MEMBER = next(iter(CUSTOMERS))
LATENCY_S = 0.0005


def test_one_call_goes_through_the_whole_house() -> None:
    caller = CallerScript(
        NUMBER, CallerId("0" + MEMBER.removeprefix("+98")), (KeyPress("2", 1.0),), talk_s=30
    )
    house = run(one_call(1, caller), LATENCY_S)
    (outcome,) = house.outcomes
    assert (outcome.answered_by, outcome.left) == ("p1", Left.CALLER)
    (answered,) = [fact for fact in house.facts if isinstance(fact, VisitAnswered)]
    assert (answered.queue, answered.agent, answered.contact) == ("loans", "a1", outcome.contact)
    (known,) = [fact for fact in house.facts if isinstance(fact, ContactKnown)]
    assert (known.customer, known.segment) == ("k1", "gold")
    (talk,) = [fact for fact in house.facts if isinstance(fact, TalkOver)]
    assert talk.talk_us / 1e6 == pytest.approx(30, abs=1)
    kinds = [type(fact) for fact in house.facts]
    assert kinds.index(CardWasShown) < kinds.index(OfferRinging)
    assert [fact.code for fact in house.facts if isinstance(fact, Disposed)] == ["done"]
    assert WrapUpOver in kinds
    assert house.wall.state["total"]["answered"] == 1
    assert house.wall.state["card_before_ring"] == 1


def test_a_caller_who_does_not_wait_is_an_abandon_everywhere() -> None:
    caller = CallerScript(NUMBER, keys=(KeyPress("1", 1.0),), patience_s=1.3)
    house = run(one_call(2, caller), LATENCY_S)
    assert house.outcomes[0].left is Left.ABANDONED
    assert house.outcomes[0].answered_by is None


@pytest.mark.parametrize("seed", SEEDS)
def test_a_day_of_callers_leaves_books_that_agree(seed: int) -> None:
    """`day` compares center, callers, wall, cards and replay; here only that something happened."""
    whole = run(day(seed, 60), LATENCY_S)
    assert 20 < whole.answered < whole.calls
    assert whole.virtual_s > 120


def test_the_same_seed_is_the_same_day_also_in_another_process() -> None:
    """With other hash seeds, so that no order of a set decides anything."""
    house = Path(__file__).parents[2]
    said = [
        subprocess.run(
            [sys.executable, "-m", "tests.sim.run", "--seed", "7", "--steps", "200", "--calls", "25"],
            capture_output=True,
            text=True,
            check=True,
            cwd=house,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
        ).stdout.splitlines()[:3]
        for hash_seed in ("1", "4242")
    ]
    assert said[0] == said[1]
    assert "digest" in said[0][1]
    assert "digest" in said[0][2]


def test_the_command_says_its_seed_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--worlds", "0", "--steps", "20", "--calls", "2"]) == 0
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith("seed ")
    assert len(rest) == 3
    assert main(["--seed", first.removeprefix("seed "), "--steps", "20", "--calls", "2"]) == 0
    assert capsys.readouterr().out.splitlines()[:3] == [first, *rest[:2]]
