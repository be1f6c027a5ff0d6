"""A script's question to the house: answered in time, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from acd.ports import Answers
from acd.types import ContactId
from acd.verbs import Answer, Ask

from .agi import AgiSession
from .doors import SessionCounters, drop, spawn


async def ask(
    agi: AgiSession,
    answers: Answers,
    contact: ContactId,
    verb: Ask,
    counters: SessionCounters,
    call: Coroutine[Any, Any, None] | None = None,
) -> Answer | None:
    """An answer in time, or none; the caller's hang-up ends the waiting at once, and so does `call`, which then
    makes the reply None: nothing was heard yet."""
    asking = spawn(answers.answer(contact, verb.what, verb.args))
    others = [spawn(agi.ended.wait()), *([spawn(call)] if call is not None else [])]
    try:
        await asyncio.wait({asking, *others}, timeout=verb.deadline_s, return_when=asyncio.FIRST_COMPLETED)
        if agi.ended.is_set():
            raise agi.end_reason()
        if not asking.done() and len(others) > 1 and others[1].done():
            return None
        if not asking.done() or asking.exception() is not None:
            counters.answers_missing += 1
            return Answer(None)
        return Answer(asking.result())
    finally:
        await drop(asking, *others)
