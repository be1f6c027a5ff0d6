"""Who answers what a flow asks: `customer` the customer store, `voicemail` and `survey` the store of messages, all
else whoever is joined for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from acd.common.text import clean_label
from acd.ports import Answers
from acd.store.base import Database
from acd.store.voicemail import Message, Messages, MessageSettings, Note
from acd.types import AgentId, ContactId
from pasokh.errors import NotReadyError
from pasokh.settings import Settings

_LOWEST, _HIGHEST = 0, 10


@dataclass(frozen=True, slots=True)
class JoinedAnswers:
    """`by_what`: who answers a question of this name; `otherwise`: who answers all others."""

    by_what: Mapping[str, Answers]
    otherwise: Answers | None = None

    async def answer(
        self, contact: ContactId, what: str, args: Mapping[str, str]
    ) -> Mapping[str, str] | None:
        who = self.by_what.get(what, self.otherwise)
        return None if who is None else await who.answer(contact, what, args)


@dataclass(frozen=True, slots=True)
class AnswersForMessages:
    """Keeps what a caller said after the tone, and what they thought of us.

    `voicemail`: args `name` (of the RecordMessage; default `voicemail`) and `queue`. `survey`: args `score` (0 to 10),
    `reason`, `queue`, and `name` where the caller's own words were recorded. The answer is `result: ok`, as soon as
    it is safe on the disk; or `result: failed` for what cannot be understood.
    """

    messages: Messages
    now_us: Callable[[], int]

    async def answer(
        self, contact: ContactId, what: str, args: Mapping[str, str]
    ) -> Mapping[str, str] | None:
        name = args.get("name", "") or ("voicemail" if what == "voicemail" else "")
        written = args.get("score", "")
        score = int(written) if written.isascii() and written.isdecimal() and len(written) < 3 else None
        if (score is not None and not _LOWEST <= score <= _HIGHEST) or (written and score is None):
            return {"result": "failed"}
        note = Note(
            contact=contact,
            kind=what,
            at_us=self.now_us(),
            name=name,
            queue=args.get("queue") or None,
            score=score,
            reason=clean_label(args.get("reason", ""), 64) or None,
        )
        try:
            await self.messages.keep(note)
        except ValueError:
            return {"result": "failed"}
        return {"result": "ok"}


def join_messages(
    settings: Settings, database: Database, now_us: Callable[[], int], is_live: Callable[[ContactId], bool]
) -> Messages:
    """The store of messages, with its folders made. Raises NotReadyError."""
    folders = MessageSettings(
        inbox=settings.asterisk.messages,
        kept=settings.kept_messages,
        asked=settings.state / "messages" / "asked",
    )
    messages = Messages(database.writing, database.reporting, folders, now_us, is_live)
    try:
        messages.prepare()
    except OSError as error:
        raise NotReadyError(
            f"The folders of messages cannot be made: {error.strerror} ({error.filename}); "
            "correct [asterisk] messages, or the rights there."
        ) from None
    return messages


@dataclass(frozen=True, slots=True)
class MessageLists:
    """Implements `realtime.ports.Voicemails`."""

    messages: Messages

    async def recent(
        self,
        *,
        limit: int,
        before_us: int | None = None,
        kind: str | None = None,
        queue: str | None = None,
        state: str | None = None,
        agent: AgentId | None = None,
    ) -> Sequence[Mapping[str, object]]:
        found = await self.messages.recent(
            limit=limit, before_us=before_us, kind=kind, queue=queue, state=state, agent=agent
        )
        return [_plain(each) for each in found]

    async def one(self, message: str) -> Mapping[str, object] | None:
        found = await self.messages.one(message)
        return None if found is None else _plain(found)

    async def path(self, message: str) -> Path | None:
        found = await self.messages.file(message)
        return None if found is None else found.path

    async def heard(self, message: str, by: str) -> None:
        await self.messages.heard(message, by)

    async def assign(self, message: str, agent: AgentId | None, by: str) -> bool:
        return await self.messages.assign(message, agent, by)

    async def done(self, message: str, by: str) -> bool:
        return await self.messages.done(message, by)


def _plain(message: Message) -> dict[str, object]:
    return {name: value for name, value in dataclasses.asdict(message).items() if value is not None}
