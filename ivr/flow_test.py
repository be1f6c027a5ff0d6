"""Tests of a flow as data: a file beside the flow says what callers do and where they must come out.

    # bank.test.yaml, beside bank.yaml
    at: 2026-12-01T10:00                 # the clock of every case that sets none
    cases:
      - name: a lost card, in Persian
        keys: ["1", "1"]
        expect: {path: [greeting, language, main, lost_card], outcome: queue lost_card}

`pasokh ivr check` runs them, and pytest by `cases(path)`. Each failure says file, line, and what came instead.

What a caller does (`keys`), in order: `"12#"` keys when asked; `nothing` until the time is over; `hangup`;
`{during: "1"}` a key while something is said; `{speak_s: 8}` how long a recorded message is; `{transfer: answered}`.
In line: `{line: answered}` or `{line: full, to: voicemail}` for how it ends, `{in_line: "2"}` a key, `{stay_s: 60}` to
hear what waiting callers hear.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from acd.common.document import Loaded, Tree, Written, load_document, wrong
from acd.errors import Problem
from acd.site import Language, Site
from acd.verbs import Ask, Collect, LineLeft, Pause, RecordMessage, Say, Transfer, WaitInLine
from ivr.check import load_flow
from ivr.errors import IvrError
from ivr.flow import Flow
from ivr.library import TESTS
from ivr.play import (
    Asked,
    Call,
    Dialled,
    Ended,
    Heard,
    Moment,
    Noted,
    Press,
    Stay,
    Stood,
    StopError,
)
from ivr.steps import questions
from ivr.supposed import Circumstances, bare_site, called_flows, parse_at, usual_answer

ANY = "..."
"""In a path: any nodes, also none."""

_PIECES_MOST = 16
"""Of so many recordings a sentence with numbers in it may be joined."""

_KEPT = frozenset({questions.VOICEMAIL, questions.CALLBACK, questions.SURVEY})

# The file --------------------------------------------------------------------------------------------------


def _an_act(value: object) -> object:
    """`"12#"` means keys, `nothing` and `hangup` themselves."""
    if isinstance(value, dict):
        return value
    word = str(value)
    return {word: True} if word in ("nothing", "hangup") else {"press": value}


def _one_or_more(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _an_answer(value: object) -> object:
    return None if value == "none" else value


def _an_instant(value: str) -> str:
    try:
        parse_at(value, "UTC")
    except ValueError:
        raise wrong(f'"{value[:40]}" is no day and time', "write it as 2026-12-01T10:00") from None
    return value


def _as_word(value: object) -> object:
    """`true` is the text of an answer, as a service would write it."""
    return str(value).lower() if isinstance(value, bool) else value


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Keys = Annotated[Written, Field(pattern=r"^[0-9*#]{1,64}$")]
OneKey = Annotated[Written, Field(pattern=r"^[0-9*#]$")]
Word = Annotated[Written, Field(max_length=200)]
Fact = Annotated[Written, Field(max_length=200), BeforeValidator(_as_word)]
Instant = Annotated[Written, AfterValidator(_an_instant)]


class Act(_Model):
    """One thing that the caller, or the world, does."""

    press: Keys | None = None
    nothing: Literal[True] | None = None
    hangup: Literal[True] | None = None
    during: OneKey | None = None
    in_line: OneKey | None = None
    stay_s: Annotated[float, Field(gt=0, le=3_600, allow_inf_nan=False)] | None = None
    line: Word | None = None
    to: Word = ""
    speak_s: Annotated[float, Field(ge=0, le=3_600, allow_inf_nan=False)] | None = None
    transfer: Literal["answered", "unanswered"] | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if len(self.model_fields_set - {"to"}) != 1:
            raise wrong("one act does one thing", "write each as an item of its own")
        return self

    @property
    def kind(self) -> str:
        return next(iter(self.model_fields_set - {"to"}))


AnAnswer = Annotated[dict[Word, Fact] | None, BeforeValidator(_an_answer)]


class Expect(_Model):
    """What must come of it; whatever is left out does not matter. `said`: these, in this order, each a prompt's name
    or a part of what is heard. `asked`: what was asked of services, with at least these values."""

    path: tuple[Word, ...] | None = None
    said: tuple[Word, ...] = ()
    not_said: tuple[Word, ...] = ()
    outcome: Word | None = None
    asked: dict[Word, dict[Word, Word]] = {}
    set: dict[Word, Word] = {}
    language: Language | None = None


class Case(_Model):
    """One call. `open` and `holiday` decide what the site's calendar else does. What the house itself is asked
    (`caller`, `customer`, `queue`, `place`, and to keep a message, a callback, a survey) has usual answers, made of
    `caller`, `customer`, `queues` and `place`; what services are asked stands in `answers`."""

    name: Annotated[Written, Field(min_length=1, max_length=120)]
    at: Instant | None = None
    dialled: Annotated[Word, Field(pattern=r"^[+]?[0-9]{1,20}$")] | None = None
    caller: Word | None = None
    language: Language | None = None
    open: bool | None = None
    holiday: bool | None = None
    customer: dict[Word, Fact] = {}
    queues: dict[Word, dict[Word, Fact]] = {}
    place: dict[Word, Fact] = {}
    keys: tuple[Annotated[Act, BeforeValidator(_an_act)], ...] = ()
    answers: dict[Word, Annotated[tuple[AnAnswer, ...], BeforeValidator(_one_or_more)]] = {}
    expect: Expect


class TestFile(_Model):
    """`flow`: the file of the flow, beside this one (default: of the same name)."""

    __test__ = False

    flow: Written | None = None
    at: Instant = "2026-12-01T10:00"
    cases: tuple[Case, ...]

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        if not self.cases:
            raise wrong("there are no cases", "add one with `name` and `expect`")
        names = [case.name for case in self.cases]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise wrong(f'two cases have the name "{twice}"', "give each a name of its own")
        return self


def load_tests(text: str | bytes, file: str) -> Loaded[TestFile]:
    """The tests in a document. Raises DocumentError with every problem."""
    return load_document(text, file, TestFile)


# Running ---------------------------------------------------------------------------------------------------


class FlowTestFailed(IvrError, AssertionError):
    """A case came out otherwise than expected; the message has every difference with its place."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one case. `differences`: none if all is as expected."""

    name: str
    differences: tuple[Problem, ...]
    moments: tuple[Moment, ...]


