"""The estimate of a wait against what waits really are, in simulated lines."""

from __future__ import annotations

import heapq
from random import Random
from statistics import mean, quantiles

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.routing.estimate import RecentWork, WaitRange, estimate
from acd.types import US_PER_S

AHEAD = st.integers(0, 200)
STAFF = st.integers(1, 100)
HANDLE_S = st.floats(1, 3600)
CV2 = st.floats(0, 4)
PATIENCE_S = st.none() | st.floats(1, 7200)


def told(
    ahead: int, staff: int, handle_s: float, cv2: float | None = None, patience_s: float | None = None
) -> WaitRange:
    made = estimate(ahead, staff, handle_s, cv2, patience_s)
    assert made is not None
    return made


# ---- what must hold for every line ---------------------------------------------------------------------------


@given(AHEAD, STAFF, HANDLE_S, CV2, PATIENCE_S)
def test_the_more_wait_before_one_the_longer_it_takes(
    ahead: int, staff: int, handle_s: float, cv2: float, patience_s: float | None
) -> None:
    here = told(ahead, staff, handle_s, cv2, patience_s)
    behind = told(ahead + 1, staff, handle_s, cv2, patience_s)
    assert behind.likely_s > here.likely_s
    assert behind.high_s >= here.high_s


@given(AHEAD, STAFF, HANDLE_S, CV2, PATIENCE_S)
def test_the_more_serve_the_shorter_it_takes(
    ahead: int, staff: int, handle_s: float, cv2: float, patience_s: float | None
) -> None:
    assert (
        told(ahead, staff + 1, handle_s, cv2, patience_s).likely_s
        < told(ahead, staff, handle_s, cv2, patience_s).likely_s
    )


@given(AHEAD, STAFF, HANDLE_S, CV2, PATIENCE_S)
def test_the_range_holds_what_is_likely(
    ahead: int, staff: int, handle_s: float, cv2: float, patience_s: float | None
) -> None:
    made = told(ahead, staff, handle_s, cv2, patience_s)
    assert 0 <= made.low_s <= made.likely_s <= made.high_s


@given(AHEAD, STAFF, HANDLE_S, st.floats(1, 7200))
def test_who_gives_up_makes_it_shorter_for_those_behind(
    ahead: int, staff: int, handle_s: float, patience_s: float
) -> None:
    patient = told(ahead, staff, handle_s).likely_s
    assert told(ahead, staff, handle_s, None, patience_s).likely_s <= patient
    assert patient == pytest.approx((ahead + 1) * handle_s / staff)


def test_what_cannot_be_told_is_none() -> None:
    assert estimate(3, 0, 180.0) is None
    assert estimate(3, 5, None) is None
    assert estimate(3, 5, 0.0) is None


# ---- against simulated lines ---------------------------------------------------------------------------------


def waits(
    ahead: int, staff: int, handle: list[float], patience_s: float | None, seed: int, runs: int = 4000
) -> list[float]:
    """Waits of one who never gives up behind `ahead` who may, with all agents in the midst of a handle time drawn
    from `handle` (as one meets it: long ones more often, and at any point)."""
    chance = Random(seed)
    met = chance.choices(handle, weights=handle, k=staff * runs)
    out = []
    for run in range(runs):
        free = [each * chance.random() for each in met[run * staff : (run + 1) * staff]]
        heapq.heapify(free)
        for _ in range(ahead):
            left = chance.expovariate(1 / patience_s) if patience_s else float("inf")
            if left > free[0]:
                heapq.heapreplace(free, free[0] + chance.choice(handle))
        out.append(free[0])
    return out


@pytest.mark.parametrize(
    ("ahead", "staff", "patience_s"),
    [(0, 1, None), (0, 8, None), (12, 3, None), (12, 3, 120.0), (40, 20, 300.0)],
)
def test_exponential_lines_are_told_as_they_are(ahead: int, staff: int, patience_s: float | None) -> None:
    chance = Random(5)
    handle = [chance.expovariate(1 / 180) for _ in range(20_000)]
    real = waits(ahead, staff, handle, patience_s, seed=11)
    made = told(ahead, staff, mean(handle), 1.0, patience_s)
    assert made.likely_s == pytest.approx(mean(real), rel=0.06)
    deciles = quantiles(real, n=10)
    assert made.low_s == pytest.approx(deciles[0], rel=0.15, abs=3)
    assert made.high_s == pytest.approx(deciles[-1], rel=0.08)


