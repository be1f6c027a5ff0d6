"""The steps of nodes that lead to people, or keep words for them: queue, voicemail, callback, transfer, survey."""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping

from acd.site import Language
from acd.verbs import (
    Ask,
    Collect,
    LineLeft,
    Recorded,
    RecordMessage,
    Reply,
    Say,
    Sounds,
    Transfer,
    Transferred,
    Verb,
    WaitInLine,
)
from ivr.flow import (
    QUEUE_WAYS,
    CallbackNode,
    Prompt,
    QueueNode,
    SurveyNode,
    TransferNode,
    VoicemailNode,
)
from ivr.say import cannot_connect
from ivr.steps import questions
from ivr.steps.talking import heard, one_key
from ivr.steps.waiting import WaitingScript
from ivr.steps.walk import CallOver, Lost, Steps, Walk

_KEY_WAIT_S = 6.0
_NUMBER_DIGITS = (3, 15)


def apology(walk: Walk) -> CallOver:
    """The end for a caller whom nobody can take: not without a word."""
    return CallOver((walk.around.sound(cannot_connect(walk.language)),))


def queue(walk: Walk, node: QueueNode, waiting: WaitingScript | None) -> Steps:
    resumed, walk.shared.resumed = walk.shared.resumed, False
    walk.shared.queue = _queue_of(node.queue, walk)
    reply = yield WaitInLine(
        walk.shared.queue,
        walk.language,
        node.priority,
        () if resumed else walk.sounds(node.welcome),
        walk.sounds(node.comfort),
        node.comfort_every_s if node.comfort is not None else None,
        waiting,
    )
    left = reply if isinstance(reply, LineLeft) else LineLeft(answered=False)
    if left.answered:
        if node.after is None:
            raise CallOver
        return node.after
    for way in (left.to, left.why, "unavailable"):
        if way in QUEUE_WAYS and (target := getattr(node, way)) is not None:
            return str(target)
    raise apology(walk)


def _queue_of(queues: Mapping[Language, str], walk: Walk) -> str:
    found = next((queue for language, queue in queues.items() if language == walk.language), None)
    if found is None:
        raise Lost
    return found


def transfer(walk: Walk, node: TransferNode) -> Steps:
    if node.prompt is not None:
        yield Say(walk.sounds(node.prompt))
    reply = yield Transfer(node.to, node.ring_timeout_s)
    if not isinstance(reply, Transferred) or not reply.answered:
        return walk.person_unless(node.unanswered)
    if node.after is None:
        raise CallOver
    return node.after


# Voicemail -------------------------------------------------------------------------------------------------


def voicemail(walk: Walk, node: VoicemailNode) -> Steps:
    message = yield from _message(walk, node)
    if message is None:
        if node.next is None:
            raise CallOver(walk.sounds(node.no_input))
        return node.next
    args = {
        "queue": _queue_of(node.queue, walk),
        "language": walk.language,
        "name": message.name,
        "seconds": f"{message.seconds:.1f}",
    }
    reply = yield Ask(questions.VOICEMAIL, args, node.deadline_s)
    if questions.result_of(reply) == "ok":
        return (yield from walk.finish(node.thanks, node.next))
    if node.failed is None:
        raise apology(walk)
    return node.failed


def _message(walk: Walk, node: VoicemailNode) -> Generator[Verb, Reply, Recorded | None]:
    """The message that the caller wants to be kept; the last one of a caller who only hangs on."""
    first: Prompt | None = None
    silent = 0
    while silent < node.tries:
        sounds = (*walk.sounds(first), *walk.sounds(node.prompt))
        message = yield from _recording(walk, walk.node, sounds, node.longest_s, node.silence_s)
        if message is None:
            first, silent = node.no_input, silent + 1
            continue
        if not node.confirm:
            return message
        key = yield from one_key(walk, walk.sounds(node.confirm_prompt), _KEY_WAIT_S)
        if key != "2":
            return message
        first, silent = None, 0
    return None


def _recording(
    walk: Walk, whose: str, sounds: tuple[str, ...], longest_s: float, silence_s: float
) -> Generator[Verb, Reply, Recorded | None]:
    """A recording under a name that this call has not used; None for silence."""
    walk.shared.recordings += 1
    name = f"{whose}-{walk.shared.recordings}"
    reply = yield RecordMessage(sounds, name, longest_s, silence_s)
    return reply if isinstance(reply, Recorded) and reply.seconds > 0 else None


