"""What each kind of node does, step by step: one generator of verbs for each, in the files of their families."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from acd.verbs import Hangup, Position
from ivr.flow import (
    AnyNode,
    AskNode,
    AuthenticateNode,
    BranchNode,
    CallbackNode,
    CodesNode,
    CollectNode,
    HangupNode,
    HoursNode,
    LanguageNode,
    LookupNode,
    MenuNode,
    QueueNode,
    ReturnNode,
    SayNode,
    SetNode,
    SubNode,
    SurveyNode,
    TransferNode,
    VoicemailNode,
)
from ivr.steps import asking, deciding, people, talking
from ivr.steps.waiting import WaitingScript
from ivr.steps.walk import CallOver, Returned, Steps, Walk

__all__ = ["steps_of"]


def steps_of(
    walk: Walk, node: AnyNode, position: Callable[[], Position], sub: Callable[[Walk, SubNode], Steps]
) -> Steps:
    """The steps of a node. `sub` walks another flow."""
    match node:
        case SayNode():
            return talking.say(walk, node)
        case MenuNode():
            return talking.menu(walk, node)
        case CodesNode():
            return talking.codes(walk, node)
        case CollectNode():
            return talking.collect(walk, node)
        case LanguageNode():
            return talking.language(walk, node)
        case HangupNode():
            raise CallOver(walk.sounds(node.prompt))
        case HoursNode():
            return deciding.hours(walk, node)
        case BranchNode():
            return deciding.branch(walk, node)
        case SetNode():
            return deciding.set_values(walk, node)
        case SubNode():
            return sub(walk, node)
        case ReturnNode():
            return _returned(node)
        case AskNode():
            return asking.ask(walk, node)
        case LookupNode():
            return asking.lookup(walk, node)
        case AuthenticateNode():
            return asking.authenticate(walk, node)
        case QueueNode():
            waiting = node.waiting
            script = WaitingScript(walk, waiting, position()) if waiting is not None else None
            return people.queue(walk, node, script)
        case VoicemailNode():
            return people.voicemail(walk, node)
        case CallbackNode():
            return people.callback(walk, node)
        case TransferNode():
            return people.transfer(walk, node)
        case SurveyNode():
            return people.survey(walk, node)
        case _:
            assert_never(node)


def _returned(node: ReturnNode) -> Steps:
    return Returned(node.outcome)
    yield Hangup()  # a generator like its siblings, though it never asks
