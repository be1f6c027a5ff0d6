"""The wall's state is drawn from the center's view, and differences of states can always be put together again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from acd.center import Center
from acd.events import Asked, CallArrived, PhoneChanged, SetStatus, SignIn, VisitQueued
from acd.kpi.measures import Measures
from acd.routing.estimate import WaitRange
from acd.site import load_site
from acd.types import PhoneState, Status
from acd.view import view_of
from realtime import wallboard
from realtime.wallboard import apply, difference, wall_state, without_nulls
from tests.realtime.house import SITE, T0_US, merged

values: Any = st.recursive(
    st.one_of(
        st.booleans(), st.integers(-3, 3), st.sampled_from(["", "a", "b"]), st.lists(st.integers(0, 2))
    ),
    lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=12,
)
states = st.dictionaries(st.sampled_from("abcd"), values, max_size=4)


@given(states, states)
def test_a_difference_applied_gives_the_new_state(old: dict[str, Any], new: dict[str, Any]) -> None:
    patch = difference(old, new)
    if patch is None:
        assert old == new
    else:
        assert repr(sorted_deep(apply(old, patch))) == repr(sorted_deep(new))
        assert sorted_deep(merged(old, patch)) == sorted_deep(new)


@given(states, st.dictionaries(st.sampled_from("abcd"), st.none() | values, max_size=4))
def test_applying_is_what_the_rfc_says(state: dict[str, Any], patch: dict[str, Any]) -> None:
    before = repr(state)
    assert apply(state, patch) == merged(state, patch)
    assert repr(state) == before


def sorted_deep(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: sorted_deep(value[key]) for key in sorted(value)}
    return value


def test_nothing_of_a_card_is_null() -> None:
    assert without_nulls({"a": None, "b": {"c": None, "d": 1}}) == {"b": {"d": 1}}


def test_the_wall_of_a_small_morning() -> None:
    site = load_site(SITE, "center.yaml")
    center, measures = Center.new(site, T0_US), Measures()
    measures.use(site)
    for event in (
        PhoneChanged("desk1", PhoneState.FREE),
        PhoneChanged("desk2", PhoneState.FREE),
        Asked("1", "sara", SignIn("sara", "desk1")),
        Asked("2", "sara", SetStatus("sara", Status.AVAILABLE)),
        Asked("3", "reza", SignIn("reza", "desk2")),
        Asked("4", "reza", SetStatus("reza", Status.NOT_READY, "lunch")),
        CallArrived("c1", "2100", None),
        VisitQueued("c1", "loans"),
    ):
        measures.fold(center.handle(event, T0_US).facts)
    state: Any = wall_state(site, view_of(center, measures, T0_US + 5_000_000), wallboard.servers(site))
    assert state["site"] == {
        "name": {"fa": "نمونه", "en": "Sample"},
        "language": "fa",
        "time_zone": "Asia/Tehran",
    }
    loans = state["queues"]["loans"]
    assert (loans["waiting"], loans["offered"], loans["answered"]) == (1, 1, 0)
    assert loans["longest_wait_since_us"] == T0_US
    assert loans["agents"] == {**dict.fromkeys(wallboard.COUNTS, 0), "not_ready": 1}
    assert "service_level" not in loans, "nothing was counted yet: neither 0 nor 100 %"
    assert state["queues"]["sales"]["agents"]["available"] == 1
    assert state["total"]["agents"]["not_ready"] == 1, "an agent of two queues is counted once"
    assert state["agents"]["reza"]["reason"] == "lunch"
    assert state["agents"]["reza"]["name"] == {"fa": "رضا", "en": "Reza"}
    assert state["contacts_now"] == 1


def test_the_last_minutes_are_kept_by_their_largest_number_and_no_longer() -> None:
    lately = wallboard.Lately(every_us=10, spans=3)
    for at_us, waiting in ((100, 1), (105, 4), (109, 2), (111, 0), (135, 7)):
        lately.note(at_us, waiting)
    assert lately.state() == {"every_us": 10, "spans": 3, "waiting": {"11": 0, "13": 7}}
    before = lately.state()
    lately.note(141, 1)
    assert difference(before, lately.state()) == {"waiting": {"11": None, "14": 1}}


RESERVE = SITE.replace(
    "    requires: {loans: 3}\n",
    "    requires: {loans: 3}\n    agents_if: agent.skills.loans >= 4\n"
    "    reserve: {people: {requires: {fa: 5}}, open_below: 0.7, close_above: 0.9}\n",
)


def test_who_can_answer_is_the_rule_of_the_center() -> None:
    site = load_site(RESERVE, "center.yaml")
    assert wallboard.servers(site) == {"sales": ["sara", "reza"], "loans": ["reza"]}
    serving = wallboard.Serving()
    assert serving.of(site, ()) is serving.of(site, ()), "it is worked out once"
    assert serving.of(site, ("loans",)) == {"sales": ["sara", "reza"], "loans": ["sara", "reza"]}


def test_a_queue_tells_what_to_expect_and_that_its_reserve_is_open() -> None:
    site = load_site(RESERVE, "center.yaml")
    center, measures = Center.new(site, T0_US), Measures()
    measures.use(site)
    view = view_of(center, measures, T0_US)
    serving = wallboard.servers(site)
    loans: Any = wall_state(site, view, serving)["queues"]["loans"]  # type: ignore[index]
    assert "expected_wait_s" not in loans, "nobody is there, so nobody can tell"
    assert "reserve_open" not in loans
    hopeful = replace(
        view,
        outlooks={"loans": replace(view.outlooks["loans"], expected=WaitRange(12.4, 40.0, 95.6))},
        reserves_open=("loans",),
    )
    loans = wall_state(site, hopeful, serving)["queues"]["loans"]  # type: ignore[index]
    assert loans["expected_wait_s"] == {"low": 12, "likely": 40, "high": 96}
    assert loans["reserve_open"] is True
