"""SIPp as callers and as agents' phones, on the loopback, with what happened to each told by its own clock.

    callers = Callers(["09121234567"] * 20, dial="1000", asterisk_port=ports.sip, keys=[(500, "1")],
    talk_ms=None) phones = Phones(sip_port, Answer(after_ms=50, talk_ms=2000))

Each is one SIPp process, started when it is made and bounded by `timeout_s`; use them as context managers, or
call `stop`. `moments()` may be read at any time; `finished()` waits for the end without blocking the loop.
The clock is the host's wall clock in microseconds, so it compares with what our own process writes.
"""

from __future__ import annotations

import asyncio
import csv
import math
import shutil
import signal
import struct
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from tests import parts
from tests.live.asterisk import unused_udp_port

SCENARIOS = Path(__file__).with_name("scenarios")
POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that one SIPp call saw.

    `what` is INVITE, ANSWER, KEY, BYE_HEARD, BYE_SENT for a caller; RING, ANSWER, CANCEL, REFUSED, BYE_HEARD,
    BYE_SENT for a phone. `who` is the caller's number, or the user part of To (the phone). `at_us` is
    wall-clock microseconds. `detail` is the key of KEY; the caller's number of RING. `contact` is RING's
    X-Pasokh-Contact.
    """

    what: str
    who: str
    call: str
    at_us: int
    detail: str = ""
    contact: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a SIPp run ended: calls that went as the scenario says, calls that did not, and why."""

    succeeded: int
    failed: int
    moments: list[Moment]
    errors: str

    def of(self, what: str) -> list[Moment]:
        """The moments of one kind, in order."""
        return [moment for moment in self.moments if moment.what == what]


@dataclass(frozen=True, slots=True)
class Speak:
    """Instead of a key: the caller says something for so long (a tone of 300 Hz) and then is silent for
    `silent_s`, while the scenario goes on. Without packets of silence Asterisk hears none."""

    seconds: float
    silent_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """The phone answers after `after_ms` (None: never, it rings until the call is cancelled), and hangs up
    after `talk_ms` of talk (None: never, it waits for the other side)."""

    after_ms: int | None = 0
    talk_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Refuse:
    """The phone answers the INVITE with this status at once."""

    status: str

    @classmethod
    def busy(cls) -> Refuse:
        return cls("486 Busy Here")

    @classmethod
    def reject(cls) -> Refuse:
        return cls("603 Decline")

    @classmethod
    def unavailable(cls) -> Refuse:
        return cls("480 Temporarily Unavailable")


