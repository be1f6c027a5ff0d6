"""AGI and AMI bytes <-> messages; pure.

Framed on bytes, because what a phone sends need not be UTF-8: text is cut into lines first and decoded with
replacement afterwards. A reader never raises on what a peer sends: it hands over what was whole and then
carries a `fault`, one sentence that the shell closes the connection with. So the same bytes give the same
messages however the network cuts them.

Sources: Asterisk 22 `res/res_agi.c` (environment, replies, the 2048-byte command buffer), `main/manager.c`
(`Key: value` lines ended by CRLF, a blank line ends a message, 1024-byte input lines, 128 headers), and what
was measured on a real 22.10.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from .errors import AgiMalformed, AgiRefused, AmiRefused

# ---------------------------------------------------------------- AGI: what we write

COMMAND_LIMIT_BYTES: Final = 2000
"""Asterisk splits a command line of 2048 bytes and reads the tail as a further command."""

_NEEDS_QUOTES: Final = re.compile(r'[\s"\\]')
_ARGUMENT: Final = (str, int, float)


class Quoted(str):
    """An argument that already stands in quotes."""

    __slots__ = ()


def quote(value: str | int | float) -> Quoted:
    """An argument in quotes, as Asterisk's command line reader undoes it: `\\` and `"` escaped.

    Raises AgiRefused for a line break or NUL (it would start a second command) and for anything that is not
    text or a number.
    """
    return Quoted(quoted(value))


def quoted(value: object) -> str:
    """As `quote`, for a line that is put together by hand."""
    if not isinstance(value, _ARGUMENT):
        raise AgiRefused(f"An AGI argument must be text or a number, not {type(value).__name__}.")
    text = str(value)
    if _breaks(text):
        raise AgiRefused("An AGI argument must not hold a line break or NUL; remove it before sending.")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _breaks(text: str) -> bool:
    return "\n" in text or "\r" in text or "\0" in text


def command_line(command: str, args: Iterable[object] = ()) -> str:
    """A command and its arguments as one line without its line end.

    Arguments that are not `Quoted` are quoted when they hold blanks, quotes or backslashes. Empty ones
    stand as `""` when another follows and are dropped at the end.
    """
    words = list(args)
    while words and words[-1] == "" and not isinstance(words[-1], Quoted):
        words.pop()
    line = " ".join([command.strip(), *map(_argument, words)])
    if _breaks(line):
        raise AgiRefused("An AGI command must not hold a line break or NUL; remove it before sending.")
    return line


def _argument(arg: object) -> str:
    if isinstance(arg, Quoted):
        return arg
    text = str(arg)
    return quote(text) if not text or _NEEDS_QUOTES.search(text) else text


def encode_command(line: str) -> bytes:
    """The bytes of one command line. Raises AgiRefused when it would not reach Asterisk as one command."""
    if not line.strip():
        raise AgiRefused("An AGI command must not be empty.")
    if _breaks(line):
        raise AgiRefused("An AGI command must not hold a line break or NUL; remove it before sending.")
    try:
        data = line.encode()
    except UnicodeEncodeError:
        raise AgiRefused("An AGI command holds an unpaired surrogate; replace it before sending.") from None
    if len(data) > COMMAND_LIMIT_BYTES:
        raise AgiRefused(
            f"An AGI command of {len(data)} bytes is over the limit of {COMMAND_LIMIT_BYTES}: Asterisk would "
            "read its tail as a second command; send less."
        )
    return data + b"\n"


def split_command(line: str) -> list[str]:
    """A command line as Asterisk splits it: blanks separate, quotes keep together, `\\` takes the next as is.

    For the other end of the wire: simulators and tests.
    """
    words: list[str] = []
    word: list[str] | None = None
    inside = escaped = False
    for char in line:
        if escaped:
            word = [*(word or []), char]
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == '"':
            inside = not inside
            word = word or []
        elif char in " \t" and not inside:
            if word is not None:
                words.append("".join(word))
            word = None
        else:
            word = word or []
            word.append(char)
    if word is not None:
        words.append("".join(word))
    return words


# ---------------------------------------------------------------- AGI: what we read


@dataclass(frozen=True, slots=True)
class AgiLimits:
    """How much a peer may send before it is no longer believed to be Asterisk."""

    env_bytes: int = 65_536
    env_lines: int = 200
    reply_bytes: int = 65_536


@dataclass(frozen=True, slots=True)
class AgiEnv:
    """The `agi_*` lines that open a session.

    Of a repeated key the first occurrence counts: a line break smuggled into a caller's name can only add
    lines after those that Asterisk wrote first. `repeated` and `strange` (lines that are no `agi_*: value`)
    say that this happened. `undecodable` keeps the bytes of values that were not UTF-8.
    """

    values: Mapping[str, str]
    repeated: frozenset[str] = frozenset()
    strange: int = 0
    undecodable: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def suspect(self) -> bool:
        return bool(self.repeated or self.strange)


class AgiReply(NamedTuple):
    """One reply line of Asterisk, or a 520 with its usage lines. (A tuple is made in a third of the time.)

    `value` is the text after `result=` (GET DATA gives digits, perhaps none), `data` what stands in
    parentheses, `endpos` the sample a file stopped at, `text` everything after the code. `has_data` tells
    `()` from nothing.
    """

    code: int
    value: str = ""
    data: str = ""
    endpos: int | None = None
    text: str = ""
    has_data: bool = False

    @property
    def result(self) -> int:
        """`result=` as a number. Raises AgiMalformed when it is none."""
        if not _NUMBER.fullmatch(self.value):
            raise AgiMalformed("The result of an AGI reply is not a number.")
        return int(self.value)

    @property
    def timed_out(self) -> bool:
        return self.data == "timeout"


class HangupLine:
    """The out-of-band line `HANGUP`: Asterisk took the channel away. Often sent twice."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "HANGUP"


