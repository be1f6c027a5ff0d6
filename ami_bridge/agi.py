"""One caller's AGI session: pyst2's commands, awaitable.

pyst2's methods are pure functions of their arguments and of what `execute` returned. So a command runs by
replay: call the method; where it asks Asterisk, it stops and tells its line; await the reply; call it again
with the reply recorded. pyst2 gives the words and the conversion of results, this file gives quoting,
limits, deadlines and the socket.

Two doors:
- `session.pyst2.<command>(...)`: every command of `asterisk.agi.AGI`, with its own results;
- the methods of `AgiSession`: the ones we use, typed, with all that a reply says (`AgiReply`).

Rules of a session:
- One command at a time. A command that is cancelled keeps the session in step: its reply is read and
  dropped, and the next command waits for that within its own deadline.
- A command without a reply within `deadline_s` closes the session (AgiTimeout), and Asterisk's dialplan
  goes on.
- `HANGUP` may come at any moment; it sets `ended` and the command's own reply is still awaited.
- `ended` is set as soon as the session is over, also while nobody asks anything.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import asterisk.agi

from .errors import (
    AgiCommandError,
    AgiEnded,
    AgiError,
    AgiFailed,
    AgiGone,
    AgiHangup,
    AgiMalformed,
    AgiRefused,
    AgiTimeout,
)
from .wire import AgiEnv, AgiItem, AgiReply, HangupLine, Quoted, command_line, encode_command, quote, quoted

NO_LIMIT: Final = math.inf
"""`deadline_s` of a command that may last as long as a talk (EXEC Dial)."""

_HANGUP_TEXT: Final = "Asterisk took the channel away from this session."


class AgiSession:
    """One AGI session over a transport. The listener feeds it with `receive` and `lose`.

    A call sends hundreds of commands, so the way of a command that finds nothing before it is short: no timer of
    its own (the session has one, which looks at the deadline of the running command when it fires), no lock.
    """

    __slots__ = (
        "_behind",
        "_command_deadline_s",
        "_commands",
        "_deadline",
        "_hangup_grace_s",
        "_hung_up",
        "_limit",
        "_lock",
        "_looks_at",
        "_loop",
        "_lost",
        "_slot",
        "_timer",
        "_transport",
        "ended",
        "env",
        "opening",
    )

    def __init__(
        self,
        env: AgiEnv,
        transport: asyncio.WriteTransport,
        *,
        command_deadline_s: float = 10.0,
        hangup_grace_s: float = 0.05,
    ) -> None:
        self.opening = env
        self.env: Mapping[str, str] = env.values
        self.ended = asyncio.Event()
        """Set when Asterisk took the channel away or the socket is gone."""
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._command_deadline_s = command_deadline_s
        self._hangup_grace_s = hangup_grace_s
        self._lock = asyncio.Lock()
        self._slot: asyncio.Future[AgiReply] | None = None
        self._behind: asyncio.Future[None] | None = None
        self._commands = 0
        self._deadline = self._limit = self._looks_at = NO_LIMIT
        self._timer: asyncio.TimerHandle | None = None
        self._hung_up = False
        self._lost: AgiError | None = None

    # ------------------------------------------------------------ state

    @property
    def pyst2(self) -> Pyst2Commands:
        """Every command of pyst2, with its own results."""
        return Pyst2Commands(self)

    @property
    def uniqueid(self) -> str:
        """The channel this session began on. An attended transfer may put another channel in its place."""
        return self.env.get("agi_uniqueid", "")

    @property
    def channel(self) -> str:
        return self.env.get("agi_channel", "")

    @property
    def hung_up(self) -> bool:
        """Asterisk said HANGUP or 511. The socket may still be open for a moment."""
        return self._hung_up

    @property
    def closed(self) -> bool:
        """The socket is gone, or we closed it."""
        return self._lost is not None

    def end_reason(self) -> AgiEnded:
        """Why the session is over: AgiHangup or AgiGone. Use after `ended`."""
        if self._hung_up:
            return AgiHangup(_HANGUP_TEXT)
        return AgiGone(str(self._lost or "The AGI session is still open."))

    def close(self) -> None:
        """Ends the session from our side; the dialplan goes on after AGI()."""
        if self._lost is None:
            self._transport.close()  # what is written still goes out
            self._lose(AgiGone("We closed the AGI session."))

    # ------------------------------------------------------------ from the listener

    def receive(self, item: AgiItem) -> None:
        """One message of the wire."""
        if isinstance(item, HangupLine):
            self._hang_up()
        elif isinstance(item, AgiReply):
            if item.code == 100:
                return
            slot, self._slot = self._slot, None
            if slot is None:
                self.lose(AgiMalformed("An AGI reply came that no command had asked for."))
            elif not slot.done():
                slot.set_result(item)
            if self._behind is not None:
                self._in_step()

    def lose(self, why: AgiError) -> None:
        """The socket is gone, or must go for this reason. Idempotent."""
        if self._lost is None:
            self._transport.abort()
            self._lose(why)

    def _lose(self, why: AgiError) -> None:
        self._lost = why
        self.ended.set()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._in_step()
        slot, self._slot = self._slot, None
        if slot is not None and not slot.done():
            slot.set_exception(self._end_error())
            slot.exception()  # an abandoned command has no reader

    def _hang_up(self) -> None:
        self._hung_up = True
        self.ended.set()

    def _end_error(self) -> AgiError:
        if self._hung_up:
            return AgiHangup(_HANGUP_TEXT)
        return self._lost if self._lost is not None else AgiGone("The AGI session is over.")

    # ------------------------------------------------------------ commands

    async def command(self, line: str, *, deadline_s: float | None = None) -> AgiReply:
        """Sends one command line and returns its 200 reply, whatever its result.

        `deadline_s`: None is the session's default, NO_LIMIT waits for ever.

        Raises AgiRefused (nothing was written), AgiCommandError (510, 520, other codes), AgiHangup (511, or
        the end after HANGUP), AgiGone, AgiMalformed, AgiTimeout (the session is closed then).
        """
        data = encode_command(line)
        limit = self._command_deadline_s if deadline_s is None else deadline_s
        alone = self._commands == 0 and self._slot is None
        self._commands += 1
        try:
            reply = await (self._send(data, limit) if alone else self._after_others(data, limit))
        finally:
            self._commands -= 1
        if reply.code == 511:
            self._hang_up()
            raise AgiHangup("Asterisk answered 511: the channel is dead.")
        if reply.code != 200:
            raise AgiCommandError(reply.code, reply.text)
        return reply

    async def _after_others(self, data: bytes, limit: float) -> AgiReply:
        """Behind a command that runs, or whose reply is still to come after it was cancelled.

        Its time runs from now on, with what it waits for the others.
        """
        running = self._lock.locked()
        try:
            async with asyncio.timeout(None if limit == NO_LIMIT else limit), self._lock:
                if self._slot is not None:
                    running = not self._slot.done()
                    self._behind = self._loop.create_future()
                    await self._behind
                running = False
                return await self._send(data, NO_LIMIT)
        except TimeoutError:
            if running:
                raise AgiTimeout(
                    f"Another AGI command of this session ran on for {limit:g} s; nothing was sent."
                ) from None
            timeout = _no_reply(limit)
            self.lose(timeout)
            raise timeout from None

    def _send(self, data: bytes, limit: float) -> asyncio.Future[AgiReply]:
        """The reply to come."""
        if self._lost is not None:
            raise self._end_error()
        slot: asyncio.Future[AgiReply] = self._loop.create_future()
        self._slot = slot
        self._limit = limit
        if limit == NO_LIMIT:
            self._deadline = NO_LIMIT
        else:
            self._deadline = self._loop.time() + limit
            if self._deadline < self._looks_at:
                self._look_later()
        self._transport.write(data)
        return slot

    def _in_step(self) -> None:
        behind, self._behind = self._behind, None
        if behind is not None and not behind.done():
            behind.set_result(None)

    def _look_later(self) -> None:
        """A timer for the deadline of the running command, in the place of one that would fire later."""
        if self._timer is not None:
            self._timer.cancel()
        self._looks_at = self._deadline
        self._timer = self._loop.call_at(self._deadline, self._look_at_deadline)

    def _look_at_deadline(self) -> None:
        """The deadline of the command that runs now may lie after that of the one this timer was set for."""
        looked_at = self._looks_at
        self._looks_at, self._timer = NO_LIMIT, None
        slot = self._slot
        if slot is None or slot.done() or self._deadline == NO_LIMIT:
            return
        if self._deadline > looked_at:
            self._look_later()
            return
        timeout = _no_reply(self._limit)
        slot.set_exception(timeout)
        self.lose(timeout)

    async def _typed(self, name: str, *args: object, deadline_s: float | None = None) -> AgiReply:
        """The reply to pyst2's command `name`; -1 together with a HANGUP is AgiHangup.

        A failed file and a hang-up both answer -1, and the HANGUP line comes just after its reply.
        """
        write = WRITTEN.get(name)
        line = first_line(self.env, name, *args) if write is None else write(*args)
        reply = await self.command(line, deadline_s=deadline_s)
        if reply.value == "-1" and await self._ends_soon():
            raise self._ending(reply.value)
        return reply

    async def _ends_soon(self) -> bool:
        if not self.ended.is_set():
            try:
                async with asyncio.timeout(self._hangup_grace_s):
                    await self.ended.wait()
            except TimeoutError:
                return False
        return True

    def _ending(self, result: str) -> AgiEnded:
        return AgiHangup(_HANGUP_TEXT, result=result) if self._hung_up else self.end_reason()

    async def answer(self) -> None:
        """Raises AgiFailed when the channel cannot be answered."""
        _succeeded(await self._typed("answer"), "ANSWER")

    async def hangup(self, channel: str = "") -> None:
        """Hangs up this channel, or another one. Raises AgiFailed when there is no such channel."""
        _succeeded(await self._typed("hangup", channel), "HANGUP")

    async def noop(self) -> None:
        await self._typed("noop")

    async def stream_file(
        self,
        filename: str,
        escape_digits: str = "",
        sample_offset: int = 0,
        *,
        deadline_s: float | None = None,
    ) -> AgiReply:
        """Plays a file. `digit_of(reply)` is the key that ended it; result -1 without a hang-up: no such
        file.

        Music on hold does not go on by itself afterwards. Deadline: the file's length + 10 s.
        """
        return await self._typed("stream_file", filename, escape_digits, sample_offset, deadline_s=deadline_s)

    async def control_stream_file(
        self, filename: str, escape_digits: str = "", skip_ms: int = 3000, *, deadline_s: float | None = None
    ) -> AgiReply:
        """Plays a file that AMI ControlPlayback can steer and stop; the reply to a stop is a plain 200."""
        return await self._typed(
            "control_stream_file", filename, escape_digits, skip_ms, deadline_s=deadline_s
        )

    async def wait_for_digit(self, timeout_ms: int = -1, *, deadline_s: float | None = None) -> AgiReply:
        """Waits for a key, -1 for ever; music goes on. Result 0: none came; above 255: stopped through AMI.

        Without `deadline_s` the deadline is the wait plus the session's default.
        """
        if deadline_s is None:
            deadline_s = NO_LIMIT if timeout_ms < 0 else timeout_ms / 1000 + self._command_deadline_s
        return await self._typed("wait_for_digit", timeout_ms, deadline_s=deadline_s)

    async def get_data(
        self, filename: str, timeout_ms: int = 2000, max_digits: int = 255, *, deadline_s: float | None = None
    ) -> AgiReply:
        """Plays a file and collects keys into `reply.value`; `reply.timed_out` tells how it ended."""
        return await self._typed("get_data", filename, timeout_ms, max_digits, deadline_s=deadline_s)

    async def record_file(
        self,
        filename: str,
        format_: str = "wav",
        escape_digits: str = "#",
        timeout_ms: int = 20_000,
        *,
        beep: bool = True,
        silence_s: int = 0,
        deadline_s: float | None = None,
    ) -> AgiReply:
        """Records; `reply.data` is `dtmf`, `timeout` or `hangup`, `reply.endpos` the samples recorded."""
        if deadline_s is None:
            deadline_s = NO_LIMIT if timeout_ms < 0 else timeout_ms / 1000 + self._command_deadline_s
        return await self._typed(
            "record_file", filename, format_, escape_digits, timeout_ms, 0, "beep" if beep else "", silence_s,
            deadline_s=deadline_s,
        )  # fmt: skip

    async def say_digits(
        self, digits: str, escape_digits: str = "", *, deadline_s: float | None = None
    ) -> AgiReply:
        return await self._typed("say_digits", digits, escape_digits, deadline_s=deadline_s)

    async def get_variable(self, name: str) -> str | None:
        """A channel variable, None when unset. Cut at 1022 bytes by Asterisk, silently."""
        return _value(await self._typed("get_variable", name))

    async def get_full_variable(self, expression: str, channel: str | None = None) -> str | None:
        """`${…}` expanded by Asterisk, whole."""
        return _value(await self._typed("get_full_variable", expression, channel))

    async def set_variable(self, name: str, value: str | int) -> None:
        """Sets a channel variable; `${…}` is not expanded, `__NAME` is inherited by dialled legs."""
        await self._typed("set_variable", name, value)

    async def exec(self, application: str, options: str = "", *, deadline_s: float | None = None) -> AgiReply:
        """Runs a dialplan application; `deadline_s=NO_LIMIT` for Dial. `${…}` is not expanded.

        Raises AgiFailed when Asterisk has no such application, AgiHangup (with `result`) for -1 and a HANGUP.
        """
        reply = await self._typed("appexec", application, options, deadline_s=deadline_s)
        if reply.value == "-2":
            raise AgiFailed(f"Asterisk has no application {application}; load its module.")
        return reply

    appexec = exec

    async def set_music(self, on: bool = True, music_class: str = "") -> None:
        await self._typed("set_music", on, music_class)

    async def set_callerid(self, number: str) -> None:
        await self._typed("set_callerid", number)

    async def channel_status(self, channel: str = "") -> int:
        """0 down … 6 up, 7 busy; -1 when there is no such channel."""
        return (await self._typed("channel_status", channel)).result

    async def database_get(self, family: str, key: str) -> str | None:
        return _value(await self._typed("database_get", family, key))

    async def database_put(self, family: str, key: str, value: str) -> None:
        """Raises AgiFailed when Asterisk's database does not take it."""
        if (await self._typed("database_put", family, key, value)).value != "1":
            raise AgiFailed(f"Asterisk's database did not take a key of the family {family}.")

    async def database_del(self, family: str, key: str) -> None:
        """Deletes a key; one that is not there is no error. Raises AgiFailed when it could not be deleted."""
        if (await self._typed("database_del", family, key)).value != "1":
            raise AgiFailed(f"Asterisk's database did not delete a key of the family {family}.")

    async def verbose(self, message: str, level: int = 1) -> None:
        await self._typed("verbose", message, level)


