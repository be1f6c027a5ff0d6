"""Who answers what a flow asks, and what becomes of a caller's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from acd.store.voicemail import Messages, Note
from pasokh.answers import AnswersForMessages, JoinedAnswers


@dataclass
class Kept:
    """A store that only remembers."""

    notes: list[Note] = field(default_factory=list)

    async def keep(self, note: Note) -> None:
        if "/" in note.name:
            raise ValueError("no plain word")
        self.notes.append(note)


@dataclass
class Says:
    word: str

    async def answer(self, contact: str, what: str, args: Mapping[str, str]) -> Mapping[str, str] | None:
        return {"said": self.word, "what": what}


def answers() -> tuple[AnswersForMessages, Kept]:
    kept = Kept()
    store: Messages = kept  # type: ignore[assignment]
    return AnswersForMessages(store, lambda: 7), kept


async def test_a_question_goes_to_whom_it_is_for() -> None:
    joined = JoinedAnswers({"voicemail": Says("messages")}, otherwise=Says("others"))
    assert await joined.answer("c1", "voicemail", {}) == {"said": "messages", "what": "voicemail"}
    assert await joined.answer("c1", "customer", {}) == {"said": "others", "what": "customer"}
    assert await JoinedAnswers({}).answer("c1", "customer", {}) is None


async def test_a_message_is_noted_with_its_queue() -> None:
    to, kept = answers()
    args = {"queue": "cards", "language": "fa", "name": "leave-2", "seconds": "4.2"}
    assert await to.answer("c1", "voicemail", args) == {"result": "ok"}
    assert kept.notes == [Note("c1", "voicemail", 7, "leave-2", "cards")]


async def test_a_survey_is_noted_with_score_and_reason() -> None:
    to, kept = answers()
    args = {"survey": "after", "language": "en", "score": "4", "reason": "wait\u202e", "queue": "cards"}
    assert await to.answer("c1", "survey", args) == {"result": "ok"}
    assert kept.notes == [Note("c1", "survey", 7, "", "cards", 4, "wait")]


@pytest.mark.parametrize("args", [{"score": "11"}, {"score": "²"}, {"score": "-1"}, {"name": "../x"}])
async def test_what_cannot_be_understood_is_told_so(args: dict[str, str]) -> None:
    to, kept = answers()
    assert await to.answer("c1", "survey", args) == {"result": "failed"}
    assert kept.notes == []
