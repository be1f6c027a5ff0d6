"""What callers hear: each prompt exists, and has its text in each language of the flow."""

from __future__ import annotations

from collections.abc import Iterator

from acd.common.document import Path, Tree
from acd.errors import Problem
from ivr.check.sentences import dotted, unknown
from ivr.flow import BUILT_IN, Flow, LanguageNode, Prompt


def said_problems(flow: Flow, tree: Tree) -> list[Problem]:
    return [*_names(flow, tree), *_texts(flow, tree), *_languages(flow, tree)]


def prompt_places(flow: Flow) -> Iterator[tuple[Path, Prompt]]:
    """Every prompt of every node, with its place in the document."""
    for name, node in flow.nodes.items():
        for path, prompt in node.prompts():
            yield ("nodes", name, *path), prompt


def _names(flow: Flow, tree: Tree) -> Iterator[Problem]:
    used: set[str] = set()
    for path, prompt in prompt_places(flow):
        if prompt.use is None:
            continue
        used.add(prompt.use)
        if prompt.use not in flow.prompts and prompt.use not in BUILT_IN:
            known = [*flow.prompts, *BUILT_IN]
            yield unknown(tree, path, "prompt", prompt.use, known, "add it under prompts")
    for name in flow.prompts:
        if name not in used and name not in BUILT_IN:
            path = ("prompts", name)
            fix = "use it or remove it"
            yield tree.problem(path, f'nobody says the prompt "{name}"', fix, severity="warning", at_key=True)


def _texts(flow: Flow, tree: Tree) -> Iterator[Problem]:
    written = [(path, prompt) for path, prompt in prompt_places(flow) if prompt.use is None]
    written += [(("prompts", name), prompt) for name, prompt in flow.prompts.items()]
    for path, prompt in written:
        slots: dict[frozenset[str], str] = {}
        for language in flow.languages:
            if prompt.text(language) is None:
                message = f"{dotted(path)} has no text in {language}"
                yield tree.problem(path, message, f"add `{language}: …`", at_key=True)
            else:
                slots.setdefault(frozenset(slot.name for slot in prompt.slots(language)), language)
        if len(slots) > 1:
            message = f"{dotted(path)} does not say the same values in {' and '.join(slots.values())}"
            fix = "give each language the same slots"
            yield tree.problem(path, message, fix, severity="warning", at_key=True)


def _languages(flow: Flow, tree: Tree) -> Iterator[Problem]:
    for at, language in enumerate(flow.languages):
        if language in flow.languages[:at]:
            yield tree.problem(("languages", at), f"{language} is listed twice", "remove one")
    for name, node in flow.nodes.items():
        if isinstance(node, LanguageNode):
            for key, chosen in node.keys.items():
                if chosen not in flow.languages:
                    message = f"the key {key} chooses {chosen}, which is no language of the flow"
                    path: Path = ("nodes", name, "keys", key)
                    yield tree.problem(path, message, f"add {chosen} to languages")
        queues = getattr(node, "queue", None)
        if isinstance(queues, dict):
            for language in flow.languages:
                if language not in queues:
                    message = f'the node "{name}" has no queue for callers in {language}'
                    yield tree.problem(("nodes", name, "queue"), message, f"add `{language}: …`")
