"""The dictionary of measures: every figure has an id, a formula, a version, a unit, names, and one function.

The letters are those of `acd.kpi.counts`, and Wx: waiting now beyond x. A figure of which nothing was counted is None:
an empty interval is neither 0 % nor 100 %. A version changes with the formula, never without.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from acd.kpi.counts import Counts, wait_s
from acd.types import US_PER_S

__all__ = ["LETTERS", "MEASURES", "Counts", "Measure", "ratio"]

CLOSE_US = 30 * US_PER_S
"""An estimate that is off by no more counts as close."""


def ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def service_level(c: Counts, waiting_beyond: int = 0) -> float | None:
    return ratio(c.answered_in, c.answered + c.abandoned - c.abandoned_in + waiting_beyond)


def service_level_answered(c: Counts) -> float | None:
    return ratio(c.answered_in, c.answered)


def service_level_offered(c: Counts) -> float | None:
    return ratio(c.answered_in, c.answered + c.abandoned)


def service_level_lenient(c: Counts) -> float | None:
    return ratio(c.answered_in + c.abandoned_in, c.answered + c.abandoned)


def service_level_flow(c: Counts) -> float | None:
    return ratio(c.answered_in, c.answered + c.abandoned + c.flowed_out - c.abandoned_short)


def abandon_rate(c: Counts) -> float | None:
    return ratio(c.abandoned - c.abandoned_short, c.offered - c.abandoned_short)


def abandon_rate_gross(c: Counts) -> float | None:
    return ratio(c.abandoned, c.offered)


def asa_s(c: Counts) -> float | None:
    return ratio(c.wait_answered_us / US_PER_S, c.answered)


def wait_p50_s(c: Counts) -> float | None:
    return wait_s(c, 50)


def wait_p90_s(c: Counts) -> float | None:
    return wait_s(c, 90)


def wait_p99_s(c: Counts) -> float | None:
    return wait_s(c, 99)


def wait_max_s(c: Counts) -> float | None:
    return c.wait_most_us / US_PER_S if c.answered else None


def talk_s(c: Counts) -> float | None:
    return ratio(c.talk_us / US_PER_S, c.handled)


def hold_s(c: Counts) -> float | None:
    return ratio(c.hold_us / US_PER_S, c.handled)


def acw_s(c: Counts) -> float | None:
    return ratio(c.acw_us / US_PER_S, c.handled)


def aht_s(c: Counts) -> float | None:
    return ratio((c.talk_us + c.hold_us + c.acw_us) / US_PER_S, c.handled)


def occupancy(c: Counts) -> float | None:
    return ratio(c.handle_time_us, c.handle_time_us + c.idle_us)


def occupancy_logged_in(c: Counts) -> float | None:
    return ratio(c.handle_time_us, c.logged_in_us)


def rona_rate(c: Counts) -> float | None:
    return ratio(c.offers_timed_out, c.offers)


def card_before_ring(c: Counts) -> float | None:
    return ratio(c.cards_before_ring, c.rung_with_page)


def arrivals(c: Counts) -> float | None:
    return c.offered if c.offered or c.refused else None


def callbacks(c: Counts) -> float | None:
    return c.callbacks if c.offered else None


def refused(c: Counts) -> float | None:
    return c.refused if c.offered or c.refused else None


def wait_estimate_error_s(c: Counts) -> float | None:
    return ratio(c.estimate_error_us / US_PER_S, c.estimated)


def wait_estimate_close(c: Counts) -> float | None:
    return ratio(c.estimate_close, c.estimated)


@dataclass(frozen=True, slots=True)
class Measure:
    """`unit`: `ratio` (0 to 1), `s` or `count`. `of` None: it is only known live, of those who wait now.
    `fa`, `en`: its name on pages."""

    id: str
    formula: str
    version: int
    of: Callable[[Counts], float | None] | None
    unit: str
    fa: str
    en: str


_ALL = (
    Measure(
        "service_level", "Ax / (A + B − Bx + Wx)", 1, service_level, "ratio", "سطح سرویس", "Service level"
    ),
    Measure(
        "service_level_answered",
        "Ax / A",
        1,
        service_level_answered,
        "ratio",
        "سطح سرویس از پاسخ داده‌ها",
        "Service level of the answered",
    ),
    Measure(
        "service_level_offered",
        "Ax / (A + B)",
        1,
        service_level_offered,
        "ratio",
        "سطح سرویس با همه رها شده‌ها",
        "Service level, every abandon counted",
    ),
    Measure(
        "service_level_lenient",
        "(Ax + Bx) / (A + B)",
        1,
        service_level_lenient,
        "ratio",
        "سطح سرویس با رها شده‌های به‌موقع",
        "Service level, early abandons as answered",
    ),
    Measure(
        "service_level_flow",
        "Ax / (A + B + F − Bs)",
        1,
        service_level_flow,
        "ratio",
        "سطح سرویس با خارج شده‌ها از صف",
        "Service level, flow-outs counted",
    ),
    Measure(
        "abandon_rate",
        "(B − Bs) / (O − Bs)",
        1,
        abandon_rate,
        "ratio",
        "نرخ رها شدن تماس",
        "Abandonment rate",
    ),
    Measure(
        "abandon_rate_gross",
        "B / O",
        1,
        abandon_rate_gross,
        "ratio",
        "نرخ رها شدن تماس با کوتاه‌ها",
        "Abandonment rate, short ones too",
    ),
    Measure("asa_s", "Σ wait of answered / A", 1, asa_s, "s", "میانگین زمان پاسخ‌گویی", "Average answer time"),
    Measure(
        "wait_p50_s",
        "wait that 50 % of A had at most",
        1,
        wait_p50_s,
        "s",
        "میانه زمان انتظار",
        "Median wait",
    ),
    Measure(
        "wait_p90_s", "wait that 90 % of A had at most", 1, wait_p90_s, "s", "زمان انتظار ۹۰٪", "Wait, 90 %"
    ),
    Measure(
        "wait_p99_s", "wait that 99 % of A had at most", 1, wait_p99_s, "s", "زمان انتظار ۹۹٪", "Wait, 99 %"
    ),
    Measure(
        "wait_max_s", "longest wait of A", 1, wait_max_s, "s", "بیشترین زمان انتظار", "Longest answered wait"
    ),
    Measure(
        "longest_wait_s",
        "longest wait of those waiting now",
        1,
        None,
        "s",
        "طولانی‌ترین انتظار اکنون",
        "Longest wait now",
    ),
    Measure("talk_s", "Σ talk / handled", 1, talk_s, "s", "میانگین زمان مکالمه", "Average talk"),
    Measure("hold_s", "Σ hold / handled", 1, hold_s, "s", "میانگین زمان نگه داشتن تماس", "Average hold"),
    Measure(
        "acw_s",
        "Σ after-call work / handled",
        1,
        acw_s,
        "s",
        "میانگین کار پس از تماس",
        "Average after-call work",
    ),
    Measure(
        "aht_s",
        "Σ (talk + hold + after-call work) / handled",
        1,
        aht_s,
        "s",
        "میانگین زمان رسیدگی",
        "Average handle time",
    ),
    Measure(
        "occupancy",
        "handle time / (handle time + idle while Available)",
        1,
        occupancy,
        "ratio",
        "ضریب اشتغال",
        "Occupancy",
    ),
    Measure(
        "occupancy_logged_in",
        "handle time / logged-in time",
        1,
        occupancy_logged_in,
        "ratio",
        "ضریب اشتغال از زمان حضور",
        "Occupancy of logged-in time",
    ),
    Measure(
        "rona_rate", "offers timed out / offers", 1, rona_rate, "ratio", "نرخ زنگ بی‌پاسخ", "Ring, no answer"
    ),
    Measure(
        "card_before_ring",
        "offers whose card was confirmed before the first ring / ended offers to agents with a page open",
        1,
        card_before_ring,
        "ratio",
        "کارت پیش از زنگ",
        "Card before ring",
    ),
    Measure("arrivals", "O", 1, arrivals, "count", "تماس‌های دریافتی", "Arrivals"),
    Measure("callbacks", "C", 1, callbacks, "count", "تماس‌های دوباره پذیرفته شده", "Callbacks taken"),
    Measure("refused", "R", 1, refused, "count", "تماس‌های راه داده نشده", "Refused"),
    Measure(
        "wait_estimate_error_s",
        "Σ |announced wait − wait| / A with an announced wait",
        1,
        wait_estimate_error_s,
        "s",
        "خطای برآورد زمان انتظار",
        "Error of the estimated wait",
    ),
    Measure(
        "wait_estimate_close",
        "A whose announced wait was right within 30 s / A with an announced wait",
        1,
        wait_estimate_close,
        "ratio",
        "برآوردهای درست تا ۳۰ ثانیه",
        "Estimates right within 30 s",
    ),
)

MEASURES: dict[str, Measure] = {measure.id: measure for measure in _ALL}

LETTERS: dict[str, tuple[str, str]] = {
    "x": ("هدف زمان انتظار صف", "the queue's target for the wait"),
    "O": ("تماس‌های وارد شده به صف", "offered: visits that began"),
    "A": ("پاسخ داده شده", "answered"),
    "Ax": ("پاسخ داده شده تا زمان x", "answered with a wait of at most x"),
    "B": ("رها شده", "abandoned"),
    "Bx": ("رها شده تا زمان x", "abandoned with a wait of at most x"),
    "Bs": ("رها شده کوتاه", "short abandons"),
    "F": ("خارج شده از صف", "flowed out"),
    "C": ("تماس دوباره پذیرفته شده", "callbacks taken"),
    "R": ("راه داده نشده، بیرون از O", "refused, outside O"),
    "Wx": ("منتظر اکنون، بیش از x", "waiting now beyond x"),
}
"""What the letters of formulas stand for: Persian, English."""
