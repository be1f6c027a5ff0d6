"""Crowds are repeated by their seed, and are about as many and as patient as asked for."""

from __future__ import annotations

from itertools import islice
from random import Random
from statistics import mean

from ami_bridge.simulator import CallerId, CallerScript, random_callers, typed

CALLERS = (CallerId("09121234567", "زهرا"), CallerId(""), CallerId("110"))


def crowd(seed: int, number: int) -> list[CallerScript]:
    return list(
        islice(
            random_callers(
                Random(seed),
                calls_per_s=2.0,
                numbers=("1001", "1002"),
                callers=CALLERS,
                keys={"1": 3.0, "12": 1.0},
                patience_s=20.0,
                talk_s=10.0,
            ),
            number,
        )
    )


def test_a_seed_repeats_its_crowd() -> None:
    assert crowd(7, 50) == crowd(7, 50)
    assert crowd(7, 50) != crowd(8, 50)


def test_a_crowd_is_as_asked_for() -> None:
    scripts = crowd(7, 2000)
    assert 900 < scripts[-1].arrive_s < 1100
    assert 19 < mean(script.patience_s or 0 for script in scripts) < 23
    assert 9.5 < mean(script.talk_s or 0 for script in scripts) < 12.5
    assert {script.caller for script in scripts} == set(CALLERS)
    twice = sum(len(script.keys) == 2 for script in scripts)
    assert 400 < twice < 600


def test_typed_keys_follow_each_other() -> None:
    keys = typed("12#")
    assert [key.key for key in keys] == ["1", "2", "#"]
    assert [key.at_once for key in keys] == [False, True, True]


def test_a_callers_number_and_name_are_not_shown() -> None:
    assert "0912" not in repr(CallerScript("1001", CALLERS[0]))
    assert "زهرا" not in repr(CALLERS[0])
