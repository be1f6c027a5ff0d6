"""How many steps a second the interpreter of menus takes."""

from __future__ import annotations

import statistics
import time

from acd.verbs import Begun, Collect, Digits, Done, Reply, Verb
from tests.bench.measure import Figure, Report, missed
from tests.ivr import worlds

TURNS = 7
CALLS = 200
STEPS_OF_A_CALL = 60


def reply_to(verb: Verb) -> Reply:
    """A caller who wants to hear the menu again, and again."""
    return Digits("*", complete=True) if isinstance(verb, Collect) else Done()


def test_the_steps_of_a_menu(report: Report) -> None:
    flow = worlds.flow()
    rates = []
    with report.steps("steps of a menu", TURNS) as done:
        for _ in range(TURNS):
            calls = [worlds.script(flow) for _ in range(CALLS)]
            began = time.process_time()
            for each in calls:
                verb = each.next(Begun())
                for _ in range(STEPS_OF_A_CALL - 1):
                    verb = each.next(reply_to(verb))
            rates.append(CALLS * STEPS_OF_A_CALL / (time.process_time() - began))
            done()
            assert calls[0].position.node == "main", "the caller is still in the menu"
    figure = Figure("interpreter of menus", statistics.median(rates), "steps/s", at_least=20_000)
    report.add(figure)
    assert not missed([figure])
