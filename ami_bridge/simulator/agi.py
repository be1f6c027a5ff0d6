"""Asterisk's side of FastAGI: it connects to our listener, sends the environment, and serves the commands.

Served are the commands that sessions of ours use; every other one is answered 510, as an unknown one is.
Replies, their order with HANGUP, and what happens to a command in a hang-up were read from a real Asterisk 22.10.
"""

from __future__ import annotations

import asyncio
import wave
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ami_bridge.wire import split_command

from .dial import dial
from .exchange import Exchange
from .line import Heard, Line

SAMPLES_PER_S: Final = 8000
_COMMAND_BYTES: Final = 2047
_CONTROLS: Final = {"stop": 1000, "pause": 1001, "restart": 1002, "reverse": 1003, "forward": 1004}
_QUIET_APPLICATIONS: Final = frozenset(
    {"noop", "mixmonitor", "stopmixmonitor", "userevent", "verbose", "set"}
)
_DEAD_COMMANDS: Final = frozenset(
    {"GET VARIABLE", "GET FULL VARIABLE", "SET VARIABLE", "DATABASE GET", "DATABASE PUT", "DATABASE DEL"}
    | {"NOOP", "VERBOSE", "CHANNEL STATUS", "HANGUP"}
)


class AgiLink(asyncio.Protocol):
    """The socket of one AGI session, from Asterisk's end: whole command lines in `lines`, `ended` at its end."""

    def __init__(self, line: Line) -> None:
        self.lines: deque[str] = deque()
        self.ended = False
        self._line = line
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while True:
            end = self._buffer.find(b"\n")
            # Asterisk's buffer is that long; what is over it is read as a further command.
            if 0 <= end <= _COMMAND_BYTES:
                line, rest = self._buffer[:end], end + 1
            elif len(self._buffer) > _COMMAND_BYTES:
                line, rest = self._buffer[:_COMMAND_BYTES], _COMMAND_BYTES
            else:
                break
            self.lines.append(line.decode("utf-8", "replace").rstrip("\r"))
            del self._buffer[:rest]
        self._line.wake()

    def eof_received(self) -> bool:
        self.ended = True
        self._line.wake()
        return True  # our own half stays open for a last word

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = True
        self._transport = None
        self._line.wake()

    def send(self, text: str) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(text.encode("utf-8", "surrogateescape") + b"\n")

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


async def run_agi(exchange: Exchange, line: Line, host: str, port: int, script: str) -> str:
    """`AGI(agi://host:port/script)`. Returns AGISTATUS: SUCCESS, FAILURE (nobody answered) or HANGUP."""
    loop = asyncio.get_running_loop()
    request = f"agi://{host}:{port}/{script}"
    line.channel.application, line.channel.application_data = "AGI", request
    link = AgiLink(line)
    try:
        async with asyncio.timeout(exchange.settings.dialplan.connect_timeout_s):
            await loop.create_connection(lambda: link, host, port)
    except (OSError, TimeoutError):
        return "FAILURE"
    try:
        link.send(_environment(exchange, line, request, script))
        return await _serve(exchange, line, link)
    finally:
        link.close()


def _environment(exchange: Exchange, line: Line, request: str, script: str) -> str:
    channel = line.channel
    lines = {
        "network": "yes",
        "network_script": script,
        "request": request,
        "channel": channel.name,
        "language": channel.language,
        "type": "PJSIP",
        "uniqueid": channel.uniqueid,
        "version": "22.10.1",
        "callerid": channel.caller_number or "unknown",
        "calleridname": channel.caller_name or "unknown",
        "callingpres": str(channel.presentation),
        "callingani2": "0",
        "callington": "0",
        "callingtns": "0",
        "dnid": channel.dialled or "unknown",
        "rdnis": "unknown",
        "context": channel.context,
        "extension": channel.exten,
        "priority": str(channel.priority),
        "enhanced": "0.0",
        "accountcode": "",
        "threadid": "139981029557952",
    }
    return "".join(f"agi_{name}: {value}\n" for name, value in lines.items())


