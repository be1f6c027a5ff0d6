"""`pasokh ivr` as a person meets it, without a center: check, play, graph."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from acd.errors import DocumentError
from pasokh import ivr_cli
from pasokh.errors import ControlError
from pasokh.ivr_terminal import read_answers
from tests.ivr import worlds

TESTS = """
at: 2026-11-22T11:30
cases:
  - {name: a card, keys: ["1", "1"], expect: {outcome: queue cards}}
  - {name: a wrong hope, keys: ["1", "1"], expect: {outcome: queue english}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A flow and its tests in the folder where the person is."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bank.yaml").write_text(worlds.FLOW_TEXT, encoding="utf-8")
    (tmp_path / "bank.test.yaml").write_text(TESTS, encoding="utf-8")
    (tmp_path / "center.yaml").write_text(worlds.SITE_TEXT, encoding="utf-8")
    return tmp_path


def types(*words: str, keys: str = "") -> Result:
    return CliRunner().invoke(ivr_cli.app, list(words), input=keys)


def raised(result: Result) -> Any:
    assert result.exception is not None
    return result.exception


def test_check_runs_the_tests_and_says_what_came_instead(folder: Path) -> None:
    result = types("check", "bank.yaml", "--center", "center.yaml")
    assert result.exit_code == 1
    assert "ok     a card" in result.output
    assert "wrong  a wrong hope" in result.output
    assert "bank.test.yaml:5:" in result.output
    assert 'comes out as "queue cards"' in result.output
    assert "2 tests, 1 as expected, 1 not." in result.output


def test_check_without_tests_says_where_they_would_stand(folder: Path) -> None:
    (folder / "bank.test.yaml").unlink()
    result = types("check", "bank.yaml")
    assert result.exit_code == 0
    assert "write them into bank.test.yaml" in result.output


@pytest.mark.parametrize("command", ["check", "play", "graph", "publish"])
def test_a_broken_flow_is_told_with_its_line(folder: Path, command: str) -> None:
    broken = worlds.FLOW_TEXT.replace("next: language", "next: langauge", 1)
    (folder / "bank.yaml").write_text(broken, encoding="utf-8")
    error = raised(types(command, "bank.yaml"))
    assert isinstance(error, DocumentError)
    assert str(error).startswith("bank.yaml:")
    assert 'write "language"' in str(error)


def test_a_flow_that_is_not_there_is_told(folder: Path) -> None:
    assert isinstance(raised(types("check", "nothing.yaml")), DocumentError)


def test_a_flow_that_ships_goes_by_its_name(folder: Path) -> None:
    (folder / "bank.yaml").unlink()
    assert types("graph", "insurer", "-o", "x.svg", "--language", "en").exit_code == 0
    assert (folder / "x.svg").read_text(encoding="utf-8").startswith("<svg")


def test_play_tells_what_is_heard_and_where_one_is(folder: Path) -> None:
    words = ("play", "bank.yaml", "--center", "center.yaml", "--at", "2026-11-22T11:30", "--number", "0912")
    result = types(*words, keys="2\n1\n\n")
    assert result.exit_code == 0
    assert "Sun 2026-11-22 11:30 (1405-09-01)" in result.output
    for said in (
        "» سلام",
        "« 2",
        "● main menu",
        "» Connecting",
        "queue english, priority 3",
        "stands in line",
    ):
        assert said in result.output, said
    assert "greeting → language → opening → main → cards" in result.output


def test_play_asks_for_answers_or_reads_them(folder: Path) -> None:
    (folder / "answers.yaml").write_text("bank.balance: {result: ok, account: 77}\n", encoding="utf-8")
    words = ("play", "bank.yaml", "--language", "fa", "--at", "1405-09-01T11:30")
    read = types(*words, "--answers", "answers.yaml", keys="2\n1234\nq\n")
    asked = types(*words, keys="2\n1234\nresult=ok account=78\nq\n")
    assert "ACCOUNT = A-77" in read.output
    assert "ACCOUNT = A-78" in asked.output
    assert "The caller hangs up." in read.output
    assert "1234" not in read.output + asked.output, "a PIN is not shown"