HANGUP: Final = HangupLine()
AgiItem = AgiEnv | AgiReply | HangupLine

_NAMED: Final = {
    name.encode(): name
    for name in [
        "agi_network",
        "agi_network_script",
        "agi_request",
        "agi_channel",
        "agi_language",
        "agi_type",
        "agi_uniqueid",
        "agi_version",
        "agi_callerid",
        "agi_calleridname",
        "agi_callingpres",
        "agi_callingani2",
        "agi_callington",
        "agi_callingtns",
        "agi_dnid",
        "agi_rdnis",
        "agi_context",
        "agi_extension",
        "agi_priority",
        "agi_enhanced",
        "agi_accountcode",
        "agi_threadid",
    ]
}
"""The names that every session opens with, so that a thousand sessions hold them once."""

_NUMBER: Final = re.compile(r"-?[0-9]{1,18}")
_CODE: Final = re.compile(rb"[0-9]{3}(?:[ -]|\Z)")
_PLAIN: Final = re.compile(rb"200 (result=(-?[0-9]{1,18})(?: \(([^()]*)\))?(?: endpos=(-?[0-9]{1,18}))?)")
"""What nearly every reply looks like; all others are read more slowly, to the same."""
_HEAD: Final = re.compile(rb"200 result=\S* +\(")
_VALUE: Final = re.compile(r"result=(\S*)")
_TAIL: Final = re.compile(r"(?: +\w+=\S*)*\s*")
_ENDPOS: Final = re.compile(r" endpos=(-?[0-9]{1,18})(?:\s|\Z)")


