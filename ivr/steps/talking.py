"""The steps of nodes that speak and listen: say, menu, codes, collect, language."""

from __future__ import annotations

from collections.abc import Collection, Generator

from acd.verbs import Collect, Digits, Key, Reply, Say, Sounds, Verb
from ivr.flow import CodesNode, CollectNode, LanguageNode, MenuNode, Prompt, SayNode, last4
from ivr.steps.entries import read_entry
from ivr.steps.walk import ALL_KEYS, Steps, Walk, as_text

_READ_BACKS = 2
"""How often what was keyed is read back to a caller who does not say whether it is right."""


def keys_of(reply: Reply) -> str:
    """What was pressed; a reply that does not fit counts as silence."""
    if isinstance(reply, Digits):
        return reply.digits
    return reply.key if isinstance(reply, Key) else ""


def heard(walk: Walk, verb: Collect, choices: Collection[str] = ()) -> Generator[Verb, Reply, str]:
    """What is keyed, without the end key; "" for silence. An end key that is late is not heard, unless it is one of
    the `choices`."""
    keys, complete = _keyed((yield verb))
    if walk.is_late_key(keys, complete) and keys not in choices:
        keys, _ = _keyed((yield verb))
    if verb.end_key and len(keys) == verb.max_digits:
        walk.shared.late_key = verb.end_key
    return keys.removesuffix(verb.end_key) if verb.end_key else keys


def _keyed(reply: Reply) -> tuple[str, bool]:
    return keys_of(reply), not isinstance(reply, Digits) or reply.complete


def one_key(
    walk: Walk, sounds: Sounds, wait_s: float, barge_in: bool = True, choices: Collection[str] = ()
) -> Generator[Verb, Reply, str]:
    """Play and take one key; "" for silence."""
    if not barge_in:
        yield Say(sounds)
        sounds = ()
    keys = yield from heard(walk, Collect(sounds, 1, first_key_s=wait_s, end_key=""), choices)
    return keys[:1]


def say(walk: Walk, node: SayNode) -> Steps:
    verb = Say(walk.sounds(node.prompt), ALL_KEYS if node.skippable else "")
    reply = yield verb
    if isinstance(reply, Key) and walk.is_late_key(reply.key, True):
        reply = yield verb
    walk.shared.ahead = reply.key if isinstance(reply, Key) else None
    return node.next


def menu(walk: Walk, node: MenuNode) -> Steps:
    key, strikes = walk.take_ahead(), 0
    first: Prompt | None = None
    while True:
        if not key:
            sounds = (*walk.sounds(first), *walk.sounds(node.prompt))
            key = yield from one_key(walk, sounds, node.wait_s, node.barge_in, node.keys)
        if key in node.keys:
            return node.keys[key]
        strikes += 1
        if strikes >= node.tries:
            return walk.person_unless(node.after_tries)
        first, key = node.no_match if key else node.no_input, ""


def codes(walk: Walk, node: CodesNode) -> Steps:
    keyed = walk.take_ahead() or ""
    first: Prompt | None = None
    for _ in range(node.tries):
        sounds: Sounds = () if keyed else (*walk.sounds(first), *walk.sounds(node.prompt))
        if sounds and not node.barge_in:
            yield Say(sounds)
            sounds = ()
        code = yield from _code(walk, node, sounds, keyed)
        if code in node.codes:
            return node.codes[code]
        first, keyed = node.no_match if code else node.no_input, ""
    return walk.person_unless(node.after_tries)


def _code(walk: Walk, node: CodesNode, sounds: Sounds, keyed: str) -> Generator[Verb, Reply, str]:
    """What is keyed, until it is one code and no other, or cannot become one. A wrong code is heard to its end, lest
    the rest of it counts for the next question."""
    while more := _digits_to_come(node.codes, keyed):
        wait_s = node.next_key_s if keyed else node.wait_s
        digits = yield from heard(
            walk, Collect(() if keyed else sounds, more, first_key_s=wait_s, next_key_s=node.next_key_s)
        )
        keyed += digits
        if len(digits) < more:
            break
        if _digits_to_come(node.codes, keyed):
            walk.shared.late_key = ""  # an end key would be in time
    return keyed


def _digits_to_come(codes: Collection[str], keyed: str) -> int:
    """How many digits there are at least to the next code that begins so; of what begins none, to the longest."""
    longer = [len(code) for code in codes if code.startswith(keyed) and len(code) > len(keyed)]
    if longer:
        return min(longer) - len(keyed)
    return 0 if keyed in codes else max(0, max(map(len, codes)) - len(keyed))


def language(walk: Walk, node: LanguageNode) -> Steps:
    key = walk.take_ahead()
    for _ in range(node.tries):
        if not key:
            sounds = [s for each in node.keys.values() for s in walk.sounds(node.prompt, each)]
            key = yield from one_key(walk, tuple(dict.fromkeys(sounds)), node.wait_s)
        if key in node.keys:
            walk.shared.language = node.keys[key]
            break
        key = ""
    walk.shared.language_known = True
    return node.next


def collect(walk: Walk, node: CollectNode) -> Steps:
    first: Prompt | None = None
    for _ in range(node.tries):
        sounds = (*walk.sounds(first), *walk.sounds(node.prompt))
        if not node.barge_in:
            yield Say(sounds)
            sounds = ()
        ask = Collect(
            sounds,
            max_digits=node.bounds[1],
            first_key_s=node.first_key_s,
            next_key_s=node.next_key_s,
            end_key=node.end_key,
            secret=node.is_secret,
        )
        digits = yield from heard(walk, ask)
        value = read_entry(node, digits)
        if value is None:
            first = node.no_match if digits else node.no_input
        elif not node.confirm or (yield from _is_right(walk, node, as_text(value))):
            _fill(walk, node, value)
            return node.next
        else:
            first = None
    return walk.person_unless(node.after_tries)


def _is_right(walk: Walk, node: CollectNode, value: str) -> Generator[Verb, Reply, bool]:
    """Whether the caller says, by 1, that this is what they meant."""
    told = {"value": (node.spoken, value[-4:] if node.type == "card" else value)}
    for _ in range(_READ_BACKS):
        key = yield from one_key(walk, walk.sounds(node.read_back, told=told), node.first_key_s)
        if key in ("1", "2"):
            return key == "1"
    return False


def _fill(walk: Walk, node: CollectNode, value: str | int) -> None:
    walk.put(node.into, value, node.spoken, secret=node.is_secret)
    if node.type == "card":
        walk.put(last4(node.into), str(value)[-4:], "digits")