class Sipp:
    """One SIPp process with one scenario. Callers, Phones and `register` are the ways to make one."""

    def __init__(
        self,
        scenario: str,
        options: Sequence[str],
        *,
        sip_port: int | None = None,
        lines: Sequence[str] = (),
        timeout_s: float = 60,
        folder: Path | None = None,
    ) -> None:
        program = parts.sipp()
        if program is None:
            raise FileNotFoundError("there is no SIPp here; `make setup-test` installs it.")
        self.folder = folder or Path(tempfile.mkdtemp(prefix="pasokh-sipp-"))
        self.sip_port = sip_port or unused_udp_port()
        self._log, self._stat, self._errors = (self.folder / name for name in ("log", "stat", "errors"))
        (self.folder / "scenario.xml").write_text(scenario)
        if lines:
            (self.folder / "lines.csv").write_text("SEQUENTIAL\n" + "".join(f"{line}\n" for line in lines))
            options = ["-inf", str(self.folder / "lines.csv"), *options]
        words = [
            *(str(program), "-sf", str(self.folder / "scenario.xml"), "-nostdin"),
            *("-i", "127.0.0.1", "-p", str(self.sip_port), "-mi", "127.0.0.1"),
            *("-trace_logs", "-log_file", str(self._log), "-trace_err", "-error_file", str(self._errors)),
            *("-trace_stat", "-stf", str(self._stat), "-fd", "1", "-timeout", str(max(1, round(timeout_s)))),
            *options,
        ]
        with (self.folder / "screen").open("wb") as screen:
            self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=screen, stderr=screen)
        self._deadline = time.monotonic() + timeout_s

    def moments(self) -> list[Moment]:
        """What happened until now, in order."""
        text = self._log.read_text(errors="replace") if self._log.exists() else ""
        whole = text[: text.rfind("\n") + 1]
        return [_moment(words) for line in whole.splitlines() if len(words := line.split()) >= 5]

    async def heard(self, what: str, count: int = 1, timeout_s: float = 10) -> list[Moment]:
        """Waits until `count` moments of a kind have come; TimeoutError, with what did come, when they do
        not."""
        try:
            async with asyncio.timeout(timeout_s):
                while len(found := [moment for moment in self.moments() if moment.what == what]) < count:  # noqa: ASYNC110 - SIPp tells by a file
                    await asyncio.sleep(POLL_S)
                return found
        except TimeoutError as error:
            came = self._outcome()
            raise TimeoutError(f"{count} x {what} did not come within {timeout_s} s, but: {came}") from error

    async def finished(self) -> Outcome:
        """Waits until SIPp has made all its calls (or its time is over)."""
        while self._process.poll() is None:
            if time.monotonic() > self._deadline + 5:
                self._process.kill()
            await asyncio.sleep(POLL_S)
        return self._outcome()

    def wait(self) -> Outcome:
        """As `finished`, blocking."""
        try:
            self._process.wait(max(0.0, self._deadline + 5 - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        return self._outcome()

    def stop(self, timeout_s: float = 3) -> Outcome:
        """Ends the process: it takes no new call, and calls that still run after `timeout_s` are cut."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGUSR1)
            try:
                self._process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        return self._outcome()

    def close(self) -> None:
        """Stops, and takes its folder away."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    def _outcome(self) -> Outcome:
        said = [path.read_text(errors="replace")[-4000:] for path in (self._errors,) if path.exists()]
        if self._process.poll() not in (None, 0, 1):
            said.append((self.folder / "screen").read_text(errors="replace")[-1500:])
        succeeded, failed = _counts(self._stat)
        return Outcome(succeeded, failed, self.moments(), "\n".join(said))


class Callers(Sipp):
    """Callers: one call for each number, `calls_per_s` of them, to the extension `dial`.

    `keys` are pressed after the answer, each `ms` after the one before, by SIP INFO or by RFC 2833 (which
    SIPp sends from a raw socket: root only). Then the caller stays for `talk_ms` and hangs up (None: until
    the other side does). A caller whose call is refused or cut counts as failed.
    """

    def __init__(
        self,
        numbers: Sequence[str],
        *,
        dial: str,
        asterisk_port: int,
        keys: Sequence[tuple[int, str | Speak]] = (),
        keys_by: Literal["info", "rfc2833"] = "info",
        talk_ms: int | None = None,
        calls_per_s: float = 10,
        headers: Sequence[str] = (),
        timeout_s: float = 60,
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pasokh-sipp-"))
        press = (SCENARIOS / f"key_{keys_by}.xml").read_text()
        speak = (SCENARIOS / "speak.xml").read_text()
        presses = []
        for n, (after_ms, key) in enumerate(keys):
            pcap = self.folder / f"key-{n}.pcap"
            if isinstance(key, Speak):
                pcap.write_bytes(_speech_pcap(key, n))
                presses.append(_filled(speak, after_ms=str(after_ms), key=f"{key.seconds}", pcap=str(pcap)))
                continue
            if keys_by == "rfc2833":
                pcap.write_bytes(_key_pcap(key, n))
            presses.append(_filled(press, after_ms=str(after_ms), key=key, cseq=str(2 + n), pcap=str(pcap)))
        scenario = _filled(
            (SCENARIOS / "caller.xml").read_text(),
            keys="".join(presses),
            headers="".join(f"{header}\n" for header in headers),
            patience=_timeout(talk_ms, "hang_up"),
        )
        rate = max(1, round(calls_per_s * 10))
        options = [
            *("-s", dial, "-m", str(len(numbers)), "-l", str(len(numbers))),
            *("-r", str(rate), "-rp", "10000", f"127.0.0.1:{asterisk_port}"),
        ]
        super().__init__(scenario, options, lines=numbers, timeout_s=timeout_s, folder=self.folder)


class Phones(Sipp):
    """Agents' phones at one port, all with one behaviour, until they are stopped."""

    def __init__(self, sip_port: int, behaviour: Answer | Refuse, *, timeout_s: float = 300) -> None:
        match behaviour:
            case Refuse(status):
                scenario = _filled((SCENARIOS / "phone_refuses.xml").read_text(), status=status)
            case Answer(after_ms, talk_ms):
                scenario = _filled(
                    (SCENARIOS / "phone.xml").read_text(),
                    until_answer=_timeout(after_ms, "answer"),
                    until_hang_up=_timeout(talk_ms, "hang_up"),
                )
        super().__init__(scenario, [], sip_port=sip_port, timeout_s=timeout_s)


def register(accounts: Sequence[tuple[str, str]], *, asterisk_port: int, sip_port: int) -> Outcome:
    """Registers accounts (name, password) as standing at `sip_port`; do it before Phones are started
    there."""
    lines = [f"{name};[authentication username={name} password={password}]" for name, password in accounts]
    count = str(len(accounts))
    options = ["-m", count, "-l", count, "-r", "100", f"127.0.0.1:{asterisk_port}"]
    scenario = (SCENARIOS / "register.xml").read_text()
    with Sipp(scenario, options, sip_port=sip_port, lines=lines, timeout_s=15) as sipp:
        return sipp.wait()


def _key_pcap(key: str, nth: int) -> bytes:
    """One key as RFC 2833 packets (RFC 4733, section 2.3) of payload type 101, in a capture that SIPp plays.

    SIPp's own captures and its play_dtmf give every key the same timestamp, so that a second key is taken for
    a late packet of the first. Here the nth key of a call has a timestamp of its own.
    """
    event = "0123456789*#ABCD".index(key)
    frame_ms, frames, volume = 20, 8, 10
    marks = [(n * frame_ms * 8, False) for n in range(1, frames)] + [(frames * frame_ms * 8, True)] * 3
    packets = []
    for n, (duration, end) in enumerate(marks):
        rtp = struct.pack(
            "!BBHII", 0x80, 101 | (0x80 if n == 0 else 0), 1000 + nth * 100 + n, 16_000 * (nth + 1), 0x5150
        )
        packets.append(rtp + struct.pack("!BBH", event, volume | (0x80 if end else 0), duration))
    return _capture(packets, frame_ms)


def _speech_pcap(speech: Speak, nth: int) -> bytes:
    """A tone of 300 Hz, then silence, as PCMU in packets of 20 ms."""
    frame, spoken = 160, round(speech.seconds * 50)
    packets = []
    for n in range(spoken + round(speech.silent_s * 50)):
        at = n * frame
        tone = bytes(
            _ulaw(round((8000 if n < spoken else 0) * math.sin(2 * math.pi * 300 * (at + k) / 8000)))
            for k in range(frame)
        )
        head = struct.pack(
            "!BBHII", 0x80, 0x80 if n == 0 else 0, 5000 + nth * 1000 + n, 160_000 * (nth + 1) + at, 0x5151
        )
        packets.append(head + tone)
    return _capture(packets, 20)


def _ulaw(sample: int) -> int:
    """One sample of 16 bits as PCMU (ITU-T G.711)."""
    sign, level = (0x80, -sample) if sample < 0 else (0, sample)
    level = min(level, 32_635) + 132
    exponent = max(0, level.bit_length() - 8)
    return ~(sign | exponent << 4 | (level >> (exponent + 3)) & 0x0F) & 0xFF


def _capture(packets: Sequence[bytes], every_ms: int) -> bytes:
    """RTP packets as a capture file; SIPp fills in the ports."""
    capture = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1)
    for n, rtp in enumerate(packets):
        udp = struct.pack("!HHHH", 6000, 6000, 8 + len(rtp), 0) + rtp
        ip = (
            struct.pack(
                "!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, b"\x7f\0\0\1", b"\x7f\0\0\1"
            )
            + udp
        )
        packet = bytes(12) + b"\x08\x00" + ip
        at_ms = n * every_ms
        capture += (
            struct.pack("<IIII", 1 + at_ms // 1000, at_ms % 1000 * 1000, len(packet), len(packet)) + packet
        )
    return capture


def _timeout(after_ms: int | None, label: str) -> str:
    # SIPp reads 0 as "no timeout".
    return "" if after_ms is None else f'timeout="{max(1, after_ms)}" ontimeout="{label}"'


def _filled(template: str, **words: str) -> str:
    for name, word in words.items():
        template = template.replace("{{" + name + "}}", word)
    return template


def _moment(words: list[str]) -> Moment:
    what, who, call, seconds, microseconds, *rest = words
    detail, contact = (*rest, "", "")[:2]
    return Moment(
        what, who, call, round(float(seconds)) * 1_000_000 + round(float(microseconds)), detail, contact
    )


def _counts(stat: Path) -> tuple[int, int]:
    if not stat.exists():
        return 0, 0
    with stat.open(newline="", errors="replace") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    if not rows:
        return 0, 0
    return int(rows[-1]["SuccessfulCall(C)"] or 0), int(rows[-1]["FailedCall(C)"] or 0)
