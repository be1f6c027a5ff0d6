"""Runs the checks and the tests by stages, each on its budget, and says at the end what came of all of them.

    python tools/run_tests.py check       style, types, import rules, the pages' types
    python tools/run_tests.py test        that, and every test but the long ones
    python tools/run_tests.py long        the long ones
    python tools/run_tests.py pythons     the pure tests on every other supported Python that is here
    python tools/run_tests.py pure sim    single stages

The last line counts: `812 passed, 0 failed, 3 skipped`. A check that fails counts as one that failed. Exit
status 0 when nothing did. Standard library only: it runs in the environment that `make setup-test` leaves.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

HOUSE = Path(__file__).resolve().parents[1]
PYTHONS = ("3.11", "3.12", "3.13")
# `make test` takes about twelve minutes on two cores with warm caches; each stage has its share of that.
OVERTIME = 2.0
"""A stage is stopped, and has failed, when it takes this many times its budget."""


@dataclass(frozen=True)
class Stage:
    """One run of pytest: the tests that tests/conftest.py marks with its name, or with `marker`."""

    name: str
    budget_s: int
    says: str
    options: tuple[str, ...] = ()
    marker: str = ""
    python: tuple[str, ...] = (sys.executable,)
    environment: dict[str, str] = field(default_factory=dict)


STAGES = {
    stage.name: stage
    for stage in (
        Stage("pure", 110, "no clock, no socket, or only the loopback", ("-n", "2")),
        Stage("sim", 45, "seeded worlds on virtual time", ("-n", "2")),
        Stage("db", 60, "PostgreSQL and Redis", ("-n", "2")),
        Stage("e2e", 100, "the whole product on the simulated PBX", ("-n", "2")),
        Stage("live", 360, "a real Asterisk and SIPp"),
        Stage("browser", 120, "the pages in a real Chromium", ("-n", "2", "--dist", "loadfile")),
        Stage("long", 3600, "what needs more real time"),
    )
}
IN_TEST = ("pure", "sim", "db", "e2e", "live", "browser")


@dataclass
class Tally:
    """What came of the stages and checks so far."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    lines: list[str] = field(default_factory=list)
    failed_names: list[str] = field(default_factory=list)

    def note(self, name: str, what: str, took_s: float) -> None:
        self.lines.append(f"  {name:<16} {took_s:6.1f} s   {what}")


def main(words: list[str]) -> int:
    tally = Tally()
    began = time.monotonic()
    for word in words or ["test"]:
        if word in ("check", "test"):
            check(tally)
        others = other_pythons(tally) if word in ("pythons", "test") else []
        names = IN_TEST if word == "test" else (word,) if word in STAGES else ()
        for stage in [*(STAGES[name] for name in names), *others]:
            run(stage, tally)
        if not (names or others or word in ("check", "pythons")):
            sys.exit(
                f"run_tests: there is no stage {word!r}; there are check, test, pythons, {', '.join(STAGES)}."
            )
    return close(tally, time.monotonic() - began)


