"""What a waiting caller hears and may press: position and estimated wait when they help, messages, an offer.

A number that goes up is worse than none, so each is said only when it is lower than what was said before. The
caller's session cuts all of this short for an agent.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from itertools import count

from acd.types import LeftFor
from acd.verbs import Ask, Hangup, Key, LeaveLine, Pause, Position, Reply, Say, Sounds, Verb
from ivr.flow import Waiting, named
from ivr.say import ahead_in_line
from ivr.steps import questions
from ivr.steps.walk import Walk

_SHORT_WAIT_S = 120
_LEFT = {"menu": LeftFor.MENU, "callback": LeftFor.CALLBACK, "voicemail": LeftFor.VOICEMAIL}


@dataclass(slots=True)
class _Told:
    """The lowest that was said so far."""

    ahead: int | None = None
    minutes: int | None = None


class WaitingScript:
    """The script of `WaitInLine.waiting` (`acd.verbs.Script`): it never ends by itself but by a key."""

    def __init__(self, walk: Walk, waiting: Waiting, position: Position) -> None:
        self._walk = walk
        self._waiting = waiting
        self._position = position
        self._steps: Generator[Verb, Reply, None] | None = None

    @property
    def position(self) -> Position:
        return self._position

    @property
    def passed(self) -> tuple[str, ...]:
        return ()

    def next(self, reply: Reply) -> Verb:
        """The next verb; the first call begins it, whatever the reply is."""
        try:
            if self._steps is None:
                self._steps = self._run()
                return next(self._steps)
            return self._steps.send(reply)
        except StopIteration:
            return Hangup()

    def _run(self) -> Generator[Verb, Reply, None]:
        waiting, told = self._waiting, _Told()
        keys = "".join(waiting.keys)
        pause_s = waiting.first_after_s
        for turn in count():
            reply = yield Pause(pause_s, keys)
            if not isinstance(reply, Key):
                sounds = yield from self._sounds(turn, told)
                pause_s = waiting.every_s
                if not sounds:
                    continue
                reply = yield Say(sounds, keys)
            if isinstance(reply, Key) and reply.key in waiting.keys:
                yield LeaveLine(_LEFT[waiting.keys[reply.key]])
                return

    def _sounds(self, turn: int, told: _Told) -> Generator[Verb, Reply, Sounds]:
        waiting, walk = self._waiting, self._walk
        sounds: Sounds = ()
        if waiting.position or waiting.estimated_wait:
            reply = yield Ask(questions.PLACE, {}, questions.FACTS_DEADLINE_S)
            fields = questions.answered(reply)
            if waiting.position:
                sounds += self._ahead(questions.number_of(fields.get("ahead", "")), told)
            if waiting.estimated_wait:
                sounds += self._estimate(questions.number_of(fields.get("estimated_wait_s", "")), told)
        if waiting.messages:
            sounds += walk.sounds(waiting.messages[turn % len(waiting.messages)])
        return sounds + walk.sounds(waiting.offer)

    def _ahead(self, ahead: float | None, told: _Told) -> Sounds:
        if ahead is None or ahead < 0 or (told.ahead is not None and ahead >= told.ahead):
            return ()
        told.ahead = int(ahead)
        return tuple(
            self._walk.around.sound(phrase) for phrase in ahead_in_line(told.ahead, self._walk.language)
        )

    def _estimate(self, wait_s: float | None, told: _Told) -> Sounds:
        """In whole minutes, rounded up; below two minutes it is only said that it is short."""
        if wait_s is None or wait_s < 0 or wait_s > self._waiting.longest_estimate_s:
            return ()
        minutes = 1 if wait_s < _SHORT_WAIT_S else -(-int(wait_s) // 60)
        if told.minutes is not None and minutes >= told.minutes:
            return ()
        told.minutes = minutes
        if minutes == 1:
            return self._walk.sounds(named("estimated-wait-short"))
        return self._walk.sounds(named("estimated-wait"), told={"minutes": ("number", str(minutes))})