def digit_of(reply: AgiReply) -> str:
    """The key that ended a command, "" for none, an interruption (results above 255) or a failure."""
    return chr(reply.result) if 0 < reply.result < 256 else ""


def interrupted(reply: AgiReply) -> bool:
    """Whether a WAIT FOR DIGIT was ended by AMI ControlPlayback (stop 1000, pause 1001, reverse 1003)."""
    return reply.result > 255


def _no_reply(limit: float) -> AgiTimeout:
    return AgiTimeout(f"No reply to an AGI command within {limit:g} s; the session was closed.")


def _value(reply: AgiReply) -> str | None:
    return reply.data if reply.value == "1" else None


def _succeeded(reply: AgiReply, command: str) -> None:
    if reply.value == "-1":
        raise AgiFailed(f"Asterisk could not do {command}.")


# ---------------------------------------------------------------- pyst2 by replay


class _Need(Exception):
    """pyst2 wants this line sent."""

    def __init__(self, line: str) -> None:
        super().__init__(line)
        self.line = line


class _Replay(asterisk.agi.AGI):  # type: ignore[misc]
    """pyst2's command methods over recorded replies.

    The base's __init__ takes a signal, writes to stderr and reads stdin, so it is not called. Replaced:
    quoting (pyst2 escapes nothing) and database_get (pyst2 quotes twice). Added: commands pyst2 lacks.
    """

    def __init__(self, env: Mapping[str, str], recorded: list[object]) -> None:
        self.env = dict(env)
        self._recorded = iter(recorded)

    def execute(self, command: str, *args: object) -> object:
        for outcome in self._recorded:
            if isinstance(outcome, Exception):
                raise outcome
            return outcome
        raise _Need(command_line(command, args))

    def _quote(self, string: str | int | float) -> Quoted:
        return quote(string)

    def database_get(self, family: str, key: str) -> object:
        value, data = self.execute("DATABASE GET", quote(family), quote(key))["result"]  # type: ignore[index]
        if value != "1":
            raise asterisk.agi.AGIDBError(f"Key not found in database: family={family}, key={key}")
        return data

    def set_music(self, on: bool = True, music_class: str = "") -> None:
        self.execute("SET MUSIC", "on" if on else "off", music_class)

    def gosub(self, context: str, extension: str, priority: str | int, argument: str = "") -> object:
        return self.execute("GOSUB", context, extension, priority, argument)["result"][0]  # type: ignore[index]

    def receive_text(self, timeout: int) -> object:
        return self.execute("RECEIVE TEXT", timeout)["result"][1]  # type: ignore[index]


