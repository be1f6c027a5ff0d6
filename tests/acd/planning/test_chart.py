"""A chart is one file that asks nobody for anything, in both languages, and safe with any name."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest

from acd.planning.chart import Language, forecast_page, what_if_page
from acd.planning.forecast import Past, forecast, staff_day
from acd.planning.simulate import simulate
from acd.planning.staffing import Goal
from acd.planning.tally import Day, tally
from acd.planning.worlds import RosterAgent, TraceCall, world_of_roster
from acd.types import US_PER_S as S

HOSTILE = '<script>alert("x")</script>'


def a_day(agents: int) -> Day:
    calls = [
        TraceCall(at + 2, f"c{at}", kind, at * 600 * S, 900 * S, 60 * S, 0)
        for at, kind in enumerate(("loans", HOSTILE) * 12)
    ]
    roster = [RosterAgent(f"a{at}", {"loans": 1, HOSTILE: 2}) for at in range(agents)]
    world = world_of_roster(calls, roster, "longest-idle")
    return tally(world, simulate(world), 20 * S)


@pytest.mark.parametrize("language", ["fa", "en"])
def test_a_comparison_stands_alone(language: Language) -> None:
    page = what_if_page({"one & only": a_day(1), HOSTILE: a_day(2)}, language, {"loans": "تسهیلات"})
    stands_alone(page, language)
    assert "one &amp; only" in page
    assert "تسهیلات" in page
    assert page.count("<svg") == 6
    assert ("سطح سرویس" if language == "fa" else "Service level") in page
    assert ("۲۴" if language == "fa" else ">24<") in page
    assert (">۰<" if language == "fa" else ">0<") in page, "no difference in offered calls has no sign"


@pytest.mark.parametrize("language", ["fa", "en"])
def test_a_forecast_stands_alone(language: Language) -> None:
    past = [
        Past(datetime(2026, 11, day, hour, tzinfo=UTC), HOSTILE, hour, hour, 60)
        for day in (14, 21)
        for hour in (5, 6, 8)
    ]
    (found,) = forecast(past, date(2026, 11, 28), "Asia/Tehran", interval_min=60)
    page = forecast_page([(found, staff_day(found, Goal(0.8), None, 60))], language)
    stands_alone(page, language)
    assert ("شنبه ۱۴۰۵/۰۹/۰۷" if language == "fa" else "Saturday 2026-11-28") in page
    assert page.count("<rect") == 8, "from the first interval with calls to the last, twice"
    assert ("۰۸:۰۰" if language == "fa" else "08:00") in page


def test_a_day_without_calls_can_be_drawn() -> None:
    world = world_of_roster([], [], "longest-idle")
    page = what_if_page({"a": tally(world, simulate(world), S)}, "en")
    stands_alone(page, "en")


def stands_alone(page: str, language: str) -> None:
    assert f'<html lang="{language}" dir="{"rtl" if language == "fa" else "ltr"}">' in page
    assert "script" not in re.sub(r"&lt;/?script&gt;", "", page)
    assert re.search(r"https?:|//|url\(|@import|src=|href=", page) is None
    assert re.search(r"\b(nan|inf)\b", page) is None
    assert page.count("<section>") == page.count("</section>")