@dataclass(frozen=True, slots=True)
class FlowCase:
    """One case, ready to run; as a parameter of pytest its `id` is the case's name."""

    flow: Flow
    site: Site
    case: Case
    number: int
    tests: Loaded[TestFile]
    others: Mapping[str, Flow] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.flow.flow}: {self.case.name}"

    def run(self) -> Result:
        case = self.case
        around = Circumstances(
            parse_at(case.at or self.tests.model.at, self.site.time_zone),
            case.dialled,
            case.caller,
            case.language,
            case.holiday,
            case.open,
            case.customer,
            case.queues,
            case.place,
        )
        hands = _Scripted(case, around)
        call = Call(self.flow, self.site, around, hands, others=self.others)
        ended = call.run()
        found = _Differences(self.tests.tree, self.number, case, call, ended, hands)
        return Result(case.name, tuple(found.all()), tuple(call.moments))

    def check(self) -> None:
        """Raises FlowTestFailed unless everything is as expected."""
        differences = self.run().differences
        if differences:
            raise FlowTestFailed("\n".join(str(each) for each in differences))


def cases_of(
    flow: Flow,
    tests: Loaded[TestFile],
    site: Site | None = None,
    others: Mapping[str, Flow] | None = None,
) -> tuple[FlowCase, ...]:
    """The cases of a file of tests, to be played against `site` or a bare one of the flow's own queues. `others`:
    the flows that this one may call."""
    at = site or bare_site(flow)
    return tuple(
        FlowCase(flow, at, case, number, tests, others or {}) for number, case in enumerate(tests.model.cases)
    )


def cases(path: Path, site: Site | None = None) -> tuple[FlowCase, ...]:
    """The cases beside the flow at `path` (or in the file of tests at `path`), for pytest:

        @pytest.mark.parametrize("case", cases(Path("flows/bank.yaml")), ids=lambda case: case.id)
        def test_bank(case): case.check()

    Raises DocumentError for a flow or a file of tests that cannot be used, OSError for one that cannot be read.
    """
    file = path if path.name.endswith(TESTS) else file_of_tests(path)
    tests = load_tests(file.read_bytes(), str(file))
    name = tests.model.flow or f"{file.name.removesuffix(TESTS)}.yaml"
    beside = file.parent / name
    flow = load_flow(beside.read_bytes(), str(beside), site).flow
    return cases_of(flow, tests, site, called_flows(flow, file.parent))


