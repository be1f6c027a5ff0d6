"""`Queue(pasokh-fallback,c,…)`: Asterisk's own queue, where callers stand when none of ours answers.

One free, unpaused member is rung at a time, round robin; a caller whose agent hung up goes on in the dialplan.
"""

from __future__ import annotations

import asyncio

from .exchange import Exchange, Member
from .line import Line
from .ring import RingStyle, ring


async def queue(exchange: Exchange, line: Line) -> str:
    """Stands in the queue until the talk is over, the time is up or the caller is gone.

    Returns QUEUESTATUS: CONTINUE (the agent hung up), TIMEOUT, or "" when the caller left.
    """
    settings = exchange.settings.dialplan
    loop = asyncio.get_running_loop()
    began = loop.time()
    end = began + settings.queue_timeout_s
    exchange.queue.append(line)
    channel = line.channel
    channel.application, channel.application_data = (
        "Queue",
        f"{settings.queue},c,,,{settings.queue_timeout_s:g}",
    )
    for variable, value in (("PA_TALK", ""), ("MEMBERNAME", ""), ("QEHOLDTIME", ""), ("ANSWEREDTIME", "0")):
        channel.set(variable, value)
    place = {"Queue": settings.queue, "Position": str(len(exchange.queue)), "Count": str(len(exchange.queue))}
    line.emit("QueueCallerJoin", place, "agent")
    line.music_on(settings.music)
    try:
        while not line.gone and loop.time() < end:
            member = _next_member(exchange) if exchange.queue[0] is line else None
            if member is None:
                await line.changed(min(end, loop.time() + settings.member_retry_s))
                continue
            status = await _ring_member(exchange, line, member, began)
            if status is not None:
                return status
            await line.pause(settings.member_retry_s)
        if line.gone:
            _abandon(exchange, line, began)
            return ""
        return "TIMEOUT"
    finally:
        _leave(exchange, line)


def _next_member(exchange: Exchange) -> Member | None:
    free = [
        member
        for member in exchange.members.values()
        if not member.paused
        and (phone := exchange.phones.get(member.phone)) is not None
        and phone.state == "NOT_INUSE"
    ]
    return min(free, key=lambda member: (member.last_call_s, member.calls), default=None)


async def _ring_member(exchange: Exchange, line: Line, member: Member, began: float) -> str | None:
    loop = asyncio.get_running_loop()
    settings = exchange.settings.dialplan
    about = {"Queue": settings.queue, "Interface": f"PJSIP/{member.phone}", "MemberName": member.name}
    rung_at = loop.time()
    held = 0
    connected_at = rung_at

    def called(caller: Line, leg: Line) -> None:
        caller.emit_with("AgentCalled", leg, about, "agent")

    def connected(caller: Line, leg: Line) -> None:
        nonlocal held, connected_at
        connected_at = loop.time()
        held = int(connected_at - began)
        _leave(exchange, caller)
        caller.channel.set("MEMBERNAME", member.name)
        caller.channel.set("MEMBERINTERFACE", f"PJSIP/{member.phone}")
        caller.channel.set("QEHOLDTIME", str(held))
        caller.channel.set("PA_TALK", f"{exchange.clock():.3f}")  # as `membergosub` of the queue does
        ring_s = str(int(connected_at - rung_at))
        caller.emit_with("AgentConnect", leg, {**about, "HoldTime": str(held), "RingTime": ring_s}, "agent")

    def completed(caller: Line, leg: Line, by: str) -> None:
        talk = str(int(loop.time() - connected_at))
        caller.channel.set("ANSWEREDTIME", talk)
        member.calls += 1
        caller.emit_with(
            "AgentComplete",
            leg,
            {**about, "HoldTime": str(held), "TalkTime": talk, "Reason": by},
            "agent",
        )

    member.last_call_s = exchange.epoch()
    style = RingStyle(line.channel.dialled, f"PJSIP/{member.phone}", True, "s", called, connected, completed)
    rung = await ring(exchange, line, exchange.phone(member.phone), settings.member_ring_s, style)
    if rung.status == "ANSWER":
        return "" if rung.caller_left else "CONTINUE"
    return None


def _leave(exchange: Exchange, line: Line) -> None:
    if line not in exchange.queue:
        return
    position = exchange.queue.index(line) + 1
    exchange.queue.remove(line)
    place = {
        "Queue": exchange.settings.dialplan.queue,
        "Position": str(position),
        "Count": str(len(exchange.queue)),
    }
    line.emit("QueueCallerLeave", place, "agent")
    for waiting in exchange.queue:
        waiting.wake()


def _abandon(exchange: Exchange, line: Line, began: float) -> None:
    line.music_off()
    position = str(exchange.queue.index(line) + 1)
    held = str(int(asyncio.get_running_loop().time() - began))
    about = {"Queue": exchange.settings.dialplan.queue, "Position": position, "OriginalPosition": position}
    line.emit("QueueCallerAbandon", {**about, "HoldTime": held}, "agent")
