"""A flow as a whole: its nodes, its prompts, what it can say, and the name of its content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Annotated, get_args

from pydantic import BeforeValidator, Field

from acd.common.document import nearest, wrong
from acd.site import Id, Label, Language
from ivr.flow.asking import AskNode, AuthenticateNode, LookupNode
from ivr.flow.base import (
    Model,
    Name,
    NodeModel,
    Prompt,
    Recording,
    Slot,
    expression,
    parts_of,
    variables_in,
)
from ivr.flow.deciding import BranchNode, HoursNode, ReturnNode, SetNode, SubNode
from ivr.flow.people import CallbackNode, QueueNode, SurveyNode, TransferNode, VoicemailNode
from ivr.flow.spoken import BUILT_IN
from ivr.flow.talking import CodesNode, CollectNode, HangupNode, LanguageNode, MenuNode, SayNode
from ivr.phrase import Phrase

AnyNode = (
    SayNode
    | MenuNode
    | CodesNode
    | CollectNode
    | LanguageNode
    | HangupNode
    | HoursNode
    | BranchNode
    | SetNode
    | SubNode
    | ReturnNode
    | AskNode
    | LookupNode
    | AuthenticateNode
    | QueueNode
    | VoicemailNode
    | CallbackNode
    | TransferNode
    | SurveyNode
)
KINDS: tuple[str, ...] = tuple(
    sorted(get_args(node.model_fields["kind"].annotation)[0] for node in get_args(AnyNode))
)


def _known_kind(value: object) -> object:
    if not isinstance(value, dict):
        return value
    kind = value.get("kind")
    if kind is None:
        raise wrong("the node has no kind", f"add a line `kind: …` with one of {', '.join(KINDS)}")
    if kind not in KINDS:
        meant = nearest(str(kind), KINDS)
        fix = f'write "{meant}"' if meant else f"use one of {', '.join(KINDS)}"
        raise wrong(f'the kind "{str(kind)[:40]}" is not known', fix)
    return value


Node = Annotated[Annotated[AnyNode, Field(discriminator="kind")], BeforeValidator(_known_kind)]


class Flow(Model):
    """A whole flow. `languages`: those every prompt has, the default first. `person`: where a caller goes who
    cannot help themselves (three strikes, or lost in the menus). A flow that others call says what it `takes` and
    what it `returns`; without a `person` of its own it leaves such callers to the flow that called it."""

    flow: Id
    label: Label | None = None
    languages: Annotated[tuple[Language, ...], Field(min_length=1)] = ("fa", "en")
    start: Id
    person: Id | None = None
    takes: tuple[Name, ...] = ()
    returns: tuple[Name, ...] = ()
    prompts: dict[Recording, Prompt] = Field(default={})
    nodes: Annotated[dict[Id, Node], Field(min_length=1)]

    @property
    def is_called(self) -> bool:
        """Whether it is written to be called by other flows."""
        return any(isinstance(node, ReturnNode) for node in self.nodes.values())

    def written(self, prompt: Prompt) -> Prompt | None:
        """The prompt with the texts: itself, the one of the flow that it names, or the one that every flow has."""
        if prompt.use is None:
            return prompt
        return self.prompts.get(prompt.use) or BUILT_IN.get(prompt.use)

    def parts(self, prompt: Prompt, language: str) -> tuple[Phrase | Slot, ...]:
        """What `prompt` says in `language`, or in the flow's first language that has it; () if in none."""
        said = self.written(prompt)
        if said is None:
            return ()
        for candidate in (language, *self.languages):
            if (text := said.text(candidate)) is not None:
                return parts_of(text, candidate, said.recorded or prompt.use)
        return ()

    def names_read(self, node: NodeModel, language: str) -> frozenset[str]:
        """The variables that a node says, asks with or judges by; not those that only its own prompt knows."""
        found: set[str] = set()
        for path, text in node.conditions():
            read = {each[1] for each in expression(text).paths if each[0] == "values" and len(each) > 1}
            found |= read - node.filled_before(path)
        for each in node.reads():
            found |= set(variables_in(each.text)) - node.filled_before(each.path)
        for path, prompt in node.prompts():
            said = self.written(prompt)
            own = node.local_slots.get(str(path[0]), frozenset())
            found |= {slot.name for slot in said.slots(language)} - own if said is not None else set()
        return frozenset(found)

    def phrases(self) -> frozenset[Phrase]:
        """Every fixed phrase of this flow, in all its languages. What fills its slots is `ivr.say`'s vocabulary."""
        return frozenset(
            part
            for prompt in self._all_prompts()
            for language in self.languages
            for part in self.parts(prompt, language)
            if isinstance(part, Phrase)
        )

    def _all_prompts(self) -> Iterator[Prompt]:
        for node in self.nodes.values():
            yield from (prompt for _, prompt in node.prompts())
            if isinstance(node, QueueNode) and node.waiting is not None and node.waiting.estimated_wait:
                yield from (Prompt(use=name) for name in ("estimated-wait", "estimated-wait-short"))


def version_of(flow: Flow) -> str:
    """12 hexadecimal digits that name this content: the beginning of SHA-256 over its canonical JSON."""
    data = flow.model_dump(mode="json", by_alias=True)
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
