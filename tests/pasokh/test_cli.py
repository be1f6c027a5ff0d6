"""The command as a person meets it: what is wrong is one clear sentence, exit 2, and nothing is half-started."""

from __future__ import annotations

import logging
import re
import socket
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog

from acd.store.base import sole_process
from pasokh import cli
from pasokh.lock import sole_center
from tests.ports import unused_tcp_port


@dataclass(frozen=True, slots=True)
class Said:
    status: int
    out: str
    err: str

    def one_sentence(self) -> str:
        """What was said, which must be a sentence or more, and no traceback."""
        assert "Traceback" not in self.err
        assert self.err.strip().endswith((".", "…")), self.err
        return self.err.strip()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in a folder of their own, with the command."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def types(self, *words: str) -> Said:
        self.monkeypatch.setattr(sys, "argv", ["pasokh", *words])
        self.monkeypatch.chdir(self.folder)
        self.capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = self.capsys.readouterr()
        code = ended.value.code
        return Said(code if isinstance(code, int) else int(code is not None), said.out, said.err)

    def changes(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def nothing_started(self) -> None:
        """No port is open, no lock is held, no socket and no journal is there."""
        var = self.folder / "var"
        assert not (var / "control.sock").exists()
        assert not list(var.rglob("*.journal*"))
        with sole_process(f"sqlite+aiosqlite:///{var / 'pasokh.db'}"), sole_center(var):
            pass


@pytest.fixture
def person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Person]:
    """In a folder made by `pasokh init`, with free ports."""
    root = logging.getLogger()
    handlers, level, kept = root.handlers[:], root.level, structlog.get_config()
    who = Person(tmp_path, monkeypatch, capsys)
    assert who.types("init").status == 0
    who.changes("pasokh.toml", "port = 8080", f"port = {unused_tcp_port()}")
    who.changes("pasokh.toml", "agi_port = 4573", f"agi_port = {unused_tcp_port()}")
    who.changes("pasokh.toml", "ami_port = 5038", f"ami_port = {unused_tcp_port()}")
    yield who
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**kept)


@pytest.fixture
def ready(person: Person) -> Person:
    """And with a database."""
    assert person.types("db", "upgrade").status == 0
    return person


def test_init_writes_what_can_be_used_and_never_over_it(person: Person) -> None:
    again = person.types("init")
    assert again.status == 0
    assert again.out.count("was left alone") == 2
    assert person.types("center", "check").status == 0


@pytest.mark.parametrize(
    ("old", "new", "place", "remedy"),
    [
        ('host = "127.0.0.1"', 'hots = "127.0.0.1"', "pasokh.toml:13: web.hots", "write host"),
        (
            'host = "127.0.0.1"',
            "password_memory_kib = 12",
            "pasokh.toml:13: web.password_memory_kib",
            "correct",
        ),
        ('role = "all"', 'role = "boss"', "pasokh.toml:5: role", "correct it"),
        ("[web]", "[web", "pasokh.toml", "port = 8080"),
        ('[redis]\nurl = ""', '[redsi]\nurl = ""', ": redsi is no setting", "write redis"),
        (
            '[database]\nurl = ""',
            '[database]\nurl = "mysql://x"',
            "begins with mysql",
            "use sqlite+aiosqlite",
        ),
    ],
    ids=["unknown", "too small", "not a choice", "not TOML", "unknown section", "another database"],
)
def test_a_wrong_setting_is_told_with_its_line(
    ready: Person, old: str, new: str, place: str, remedy: str
) -> None:
    ready.changes("pasokh.toml", old, new)
    said = ready.types("serve")
    assert said.status == 2
    assert place in said.one_sentence()
    assert remedy in said.err
    ready.nothing_started()


