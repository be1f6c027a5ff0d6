"""What an agent's page shows: labels for people, ids only where the site knows nothing better."""

from __future__ import annotations

from typing import Any

from acd.center import Center
from acd.events import Asked, PhoneChanged, SetStatus, SignIn
from acd.kpi.agents import AgentCounts
from acd.kpi.measures import Measures
from acd.site import load_site
from acd.types import Activity, PhoneState, Status
from acd.view import AgentView, SiteView, view_of
from realtime import agent_state
from tests.realtime.house import SITE, T0_US

site = load_site(SITE + "segments:\n  gold: {label: {fa: طلایی, en: Gold}}\n", "center.yaml")


def view_after(*commands: SignIn | SetStatus) -> SiteView:
    center = Center.new(site, T0_US)
    for phone in site.phones:
        center.handle(PhoneChanged(phone, PhoneState.FREE), T0_US)
    for number, command in enumerate(commands):
        center.handle(Asked(str(number), "test", command), T0_US + number)
    return view_of(center, Measures(), T0_US + 1_000_000)


def talking(queue: str | None) -> AgentView:
    seen = view_after(SignIn("sara", "desk1")).agents["sara"]
    values = {name: getattr(seen, name) for name in AgentView.__slots__}
    return AgentView(
        **{**values, "activity": Activity.ON_CALL, "visit": "c.1", "contact": "c", "queue": queue}
    )


def test_a_card_shows_the_sites_labels_in_place_of_its_ids() -> None:
    known: dict[str, Any] = {
        "contact": "c",
        "customer": {"id": "7", "segment": "gold", "notes": None},
        "recent": [
            {"at": "2026-11-22T08:00:00Z", "queue": "loans", "agent": "sara", "disposition": "resolved"}
        ],
    }
    assert agent_state.card(site, known) == {
        "contact": "c",
        "customer": {"id": "7", "segment": {"fa": "طلایی", "en": "Gold"}},
        "recent": [
            {
                "at": "2026-11-22T08:00:00Z",
                "queue": {"fa": "وام", "en": "Loans"},
                "agent": {"fa": "سارا", "en": "Sara"},
                "disposition": {"fa": "حل شد", "en": "Resolved"},
            }
        ],
    }
    assert known["recent"][0]["queue"] == "loans", "what the lookup keeps is not changed"


def test_what_the_site_does_not_know_stays_as_it_is() -> None:
    known = {
        "customer": {"id": "7", "segment": "silver"},
        "recent": [{"queue": "old", "agent": "gone", "disposition": "lost", "outcome": "answered"}],
    }
    assert agent_state.card(site, known) == known


def test_a_queue_without_dispositions_of_its_own_allows_all_of_the_site() -> None:
    codes = [each["code"] for each in agent_state.visit(site, talking("loans"))["dispositions"]]  # type: ignore[attr-defined]
    assert codes == list(site.dispositions)
    own = agent_state.visit(site, talking("sales"))
    assert own["disposition_required"] is True
    lost = agent_state.visit(site, talking(None))
    assert (lost["dispositions"], "queue" in lost) == ([], False)


def test_the_usual_phone_comes_first_and_a_taken_one_says_by_whom() -> None:
    assert agent_state.phones(site, view_after(), "reza") == [
        {"id": "desk2", "label": "desk2"},
        {"id": "desk1", "label": {"fa": "میز یک", "en": "Desk one"}},
    ]
    taken = agent_state.phones(site, view_after(SignIn("sara", "desk2")), "reza")
    assert taken[0] == {"id": "desk2", "label": "desk2", "taken_by": {"fa": "سارا", "en": "Sara"}}
    left = view_after(SignIn("sara", "desk2"), SetStatus("sara", Status.OFFLINE))
    assert "taken_by" not in agent_state.phones(site, left, "reza")[0]


def test_who_sits_at_a_phone_gets_no_list_of_others() -> None:
    view = view_after(SignIn("sara", "desk1"))
    assert [phone["id"] for phone in agent_state.phones(site, view, "sara")] == ["desk1"]


def test_figures_of_which_nothing_was_counted_are_left_out() -> None:
    assert agent_state.today(AgentCounts()) == {"answered": 0, "missed": 0, "rejected": 0}
    one = AgentCounts(answered=1, handled=1, talk_us=61_250_000, acw_us=4_000_000)
    assert agent_state.today(one) == {
        "answered": 1,
        "missed": 0,
        "rejected": 0,
        "talk_s": 61.2,
        "acw_s": 4.0,
        "aht_s": 65.2,
    }