class AgiReader:
    """AGI from Asterisk, in any cut: first one AgiEnv, then AgiReply and HANGUP. See `fault`."""

    def __init__(self, limits: AgiLimits | None = None, *, env: bool = True) -> None:
        self.fault: str | None = None
        self._limits = limits or AgiLimits()
        self._buffer = bytearray()
        self._scanned = 0
        self._in_env = env
        self._env_lines: list[bytes] = []
        self._env_bytes = 0
        self._open: list[bytes] = []
        self._open_bytes = 0

    def feed(self, data: bytes) -> list[AgiItem]:
        """The whole messages that `data` completes. After a fault nothing more comes."""
        items: list[AgiItem] = []
        if self.fault is not None:
            return items
        if not self._buffer and not self._in_env and data.find(b"\n") == len(data) - 1 >= 0:
            reply = self._reply_line(data[:-1].removesuffix(b"\r"))  # nearly always just one line comes
            return items if reply is None else [reply]
        self._buffer += data
        start = 0
        while self.fault is None:
            end = self._buffer.find(b"\n", max(start, self._scanned))
            if end < 0:
                break
            line = bytes(self._buffer[start:end]).removesuffix(b"\r")
            start = end + 1
            item = self._env_line(line) if self._in_env else self._reply_line(line)
            if item is not None:
                items.append(item)
        del self._buffer[:start]
        self._scanned = len(self._buffer)
        taken = self._env_bytes if self._in_env else self._open_bytes
        limit = self._limits.env_bytes if self._in_env else self._limits.reply_bytes
        # Two bytes of what is buffered may be the line's end.
        if self.fault is None and len(self._buffer) + taken > limit + 2:
            self.fault = "The AGI peer sent a line over the limit."
        return items

    def _env_line(self, line: bytes) -> AgiEnv | None:
        if not line:
            self._in_env = False
            lines, self._env_lines = self._env_lines, []
            return _env(lines)
        self._env_lines.append(line)
        self._env_bytes += len(line) + 1
        if self._env_bytes > self._limits.env_bytes or len(self._env_lines) > self._limits.env_lines:
            self.fault = "The AGI peer sent more opening lines than the limit allows."
        return None

    def _reply_line(self, line: bytes) -> AgiReply | HangupLine | None:
        if len(line) + self._open_bytes > self._limits.reply_bytes:
            self.fault = "The AGI peer sent a reply over the limit."
            return None
        if self._open:
            return self._go_on(line)
        if (common := _COMMON.get(line)) is not None:
            return common
        if (plain := _PLAIN.fullmatch(line)) is not None:
            text, value, data, endpos = plain.groups()
            return AgiReply(
                200,
                value.decode(),
                "" if data is None else data.decode("utf-8", "replace"),
                None if endpos is None else int(endpos),
                text.decode("utf-8", "replace"),
                data is not None,
            )
        if line.strip() == b"HANGUP":
            return HANGUP
        if not line.strip():
            return None
        # 520- opens a usage text; a value with a line break in it leaves its parenthesis open.
        if line.startswith(b"520-") or (_HEAD.match(line) and not _shut(line)):
            self._open = [line]
            self._open_bytes = len(line)
            return None
        if not _CODE.match(line):
            self.fault = "The AGI peer sent a line that is no reply."
            return None
        return _reply(line)

    def _go_on(self, line: bytes) -> AgiReply | None:
        self._open.append(line)
        self._open_bytes += len(line) + 1
        done = line.startswith(b"520 ") if self._open[0].startswith(b"520-") else _shut(line)
        if not done:
            return None
        whole = b"\n".join(self._open)
        self._open, self._open_bytes = [], 0
        return _reply(whole)


def _env(lines: Sequence[bytes]) -> AgiEnv:
    values: dict[str, str] = {}
    repeated: set[str] = set()
    undecodable: dict[str, bytes] = {}
    strange = 0
    for line in lines:
        raw_key, colon, raw_value = line.partition(b":")
        key = _NAMED.get(raw_key) or raw_key.decode("utf-8", "replace").strip()
        if not colon or not key.startswith("agi_"):
            strange += 1
            continue
        if key in values:
            repeated.add(key)
            continue
        raw_value = raw_value.strip()
        values[key] = raw_value.decode("utf-8", "replace")
        if "\ufffd" in values[key]:
            undecodable[key] = raw_value
    return AgiEnv(values, frozenset(repeated), strange, undecodable)


def _reply(line: bytes) -> AgiReply:
    code, text = int(line[:3]), line[4:].decode("utf-8", "replace")
    found = _VALUE.match(text) if code == 200 else None
    if found is None:
        return AgiReply(code, text=text)
    after = text[found.end() :].lstrip(" ")
    # The value may hold any parenthesis itself, so it reaches from the first one to the last.
    shut = after.rfind(")") if after.startswith("(") else -1
    endpos = None
    if " endpos=" in text:
        endpos = _ENDPOS.search(text, len(text) - len(after) + shut) if shut >= 0 else _ENDPOS.search(text)
    return AgiReply(
        code,
        value=found[1],
        data=after[1:shut] if shut > 0 else "",
        endpos=int(endpos[1]) if endpos else None,
        text=text,
        has_data=shut > 0,
    )