def test_play_on_a_holiday_and_to_the_end_of_a_pipe(folder: Path) -> None:
    words = ("play", "bank", "--at", "2026-12-01T10:00", "--holiday")
    (folder / "bank.yaml").unlink()
    result = types(*words, keys="1\n")
    assert "a holiday" in result.output
    assert "● closed codes" in result.output
    assert "No more keys" in result.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("play", "bank.yaml", "--language", "de"), "speaks fa, en"),
        (("play", "bank.yaml", "--at", "soon"), "2026-12-01T10:00"),
        (("graph", "bank.yaml", "--language", "de"), "fa or en"),
    ],
)
def test_what_cannot_be_is_told(folder: Path, words: tuple[str, ...], said: str) -> None:
    result = types(*words)
    assert result.exit_code == 2
    assert said in result.output


def test_a_flow_whose_tests_fail_is_not_published(folder: Path) -> None:
    result = types("publish", "bank.yaml")
    assert result.exit_code == 1
    assert "was not published" in result.output


def test_publishing_needs_a_running_center(folder: Path) -> None:
    (folder / "pasokh.toml").write_text("", encoding="utf-8")
    for words in (("publish", "bank.yaml", "--untested"), ("history", "bank"), ("rollback", "bank")):
        assert isinstance(raised(types(*words)), ControlError), words


def test_answers_without_fields_are_told_with_their_line(folder: Path) -> None:
    (folder / "a.yaml").write_text("one: {x: 1}\ntwo: 2\n", encoding="utf-8")
    with pytest.raises(DocumentError, match=r"a\.yaml:2:6"):
        read_answers(folder / "a.yaml")
    (folder / "b.yaml").write_text("one: {x: true}\ntwo: none\n", encoding="utf-8")
    assert read_answers(folder / "b.yaml") == {"one": {"x": "true"}, "two": None}


# ---- the sounds --------------------------------------------------------------------------------------------


VOICE = """
import sys, wave
text = sys.stdin.buffer.read().decode()
if "Bye" in text or "خدا" in text:
    sys.exit("this voice cannot take leave")
with wave.open(sys.stdout.buffer, "wb") as sound:
    sound.setparams((1, 2, 8000, 0, "NONE", ""))
    sound.writeframes(b"\\x00\\x20\\x00\\xe0" * 400)
"""
SHORT = """
flow: short
languages: [en]
start: hello
prompts: {hello: {en: Hello}, bye: {en: Bye}}
nodes:
  hello: {kind: say, prompt: hello, next: bye}
  bye: {kind: hangup, prompt: bye}
"""


def with_voice(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings with a small voice, and without the stock of values, which is long."""
    (folder / "voice.py").write_text(VOICE, encoding="utf-8")
    (folder / "short.yaml").write_text(SHORT, encoding="utf-8")
    command = [sys.executable, "-I", str(folder / "voice.py")]
    (folder / "pasokh.toml").write_text(
        f'[asterisk]\nsounds = "sounds"\n[voice]\nprovider = "command"\ncommand = {json.dumps(command)}\n',
        encoding="utf-8",
    )
    monkeypatch.setattr("ivr.say.vocabulary", lambda _: frozenset())


def test_missing_sounds_are_made_once_and_what_cannot_be_said_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_voice(folder, monkeypatch)
    first = types("prompts", "short.yaml")
    assert first.exit_code == 1
    assert "1 prompts made in" in first.output
    assert "0 were there, 1 have no sound." in first.output
    assert "“Bye” (en): " in first.output
    assert "cannot take leave" in first.output
    again = types("prompts", "short.yaml")
    assert "0 prompts made in" in again.output
    assert "1 were there, 1 have no sound." in again.output
    assert len(list((folder / "sounds" / "made" / "en").glob("*.wav"))) == 1


def test_the_sheet_lists_what_people_may_record_and_makes_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_voice(folder, monkeypatch)
    result = types("prompts", "short.yaml", "--sheet", "sheet.csv")
    assert result.exit_code == 0
    assert "Wrote sheet.csv: 2 recordings." in result.output
    sheet = (folder / "sheet.csv").read_text(encoding="utf-8-sig")
    assert sheet == "file,text\nen/bye.wav,Bye\nen/hello.wav,Hello\n"
    assert not (folder / "sounds").exists()


def test_without_a_flow_all_of_the_site_are_meant(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_voice(folder, monkeypatch)
    settings = folder / "pasokh.toml"
    (folder / "menus").mkdir()
    for name in ("short.yaml", "bank.yaml"):
        (folder / name).rename(folder / "menus" / name)
    settings.write_text('flows = "menus"\n' + settings.read_text(encoding="utf-8"), encoding="utf-8")
    result = types("prompts", "--sheet", "sheet.csv")
    assert result.exit_code == 0, result.output
    assert "en/hello.wav,Hello" in (folder / "sheet.csv").read_text(encoding="utf-8-sig")