def file_of_tests(flow: Path) -> Path:
    """Where the tests of a flow stand: `bank.test.yaml` for `bank.yaml`."""
    return flow.with_name(f"{flow.name.removesuffix('.yaml')}{TESTS}")


class _Scripted:
    """Hands that do what the lines of a case say."""

    def __init__(self, case: Case, around: Circumstances) -> None:
        self.around = around
        self.left = deque(enumerate(case.keys))
        self.answers = {what: deque(answers) for what, answers in case.answers.items()}
        self.unanswered: list[str] = []

    def _next(self, *kinds: str) -> Act | None:
        """The next act if it is of one of these kinds; a hang-up comes wherever it stands."""
        if not self.left:
            return None
        act = self.left[0][1]
        if act.kind == "hangup":
            self.left.popleft()
            raise StopError("left")
        if act.kind not in kinds:
            return None
        self.left.popleft()
        return act

    def keys(self, verb: Collect | Pause) -> str:
        act = self._next("press", "nothing")
        if act is None:
            if isinstance(verb, Pause) and not self.left:
                return ""
            raise StopError("listening")
        return act.press or ""

    def during(self, verb: Say) -> str:
        if not self.left or self.left[0][1].kind != "during":
            return ""
        return self.left.popleft()[1].during or ""

    def answer(self, verb: Ask) -> Mapping[str, str] | None:
        left = self.answers.get(verb.what)
        if not left:
            usual = usual_answer(verb, self.around)
            if usual is None:
                self.unanswered.append(verb.what)
            return usual
        return left.popleft() if len(left) > 1 else left[0]

    def in_line(self, verb: WaitInLine) -> LineLeft | Press | Stay | None:
        act = self._next("line", "in_line", "stay_s")
        if act is None:
            return None
        if act.stay_s is not None:
            return Stay(act.stay_s)
        if act.in_line is not None:
            return Press(act.in_line)
        return LineLeft(True) if act.line == "answered" else LineLeft(False, act.line or "", act.to)

    def speaks_s(self, verb: RecordMessage) -> float:
        act = self._next("speak_s")
        return act.speak_s if act is not None and act.speak_s is not None else 5.0

    def transferred(self, verb: Transfer) -> bool | None:
        act = self._next("transfer")
        return None if act is None else act.transfer == "answered"