def _shut(line: bytes) -> bool:
    """Whether a value's parenthesis is closed at the end of this line (`endpos=...` may follow it)."""
    if line.endswith(b")"):
        return True
    shut = line.rfind(b")")
    return shut >= 0 and _TAIL.fullmatch(line[shut + 1 :].decode("utf-8", "replace")) is not None


_COMMON: Final = {line: _reply(line) for line in (b"200 result=0", b"200 result=1", b"200 result=-1")}

# ---------------------------------------------------------------- AMI

AMI_LINE_LIMIT_BYTES: Final = 1000
"""Asterisk reads manager input into 1025 bytes a line and drops what is longer."""
AMI_HEADER_LIMIT: Final = 120
"""Asterisk takes 128 headers a message."""

_HEADER_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_GREETING: Final = re.compile(r"Asterisk Call Manager/(\S+)")

ActionFields = Mapping[str, str | Sequence[str]]


class AmiMessage:
    """One response or event, with pyst2's surface (`headers`, `data`, `get_header`, `has_header`, `[...]`).

    `headers` maps a name to its value, or to the list of its values when Asterisk repeated it (`Output`,
    `Variable`, `ChanVariable`). Values are kept as sent, bare line feeds included. Lines without a colon are
    gathered in `data`.
    """

    __slots__ = ("data", "headers")

    def __init__(self, headers: dict[str, str | list[str]], data: str = "") -> None:
        self.headers = headers
        self.data = data

    @property
    def event(self) -> str:
        """The event's name, or "" for a response."""
        return self.get("Event")

    @property
    def ok(self) -> bool:
        """True for a response that is neither Error nor missing."""
        return self.get("Response") in ("Success", "Goodbye", "Pong", "Follows")

    def get(self, name: str, default: str = "") -> str:
        """The header's first value."""
        value = self.headers.get(name, default)
        return value if isinstance(value, str) else value[0]

    def all(self, name: str) -> list[str]:
        """All values of a header, in the order they came."""
        value = self.headers.get(name)
        if value is None:
            return []
        return [value] if isinstance(value, str) else list(value)

    def variables(self, header: str = "ChanVariable") -> dict[str, str]:
        """Channel variables: `NAME=value` lines of `ChanVariable` (events) or `Variable` (Status)."""
        pairs: dict[str, str] = {}
        for key in self.headers:
            # Before Asterisk 12 the channel stood in parentheses after the name.
            if key == header or key.startswith(header + "("):
                for line in self.all(key):
                    name, _, value = line.partition("=")
                    pairs.setdefault(name.strip(), value)
        return pairs

    def has_header(self, name: str) -> bool:
        return name in self.headers

    def get_header(self, name: str, default: str | None = None) -> str | list[str] | None:
        return self.headers.get(name, default)

    def __getitem__(self, name: str) -> str | list[str]:
        return self.headers[name]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AmiMessage):
            return NotImplemented
        return self.headers == other.headers and self.data == other.data

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        # Headers hold numbers and names; a representation may reach a log.
        return f"<AmiMessage {self.event or self.get('Response') or 'action ' + self.get('Action')}>"