async def _serve(exchange: Exchange, line: Line, link: AgiLink) -> str:
    told = False
    while True:
        if line.gone and line.channel.get("AGIEXITONHANGUP") == "yes":
            # Asterisk says it from two places.
            link.send("HANGUP\nHANGUP")
            line.music_off()
            return "HANGUP"
        if line.gone and not told:
            told = True
            link.send("HANGUP")
        if link.lines:
            link.send(await _answer(exchange, line, link.lines.popleft()))
        elif link.ended:
            if not told:  # Asterisk's last word to every session, hung up or not
                link.send("HANGUP")
            return "HANGUP" if line.gone else "SUCCESS"
        else:
            await line.changed()


# ---- commands


@dataclass(frozen=True, slots=True)
class _Call:
    """One command on its way: the words after its name."""

    exchange: Exchange
    line: Line
    words: list[str]


_Handler = Callable[[_Call], Awaitable[str]]


async def _answer(exchange: Exchange, line: Line, text: str) -> str:
    words = split_command(text)
    for length in (3, 2, 1):
        name = " ".join(words[:length]).upper()
        if len(words) >= length and name in _COMMANDS:
            handler, fewest = _COMMANDS[name]
            if line.gone and name not in _DEAD_COMMANDS:
                return "511 Command Not Permitted on a dead channel or intercept routine"
            call = _Call(exchange, line, words[length:])
            if len(call.words) < fewest:
                return _usage(name)
            return await handler(call)
    return "510 Invalid or unknown command"


def _usage(name: str) -> str:
    return f"520-Invalid command syntax.  Proper usage follows:\nUsage: {name}\n520 End of proper usage."


async def _set_variable(call: _Call) -> str:
    call.exchange.set_value(call.line, call.words[0], call.words[1])
    return "200 result=1"


async def _get_variable(call: _Call) -> str:
    value = call.exchange.known(call.line, call.words[0])
    return "200 result=0" if value is None else f"200 result=1 ({value})"


async def _get_full_variable(call: _Call) -> str:
    return f"200 result=1 ({call.exchange.expanded(call.line, call.words[0])})"


async def _stream_file(call: _Call) -> str:
    line, name, digits = call.line, call.words[0], call.words[1]
    loop = asyncio.get_running_loop()
    length_s = call.exchange.settings.sound_length(name)
    line.music_off()
    if length_s is None:
        return "200 result=-1 endpos=0"
    line.listen()
    began = loop.time()
    result = 0
    while True:
        played_s = min(loop.time() - began, length_s)
        if line.gone:
            result = -1
            break
        key = _first(line, digits)
        if key is not None:
            result = ord(key)
            break
        if "stop" in line.controls or played_s >= length_s:
            break
        await line.changed(began + length_s)
    line.controls.clear()
    line.story.heard.append(Heard(name, began, played_s))
    return f"200 result={result} endpos={int(played_s * SAMPLES_PER_S)}"


def _first(line: Line, wanted: str) -> str | None:
    """The first key that counts; those before it are dropped."""
    while line.keys:
        key = line.keys.popleft()
        if key in wanted:
            return key
    return None


async def _wait_for_digit(call: _Call) -> str:
    line = call.line
    loop = asyncio.get_running_loop()
    try:
        wait_ms = int(call.words[0])
    except ValueError:
        return _usage("WAIT FOR DIGIT")
    end = None if wait_ms < 0 else loop.time() + wait_ms / 1000
    line.listen()
    while True:
        if line.gone:
            return "200 result=-1"
        if line.keys:
            return f"200 result={ord(line.keys.popleft())}"
        if line.controls:
            return f"200 result={_CONTROLS.get(line.controls.popleft(), 1000)}"
        if end is not None and loop.time() >= end:
            return "200 result=0"
        await line.changed(end)


async def _record_file(call: _Call) -> str:
    """Until a key, the longest time, or silence after what the caller says; `(timeout)` is also what silence reads."""
    line, (name, _format, digits, longest) = call.line, call.words[:4]
    loop = asyncio.get_running_loop()
    silence_s = int(call.words[-1].removeprefix("s=")) if call.words[-1].startswith("s=") else 0
    line.music_off()
    path = Path(f"{name}.wav")
    if not path.parent.is_dir():
        return "200 result=-1 (writefile)"
    line.listen()
    began = loop.time()
    spoken_s = line.speaks_s
    ends = [began + int(longest) / 1000] if int(longest) > 0 else []
    ends += [began + spoken_s + silence_s] if silence_s else []
    result, why = 0, "timeout"
    while not ends or loop.time() < min(ends):
        if line.gone:
            result, why = -1, "hangup"
            break
        key = _first(line, digits)
        if key is not None:
            result, why = ord(key), "dtmf"
            break
        await line.changed(min(ends, default=None))
    samples = int(min(loop.time() - began, spoken_s) * SAMPLES_PER_S)
    _write_tone(path, samples)
    return f"200 result={result} ({why}) endpos={samples}"


