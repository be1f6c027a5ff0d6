"""Where callers go in the menus, and where they give up."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from acd.facts import ContactEnded, Fact, MenuStepTaken, VisitAbandoned, VisitAnswered
from acd.kpi.flows import DAYS_KEPT, Figures, FlowDays, NodeCounts, figures
from acd.kpi.measures import Measures, dump, load
from acd.types import US_PER_S, HandledBy
from tests.ivr import worlds

NOON_US = int(datetime(2026, 11, 18, 12, tzinfo=UTC).timestamp()) * US_PER_S
DAY_US = 24 * 3600 * US_PER_S
KINDS = {"greeting": "say", "main": "menu", "cards": "queue", "bye": "hangup"}


def call(
    contact: str, *nodes: str, at_us: int = NOON_US, ended: bool = True, version: str = "v1"
) -> list[Fact]:
    steps: list[Fact] = [
        MenuStepTaken(at_us + number, contact, "bank", version, node) for number, node in enumerate(nodes)
    ]
    return [*steps, ContactEnded(at_us + 99, contact, at_us, HandledBy.MENU)] if ended else steps


def folded(*facts: Fact, days: FlowDays | None = None) -> FlowDays:
    days = days or FlowDays("Asia/Tehran")
    for fact in facts:
        days.fold(fact)
    return days


def seen(days: FlowDays, version: str = "v1") -> dict[str, Figures]:
    return figures(days.of("bank", version), KINDS)


def test_who_hangs_up_in_a_menu_has_dropped_out_there() -> None:
    days = folded(*call("c1", "greeting", "main"), *call("c2", "greeting", "main", "bye"))
    assert seen(days) == {
        "greeting": Figures(2, 2, 0),
        "main": Figures(2, 1, 1),
        "bye": Figures(1, 1, 0),
    }
    assert days.open == {}


def test_who_is_still_there_is_inside() -> None:
    days = folded(*call("c1", "greeting", "main", ended=False))
    assert seen(days)["main"] == Figures(1, 0, 0)
    assert seen(days)["main"].inside == 1
    assert seen(days)["greeting"].inside == 0


def test_who_talked_to_a_person_was_not_lost_and_who_gave_up_in_line_was() -> None:
    talked = VisitAnswered(NOON_US + 50, "c1.1", "c1", "cards", NOON_US, "sara", "c1.1.1", 50)
    gave_up = VisitAbandoned(NOON_US + 50, "c2.1", "c2", "cards", NOON_US, 50)
    end = [ContactEnded(NOON_US + 99, contact, NOON_US, HandledBy.CENTER) for contact in ("c1", "c2")]
    days = folded(*call("c1", "cards", ended=False), *call("c2", "cards", ended=False), talked, gave_up, *end)
    assert seen(days)["cards"] == Figures(2, 1, 1)


def test_the_same_node_again_is_entered_again() -> None:
    assert seen(folded(*call("c1", "main", "main")))["main"] == Figures(2, 1, 1)


def test_versions_and_days_are_apart() -> None:
    days = folded(
        *call("c1", "main"), *call("c2", "main", version="v2"), *call("c3", "main", at_us=NOON_US + DAY_US)
    )
    assert days.versions("bank") == {"v1", "v2"}
    assert days.days_of("bank", "v1") == ("2026-11-18", "2026-11-19")
    assert days.of("bank", "v1", date(2026, 11, 19)) == {"main": NodeCounts(1, 0, 1)}
    assert seen(days)["main"] == Figures(2, 0, 2)


def test_a_day_is_that_of_the_site_and_the_end_counts_where_the_step_was() -> None:
    late_us = NOON_US + 8 * 3600 * US_PER_S + 1200 * US_PER_S  # 20:20 UTC is 23:50 in Tehran
    step = MenuStepTaken(late_us, "c1", "bank", "v1", "main")
    days = folded(step, ContactEnded(late_us + 900 * US_PER_S, "c1", late_us, HandledBy.MENU))
    assert days.days_of("bank", "v1") == ("2026-11-18",)
    later = folded(*call("c2", "main", at_us=late_us + 900 * US_PER_S))
    assert later.days_of("bank", "v1") == ("2026-11-19",)


def test_old_days_are_forgotten_and_their_versions_with_them() -> None:
    days = folded(*call("c1", "main", version="old"))
    folded(*call("c2", "main", at_us=NOON_US + (DAYS_KEPT - 1) * DAY_US), days=days)
    assert days.versions("bank") == {"old", "v1"}
    folded(*call("c3", "main", at_us=NOON_US + DAYS_KEPT * DAY_US), days=days)
    assert days.versions("bank") == {"v1"}


def test_a_caller_whose_step_was_forgotten_ends_without_harm() -> None:
    days = folded(*call("c1", "main", ended=False))
    folded(*call("c2", "main", at_us=NOON_US + 30 * DAY_US), days=days)
    folded(ContactEnded(NOON_US + 31 * DAY_US, "c1", NOON_US, HandledBy.MENU), days=days)
    assert seen(days)["main"].entered == 1


def test_ends_of_contacts_without_a_menu_are_nothing() -> None:
    assert folded(ContactEnded(NOON_US, "c1", NOON_US, HandledBy.CENTER)).days == {}


def test_callers_whose_end_was_never_told_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("acd.kpi.flows.OPEN_MOST", 2)
    days = folded(*(call(f"c{n}", "main", ended=False)[0] for n in range(5)))
    assert set(days.open) == {"c3", "c4"}


def test_they_survive_in_the_snapshot_of_the_measures() -> None:
    measures = Measures()
    measures.use(worlds.site())
    assert measures.flows.zone == "Asia/Tehran"
    measures.fold(call("c1", "greeting", "main", ended=False))
    again = load(dump(measures))
    again.fold([ContactEnded(NOON_US + 99, "c1", NOON_US, HandledBy.MENU)])
    assert figures(again.flows.of("bank", "v1"), KINDS)["main"] == Figures(1, 0, 1)
    assert again.flows.since_us == NOON_US


def test_who_is_in_a_called_flow_is_in_the_node_that_calls_it() -> None:
    days = folded(*call("c1", "main", "verify", "verify/pin", "verify/wrong", "verify/pin", "bye"))
    counts = days.of("bank", "v1")
    assert counts["verify"] == NodeCounts(1, 1, 0)
    assert counts["verify/pin"] == NodeCounts(2, 2, 0)
    lost = folded(*call("c2", "main", "verify/pin"))
    assert lost.of("bank", "v1")["verify"] == NodeCounts(1, 0, 1)
    kinds = {**KINDS, "verify": "sub"}
    assert figures(lost.of("bank", "v1"), kinds)["verify"] == Figures(1, 0, 1)


def test_entered_is_always_left_ended_and_inside() -> None:
    nodes = ("main", "verify", "verify/pin", "verify/pin", "verify/x/y", "main", "verify/x", "cards")
    for length in range(1, len(nodes) + 1):
        days = folded(*call("c1", *nodes[:length]))
        for node, counts in days.of("bank", "v1").items():
            assert counts.entered == counts.left + counts.ended, (node, length)