@pytest.mark.parametrize(("ahead", "staff"), [(0, 1), (6, 1), (0, 5), (15, 5), (60, 10)])
@pytest.mark.parametrize("shape", ["gamma", "lognormal"])
def test_other_handle_times_are_told_well_enough(ahead: int, staff: int, shape: str) -> None:
    chance = Random(6)
    handle = [
        chance.gammavariate(2, 90) if shape == "gamma" else chance.lognormvariate(4.8, 0.9)
        for _ in range(20_000)
    ]
    real = waits(ahead, staff, handle, None, seed=12)
    average = mean(handle)
    cv2 = mean((each - average) ** 2 for each in handle) / average**2
    made = told(ahead, staff, average, cv2)
    assert made.likely_s == pytest.approx(mean(real), rel=0.15)
    within = mean(made.low_s <= each <= made.high_s for each in real)
    assert 0.7 <= within <= 0.92, within


def test_what_is_learned_from_the_line_itself_is_told_honestly() -> None:
    """Eight of ten waits lie in the range, though handle times and patience are only known from the last calls."""
    chance = Random(8)
    within = []
    for run in range(300):
        work = RecentWork()
        for _ in range(150):
            work.took(int(chance.expovariate(1 / 180) * US_PER_S))
        made = told(25, 4, work.handle_s or 0, work.handle_cv2)
        (real,) = waits(25, 4, [chance.expovariate(1 / 180) for _ in range(200)], None, seed=run, runs=1)
        within.append(made.low_s <= real <= made.high_s)
    assert 0.72 <= mean(within) <= 0.9


# ---- what is remembered --------------------------------------------------------------------------------------


def test_a_new_line_knows_nothing() -> None:
    work = RecentWork()
    assert (work.handle_s, work.handle_cv2, work.patience_s) == (None, None, None)
    for _ in range(3):
        work.took(90 * US_PER_S)
    assert work.handle_s == pytest.approx(90)
    assert work.handle_cv2 == pytest.approx(0, abs=1e-9)
    assert work.patience_s is None


def test_handle_times_and_their_spread_are_those_of_late() -> None:
    chance = Random(3)
    work = RecentWork()
    for _ in range(400):
        work.took(600 * US_PER_S)
    for _ in range(400):
        work.took(int(chance.expovariate(1 / 120) * US_PER_S))
    assert work.handle_s == pytest.approx(120, rel=0.3)
    assert work.handle_cv2 == pytest.approx(1, abs=0.6)


def test_patience_is_learned_from_those_who_were_answered_too() -> None:
    chance = Random(4)
    work = RecentWork()
    for _ in range(2000):
        patience_s, offered_s = chance.expovariate(1 / 240), chance.uniform(0, 90)
        if patience_s < offered_s:
            work.abandoned(int(patience_s * US_PER_S))
        else:
            work.answered(int(offered_s * US_PER_S))
    assert work.patience_s == pytest.approx(240, rel=0.35)


def test_a_snapshot_goes_on_as_if_nothing_had_been() -> None:
    one = RecentWork()
    for number in range(20):
        one.took(number * 7_777_777)
        one.answered(number * 1_234_567)
        one.abandoned(number * 3_234_567)
    two = msgspec.json.decode(msgspec.json.encode(one), type=RecentWork)
    for each in (one, two):
        each.took(123_456)
        each.abandoned(99_999_999)
    assert one == two
    assert (one.handle_s, one.patience_s) == (two.handle_s, two.patience_s)


def test_nonsense_is_taken_as_nothing() -> None:
    work = RecentWork()
    for _ in range(5):
        work.took(-5)
        work.answered(-5)
    assert (work.handle_s, work.patience_s) == (None, None)