def close(tally: Tally, took_s: float) -> int:
    title("what came of it")
    print("\n".join(tally.lines))
    for reason, count in sorted(tally.reasons.items()):
        print(f"  {count} skipped: {reason}")
    if tally.failed_names:
        print(f"  failed: {', '.join(tally.failed_names)}")
    print(f"  {took_s:.0f} s in all")
    print(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped", flush=True)
    return 1 if tally.failed else 0


def check(tally: Tally) -> None:
    """Style, types, import rules, and the pages' types: all of them, also when one fails."""
    tools = Path(sys.executable).parent
    commands: dict[str, list[Path | str]] = {
        "ruff": [tools / "ruff", "check", "."],
        "mypy": [tools / "mypy"],
        "import rules": [tools / "lint-imports"],
        "pages": ["tools/pages.sh", "check"],
    }
    for name, command in commands.items():
        title(f"check: {name}")
        began = time.monotonic()
        status = subprocess.run([str(word) for word in command], cwd=HOUSE).returncode
        tally.note(f"check: {name}", "ok" if status == 0 else "FAILED", time.monotonic() - began)
        if status:
            tally.failed += 1
            tally.failed_names.append(f"check: {name}")


def run(stage: Stage, tally: Tally) -> None:
    """One stage: pytest in a process of its own, stopped when it takes far more than its budget."""
    title(f"{stage.name}: {stage.says} (budget {stage.budget_s} s)")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="pasokh-counts-") as folder:
        report = Path(folder) / "counts.json"
        words = [*stage.python, "-m", "pytest", "-q", "-m", stage.marker or stage.name, *stage.options]
        environment = {**os.environ, **stage.environment, "PASOKH_TEST_COUNTS": str(report)}
        status = limited(words, environment, stage.budget_s * OVERTIME)
        told = json.loads(report.read_text()) if report.exists() else None
    took_s = time.monotonic() - began
    if told is None or status not in (0, 1, 5):  # 5: the stage has no test yet
        what = f"stopped after {took_s:.0f} s" if status is None else f"pytest ended with {status}"
        tally.failed += 1
        tally.failed_names.append(f"{stage.name} ({what})")
    counts = told["counts"] if told else {}
    passed, skipped = counts.get("passed", 0), counts.get("skipped", 0)
    failed = counts.get("failed", 0) + counts.get("error", 0)
    tally.passed += passed
    tally.failed += failed
    tally.skipped += skipped
    tally.reasons.update((told or {}).get("skipped", {}))
    if failed:
        tally.failed_names.append(stage.name)
    over = f", over its budget of {stage.budget_s} s" if took_s > stage.budget_s else ""
    tally.note(stage.name, f"{passed} passed, {failed} failed, {skipped} skipped{over}", took_s)


def limited(words: list[str], environment: dict[str, str], limit_s: float) -> int | None:
    """The exit status, or None when it had to be stopped; what it had started is stopped with it."""
    process = subprocess.Popen(words, cwd=HOUSE, env=environment, start_new_session=True)
    try:
        return process.wait(limit_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return None
    except BaseException:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()
        raise


def other_pythons(tally: Tally) -> list[Stage]:
    """A stage of the pure tests for each other supported Python that is on this machine."""
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    stages = []
    for version in PYTHONS:
        if version == here:
            continue
        python = interpreter(version)
        if python is None:
            tally.note(f"python{version}", "is not here", 0)
            continue
        environment = furnished(python, version)
        if environment is None:
            tally.failed += 1
            tally.failed_names.append(f"python{version} (its environment could not be made)")
            continue
        rooms = [f"tests/{room}" for room in ("acd", "ivr", "crm_lookup", "asterisk_conf", "ami_bridge")]
        options = ("-n", "2", "-p", "no:cacheprovider", "--ignore=tests/ami_bridge/simulator", *rooms)
        command = (str(environment / "bin/python"),)
        fewer = {"PASOKH_WORLDS": "10"}
        stages.append(Stage(f"python{version}", 90, "the rooms' pure tests", options, "pure", command, fewer))
    return stages


def interpreter(version: str) -> Path | None:
    """A Python of that version that starts: on PATH, or one of pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or "~/.pyenv").expanduser()
    candidates = [
        shutil.which(f"python{version}"),
        *sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}")),
    ]
    for candidate in candidates:
        if candidate and subprocess.run([str(candidate), "-c", ""], capture_output=True).returncode == 0:
            return Path(candidate)
    return None


def furnished(python: Path, version: str) -> Path | None:
    """An environment of that Python with the locked packages, in the cache. pytest puts the checkout on its
    path."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    cache = Path(os.environ.get("PASOKH_CACHE") or f"{base}/pasokh").expanduser()
    lock = HOUSE / "requirements/dev.txt"
    key = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    environment = cache / "pythons" / f"{version}-{key}"
    if (environment / "complete").exists():
        return environment
    title(f"python{version}: installing what requirements/dev.txt locks")
    shutil.rmtree(environment, ignore_errors=True)
    uv = [str(Path(sys.executable).parent / "uv"), "--quiet"]
    install = ["pip", "install", "--python", str(environment / "bin/python")]
    for command in (
        ["venv", "--python", str(python), str(environment)],
        [*install, "--require-hashes", "-r", str(lock)],
    ):
        if subprocess.run([*uv, *command], env={**os.environ, "UV_PYTHON_DOWNLOADS": "never"}).returncode:
            return None
    (environment / "complete").touch()
    return environment


def title(text: str) -> None:
    print(f"\n== {text} ".ljust(100, "="), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