_TRANSPORT: Final = frozenset({"execute", "send_command", "get_result", "test_hangup"})
PYST2_COMMANDS: Final = frozenset(
    name for name in vars(asterisk.agi.AGI) if not name.startswith("_") and name not in _TRANSPORT
)
"""The public commands of pyst2's AGI class."""
ADDED_COMMANDS: Final = frozenset({"set_music", "gosub", "receive_text"})
"""Commands in pyst2's style that pyst2 lacks."""

# A value that reads "hangup" is no hang-up here.
_VALUE_COMMANDS: Final = ("GET VARIABLE", "GET FULL VARIABLE", "DATABASE GET")


def first_line(env: Mapping[str, str], name: str, *args: object) -> str:
    """The first command line that pyst2's command `name` sends. Raises AgiRefused."""
    if name not in PYST2_COMMANDS | ADDED_COMMANDS:
        raise AgiRefused(f"There is no AGI command {name}.")
    try:
        getattr(_Replay(env, []), name)(*args)
    except _Need as need:
        return need.line
    raise AgiRefused(f"The AGI command {name} sends nothing.")


def _stream_file(filename: str, escape_digits: str, sample_offset: int) -> str:
    return command_line("STREAM FILE", (filename, quote(escape_digits), sample_offset))


def _get_full_variable(expression: str, channel: str | None) -> str:
    return f"GET FULL VARIABLE {quoted(expression)}" + (f" {quoted(channel)}" if channel else "")


