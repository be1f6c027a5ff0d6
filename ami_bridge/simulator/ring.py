"""One phone is rung, talks, and one side leaves; for Dial as for the fallback queue.

The order of events and what each outcome leaves behind (DIALSTATUS, HANGUPCAUSE, the causes of the leg) were read
from a real Asterisk 22.10; so was this: ANSWEREDTIME after Dial is the time since the *caller's* channel was
answered, which our dialplan does long before the agent is rung. It is not the length of the talk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from . import channel as states
from .exchange import Exchange
from .line import Line
from .phones import Phone, Pickup, Ring

FAILURES = {
    # pickup: DIALSTATUS, DialStatus of DialEnd, cause, SIP code
    Pickup.BUSY: ("BUSY", "BUSY", 17, "486"),
    Pickup.REJECT: ("CHANUNAVAIL", "NOANSWER", 21, "603"),
    Pickup.UNAVAILABLE: ("NOANSWER", "NOANSWER", 19, "480"),
}


@dataclass(frozen=True, slots=True)
class RingStyle:
    """Where Dial and Queue differ. `called_number` is what the agent's leg is called."""

    called_number: str
    dial_string: str
    from_queue: bool = False
    exten_when_answered: str = ""
    on_called: Callable[[Line, Line], None] = lambda caller, leg: None
    on_connected: Callable[[Line, Line], None] = lambda caller, leg: None
    on_completed: Callable[[Line, Line, str], None] = lambda caller, leg, by: None


@dataclass(frozen=True, slots=True)
class Rung:
    """`status`: as DIALSTATUS. `talk_s` when it was answered."""

    status: str
    talk_s: float = 0.0
    caller_left: bool = False


async def ring(exchange: Exchange, line: Line, phone: Phone, seconds: float | None, style: RingStyle) -> Rung:
    """Rings one phone for at most `seconds`, and carries the talk when it is answered."""
    leg = exchange.new_line(phone.name, "pasokh-phones", "s", parent=line)
    caller, agent = line.channel, leg.channel
    leg.emit("Newchannel")
    agent.caller_number = style.called_number
    if not style.from_queue:
        agent.connected_number, agent.connected_name = caller.caller_number, caller.caller_name
    leg.emit("NewCallerid", {"CID-CallingPres": "0 (Presentation Allowed, Not Screened)"})
    if not style.from_queue:
        leg.emit("NewConnectedLine")
    agent.application, agent.application_data = "AppDial", "(Outgoing Line)"
    line.partner, leg.partner = leg, line
    phone.legs.append(leg)
    line.story.rung.append(phone.name)
    try:
        return await _ring(exchange, line, leg, phone, seconds, style)
    finally:
        line.partner = None
        phone.legs.remove(leg)
        leg.end()
        exchange.phone_changed(phone)


async def _ring(
    exchange: Exchange, line: Line, leg: Line, phone: Phone, seconds: float | None, style: RingStyle
) -> Rung:
    loop = asyncio.get_running_loop()
    plan = phone.next_ring()
    if style.from_queue:
        # Asterisk tells the leg's connected line before it has it, and again without it.
        leg.channel.connected_number = line.channel.caller_number
        style.on_called(line, leg)
        leg.channel.connected_number = ""
    line.emit_with("DialBegin", leg, {"DialString": style.dial_string})
    if style.from_queue:
        leg.channel.connected_number = line.channel.caller_number
        leg.channel.connected_name = line.channel.caller_name
    else:
        line.music_off()
    if line.channel.connected_number != style.called_number:
        line.channel.connected_number = style.called_number
        line.emit("NewConnectedLine")
    began = loop.time()
    limit = None if seconds is None else began + seconds
    replies_at = began + exchange.settings.reply_delay_s
    decides_at = None if plan.pickup is Pickup.NO_ANSWER else replies_at + plan.after_s
    rings = decides_at is None or plan.pickup is Pickup.ANSWER or plan.after_s > 0
    while True:
        now = loop.time()
        if line.gone:
            return _cancel(line, leg)
        if leg.hung_up:
            return _refuse(line, leg, Pickup.REJECT) if leg.far_end_left else _withdraw(line, leg)
        if rings and leg.channel.state != states.RINGING and now >= replies_at:
            leg.new_state(states.RINGING)
            if style.from_queue:
                leg.emit("NewConnectedLine")
            line.emit_with("DialState", leg, {"DialStatus": "RINGING"})
            exchange.phone_changed(phone)
        if phone.picked_up or (decides_at is not None and now >= decides_at):
            if phone.picked_up or plan.pickup is Pickup.ANSWER:
                phone.answered += 1
                return await talk(exchange, line, leg, phone, plan, style)
            return _refuse(line, leg, plan.pickup)
        if limit is not None and now >= limit:
            line.emit_with("DialEnd", leg, {"DialStatus": "NOANSWER"})
            return Rung("NOANSWER")
        waits = [limit, decides_at, replies_at if rings and leg.channel.state != states.RINGING else None]
        await line.changed(min((at for at in waits if at is not None), default=None))