def test_a_wrong_value_in_the_environment_is_named(ready: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASOKH_LOG_LEVEL", "loud")
    said = ready.types("serve")
    assert said.status == 2
    assert "PASOKH_LOG_LEVEL" in said.one_sentence()


def test_no_settings_at_all(tmp_path: Path, person: Person) -> None:
    (tmp_path / "pasokh.toml").unlink()
    said = person.types("serve")
    assert said.status == 2
    assert "there is no such file; make one with `pasokh init`" in said.one_sentence()


@pytest.mark.parametrize("command", [("serve",), ("center", "check"), ("center", "apply")])
@pytest.mark.parametrize(
    ("old", "new", "said_of_it"),
    [
        ("target_s: 20", "targte_s: 20", r"center\.yaml:\d+:\d+: .*targte_s.*target_s"),
        ("requires: {cards: 1, fa: 1}", "requires: {carsd: 1}", r"center\.yaml:\d+:\d+: .*carsd"),
        ("time_zone: Asia/Tehran", "time_zone: [", r"center\.yaml:\d+:\d+: "),
        ("flow: bank", "flow: bnak", r"center\.yaml:\d+:\d+: .*bnak"),
    ],
    ids=["unknown key", "unknown skill", "not YAML", "unknown flow"],
)
def test_a_broken_site_is_told_with_its_line(
    ready: Person, command: tuple[str, ...], old: str, new: str, said_of_it: str
) -> None:
    ready.changes("center.yaml", old, new)
    said = ready.types(*command)
    assert said.status == 2
    assert re.search(said_of_it, said.one_sentence())
    ready.nothing_started()


def test_every_problem_of_a_site_is_told_at_once(ready: Person) -> None:
    ready.changes("center.yaml", "target_s: 20", "targte_s: 20")
    ready.changes("center.yaml", "wrap_up_s: 30", "wrap_up_s: soon")
    said = ready.types("center", "check")
    assert said.status == 2
    assert len(re.findall(r"center\.yaml:\d+:\d+: ", said.err)) == 2


def test_a_site_that_cannot_be_read(ready: Person) -> None:
    (ready.folder / "center.yaml").unlink()
    said = ready.types("serve")
    assert said.status == 2
    assert "center.yaml cannot be read" in said.one_sentence()
    ready.nothing_started()


def test_a_broken_flow_is_told_with_its_line(ready: Person) -> None:
    (ready.folder / "flows").mkdir()
    text = (Path(__file__).parents[2] / "ivr/flows/bank.yaml").read_text(encoding="utf-8")
    broken = text.replace('"1": lost_card', '"1": lost_cadr', 1)
    (ready.folder / "flows/bank.yaml").write_text(broken, encoding="utf-8")
    ready.changes("pasokh.toml", '# flows = "flows"', 'flows = "flows"')
    said = ready.types("serve")
    assert said.status == 2
    assert re.search(r"bank\.yaml:\d+:\d+: .*lost_cadr", said.one_sentence())
    ready.nothing_started()


def test_a_database_without_tables(person: Person) -> None:
    said = person.types("serve")
    assert said.status == 2
    assert "pasokh db upgrade" in said.one_sentence()
    person.nothing_started()


def test_a_newer_database_is_left_alone(ready: Person) -> None:
    with sqlite3.connect(ready.folder / "var/pasokh.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    said = ready.types("serve")
    assert said.status == 2
    assert "newer" in said.one_sentence()
    ready.nothing_started()


@pytest.mark.parametrize("section", ["web", "asterisk"])
def test_a_port_that_is_taken(ready: Person, section: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        monkeypatch.setenv("PASOKH_WEB__PORT" if section == "web" else "PASOKH_ASTERISK__AGI_PORT", str(port))
        said = ready.types("serve")
    assert said.status == 2
    assert str(port) in said.one_sentence().splitlines()[-1]
    assert "another" in said.err


def test_a_second_process_on_the_same_file(ready: Person) -> None:
    with sole_process(f"sqlite+aiosqlite:///{ready.folder / 'var/pasokh.db'}"):
        said = ready.types("serve")
    assert said.status == 2
    assert "Another process already serves the database" in said.one_sentence()
    ready.nothing_started()


def test_a_second_center_on_the_same_folder_touches_no_journal(
    ready: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With another database too: a newer segment in the folder would be the one that the next start believes."""
    monkeypatch.setenv("PASOKH_DATABASE__URL", f"sqlite+aiosqlite:///{ready.folder / 'other.db'}")
    with sole_center(ready.folder / "var"):
        said = ready.types("serve")
    assert said.status == 2
    assert "Another pasokh runs a center from the folder" in said.one_sentence()
    ready.nothing_started()


def test_a_web_process_needs_redis(ready: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASOKH_ROLE", "web")
    said = ready.types("serve")
    assert said.status == 2
    assert "[redis] url" in said.one_sentence()


def test_a_database_that_does_not_answer(ready: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    port = unused_tcp_port()
    monkeypatch.setenv("PASOKH_DATABASE__URL", f"postgresql+asyncpg://nobody@127.0.0.1:{port}/none")
    for words in (
        ("serve",),
        ("db", "upgrade"),
        ("center", "history"),
        ("user", "password", "x", "--password", "a long pass-phrase"),
    ):
        said = ready.types(*words)
        assert said.status == 2, words
        assert "does not answer" in said.one_sentence()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("user", "add", "x", "--role", "boss"), "boss is no role"),
        (("user", "add", "x", "--role", "agent", "--agent", "nobody"), "no agent nobody"),
        (("user", "add", "x", "--role", "agent"), "agent"),
    ],
)
def test_a_user_who_cannot_be(ready: Person, words: tuple[str, ...], sentence: str) -> None:
    said = ready.types(*words, "--password", "a long pass-phrase")
    assert said.status == 2
    assert sentence in said.one_sentence()


def test_a_user_with_a_short_password(ready: Person) -> None:
    said = ready.types("user", "add", "x", "--password", "short")
    assert said.status == 2
    assert "password" in said.one_sentence()


def test_a_user_before_there_are_tables(person: Person) -> None:
    said = person.types("user", "add", "x", "--password", "a long pass-phrase")
    assert said.status == 2
    assert "pasokh db upgrade" in said.one_sentence()


def test_apply_without_a_running_center(ready: Person) -> None:
    said = ready.types("center", "apply")
    assert said.status == 1
    assert "start one with `pasokh serve`" in said.one_sentence()


def test_check_says_what_is_wrong_and_what_is_well(ready: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(ready.folder))  # no espeak-ng here
    monkeypatch.setattr("pasokh.check.ANSWER_S", 0.3)
    said = ready.types("check")
    assert said.status == 2
    assert "Traceback" not in said.err
    assert "center.yaml and its flows can be applied" in said.out
    assert "and add [services.balance]." in said.out
    assert "espeak-ng is not installed" in said.out
    assert "The database has the tables of this version" in said.out
    assert "No pasokh runs here now" in said.out
