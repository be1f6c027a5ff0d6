"""The application `Dial`: one phone or several, and what it leaves behind on the caller's channel."""

from __future__ import annotations

import asyncio

from .exchange import Exchange
from .line import Line
from .ring import RingStyle, Rung, ring
from .ring_many import ring_many


async def dial(exchange: Exchange, line: Line, data: str) -> Rung:
    """The application Dial with PJSIP phones: `PJSIP/phone&PJSIP/phone,seconds,options`. Sets the channel's variables.

    Returns when the ring or the talk is over. Options are taken for granted: `g` and a pre-dial handler. A number at a
    trunk (`PJSIP/number@trunk`) is a phone with the trunk's name.
    """
    loop = asyncio.get_running_loop()
    words = data.split(",")
    names = [each.removeprefix("PJSIP/").rpartition("@")[2] for each in words[0].split("&")]
    seconds = float(words[1]) if len(words) > 1 and words[1] else None
    channel = line.channel
    for variable in ("DIALSTATUS", "ANSWEREDTIME", "ANSWEREDTIME_MS", "DIALEDPEERNAME"):
        channel.set(variable, "")
    phones = [
        phone for name in names if (phone := exchange.phones.get(name)) is not None and phone.registered
    ]
    if not phones:
        # No channel can be made, so no event tells of it.
        channel.hangup_cause, channel.technical_cause = 3, "404"
        channel.set("DIALSTATUS", "CHANUNAVAIL")
        return Rung("CHANUNAVAIL")

    def connected(caller: Line, leg: Line) -> None:
        caller.channel.set("DIALEDPEERNAME", leg.channel.name)
        if "U(pasokh-talk^s^1)" in data:  # what that subroutine of our dialplan does
            caller.channel.set("PA_TALK", f"{exchange.clock():.3f}")

    styles = [RingStyle("s", phone.name, on_connected=connected) for phone in phones]
    if len(names) == 1:
        rung = await ring(exchange, line, phones[0], seconds, styles[0])
    else:
        rung = await ring_many(exchange, line, phones, seconds, styles)
    channel.set("DIALSTATUS", rung.status)
    if rung.status == "ANSWER" and channel.answered_s is not None:
        up_s = loop.time() - channel.answered_s
        channel.set("ANSWEREDTIME", str(int(up_s)))
        channel.set("ANSWEREDTIME_MS", str(int(up_s * 1000)))
    return rung
