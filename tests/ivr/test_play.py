"""A flow without a phone: what a person at a keyboard would meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from acd.common.document import load_document
from acd.verbs import Ask, Collect, LineLeft, Pause, RecordMessage, Say, Transfer, WaitInLine
from ivr.flow import Flow
from ivr.play import (
    Asked,
    Call,
    Dialled,
    Ended,
    Heard,
    Press,
    Pressed,
    Spoke,
    Stay,
    Stood,
    StopError,
    Went,
)
from ivr.supposed import Circumstances, bare_site, parse_at, queues_of, staged, usual_answer
from tests.ivr import worlds

HEAD = "flow: f\nlanguages: [en]\nstart: a\nperson: q\nnodes:\n  q: {kind: queue, queue: cards}\n"


@dataclass
class Scripted:
    """Hands with everything prepared; what is not prepared ends the trial."""

    around: Circumstances
    typed: list[str] = field(default_factory=list)
    line: list[LineLeft | Press | Stay] = field(default_factory=list)
    answers: Mapping[str, Mapping[str, str] | None] = field(default_factory=dict)
    seconds: float = 5.0
    answered: bool | None = True

    def keys(self, verb: Collect | Pause) -> str:
        if not self.typed:
            raise StopError("listening")
        return self.typed.pop(0)

    def during(self, verb: Say) -> str:
        return ""

    def answer(self, verb: Ask) -> Mapping[str, str] | None:
        return self.answers.get(verb.what) or usual_answer(verb, self.around)

    def in_line(self, verb: WaitInLine) -> LineLeft | Press | Stay | None:
        return self.line.pop(0) if self.line else None

    def speaks_s(self, verb: RecordMessage) -> float:
        return self.seconds

    def transferred(self, verb: Transfer) -> bool | None:
        return self.answered


def flow_of(nodes: str) -> Flow:
    return load_document(HEAD + nodes, "f", Flow).model


def played(flow: Flow, *typed: str, caller: str | None = None, **hands: object) -> Call:
    around = Circumstances(worlds.OPEN, caller=caller)
    scripted = Scripted(around, list(typed), **hands)  # type: ignore[arg-type]
    call = Call(flow, bare_site(flow), around, scripted)
    call.run()
    return call


def heard(call: Call) -> list[str]:
    return [moment.text for moment in call.moments if isinstance(moment, Heard)]


def ended(call: Call) -> str:
    last = call.moments[-1]
    assert isinstance(last, Ended)
    return last.how


MENUS = """
  a: {kind: menu, prompt: {en: First}, keys: {"1": b, "2": a}}
  b: {kind: menu, prompt: {en: Second}, keys: {"1": q, "2": bye}}
  bye: {kind: hangup, prompt: {en: Bye}}
"""


def test_keys_typed_ahead_count_for_the_next_questions() -> None:
    call = played(flow_of(MENUS), "12")
    assert call.path == ("a", "b", "bye")
    assert [moment.keys for moment in call.moments if isinstance(moment, Pressed)] == ["1", "2"]
    assert (heard(call), ended(call)) == (["First", "Second", "Bye"], "hangup")


def test_nothing_is_pressed_until_the_time_is_over_and_the_clock_goes_on() -> None:
    call = played(flow_of(MENUS), "", "9", "1")
    assert call.path == ("a", "b")
    assert ended(call) == "listening"
    assert 5 <= (call.now_utc() - worlds.OPEN).total_seconds() < 60


def test_digits_end_with_their_key_or_when_there_are_enough() -> None:
    nodes = """
  a: {kind: collect, prompt: {en: PIN}, into: pin, max_digits: 4, min_digits: 4, secret: true, next: l}
  l: {kind: ask, what: x.check, args: {pin: $pin}, answers: {ok: bye}, otherwise: q}
  bye: {kind: hangup, prompt: {en: Bye}}
"""
    for typed in (["1234"], ["123#", "1234"], ["12", "1234"]):
        call = played(flow_of(nodes), *typed, answers={"x.check": {"result": "ok"}})
        assert call.path == ("a", "l", "bye"), typed
        (asked,) = [moment for moment in call.moments if isinstance(moment, Asked)]
        assert asked.args == {"pin": "••••"}
        assert "1234" not in repr(call.moments)


def test_in_line_the_caller_is_answered_or_refused_or_stays() -> None:
    nodes = """
  a: {kind: queue, queue: cards, welcome: {en: Welcome}, comfort: {en: Patience}, comfort_every_s: 20,
      after: bye, full: late}
  bye: {kind: hangup, prompt: {en: Bye}}
  late: {kind: hangup, prompt: {en: Full}}
"""
    flow = flow_of(nodes)
    assert heard(played(flow, line=[LineLeft(True)])) == ["Welcome", "Bye"]
    assert heard(played(flow, line=[LineLeft(False, "full")])) == ["Welcome", "Full"]
    staying = played(flow, line=[Stay(45)])
    assert heard(staying) == ["Welcome", "Patience", "Patience"]
    assert (ended(staying), staying.moments[-2]) == ("queue", Stood("cards", 0, None))
    assert (staying.now_utc() - worlds.OPEN).total_seconds() == 45


def test_in_line_what_waiting_callers_hear_and_may_press() -> None:
    nodes = """
  a:
    kind: queue
    queue: cards
    waiting: {position: true, first_after_s: 10, every_s: 30, offer: {en: Press one}, keys: {"1": callback}}
    callback: bye
  bye: {kind: hangup, prompt: {en: Bye}}