# Callback --------------------------------------------------------------------------------------------------


def callback(walk: Walk, node: CallbackNode) -> Steps:
    reply = yield Ask(questions.CALLER, {}, questions.FACTS_DEADLINE_S)
    line = questions.answered(reply).get("number", "")
    key = (yield from _offered(walk, node, line)) if line else "2"
    if key == "2" and not node.other_number:
        return walk.person_unless(node.failed)
    number, first = "", None
    for _ in range(node.tries):
        if key == "2":
            keyed = yield from _number(walk, node, first)
            if keyed is None:
                break
            number = keyed
        if key not in ("1", "2"):
            break
        args = {"queue": _queue_of(node.queue, walk), "language": walk.language, "number": number}
        reply = yield Ask(questions.CALLBACK, args, node.deadline_s)
        match questions.result_of(reply):
            case "ok":
                return (yield from walk.finish(node.thanks, node.next))
            case "invalid" if node.other_number:
                key, first = "2", node.not_a_number
            case _:
                return walk.person_unless(node.failed)
    return walk.person_unless(node.declined)


def _offered(walk: Walk, node: CallbackNode, line: str) -> Generator[Verb, Reply, str]:
    """The caller's answer to a callback on this number: 1 yes, 2 on another one, "*" or "" no."""
    prompt = node.prompt if node.other_number else node.offer_without_other
    offer = walk.sounds(prompt, told={"number": ("phone", line)})
    return (yield from _choice(walk, node, offer, "12*" if node.other_number else "1*"))


def _choice(
    walk: Walk, node: CallbackNode | SurveyNode, sounds: Sounds, keys: Collection[str]
) -> Generator[Verb, Reply, str]:
    """One of these keys; "" from a caller who presses none of them."""
    first: Sounds = ()
    for _ in range(node.tries):
        key = yield from one_key(walk, (*first, *sounds), node.wait_s)
        if key and key in keys:
            return key
        first = walk.sounds(node.no_match if key else node.no_input)
    return ""


def _number(walk: Walk, node: CallbackNode, first: Prompt | None) -> Generator[Verb, Reply, str | None]:
    """A number that the caller keyed and said to be right; None for one who wants none."""
    least, most = _NUMBER_DIGITS
    for _ in range(node.tries):
        ask = Collect((*walk.sounds(first), *walk.sounds(node.ask_number)), most, node.wait_s)
        digits = yield from heard(walk, ask)
        if "*" in digits or not digits:
            return None
        if not (digits.isascii() and digits.isdigit() and len(digits) >= least):
            first = node.not_a_number
            continue
        told = {"number": ("phone", digits)}
        key = yield from one_key(walk, walk.sounds(node.confirm_number, told=told), node.wait_s)
        if key == "1":
            return digits
        first = None
    return None


# Survey ----------------------------------------------------------------------------------------------------


def survey(walk: Walk, node: SurveyNode) -> Steps:
    """The score is kept before the caller is asked for words: many hang up where they should speak."""
    said: dict[str, str] = {"survey": walk.node, "language": walk.language}
    if walk.shared.queue is not None:
        said["queue"] = walk.shared.queue
    score = yield from _choice(walk, node, walk.sounds(node.prompt), "12345")
    if score:
        said["score"] = score
        if node.reason is not None and int(score) <= node.reason.at_most:
            key = yield from _choice(walk, node, walk.sounds(node.reason.prompt), node.reason.keys)
            if key:
                said["reason"] = node.reason.keys[key]
        yield Ask(questions.SURVEY, {**said})
        if node.words is not None and int(score) <= node.words.at_most:
            words, whose = node.words, f"{questions.SURVEY_WORDS}{walk.node}"
            sounds = walk.sounds(words.prompt)
            spoken = yield from _recording(walk, whose, sounds, words.longest_s, words.silence_s)
            if spoken is not None:
                yield Ask(questions.SURVEY, {**said, "name": spoken.name})
    return (yield from walk.finish(node.thanks, node.next))
