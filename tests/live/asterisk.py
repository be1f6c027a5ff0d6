"""A real Asterisk for a test: given configuration files, it boots beside the host, on the loopback, and is
gone after.

The Asterisk is the unpacked one of tests/parts.py; it runs through its own loader, with every folder it
writes to in a folder of its own. Calls here block (a command costs about 20 ms): in a test whose loop also
serves that Asterisk, ask by `await asyncio.to_thread(asterisk.cli, ...)`.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from tests import parts
from tests.ports import unused_tcp_port

MODULES = Path(__file__).with_name("modules.conf")

_DIRECTORIES = """\
[directories]
astetcdir => {base}/etc
astmoddir => {root}/{lib}/asterisk/modules
astvarlibdir => {base}/var
astdbdir => {base}/var
astkeydir => {base}/var
astdatadir => {base}/data
astagidir => {base}/var/agi-bin
astspooldir => {base}/spool
astrundir => {base}/run
astlogdir => {base}/log
astcachedir => {base}/var
astsbindir => {root}/usr/sbin
[options]
verbose = {verbose}
nocolor = yes
maxfiles = 65536
documentation_language = en_US
hideconnect = yes
systemname = {systemname}
"""
_LOGGER = """\
[general]
dateformat=%F %T.%3q
[logfiles]
messages => notice,warning,error{verbose}
"""
_INDICATIONS = """\
[general]
country=ir
[ir]
description=Iran
ringcadence=1000,4000
dial=425
busy=425/500,0/500
ring=425/1000,0/4000
congestion=425/240,0/240
callwaiting=425/200,0/200,425/200,0/10000
dialrecall=!425/100,!0/100,425
record=1400/80,0/15000
info=950/330,1400/330,1800/330,0/1000
stutter=!425/100,!0/100,425
"""
# Asterisk warns of each of these when it is not there at all.
_MAY_BE_EMPTY = frozenset(
    {
        "acl",
        "ari",
        "ccss",
        "cdr_manager",
        "cel",
        "cli",
        "cli_aliases",
        "cli_permissions",
        "codecs",
        "confbridge",
        "dnsmgr",
        "dsp",
        "enum",
        "extconfig",
        "features",
        "geolocation",
        "http",
        "manager",
        "pjproject",
        "pjsip",
        "prometheus",
        "queuerules",
        "queues",
        "res_parking",
        "say",
        "sorcery",
        "stasis",
        "stir_shaken",
        "udptl",
        "voicemail",
        "websocket_client",
    }
)
_LOG_LINE = re.compile(r"^\[[^]]*\] (WARNING|ERROR)\b")


@dataclass(frozen=True, slots=True)
class Ports:
    """What an Asterisk listens at, on 127.0.0.1: SIP over UDP, AMI over TCP, RTP from `rtp_first` to
    `rtp_last`."""

    sip: int
    ami: int
    rtp_first: int
    rtp_last: int

    @classmethod
    def free(cls, rtp_count: int = 400) -> Ports:
        """Ports that nobody listens at just now."""
        return cls(unused_udp_port(), unused_tcp_port(), *_unused_udp_range(rtp_count))


class LiveAsterisk:
    """One real Asterisk. Use it as a context manager, or call `start` and `stop`.

    `files` is a folder of configuration files, or their texts by name. `asterisk.conf` is always ours;
    `modules.conf`, `logger.conf`, `rtp.conf`, `cdr.conf` and others are ours where none is given. The files
    lie in `etc`, and may be changed there before `cli("core reload")`. What Asterisk keeps (its database, its
    CDR) outlives `stop` and `start` of the same object, until `close`.
    """

    def __init__(
        self,
        files: Mapping[str, str] | Path,
        ports: Ports,
        *,
        root: Path | None = None,
        systemname: str = "test",
        verbose: int = 0,
    ) -> None:
        found = root or parts.asterisk_root()
        if found is None:
            raise FileNotFoundError("there is no unpacked Asterisk here; `make setup-test` makes one.")
        self.ports = ports
        self.base = Path(tempfile.mkdtemp(prefix="pasokh-ast-"))  # short: a Unix socket's path has 108 bytes
        self.etc = self.base / "etc"
        self.sounds = found / "usr/share/asterisk/sounds/en_US_f_Allison"
        self.music = found / "usr/share/asterisk/moh"
        self._root = found
        self._loader, self._lib = (found / "LAYOUT").read_text().split()
        self._process: subprocess.Popen[bytes] | None = None
        self._furnish(files, systemname, verbose)

    def start(self, timeout_s: float = 20) -> None:
        """Boots; returns when Asterisk says that it is fully booted. RuntimeError, with its log, when it does
        not."""
        for stale in ("asterisk.ctl", "asterisk.pid"):
            (self.base / "run" / stale).unlink(missing_ok=True)
        with (self.base / "log/stdout").open("ab") as out:
            self._process = subprocess.Popen(
                [*self._program(), "-f"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                preexec_fn=_many_files,
            )
        end = time.monotonic() + timeout_s
        while time.monotonic() < end and self._process.poll() is None:
            if (self.base / "run/asterisk.ctl").exists():
                answer = subprocess.run(
                    [*self._program(), "-rx", "core waitfullybooted"],
                    capture_output=True,
                    text=True,
                    timeout=timeout_s,
                )
                if "fully booted" in answer.stdout:
                    return
            time.sleep(0.02)
        said = (self.base / "log/stdout").read_text(errors="replace")[-3000:] + "\n".join(self.log_warnings())
        self.stop()
        raise RuntimeError(f"Asterisk did not boot within {timeout_s} s:\n{said}")

    def cli(self, command: str, timeout_s: float = 10) -> str:
        """What `asterisk -rx COMMAND` prints."""
        done = subprocess.run(
            [*self._program(), "-rx", command],
            capture_output=True,
            text=True,
            timeout=timeout_s,
            errors="replace",
        )
        if done.returncode:
            raise RuntimeError(f"asterisk -rx {command!r} failed: {done.stdout}{done.stderr}")
        return done.stdout

    def channels(self) -> int:
        """How many channels there are just now."""
        found = re.search(r"^(\d+) active channel", self.cli("core show channels count"), re.MULTILINE)
        if not found:
            raise RuntimeError("Asterisk did not say how many channels it has")
        return int(found[1])

    def log_text(self) -> str:
        """Asterisk's own log since it was made: notices, warnings, errors (and what it executes, when
        verbose)."""
        path = self.base / "log/messages"
        return path.read_text(errors="replace") if path.exists() else ""

    def log_warnings(self) -> list[str]:
        """The warnings and errors in that log, one line each."""
        return [line for line in self.log_text().splitlines() if _LOG_LINE.match(line)]

    def cdr_text(self) -> str:
        """Asterisk's own record of its calls (cdr-csv/Master.csv), empty when there is none."""
        path = self.base / "log/cdr-csv/Master.csv"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def pid(self) -> int:
        """Its process, for a test that kills or freezes it."""
        if self._process is None:
            raise RuntimeError("Asterisk does not run")
        return self._process.pid

    def stop(self, timeout_s: float = 10) -> None:
        """Ends the process: asked first, killed when it does not go. Calls are dropped. Nothing when it is
        gone."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def close(self) -> None:
        """Stops, and takes its folder away."""
        self.stop()
        shutil.rmtree(self.base, ignore_errors=True)

    def __enter__(self) -> LiveAsterisk:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    def _program(self) -> list[str]:
        loader, library = self._root / self._loader, self._root / self._lib
        program = self._root / "usr/sbin/asterisk"
        return [
            str(loader),
            "--library-path",
            str(library),
            str(program),
            "-C",
            str(self.etc / "asterisk.conf"),
        ]

    def _furnish(self, files: Mapping[str, str] | Path, systemname: str, verbose: int) -> None:
        for folder in (
            "run",
            "log/cdr-csv",
            "log/cel-custom",
            "spool",
            "var/agi-bin",
            "var/keys",
            "data/sounds",
        ):
            (self.base / folder).mkdir(parents=True)
        share = self._root / "usr/share/asterisk"
        for name in ("documentation", "rest-api", "moh"):
            (self.base / "data" / name).symlink_to(share / name)
        (self.base / "data/sounds/en").symlink_to(self.sounds)
        if isinstance(files, Path):
            shutil.copytree(files, self.etc)
        else:
            self.etc.mkdir()
            for name, text in files.items():
                (self.etc / name).write_text(text)
        if not (self.etc / "modules.conf").exists():
            shutil.copy(MODULES, self.etc / "modules.conf")
        self._default("logger.conf", _LOGGER.format(verbose=",verbose" if verbose else ""))
        self._default(
            "rtp.conf",
            f"[general]\nrtpstart={self.ports.rtp_first}\nrtpend={self.ports.rtp_last}\nicesupport=no\n",
        )
        self._default("indications.conf", _INDICATIONS)
        self._default(
            "cdr.conf", "[general]\nenable=yes\nunanswered=yes\n[csv]\nusegmtime=yes\nloguniqueid=yes\n"
        )
        self._default("musiconhold.conf", f"[default]\nmode=files\ndirectory={self.music}\n")
        for name in _MAY_BE_EMPTY:
            self._default(f"{name}.conf", "")
        words = {
            "base": self.base,
            "root": self._root,
            "lib": self._lib,
            "systemname": systemname,
            "verbose": verbose,
        }
        (self.etc / "asterisk.conf").write_text(_DIRECTORIES.format(**words))

    def _default(self, name: str, text: str) -> None:
        if not (self.etc / name).exists():
            (self.etc / name).write_text(text)


def unused_udp_port() -> int:
    """A UDP port of the loopback that nobody listens at just now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _unused_udp_range(count: int) -> tuple[int, int]:
    """A run of ports below those the kernel hands out, so that nobody is given one of them by chance."""
    own = os.getpid() % 20  # two runs at once begin to look at different places
    for n in range(20):
        first = 10_000 + (own + n) % 20 * 1_000
        ends = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        try:
            ends[0].bind(("127.0.0.1", first))
            ends[1].bind(("127.0.0.1", first + count - 1))
        except OSError:
            continue
        else:
            return first, first + count - 1
        finally:
            for end in ends:
                end.close()
    raise RuntimeError("there is no run of free UDP ports for RTP")


def _many_files() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(65_536, hard) if hard > 0 else 65_536, hard))