"""
    call = played(flow_of(nodes), line=[Stay(15), Stay(30), Press("1")], answers={"place": {"ahead": "0"}})
    assert heard(call) == ["You are next in line.", "Press one", "Press one", "Bye"]
    stood = [moment for moment in call.moments if isinstance(moment, Stood)]
    assert stood == [Stood("cards", 0, LineLeft(False, "callback"))]


def test_messages_and_transfers() -> None:
    nodes = """
  a: {kind: transfer, to: "110", unanswered: v}
  v: {kind: voicemail, queue: cards, confirm: false, next: bye}
  bye: {kind: hangup, prompt: {en: Bye}}
"""
    call = played(flow_of(nodes), answered=False, seconds=7.0)
    assert [moment for moment in call.moments if isinstance(moment, Dialled)] == [Dialled("110", False)]
    (spoke,) = [moment for moment in call.moments if isinstance(moment, Spoke)]
    assert spoke.seconds == 7.0
    assert (call.path, ended(call)) == (("a", "v", "bye"), "hangup")
    assert ended(played(flow_of(nodes), answered=None)) == "transfer"


def test_called_flows_are_walked_into_and_their_kinds_known() -> None:
    inner = load_document(
        "flow: inner\nlanguages: [en]\nstart: x\nnodes:\n"
        "  x: {kind: say, prompt: {en: Inside}, next: back}\n  back: {kind: return}",
        "inner",
        Flow,
    ).model
    flow = flow_of("  a: {kind: sub, flow: inner, next: q}\n")
    around = Circumstances(worlds.OPEN)
    call = Call(flow, bare_site(flow), around, Scripted(around), others={"inner": inner})
    assert call.run() == Ended("queue")
    went = [(moment.node, moment.kind) for moment in call.moments if isinstance(moment, Went)]
    assert went[:3] == [("a", "sub"), ("a/x", "say"), ("a/back", "return")]
    assert call.path[-1] == "q"


def test_a_flow_without_end_is_stopped() -> None:
    flow = flow_of('  a: {kind: menu, prompt: {en: Again}, keys: {"1": a}, after_tries: a}\n')
    around = Circumstances(worlds.OPEN)

    class Tireless(Scripted):
        def keys(self, verb: Collect | Pause) -> str:
            return "1"

    call = Call(flow, bare_site(flow), around, Tireless(around, line=[LineLeft(True)] * 9))
    assert call.run().how in ("hangup", "endless")


# What is supposed ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2026-12-01T10:00", datetime(2026, 12, 1, 6, 30, tzinfo=UTC)),
        ("1405-09-10 10:00", datetime(2026, 12, 1, 6, 30, tzinfo=UTC)),
        ("۱۴۰۵/۰۹/۱۰ ۱۰:۰۰", datetime(2026, 12, 1, 6, 30, tzinfo=UTC)),
        ("2026-12-01", datetime(2026, 12, 1, 8, 30, tzinfo=UTC)),
    ],
)
def test_days_are_written_in_both_calendars(written: str, instant: datetime) -> None:
    assert parse_at(written, "Asia/Tehran") == instant


@pytest.mark.parametrize("written", ["", "soon", "2026-13-01", "2026-12-01T25:00", "2026-12-01T10"])
def test_what_is_no_instant(written: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (several sentences, each of its own)
        parse_at(written, "Asia/Tehran")


def test_the_number_of_the_flow_is_dialled_and_its_hours_hold() -> None:
    site, dialled = staged(worlds.site(), worlds.flow(), Circumstances(worlds.OPEN))
    assert (dialled, site.numbers[dialled].hours) == ("021100", "office")
    site, dialled = staged(worlds.site(), worlds.flow(), Circumstances(worlds.OPEN, dialled="999"))
    assert site.numbers["999"].flow == "bank"


def test_a_holiday_is_put_on_the_day_and_taken_off_it() -> None:
    day = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
    on, _ = staged(worlds.site(), worlds.flow(), Circumstances(day, holiday=True))
    off, _ = staged(worlds.site(), worlds.flow(), Circumstances(day, holiday=False))
    assert [str(each) for each in on.holidays.add] == ["2026-12-01"]
    assert [str(each) for each in off.holidays.remove] == ["2026-12-01"]


def test_the_house_answers_as_on_a_usual_day() -> None:
    around = Circumstances(
        worlds.OPEN, caller="02188776655", customer={"segment": "gold"}, queues={"cards": {"waiting": "7"}}
    )
    caller = usual_answer(Ask("caller", {}), around)
    assert caller == {"number": "02188776655", "withheld": "false", "country": "IR"}
    customer = usual_answer(Ask("customer", {}), around)
    assert customer is not None
    assert (customer["known"], customer["segment"]) == ("true", "gold")
    queue = usual_answer(Ask("queue", {"queue": "cards"}), around)
    assert queue is not None
    assert (queue["waiting"], queue["open"]) == ("7", "true")
    assert usual_answer(Ask("lookup.balance", {}), around) is None


def test_a_bare_site_has_every_queue_of_the_flow() -> None:
    assert queues_of(worlds.flow()) <= set(bare_site(worlds.flow()).queues)
