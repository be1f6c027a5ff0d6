"""A session of pyst2's commands over a wire: same words and results as pyst2, none of its faults."""

from __future__ import annotations

import asyncio
import io
import signal
from collections.abc import Callable

import asterisk.agi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_bridge.agi import (
    ADDED_COMMANDS,
    NO_LIMIT,
    PYST2_COMMANDS,
    WRITTEN,
    AgiSession,
    digit_of,
    first_line,
    interrupted,
)
from ami_bridge.errors import (
    AgiCommandError,
    AgiFailed,
    AgiGone,
    AgiHangup,
    AgiMalformed,
    AgiRefused,
    AgiTimeout,
)
from ami_bridge.wire import AgiEnv, AgiReader, AgiReply, split_command

Answer = Callable[[str], str | None]


class Wire(asyncio.WriteTransport):
    """The other end of a session, in memory: answers each line with what `answer` gives (None: nothing)."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.closed = False
        self.session: AgiSession | None = None
        self.wrote = asyncio.Event()
        self._answer = answer
        self._reader = AgiReader(env=False)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed
        for line in bytes(data).decode().splitlines():
            self.lines.append(line)
            self.wrote.set()
            answer = self._answer(line)
            if answer is not None:
                asyncio.get_running_loop().call_soon(self.say, answer)

    def say(self, answer: str) -> None:
        assert self.session is not None
        for item in self._reader.feed(answer.encode() + b"\n"):
            self.session.receive(item)
        assert self._reader.fault is None

    def say_nothing(self) -> None:
        """From now on commands are answered by `say` alone."""
        self._answer = lambda _line: None

    def close(self) -> None:
        self.closed = True

    abort = close


def session_with(
    answer: Answer | str | None, *, deadline_s: float = 5.0, grace_s: float = 0.01
) -> tuple[AgiSession, Wire]:
    wire = Wire(answer if callable(answer) else lambda _line: answer)
    env = AgiEnv({"agi_uniqueid": "1.1", "agi_context": "ctx", "agi_extension": "91", "agi_priority": "1"})
    wire.session = AgiSession(env, wire, command_deadline_s=deadline_s, hangup_grace_s=grace_s)
    return wire.session, wire


# ---------------------------------------------------------------- pyst2 and the facade side by side

CALLS: list[tuple[str, tuple[object, ...], str]] = [
    ("answer", (), "200 result=0"),
    ("wait_for_digit", (500,), "200 result=49"),
    ("send_text", ("hello",), "200 result=0"),
    ("receive_char", (100,), "200 result=65"),
    ("tdd_mode", ("on",), "200 result=1"),
    ("stream_file", ("welcome", "12"), "200 result=50 endpos=900"),
    ("control_stream_file", ("welcome", [1, "2"]), "200 result=0 endpos=900"),
    ("send_image", ("logo",), "200 result=0"),
    ("say_digits", ("123",), "200 result=0"),
    ("say_number", (42, "#"), "200 result=35"),
    ("say_alpha", ("abc",), "200 result=0"),
    ("say_phonetic", ("abc",), "200 result=0"),
    ("say_date", (0,), "200 result=0"),
    ("say_time", (0,), "200 result=0"),
    ("say_datetime", (0, "", "ABdY", "UTC"), "200 result=0"),
    ("get_data", ("enter", 3000, 4), "200 result=1234"),
    ("get_option", ("enter", "12", 10), "200 result=49 endpos=5"),
    ("set_context", ("other",), "200 result=0"),
    ("set_extension", ("91",), "200 result=0"),
    ("set_priority", ("2",), "200 result=0"),
    ("goto_on_exit", ("", "92"), "200 result=0"),
    ("record_file", ("/tmp/r", "wav"), "200 result=35 (dtmf) endpos=900"),
    ("set_autohangup", (30,), "200 result=0"),
    ("hangup", (), "200 result=1"),
    ("appexec", ("Dial", "PJSIP/a,20,g"), "200 result=0"),
    ("set_callerid", ("982100",), "200 result=1"),
    ("channel_status", (), "200 result=6"),
    ("set_variable", ("X", "y z"), "200 result=1"),
    ("get_variable", ("X",), "200 result=1 (a)b)"),
    ("get_full_variable", ("${X}", "PJSIP/a"), "200 result=1 (v)"),
    ("verbose", ("text", 3), "200 result=1"),
    ("database_get", ("fam", "key"), "200 result=1 (value)"),
    ("database_put", ("fam", "key", "v"), "200 result=1"),
    ("database_del", ("fam", "key"), "200 result=1"),
    ("database_deltree", ("fam",), "200 result=1"),
    ("noop", (), "200 result=0"),
    ("exec_command", ("NoOp", "a", "b"), "200 result=0"),
]

FAILURES: list[tuple[str, tuple[object, ...], str, type[Exception], type[Exception]]] = [
    ("stream_file", ("missing",), "200 result=-1 endpos=0", asterisk.agi.AGIAppError, AgiFailed),
    ("appexec", ("Nope",), "200 result=-2", asterisk.agi.AGIAppError, AgiFailed),
    ("database_get", ("f", "k"), "200 result=0", asterisk.agi.AGIDBError, AgiFailed),
    ("database_del", ("f", "k"), "200 result=0", asterisk.agi.AGIDBError, AgiFailed),
    ("record_file", ("x",), "200 result=-1 (hangup) endpos=0", asterisk.agi.AGIResultHangup, AgiHangup),
    ("noop", (), "510 Invalid or unknown command", asterisk.agi.AGIInvalidCommand, AgiCommandError),
    ("noop", (), "520-Bad\nusage\n520 End", asterisk.agi.AGIUsageError, AgiCommandError),
]


def original(name: str, args: tuple[object, ...], answer: str) -> tuple[list[str], object]:
    """The same call through pyst2 itself, over streams in memory."""
    wrote = io.StringIO()
    lines = "agi_uniqueid: 1.1\nagi_context: ctx\nagi_extension: 91\nagi_priority: 1\n\n" + f"{answer}\n" * 3
    before = signal.getsignal(signal.SIGHUP)
    try:
        agi = asterisk.agi.AGI(io.StringIO(lines), wrote, io.StringIO())
        result: object = getattr(agi, name)(*args)
    finally:
        signal.signal(signal.SIGHUP, before)
    return wrote.getvalue().splitlines(), result


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=30)


@given(WORDS, WORDS, st.integers(-1, 10**6))
def test_lines_written_by_ourselves_are_those_of_pyst2(one: str, other: str, number: int) -> None:
    calls: dict[str, list[tuple[object, ...]]] = {
        "control_stream_file": [(one, other, number)],
        "get_full_variable": [(one, None), (one, other)],
        "get_variable": [(one,)],
        "set_variable": [(one, other), (one, number)],
        "stream_file": [(one, other, number)],
        "wait_for_digit": [(number,)],
    }
    assert calls.keys() == WRITTEN.keys()
    for name, each in calls.items():
        for args in each:
            assert WRITTEN[name](*args) == first_line({}, name, *args)


@pytest.mark.parametrize("line_break", ["\n", "\r", "\0"])
def test_no_line_written_by_ourselves_can_become_two(line_break: str) -> None:
    text = f"a{line_break}b"
    for name, args in (
        ("control_stream_file", (text, "", 0)),
        ("get_full_variable", (text, None)),
        ("get_full_variable", ("x", text)),
        ("get_variable", (text,)),
        ("set_variable", (text, "x")),
        ("set_variable", ("x", text)),
        ("stream_file", (text, "", 0)),
    ):
        with pytest.raises(AgiRefused):
            WRITTEN[name](*args)


def test_the_list_of_calls_is_all_of_pyst2() -> None:
    assert {name for name, _, _ in CALLS} == PYST2_COMMANDS
    assert len(PYST2_COMMANDS) == 37
    assert not ADDED_COMMANDS & PYST2_COMMANDS


@pytest.mark.parametrize(("name", "args", "answer"), CALLS, ids=[call[0] for call in CALLS])
async def test_pyst2_and_the_facade_agree(name: str, args: tuple[object, ...], answer: str) -> None:
    expected_lines, expected = original(name, args, answer)
    session, wire = session_with(answer)
    result = await getattr(session.pyst2, name)(*args)
    if name == "database_get":  # pyst2 quotes twice
        expected_lines = ['DATABASE GET "fam" "key"']
    if name == "exec_command":  # pyst2 adds a key that says there is no data
        result, expected = result["result"], expected["result"]  # type: ignore[index]
    assert wire.lines == expected_lines
    assert result == expected


@pytest.mark.parametrize(("name", "args", "answer", "theirs", "ours"), FAILURES)
async def test_failures_are_ours(
    name: str, args: tuple[object, ...], answer: str, theirs: type[Exception], ours: type[Exception]
) -> None:
    with pytest.raises(theirs):
        original(name, args, answer)
    session, _ = session_with(answer)
    with pytest.raises(ours):
        await getattr(session.pyst2, name)(*args)


async def test_a_value_that_reads_hangup_is_no_hangup() -> None:
    session, _ = session_with("200 result=1 (hangup)")
    assert await session.pyst2.get_variable("X") == "hangup"
    assert await session.pyst2.database_get("f", "k") == "hangup"
    assert await session.get_variable("X") == "hangup"
    assert not session.hung_up


async def test_commands_that_pyst2_lacks() -> None:
    session, wire = session_with("200 result=1 (text)")
    await session.pyst2.set_music(True, "default")
    await session.pyst2.gosub("ctx", "s", 1, "a b")
    assert await session.pyst2.receive_text(1000) == "text"
    assert wire.lines == ["SET MUSIC on default", 'GOSUB ctx s 1 "a b"', "RECEIVE TEXT 1000"]
    with pytest.raises(AttributeError):
        _ = session.pyst2.send_command


# ---------------------------------------------------------------- typed commands


async def test_typed_commands_tell_all_of_a_reply() -> None:
    session, _ = session_with("200 result=50 endpos=900")
    reply = await session.stream_file("welcome", "12")
    assert (digit_of(reply), reply.endpos) == ("2", 900)
    session, _ = session_with("200 result=1000")
    reply = await session.wait_for_digit()
    assert (digit_of(reply), interrupted(reply)) == ("", True)
    session, _ = session_with("200 result=12 (timeout)")
    reply = await session.get_data("enter")
    assert (reply.value, reply.timed_out) == ("12", True)


async def test_typed_commands_say_their_lines() -> None:
    session, wire = session_with("200 result=1 (v)")
    await session.answer()
    await session.noop()
    await session.control_stream_file("a", "", deadline_s=3.0)
    await session.record_file("/rec/x", silence_s=2)
    await session.say_digits("12")
    assert await session.get_full_variable("${X}") == "v"
    await session.set_variable("__PASOKH_ID", 'a "b" \\ ${EXTEN}')
    await session.exec("Dial", "PJSIP/a,20,g", deadline_s=NO_LIMIT)
    await session.set_music()
    await session.set_callerid('"Zahra" <91>')
    assert await session.channel_status() == 1
    assert await session.database_get("f", "k") == "v"
    await session.database_put("f", "k", "v")
    await session.database_del("f", "k")
    await session.verbose("x")
    await session.hangup()
    assert wire.lines == [
        "ANSWER",
        "NOOP",
        'CONTROL STREAM FILE "a" "" "3000" "" "" ""',
        'RECORD FILE "/rec/x" wav "#" 20000 0 beep s=2',
        'SAY DIGITS "12" ""',
        'GET FULL VARIABLE "${X}"',
        r'SET VARIABLE "__PASOKH_ID" "a \"b\" \\ ${EXTEN}"',
        'EXEC Dial "PJSIP/a,20,g"',
        "SET MUSIC on",
        r'SET CALLERID "\"Zahra\" <91>"',
        "CHANNEL STATUS",
        'DATABASE GET "f" "k"',
        'DATABASE PUT "f" "k" "v"',
        'DATABASE DEL "f" "k"',
        'VERBOSE "x" 1',
        "HANGUP",
    ]


async def test_unset_variables_are_none() -> None:
    session, _ = session_with("200 result=0")
    assert await session.get_variable("X") is None
    assert await session.database_get("f", "k") is None
    for refused in (session.database_del("f", "k"), session.database_put("f", "k", "v")):
        with pytest.raises(AgiFailed):
            await refused


async def test_failures_of_typed_commands() -> None:
    session, _ = session_with("200 result=-1 endpos=0")
    assert (await session.stream_file("missing")).result == -1
    with pytest.raises(AgiFailed):
        await session.answer()
    session, _ = session_with("200 result=-2")
    with pytest.raises(AgiFailed, match="Nope"):
        await session.exec("Nope")


# ---------------------------------------------------------------- nothing hostile reaches the wire


@pytest.mark.parametrize("value", ["x\nHANGUP", "x\r\nHANGUP", "\0", "y" * 2001, "\ud800"])
async def test_what_would_be_two_commands_is_refused(value: str) -> None:
    session, wire = session_with("200 result=1")
    for call in (
        session.set_variable("X", value),
        session.stream_file(value),
        session.exec(value),
        session.set_callerid(value),
        session.pyst2.exec_command("NoOp", value),
        session.command(value),
    ):
        with pytest.raises(AgiRefused):
            await call
    assert wire.lines == []
    assert not session.closed
    await session.set_variable("X", 'a" "b \\')
    assert split_command(wire.lines[0]) == ["SET", "VARIABLE", "X", 'a" "b \\']


# ---------------------------------------------------------------- ends


async def test_a_hangup_line_before_a_reply_is_taken_out_of_it() -> None:
    session, wire = session_with("HANGUP\n200 result=0")
    assert (await session.command("NOOP")).result == 0
    assert session.hung_up
    assert session.ended.is_set()
    assert (await session.command("NOOP")).result == 0  # a dead channel still answers some
    assert wire.lines == ["NOOP", "NOOP"]


async def test_minus_one_with_a_hangup_just_after_it_is_a_hangup() -> None:
    session, _ = session_with("200 result=-1\nHANGUP", grace_s=5.0)
    with pytest.raises(AgiHangup) as caught:
        await session.exec("Dial", "PJSIP/a,20,g", deadline_s=NO_LIMIT)
    assert caught.value.result == "-1"
    session, _ = session_with("200 result=-1\nHANGUP", grace_s=5.0)
    with pytest.raises(AgiHangup):
        await session.pyst2.stream_file("x")


async def test_511_is_a_hangup() -> None:
    session, _ = session_with("511 Command Not Permitted on a dead channel or intercept routine")
    with pytest.raises(AgiHangup):
        await session.answer()
    assert session.ended.is_set()


async def test_an_idle_session_notices_its_end() -> None:
    session, wire = session_with(None)
    waiting = asyncio.create_task(session.ended.wait())
    await asyncio.sleep(0)
    assert not waiting.done()
    wire.say("HANGUP")
    await waiting
    assert isinstance(session.end_reason(), AgiHangup)


async def test_a_lost_socket_ends_the_command_that_waits() -> None:
    session, wire = session_with(None)
    waiting = asyncio.create_task(session.wait_for_digit())
    await wire.wrote.wait()
    session.lose(AgiGone("closed"))
    with pytest.raises(AgiGone):
        await waiting
    with pytest.raises(AgiGone):
        await session.noop()
    assert session.closed
    assert isinstance(session.end_reason(), AgiGone)


async def test_hangup_then_lost_socket_is_a_hangup() -> None:
    session, wire = session_with(None)
    waiting = asyncio.create_task(session.noop())
    await wire.wrote.wait()
    wire.say("HANGUP")
    session.lose(AgiGone("closed"))
    with pytest.raises(AgiHangup):
        await waiting


async def test_a_reply_nobody_asked_for_closes_the_session() -> None:
    session, wire = session_with("200 result=0\n200 result=0")
    await session.noop()
    assert wire.closed
    with pytest.raises(AgiMalformed):
        await session.noop()


async def test_100_is_not_the_reply() -> None:
    session, _ = session_with("100 result=0 Trying...\n200 result=7")
    assert (await session.command("NOOP")).result == 7


async def test_no_reply_within_the_deadline_closes_the_session() -> None:
    session, wire = session_with(None, deadline_s=0.01)
    with pytest.raises(AgiTimeout):
        await session.noop()
    assert wire.closed
    assert session.ended.is_set()
    with pytest.raises(AgiTimeout):
        await session.noop()


async def test_a_deadline_counts_from_its_own_command() -> None:
    """The session has one timer; neither the first command's nor a long one's may stand in for another's."""
    session, wire = session_with("200 result=1", deadline_s=0.05)
    await session.noop()
    loop = asyncio.get_running_loop()
    began = loop.time()
    wire.say_nothing()
    longer = asyncio.create_task(session.command("NOOP", deadline_s=0.2))
    with pytest.raises(AgiTimeout, match=r"within 0\.2 s"):
        await longer
    assert loop.time() - began >= 0.19
    session, wire = session_with("200 result=1", deadline_s=60)
    await session.noop()
    wire.say_nothing()
    with pytest.raises(AgiTimeout, match=r"within 0\.01 s"):
        await session.command("NOOP", deadline_s=0.01)


