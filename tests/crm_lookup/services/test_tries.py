from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from crm_lookup.services.tries import Count, Tries, TriesSettings

S = 1_000_000
LIMITS = TriesSettings(most=3, within_s=60, lock_s=120, keys_most=3)


def test_failures_are_counted_within_a_span_and_a_lock_ends() -> None:
    tries = Tries(LIMITS)
    assert [tries.take("a", n * 30 * S) is not None for n in range(4)] == [True] * 4  # the third began anew
    assert tries.take("a", 100 * S) is not None
    assert tries.is_locked("a", 100 * S)
    assert tries.take("a", 219 * S) is None
    assert not tries.is_locked("a", 220 * S)
    assert tries.take("a", 220 * S) == Count("a", 1, 220 * S)


def test_what_is_known_from_before_counts() -> None:
    tries = Tries(LIMITS, [Count("a", 3, 0, 120 * S), Count("b", 2, 0)])
    assert tries.take("a", S) is None
    assert tries.take("b", S) == Count("b", 3, 0, 121 * S)


def test_the_oldest_is_forgotten_first() -> None:
    tries = Tries(LIMITS)
    for key in "abcd":
        tries.take(key, 0)
    assert [tries.count(key) is None for key in "abcd"] == [True, False, False, False]


@settings(max_examples=200)
@given(st.lists(st.sampled_from(["take", "right", "wrong"]), max_size=60))
def test_never_more_than_most_are_out_or_wrong(steps: list[str]) -> None:
    tries, out, wrong = Tries(LIMITS), 0, 0
    for step in steps:
        if step == "take" and tries.take("a", 0) is not None:
            out += 1
        elif step == "right" and out:
            tries.give_back("a", 0)
            out -= 1
        elif step == "wrong" and out:
            out, wrong = out - 1, wrong + 1
        assert out + wrong <= 3