def _write_tone(path: Path, samples: int) -> None:
    """What a caller without a voice says."""
    wavelength = b"\x00\x10" * 13 + b"\x00\xf0" * 13
    with wave.open(str(path), "wb") as sound:
        sound.setparams((1, 2, SAMPLES_PER_S, 0, "NONE", ""))
        sound.writeframes((wavelength * (samples // 26 + 1))[: samples * 2])


async def _set_music(call: _Call) -> str:
    state = call.words[0].upper()
    if state not in ("ON", "OFF"):
        return _usage("SET MUSIC")
    if state == "OFF":
        call.line.music_off()
    else:
        call.line.music_on(call.words[1] if len(call.words) > 1 and call.words[1] else "default")
    return "200 result=0"


async def _exec(call: _Call) -> str:
    application = call.words[0].lower()
    data = call.words[1] if len(call.words) > 1 else ""
    channel = call.line.channel
    before = channel.application, channel.application_data
    if application == "dial":
        channel.application, channel.application_data = "Dial", data
        rung = await dial(call.exchange, call.line, data)
        channel.application, channel.application_data = before
        # A caller who is redirected out of a talk leaves it as if the agent had ended it.
        lost = call.line.hung_up or (call.line.gone and rung.status != "ANSWER")
        return "200 result=-1" if lost else "200 result=0"
    if application == "wait":
        await call.line.pause(float(data or 0))
        return "200 result=-1" if call.line.gone else "200 result=0"
    return "200 result=0" if application in _QUIET_APPLICATIONS else "200 result=-2"


async def _database_get(call: _Call) -> str:
    value = call.exchange.database.get(call.words[0], {}).get(call.words[1])
    return "200 result=0" if value is None else f"200 result=1 ({value})"


async def _database_put(call: _Call) -> str:
    call.exchange.database.setdefault(call.words[0], {})[call.words[1]] = call.words[2]
    return "200 result=1"


async def _database_del(call: _Call) -> str:
    # Asterisk 22 answers 1 also for a key that is not there.
    call.exchange.database.get(call.words[0], {}).pop(call.words[1], None)
    return "200 result=1"


async def _channel_status(call: _Call) -> str:
    line = call.exchange.lines.get(call.words[0]) if call.words else call.line
    return "200 result=-1" if line is None else f"200 result={line.channel.state}"


async def _answer_call(call: _Call) -> str:
    call.line.answer()
    return "200 result=0"


async def _hangup(call: _Call) -> str:
    line = call.exchange.lines.get(call.words[0]) if call.words else call.line
    if line is None:
        return "200 result=-1"
    line.soft_hangup(32)
    return "200 result=1"


async def _verbose(call: _Call) -> str:
    return "200 result=1"


async def _noop(call: _Call) -> str:
    return "200 result=0"


_COMMANDS: Final[dict[str, tuple[_Handler, int]]] = {
    "SET VARIABLE": (_set_variable, 2),
    "GET VARIABLE": (_get_variable, 1),
    "GET FULL VARIABLE": (_get_full_variable, 1),
    "STREAM FILE": (_stream_file, 2),
    "CONTROL STREAM FILE": (_stream_file, 2),
    "WAIT FOR DIGIT": (_wait_for_digit, 1),
    "RECORD FILE": (_record_file, 4),
    "SET MUSIC": (_set_music, 1),
    "EXEC": (_exec, 1),
    "DATABASE GET": (_database_get, 2),
    "DATABASE PUT": (_database_put, 3),
    "DATABASE DEL": (_database_del, 2),
    "CHANNEL STATUS": (_channel_status, 0),
    "ANSWER": (_answer_call, 0),
    "HANGUP": (_hangup, 0),
    "VERBOSE": (_verbose, 1),
    "NOOP": (_noop, 0),
}