async def test_a_command_without_a_limit_outlives_the_deadline_of_the_one_before() -> None:
    session, wire = session_with("200 result=1", deadline_s=0.01)
    await session.noop()
    wire.say_nothing()
    dial = asyncio.create_task(session.exec("Dial", "x", deadline_s=NO_LIMIT))
    await asyncio.sleep(0.05)
    assert not dial.done()
    wire.say("200 result=0")
    assert (await dial).result == 0


async def test_who_waits_behind_a_lost_reply_is_told_of_the_end() -> None:
    session, wire = session_with(None)
    cancelled = asyncio.create_task(session.command("WAIT FOR DIGIT -1", deadline_s=NO_LIMIT))
    await wire.wrote.wait()
    cancelled.cancel()
    await asyncio.gather(cancelled, return_exceptions=True)
    behind = asyncio.create_task(session.noop())
    await asyncio.sleep(0)
    session.lose(AgiGone("the socket is gone"))
    with pytest.raises(AgiGone):
        await behind
    assert wire.lines == ["WAIT FOR DIGIT -1"]


async def test_one_command_at_a_time() -> None:
    session, wire = session_with(None)
    first = asyncio.create_task(session.command("NOOP 1"))
    second = asyncio.create_task(session.command("NOOP 2"))
    await wire.wrote.wait()
    await asyncio.sleep(0)
    assert wire.lines == ["NOOP 1"]
    wire.say("200 result=1")
    wire.wrote.clear()
    assert (await first).result == 1
    await wire.wrote.wait()
    wire.say("200 result=2")
    assert (await second).result == 2


