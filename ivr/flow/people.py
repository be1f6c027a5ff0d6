"""Nodes that lead to people, or keep words for them: queue, voicemail, callback, transfer, survey."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from acd.common.document import Written, wrong
from acd.site import Id, Language
from ivr.flow.base import (
    Edge,
    Key,
    Model,
    Name,
    NodeModel,
    Spoken,
    Stray,
    Tries,
    Wait,
    named,
    one_queue,
    ways_of,
)

Often = Annotated[float, Field(ge=5, le=3_600, allow_inf_nan=False)]
QueueByLanguage = Annotated[dict[Language, Id], BeforeValidator(one_queue)]
RecordLimit = Annotated[float, Field(ge=3, le=600, allow_inf_nan=False)]
Silence = Annotated[float, Field(ge=1, le=30, allow_inf_nan=False)]

QUEUE_WAYS = (
    "full", "closed", "empty", "max_wait", "voicemail", "callback", "announcement", "menu", "unavailable",
)  # fmt: skip


class Waiting(Model):
    """What a waiting caller hears, first after `first_after_s`, then `every_s`, music in between.

    `position` and `estimated_wait` are said when they are known, and only when they are lower than what was said
    before. One of `messages` follows, in turn; then `offer`, which tells the `keys` (each a way of the queue node).
    """

    position: bool = False
    estimated_wait: bool = False
    longest_estimate_s: Annotated[float, Field(ge=60, le=7_200)] = 1_800
    messages: tuple[Spoken, ...] = ()
    keys: dict[Key, Literal["menu", "callback", "voicemail"]] = Field(default={})
    offer: Spoken | None = None
    first_after_s: Often = 15
    every_s: Often = 45

    @model_validator(mode="after")
    def _says_its_keys(self) -> Self:
        if self.keys and self.offer is None:
            raise wrong("waiting callers are not told of the keys", "add `offer: …` which says them")
        if self.offer is not None and not self.keys:
            raise wrong("the offer has no key", 'add `keys: {"1": callback}`')
        return self


class QueueNode(NodeModel):
    """Hands the caller over to a queue. `queue` is one id, or one for each language: `{fa: cards, en: english}`.

    `after`: where a caller goes who is still there when the talk is over (default: the call ends). The other ways
    are taken by reason: the line is `full` or `closed`, nobody is there to take calls (`empty`), the longest wait is
    over (`max_wait`); the site or the caller chose `voicemail`, `callback`, `announcement` or `menu`. Those that are
    not written go `unavailable` (default: an apology, then the call ends).
    """

    kind: Literal["queue"]
    queue: QueueByLanguage
    priority: Annotated[int, Field(ge=-100, le=100)] = 0
    welcome: Spoken | None = None
    comfort: Spoken | None = None
    comfort_every_s: Often = 30
    waiting: Waiting | None = None
    after: Id | None = None
    full: Id | None = None
    closed: Id | None = None
    empty: Id | None = None
    max_wait: Id | None = None
    voicemail: Id | None = None
    callback: Id | None = None
    announcement: Id | None = None
    menu: Id | None = None
    unavailable: Id | None = None

    @model_validator(mode="after")
    def _one_comfort(self) -> Self:
        if self.waiting is None:
            return self
        if self.comfort is not None:
            raise wrong("the node has both comfort and waiting", "put the comfort under waiting.messages")
        for key, way in self.waiting.keys.items():
            if getattr(self, way) is None:
                raise wrong(f"the key {key} leads to {way}, which the node does not have", f"add `{way}: …`")
        return self

    def edges(self) -> Iterator[Edge]:
        yield from ways_of(self, "after", waits=True)
        keyed = set(self.waiting.keys.values()) if self.waiting is not None else set()
        for way in QUEUE_WAYS:
            yield from ways_of(self, way, waits=way == "max_wait" or way in keyed)

    @property
    def may_end(self) -> bool:
        return True


class VoicemailNode(NodeModel):
    """Takes a message for a queue. `confirm`: the caller may record it anew before it is kept. Then `thanks`, and
    `next` (default: the call ends). `failed`: it could not be kept (default: an apology, then the call ends)."""

    kind: Literal["voicemail"]
    queue: QueueByLanguage
    prompt: Spoken = named("leave-message")
    confirm: bool = True
    confirm_prompt: Spoken = named("message-keys")
    no_input: Spoken = named("no-message")
    thanks: Spoken = named("message-kept")
    tries: Tries = 2
    longest_s: RecordLimit = 120
    silence_s: Silence = 4
    deadline_s: Annotated[float, Field(gt=0, le=30)] = 5
    next: Id | None = None
    failed: Id | None = None

    def unsaid(self) -> frozenset[str]:
        return frozenset() if self.confirm else frozenset({"confirm_prompt"})

    def edges(self) -> Iterator[Edge]:
        yield from ways_of(self, "next", "failed", waits=True)

    @property
    def may_end(self) -> bool:
        return self.next is None or self.failed is None


class CallbackNode(NodeModel):
    """Offers to call back: on the number of the line, or on one that is keyed (`other_number`). The caller confirms
    by 1; 2 keys another number; `*` declines.

    `declined`: where one goes who declines or says nothing (default: the flow's person). `failed`: nobody could
    note it (default: the person too). Then `thanks`, and `next` (default: the call ends).
    """

    kind: Literal["callback"]
    queue: QueueByLanguage
    prompt: Spoken = named("callback-offer")
    offer_without_other: Spoken = named("callback-offer-here")
    ask_number: Spoken = named("callback-number")
    confirm_number: Spoken = named("callback-confirm")
    no_input: Spoken = named("no-input")
    no_match: Spoken = named("no-match")
    not_a_number: Spoken = named("not-a-number")
    thanks: Spoken = named("callback-noted")
    other_number: bool = True
    tries: Tries = 3
    wait_s: Wait = 6
    deadline_s: Annotated[float, Field(gt=0, le=30)] = 3
    next: Id | None = None
    declined: Id | None = None
    failed: Id | None = None

    local_slots: ClassVar[Mapping[str, frozenset[str]]] = {
        "prompt": frozenset({"number"}),
        "offer_without_other": frozenset({"number"}),
        "confirm_number": frozenset({"number"}),
    }

    def unsaid(self) -> frozenset[str]:
        return frozenset({"offer_without_other" if self.other_number else "prompt"})

    def edges(self) -> Iterator[Edge]:
        yield from ways_of(self, "next", "declined", "failed", waits=True)

    @property
    def may_end(self) -> bool:
        return self.next is None

    def failures(self) -> Iterator[Stray]:
        yield Stray("declined", "wants no callback", waits=True)
        yield Stray("failed", "cannot be noted for a callback", waits=True)


class TransferNode(NodeModel):
    """Connects the caller with an outside number that the site allows. `unanswered`: where to go when nobody
    answers (default: the flow's person). `after`: when that talk is over (default: the call ends)."""

    kind: Literal["transfer"]
    to: Annotated[Written, Field(pattern=r"^\+?[0-9]{2,20}$")]
    prompt: Spoken | None = None
    ring_timeout_s: Annotated[float, Field(ge=5, le=120)] = 30
    after: Id | None = None
    unanswered: Id | None = None

    def edges(self) -> Iterator[Edge]:
        yield from ways_of(self, "after", "unanswered", waits=True)

    @property
    def may_end(self) -> bool:
        return self.after is None

    def failures(self) -> Iterator[Stray]:
        yield Stray("unanswered", "reaches nobody at that number", waits=True)


class SurveyReason(Model):
    """Why the score is what it is, by one key; asked when the score is at most `at_most`."""

    prompt: Spoken
    keys: Annotated[dict[Key, Name], Field(min_length=1)]
    at_most: Annotated[int, Field(ge=1, le=5)] = 5


class SurveyWords(Model):
    """The caller's own words, recorded; asked for when the score is at most `at_most`."""

    prompt: Spoken = named("survey-words")
    longest_s: RecordLimit = 60
    silence_s: Silence = 4
    at_most: Annotated[int, Field(ge=1, le=5)] = 5


class SurveyNode(NodeModel):
    """A score from 1 to 5, its reason, and free words. Whoever does not answer is not pressed: what was said is
    kept, and the call goes on."""

    kind: Literal["survey"]
    prompt: Spoken = named("survey-score")
    reason: SurveyReason | None = None
    words: SurveyWords | None = None
    no_input: Spoken = named("no-input")
    no_match: Spoken = named("no-match")
    thanks: Spoken = named("survey-thanks")
    tries: Tries = 2
    wait_s: Wait = 6
    next: Id | None = None

    def edges(self) -> Iterator[Edge]:
        yield from ways_of(self, "next", waits=True)

    @property
    def may_end(self) -> bool:
        return self.next is None