class AmiReader:
    """AMI in any cut: the greeting line (from Asterisk), then messages. See `fault` and `more`.

    `feed(data, limit)` hands over at most `limit` messages; while `more` is true, `feed(b"", limit)` gives
    the next ones.
    """

    def __init__(self, *, max_message_bytes: int = 262_144, greeting: bool = True) -> None:
        self.fault: str | None = None
        self.version: str | None = None
        self.more = False
        self._await_greeting = greeting
        self._limit_bytes = max_message_bytes
        self._buffer = bytearray()
        self._start = 0
        self._scanned = 0

    @property
    def buffered_bytes(self) -> int:
        return len(self._buffer) - self._start

    def feed(self, data: bytes, limit: int | None = None) -> list[AmiMessage]:
        messages: list[AmiMessage] = []
        if self.fault is not None:
            return messages
        self._buffer += data
        self.more = False
        if self._await_greeting and not self._greeting():
            return messages
        while self.fault is None:
            if limit is not None and len(messages) >= limit:
                self.more = True
                return messages
            block = self._block()
            if block is None:
                break
            if block:
                messages.append(_message(block))
        del self._buffer[: self._start]
        self._scanned -= self._start
        self._start = 0
        return messages

    def _greeting(self) -> bool:
        end = self._buffer.find(b"\n")
        line = bytes(self._buffer[: end if end >= 0 else 256])
        found = _GREETING.fullmatch(line.decode("utf-8", "replace").strip())
        if end < 0 and len(self._buffer) <= 256 and not line.startswith((b"\x15\x03", b"\x16\x03")):
            return False
        if end < 0 or end > 256 or found is None:
            kind = (
                "speaks TLS" if line.startswith((b"\x15\x03", b"\x16\x03")) else "is not an Asterisk manager"
            )
            self.fault = f"The peer {kind}; check host, port and TLS of the manager settings."
            return False
        self.version = found[1]
        self._await_greeting = False
        self._start = self._scanned = end + 1
        return True

    def _block(self) -> bytes | None:
        """The next message without its blank line; b"" for a blank line alone; None when more is needed."""
        buffer, start = self._buffer, self._start
        if buffer.startswith(b"\r\n", start):
            self._start = self._scanned = start + 2
            return b""
        end = buffer.find(b"\r\n\r\n", max(start, self._scanned - 3))
        # Without an end yet, up to three of the bytes may belong to it.
        size = (len(buffer) - 3 if end < 0 else end) - start
        if size > self._limit_bytes:
            self.fault = f"A manager message is over the limit of {self._limit_bytes} bytes."
            return None
        if end < 0:
            self._scanned = len(buffer)
            return None
        self._start = self._scanned = end + 4
        return bytes(buffer[start:end])


def _message(block: bytes) -> AmiMessage:
    headers: dict[str, str | list[str]] = {}
    data: list[str] = []
    for line in block.decode("utf-8", "replace").split("\r\n"):
        key, colon, value = line.partition(":")
        if not colon:
            data.append(line)
            continue
        value = value.removeprefix(" ")
        earlier = headers.get(key)
        if earlier is None:
            headers[key] = value
        elif isinstance(earlier, list):
            earlier.append(value)
        else:
            headers[key] = [earlier, value]
    return AmiMessage(headers, "\n".join(data))


def encode_action(fields: ActionFields) -> bytes:
    """An action as bytes. A list of values gives repeated headers. Raises AmiRefused, see the class."""
    lines: list[bytes] = []
    for name, value in fields.items():
        if not _HEADER_NAME.fullmatch(name):
            raise AmiRefused(f"{name[:64]!r} is not a manager header name.")
        for item in [value] if isinstance(value, str) else value:
            lines.append(_header_line(name, item))
    if len(lines) > AMI_HEADER_LIMIT:
        raise AmiRefused(f"An action of {len(lines)} headers is over Asterisk's limit; send fewer.")
    return b"\r\n".join([*lines, b"", b""])


def _header_line(name: str, value: str) -> bytes:
    if _breaks(value):
        raise AmiRefused(f"The header {name} holds a line break or NUL; it would inject further headers.")
    try:
        line = f"{name}: {value}".encode()
    except UnicodeEncodeError:
        raise AmiRefused(
            f"The header {name} holds an unpaired surrogate; replace it before sending."
        ) from None
    if len(line) > AMI_LINE_LIMIT_BYTES:
        raise AmiRefused(f"The header {name} has {len(line)} bytes; Asterisk reads {AMI_LINE_LIMIT_BYTES}.")
    return line


def encode_message(message: AmiMessage) -> bytes:
    """A response or event as Asterisk writes it; for the other end of the wire."""
    lines: list[str] = []
    for name in message.headers:
        lines.extend(f"{name}: {value}" for value in message.all(name))
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