def _control_stream_file(filename: str, escape_digits: str, skip_ms: int) -> str:
    return f'CONTROL STREAM FILE {quoted(filename)} {quoted(escape_digits)} "{skip_ms:d}" "" "" ""'


WRITTEN: Final[Mapping[str, Callable[..., str]]] = {
    "control_stream_file": _control_stream_file,
    "get_full_variable": _get_full_variable,
    "get_variable": lambda name: f"GET VARIABLE {quoted(name)}",
    "set_variable": lambda name, value: f"SET VARIABLE {quoted(name)} {quoted(value)}",
    "stream_file": _stream_file,
    "wait_for_digit": lambda timeout_ms: f"WAIT FOR DIGIT {timeout_ms:d}",
}
"""The commands that a call sends most, written as pyst2 writes them (a test compares each): a replay of its method
costs as much as all the rest of a command."""


class Pyst2Commands:
    """pyst2's `AGI` class with every command awaitable: `await session.pyst2.say_date(0)`.

    Results are pyst2's. Errors are ours: AGIDBError, AGIAppError and AGIError become AgiFailed (AgiHangup
    when the session ended), AGIInvalidCommand and AGIUsageError become AgiCommandError. `deadline_s` may be
    given to every command and counts for each line it sends.
    """

    def __init__(self, session: AgiSession) -> None:
        self._session = session

    def __getattr__(self, name: str) -> Callable[..., Awaitable[object]]:
        if name not in PYST2_COMMANDS | ADDED_COMMANDS:
            raise AttributeError(f"pyst2's AGI has no command {name}")

        def call(*args: object, deadline_s: float | None = None, **kwargs: object) -> Awaitable[object]:
            return self._run(name, args, kwargs, deadline_s)

        return call

    async def _run(
        self, name: str, args: tuple[object, ...], kwargs: Mapping[str, object], deadline_s: float | None
    ) -> object:
        recorded: list[object] = []
        while True:
            try:
                result: object = getattr(_Replay(self._session.env, recorded), name)(*args, **kwargs)
                return result
            except _Need as need:
                line = need.line
            except asterisk.agi.AGIException as error:
                raise await self._translated(name, error) from error
            recorded.append(_pyst2_result(line, await self._session.command(line, deadline_s=deadline_s)))

    async def _translated(self, name: str, error: Exception) -> AgiError:
        if isinstance(error, asterisk.agi.AGIHangup):
            return AgiHangup(_HANGUP_TEXT)
        minus_one = isinstance(error, asterisk.agi.AGIAppError) and not isinstance(
            error, asterisk.agi.AGIDBError
        )
        if minus_one and await self._session._ends_soon():
            return self._session._ending("-1")
        return AgiFailed(f"Asterisk reported failure of the AGI command {name}.")


def _pyst2_result(line: str, reply: AgiReply) -> object:
    """What pyst2's execute would have returned for this reply, or the exception it would have raised."""
    if reply.data == "hangup" and not line.startswith(_VALUE_COMMANDS):
        return asterisk.agi.AGIResultHangup("User hungup during execution")
    if reply.value == "-1":
        return asterisk.agi.AGIAppError("Error executing application, or hangup")
    result = {"result": (reply.value, reply.data)}
    if reply.endpos is not None:
        result["endpos"] = (str(reply.endpos), "")
    return result