async def test_waiting_for_another_command_does_not_close_the_session() -> None:
    session, wire = session_with(None, deadline_s=0.01)
    dial = asyncio.create_task(session.exec("Dial", "x", deadline_s=NO_LIMIT))
    await wire.wrote.wait()
    with pytest.raises(AgiTimeout, match="nothing was sent"):
        await session.noop()
    assert not wire.closed
    wire.say("200 result=0")
    assert (await dial).result == 0


async def test_a_cancelled_command_keeps_the_session_in_step() -> None:
    replies: list[AgiReply] = []
    session, wire = session_with(None)
    cancelled = asyncio.create_task(session.command("WAIT FOR DIGIT -1", deadline_s=NO_LIMIT))
    await wire.wrote.wait()
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    wire.wrote.clear()

    async def ask() -> None:
        replies.append(await session.command("NOOP"))

    asking = asyncio.create_task(ask())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert wire.lines == ["WAIT FOR DIGIT -1"]
    wire.say("200 result=49")
    await wire.wrote.wait()
    wire.say("200 result=7")
    await asking
    assert [reply.result for reply in replies] == [7]


async def test_a_cancelled_command_whose_reply_never_comes_costs_the_next_its_deadline() -> None:
    session, wire = session_with(None, deadline_s=0.01)
    cancelled = asyncio.create_task(session.command("NOOP"))
    await wire.wrote.wait()
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    with pytest.raises(AgiTimeout):
        await session.noop()
    assert wire.closed


async def test_closing_is_idempotent_and_ends_commands() -> None:
    session, wire = session_with(None)
    waiting = asyncio.create_task(session.noop())
    await wire.wrote.wait()
    session.close()
    session.close()
    with pytest.raises(AgiGone):
        await waiting
    assert wire.closed
