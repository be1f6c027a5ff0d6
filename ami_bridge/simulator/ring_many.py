"""`Dial` with several phones: all ring, the first to answer has the caller, and the others are cancelled.

The order of events was read from a real Asterisk 22.10: all channels are made before the first ring is told, a loser's
`CANCEL` comes before the winner's `ANSWER`, and its channel ends with cause 26 (answered elsewhere).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from . import channel as states
from .exchange import Exchange
from .line import Line
from .phones import Phone, Pickup, Ring
from .ring import FAILURES, RingStyle, Rung, talk

ELSEWHERE = 26


@dataclass(slots=True)
class _Leg:
    """`decides_at`: loop time at which the phone answers or refuses; None is never."""

    phone: Phone
    line: Line
    plan: Ring
    replies_at: float
    decides_at: float | None
    rings: bool

    def due_at(self) -> float | None:
        waits = [self.decides_at, self.replies_at if self.rings else None]
        return min((at for at in waits if at is not None), default=None)


async def ring_many(
    exchange: Exchange,
    line: Line,
    phones: Sequence[Phone],
    seconds: float | None,
    styles: Sequence[RingStyle],
) -> Rung:
    """Rings these phones for at most `seconds`, and carries the talk with the first that answers."""
    legs = _called(exchange, line, phones, styles)
    try:
        return await _until_one_answers(exchange, line, legs, seconds, dict(zip(phones, styles, strict=True)))
    finally:
        line.partner = None
        for leg in list(legs):
            _close(exchange, legs, leg)


def _called(
    exchange: Exchange, line: Line, phones: Sequence[Phone], styles: Sequence[RingStyle]
) -> list[_Leg]:
    """All channels first, then all rings."""
    caller = line.channel
    lines = []
    for phone in phones:
        leg = exchange.new_line(phone.name, "pasokh-phones", "s", parent=line)
        leg.emit("Newchannel")
        agent = leg.channel
        agent.caller_number, agent.connected_number = "s", caller.caller_number
        agent.connected_name = caller.caller_name
        leg.emit("NewCallerid", {"CID-CallingPres": "0 (Presentation Allowed, Not Screened)"})
        leg.emit("NewConnectedLine")
        agent.application, agent.application_data = "AppDial", "(Outgoing Line)"
        leg.partner = line
        phone.legs.append(leg)
        line.story.rung.append(phone.name)
        lines.append(leg)
    legs = []
    for phone, leg, style in zip(phones, lines, styles, strict=True):
        plan = phone.next_ring()
        line.emit_with("DialBegin", leg, {"DialString": style.dial_string})
        replies_at = asyncio.get_running_loop().time() + exchange.settings.reply_delay_s
        decides_at = None if plan.pickup is Pickup.NO_ANSWER else replies_at + plan.after_s
        rings = decides_at is None or plan.pickup is Pickup.ANSWER or plan.after_s > 0
        legs.append(_Leg(phone, leg, plan, replies_at, decides_at, rings))
    line.music_off()
    return legs


async def _until_one_answers(
    exchange: Exchange,
    line: Line,
    legs: list[_Leg],
    seconds: float | None,
    styles: dict[Phone, RingStyle],
) -> Rung:
    loop = asyncio.get_running_loop()
    limit = None if seconds is None else loop.time() + seconds
    statuses: list[str] = []
    while True:
        now = loop.time()
        if line.gone:
            _end_all(exchange, line, legs, "CANCEL", 16)
            return Rung("CANCEL", caller_left=True)
        for leg in list(legs):
            if (status := _over(exchange, line, legs, leg, now)) is not None:
                statuses.append(status)
        winner = next((leg for leg in legs if _answers(leg, now)), None)
        if winner is not None:
            return await _talk(exchange, line, legs, winner, styles[winner.phone])
        if not legs:
            return Rung("BUSY" if "BUSY" in statuses else statuses[-1])
        if limit is not None and now >= limit:
            _end_all(exchange, line, legs, "NOANSWER", 0)
            return Rung("NOANSWER")
        waits = [limit, *(leg.due_at() for leg in legs)]
        await line.changed(min((at for at in waits if at is not None), default=None))


def _answers(leg: _Leg, now: float) -> bool:
    due = leg.decides_at is not None and now >= leg.decides_at
    return leg.phone.picked_up or (due and leg.plan.pickup is Pickup.ANSWER)


def _over(exchange: Exchange, line: Line, legs: list[_Leg], leg: _Leg, now: float) -> str | None:
    """How this phone's ring ended, as DIALSTATUS has it; None while it goes on."""
    if leg.rings and now >= leg.replies_at:
        leg.rings = False
        leg.line.new_state(states.RINGING)
        line.emit_with("DialState", leg.line, {"DialStatus": "RINGING"})
        exchange.phone_changed(leg.phone)
    pickup = leg.plan.pickup
    if leg.line.hung_up:
        pickup = Pickup.REJECT
        if not leg.line.far_end_left:  # a manager hung it up
            line.emit_with("DialEnd", leg.line, {"DialStatus": "NOANSWER"})
            _close(exchange, legs, leg)
            return "CHANUNAVAIL"
    elif leg.phone.picked_up or pickup is Pickup.ANSWER or leg.decides_at is None or now < leg.decides_at:
        return None
    status, told, cause, technical = FAILURES[pickup]
    leg.line.ask_hangup(cause=cause, technical=technical)
    for channel in (leg.line.channel, line.channel):
        channel.hangup_cause, channel.technical_cause = cause, technical
    line.emit_with("DialEnd", leg.line, {"DialStatus": told})
    _close(exchange, legs, leg)
    return status


async def _talk(exchange: Exchange, line: Line, legs: list[_Leg], winner: _Leg, style: RingStyle) -> Rung:
    winner.line.answer()
    others = [leg for leg in legs if leg is not winner]
    _end_all(exchange, line, others, "CANCEL", ELSEWHERE)
    legs[:] = [winner]
    winner.phone.answered += 1
    line.partner = winner.line
    return await talk(exchange, line, winner.line, winner.phone, winner.plan, style)


def _end_all(exchange: Exchange, line: Line, legs: list[_Leg], status: str, cause: int) -> None:
    for leg in list(legs):
        line.emit_with("DialEnd", leg.line, {"DialStatus": status})
        leg.line.channel.hangup_cause = cause
        _close(exchange, legs, leg)


def _close(exchange: Exchange, legs: list[_Leg], leg: _Leg) -> None:
    legs.remove(leg)
    leg.phone.legs.remove(leg.line)
    leg.line.end()
    exchange.phone_changed(leg.phone)