def _cancel(line: Line, leg: Line) -> Rung:
    line.emit_with("DialEnd", leg, {"DialStatus": "CANCEL"})
    leg.channel.hangup_cause = 16
    return Rung("CANCEL", caller_left=True)


def _refuse(line: Line, leg: Line, pickup: Pickup) -> Rung:
    status, told, cause, technical = FAILURES[pickup]
    leg.ask_hangup(cause=cause, technical=technical)
    for channel in (leg.channel, line.channel):
        channel.hangup_cause, channel.technical_cause = cause, technical
    line.emit_with("DialEnd", leg, {"DialStatus": told})
    return Rung(status)


def _withdraw(line: Line, leg: Line) -> Rung:
    """A manager hung the ringing leg up: no phone gave a cause."""
    line.channel.hangup_cause, line.channel.technical_cause = leg.channel.hangup_cause, ""
    line.emit_with("DialEnd", leg, {"DialStatus": "NOANSWER"})
    return Rung("CHANUNAVAIL")


async def talk(exchange: Exchange, line: Line, leg: Line, phone: Phone, plan: Ring, style: RingStyle) -> Rung:
    began = asyncio.get_running_loop().time()
    leg.answer()
    leg.channel.exten = style.exten_when_answered
    line.emit_with("DialEnd", leg, {"DialStatus": "ANSWER"})
    line.music_off()
    style.on_connected(line, leg)
    bridge = exchange.bridge_id()
    exchange.emit("BridgeCreate", "call", _bridge(bridge, 0))
    for number, one in enumerate((leg, line), start=1):
        one.channel.bridge = bridge
        exchange.emit("BridgeEnter", "call", {**_bridge(bridge, number), **one.channel.headers()})
    story = line.story
    if story.talk_began_s is None:
        story.talk_began_s, story.answered_by = began, phone.name
    story.talking = True
    line.wake()
    await _until_one_leaves(exchange, line, leg, plan, began, style)
    ended = asyncio.get_running_loop().time()
    story.talking = False
    story.talked_s += ended - began
    caller_left = line.gone
    if not caller_left:
        story.agent_left = True
    line.music_off()
    _hold(exchange, line, False)
    style.on_completed(line, leg, "caller" if caller_left else "agent")
    for number, one in zip((1, 0), (line, leg) if caller_left else (leg, line), strict=True):
        exchange.emit("BridgeLeave", "call", {**_bridge(bridge, number), **one.channel.headers()})
        one.channel.bridge = ""
    exchange.emit("BridgeDestroy", "call", _bridge(bridge, 0))
    leg.channel.hangup_cause = line.channel.hangup_cause = 16
    line.channel.technical_cause = ""
    return Rung("ANSWER", ended - began, caller_left)


async def _until_one_leaves(
    exchange: Exchange, line: Line, leg: Line, plan: Ring, began: float, style: RingStyle
) -> None:
    loop = asyncio.get_running_loop()
    leaves_at = None if plan.talk_s is None else began + plan.talk_s
    hold_at = None if plan.hold_after_s is None else began + plan.hold_after_s
    unhold_at: float | None = None
    while not line.gone and not leg.hung_up:
        now = loop.time()
        if leaves_at is not None and now >= leaves_at:
            # Only Dial tells the cause of the one who leaves first.
            leg.ask_hangup(cause=None if style.from_queue else 16)
            return
        if hold_at is not None and now >= hold_at:
            leg.emit("Hold", {"MusicClass": exchange.settings.dialplan.music})
            line.music_on(exchange.settings.dialplan.music)
            _hold(exchange, line, True)
            hold_at, unhold_at = None, now + plan.hold_s
        elif unhold_at is not None and now >= unhold_at:
            leg.emit("Unhold")
            line.music_off()
            _hold(exchange, line, False)
            unhold_at = None
        waits = [at for at in (leaves_at, hold_at, unhold_at) if at is not None]
        await line.changed(min(waits, default=None))


def _hold(exchange: Exchange, line: Line, held: bool) -> None:
    line.channel.held = held
    exchange.trunk_changed()


def _bridge(bridge: str, channels: int) -> dict[str, str]:
    return {
        "BridgeUniqueid": bridge,
        "BridgeType": "basic",
        "BridgeTechnology": "simple_bridge",
        "BridgeCreator": "<unknown>",
        "BridgeName": "<unknown>",
        "BridgeNumChannels": str(channels),
        "BridgeVideoSourceMode": "none",
    }