# Comparing -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Differences:
    """Holds what came against what was expected."""

    tree: Tree
    number: int
    case: Case
    call: Call
    ended: Ended
    hands: _Scripted

    def all(self) -> Iterator[Problem]:
        yield from self._path()
        yield from self._said()
        yield from self._outcome()
        yield from self._asked()
        yield from self._set()
        yield from self._left_over()

    def _at(self, message: str, fix: str, *path: str | int) -> Problem:
        return self.tree.problem(("cases", self.number, *path), f'"{self.case.name}": {message}', fix)

    def _path(self) -> Iterator[Problem]:
        expected, came = self.case.expect.path, self.call.path
        if expected is None or follows(expected, came):
            return
        yield self._at(
            f"the way is\n    {' → '.join(came)}\n  and not\n    {' → '.join(expected)}\n  {_parting(expected, came)}",
            "mend the flow, or the path that is expected",
            "expect",
            "path",
        )

    def _said(self) -> Iterator[Problem]:
        heard = [moment for moment in self.call.moments if isinstance(moment, Heard)]
        at = 0
        for number, wanted in enumerate(self.case.expect.said):
            found = _found(wanted, heard, at)
            if found is None:
                after = f" after “{heard[at - 1].text}”" if at else ""
                rest = " | ".join(_short(each) for each in heard[at:]) or "nothing"
                message = f"“{wanted}” is not said{after}; what is said:\n    {rest}\n "
                yield self._at(message, "mend the flow, or what is expected", "expect", "said", number)
                return
            at = found
        for number, unwanted in enumerate(self.case.expect.not_said):
            if _found(unwanted, heard, 0) is not None:
                yield self._at(
                    f"“{unwanted}” is said",
                    "mend the flow, or what is expected",
                    "expect",
                    "not_said",
                    number,
                )

    def _outcome(self) -> Iterator[Problem]:
        expect = self.case.expect
        came = outcomes(self.call.moments)
        if expect.outcome is not None and expect.outcome not in came:
            where = f' at "{self.call.path[-1]}"' if self.call.path else ""
            how = " (the keys ran out while the flow listens)" if self.ended.how == "listening" else ""
            yield self._at(
                f'it comes out as "{came[-1]}"{where}{how}, not as "{expect.outcome}"',
                f"it may be any of {', '.join(came)}, or the flow is to be mended",
                "expect",
                "outcome",
            )
        if expect.language is not None and expect.language != self.call.language:
            message = f"the caller's language is {self.call.language} in the end, not {expect.language}"
            yield self._at(message, "mend the flow, or what is expected", "expect", "language")

    def _asked(self) -> Iterator[Problem]:
        asked = [moment for moment in self.call.moments if isinstance(moment, Asked)]
        for what, args in self.case.expect.asked.items():
            found = [each for each in asked if each.what == what]
            if not any(args.items() <= each.args.items() for each in found):
                came = "; ".join(str(dict(each.args)) for each in found) or "it is not asked at all"
                message = f"{what} is not asked with {args}: {came}"
                yield self._at(message, "mend the flow, or what is expected", "expect", "asked", what)
        for what in dict.fromkeys(self.hands.unanswered):
            fix = f"add `answers: {{{what}: …}}`, or `none` for no answer in time"
            yield self._at(f"the flow asks {what}, and the case has no answer", fix)

    def _set(self) -> Iterator[Problem]:
        noted = {moment.name: moment.value for moment in self.call.moments if isinstance(moment, Noted)}
        for name, value in self.case.expect.set.items():
            if noted.get(name) != value:
                message = f'{name} is "{noted.get(name, "")}", not "{value}"'
                yield self._at(message, "mend the flow, or what is expected", "expect", "set", name)

    def _left_over(self) -> Iterator[Problem]:
        if self.hands.left and self.ended.how != "endless":
            number, act = self.hands.left[0]
            where = f' at "{self.call.path[-1]}"' if self.call.path else ""
            message = (
                f"the call comes to {self.ended.how}{where} before `{act.kind}` (item {number + 1} of keys)"
            )
            yield self._at(message, "take it out, or mend the flow", "keys", number)


def outcomes(moments: Sequence[Moment]) -> tuple[str, ...]:
    """What came of a call, in order: `queue cards`, `voicemail`, `callback` and `survey` (when it was kept),
    `transfer`; and last how it ended, unless with somebody else: `hangup`, `left`, `listening` …"""
    came: list[str] = []
    for moment in moments:
        match moment:
            case Stood():
                came.append(f"queue {moment.queue}")
            case Dialled():
                came.append("transfer")
            case Asked(what=what, answer=answer) if what in _KEPT and answer and answer.get("result") == "ok":
                if what != questions.SURVEY or came[-1:] != [what]:  # a survey is kept anew with its words
                    came.append(what)
            case Ended(how=how) if how not in ("queue", "transfer"):
                came.append(how)
            case _:
                pass
    return tuple(came)


def follows(expected: Sequence[str], came: Sequence[str]) -> bool:
    """Whether a way is the expected one; `...` stands for any nodes."""
    if not expected:
        return not came
    if expected[0] == ANY:
        return any(follows(expected[1:], came[at:]) for at in range(len(came) + 1))
    return bool(came) and came[0] == expected[0] and follows(expected[1:], came[1:])


def _parting(expected: Sequence[str], came: Sequence[str]) -> str:
    for wanted, node in zip(expected, came, strict=False):
        if wanted == ANY:
            return "with these nodes in this order"
        if wanted != node:
            return f'where "{wanted}" should come, "{node}" comes'
    if len(came) < len(expected):
        return f'where "{expected[len(came)]}" should come, it ends'
    return f'where it should end, "{came[len(expected)]}" comes'


def _found(wanted: str, heard: Sequence[Heard], at: int) -> int | None:
    """Behind which of the things heard, from `at` on, this was said: in one, or in several that make a sentence."""
    for n in range(at, len(heard)):
        if _is_it(wanted, heard[n]):
            return n + 1
        for end in range(n + 2, min(n + _PIECES_MOST, len(heard)) + 1):
            if wanted in " ".join(each.text for each in heard[n:end]):
                return end
    return None


def _is_it(wanted: str, heard: Heard) -> bool:
    return wanted in (heard.key, heard.text) or wanted in heard.text


def _short(heard: Heard) -> str:
    return heard.text if len(heard.text) <= 60 else f"{heard.text[:59]}…"
