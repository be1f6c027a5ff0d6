"""A caller's way through our dialplan: answer, the loop that attaches them to us, the native queue, the `h` row.

The same steps as the generated `extensions.conf`, so that what holds here holds on a real Asterisk: who never
takes the call within 20 s, or takes it and dies young twice, loses it to Asterisk's own queue.
"""

from __future__ import annotations

from ami_bridge.signature import sign

from .agi import run_agi
from .exchange import Exchange
from .fallback import queue
from .line import Line, Place

ATTACH = "pasokh-attach"
INBOUND = "pasokh-inbound"


async def serve_caller(exchange: Exchange, line: Line) -> None:
    """From the first ring of a caller to the end of the channel."""
    line.emit("Newchannel")
    exchange.trunk_changed()
    line.channel.set("PA_NUMBER", line.channel.dialled)
    line.channel.context, line.channel.exten = ATTACH, "arrive"
    line.answer()
    place: Place | None = Place(ATTACH)
    while place is not None:
        line.redirect = None
        line.channel.context, line.channel.exten, line.channel.priority = place.context, place.exten, 1
        if place.context == ATTACH and place.exten == "s":
            await _attach(exchange, line)
        place = None if line.hung_up else line.redirect
    _finish(exchange, line)


def _finish(exchange: Exchange, line: Line) -> None:
    """`Hangup()`, the `h` extension, and the end of the channel."""
    line.redirect = None
    line.hung_up = True
    line.emit("SoftHangupRequest", {"Cause": "16"})
    line.channel.exten, line.channel.priority = "h", 2
    _keep_end(exchange, line)
    line.music_off()
    line.end()
    exchange.trunk_changed()
    exchange.processed += 1


def _keep_end(exchange: Exchange, line: Line) -> None:
    channel = line.channel
    contact = channel.get("PASOKH_ID")
    if channel.get("PASOKH_DONE") == "1" or not contact:
        return
    row = (
        f"{exchange.clock():.3f}",
        channel.get("DIALSTATUS"),
        channel.get("ANSWEREDTIME"),
        str(channel.hangup_cause),
        channel.get("PA_END"),
        channel.get("PA_BEGAN"),
        channel.get("PA_NUMBER"),
        channel.get("MEMBERNAME"),
        channel.get("QEHOLDTIME"),
        channel.get("PA_TALK"),
        channel.get("DIALEDPEERNAME"),
    )
    exchange.database.setdefault("pasokh", {})[contact] = "|".join(row)


async def _attach(exchange: Exchange, line: Line) -> None:
    """`pasokh-attach,s`: again and again, until the call is over or goes elsewhere."""
    while await _keep(exchange, line):
        pass


async def _keep(exchange: Exchange, line: Line) -> bool:
    """One way through the extension. True when it goes back to its beginning."""
    settings = exchange.settings.dialplan
    channel = line.channel
    if not channel.get("PASOKH_ID"):
        channel.set("__PASOKH_ID", channel.uniqueid)
    if not channel.get("PA_BEGAN"):
        channel.set("PA_BEGAN", str(exchange.epoch()))
    channel.set("AGIEXITONHANGUP", "yes")
    channel.set("PASOKH_DONE", "")
    channel.set("PA_END", "wait")
    channel.priority = 7
    line.music_on(settings.music)
    since = exchange.epoch()
    # A caller who comes in again counts on: a later session must see that there is a ticket to read.
    before = int(channel.get("PA_N") or 0)
    tries, bad, server = before, 0, 0
    while True:
        tries += 1
        begun = exchange.epoch()
        status = await _try(exchange, line, tries, server)
        if channel.get("PASOKH_DONE") == "1" or channel.get("DIALSTATUS") == "ANSWER":
            return False
        if status == "HANGUP" or line.gone:
            return False
        channel.priority = 17
        line.music_on(settings.music)
        now = exchange.epoch()
        took = channel.get("PASOKH_TOOK") == "1"
        if took:
            since = now
            bad = bad + 1 if now - begun < settings.young_s else 0
        if bad >= 2 or now - since >= settings.without_anyone_s:
            return await _native(exchange, line)
        server = (server + 1) % len(settings.fastagi)
        if (took and now - begun >= settings.young_s) or (tries == before + 1 and bad == 0):
            continue
        if not await line.pause(settings.retry_s):
            return False


async def _try(exchange: Exchange, line: Line, tries: int, server: int) -> str:
    settings = exchange.settings.dialplan
    channel = line.channel
    channel.set("PA_N", str(tries))
    channel.set("PA_LAST", channel.get("DIALSTATUS"))
    channel.set("DIALSTATUS", "")
    channel.set("PASOKH_TOOK", "")
    channel.priority = 13
    number, contact, time_s = channel.get("PA_NUMBER"), channel.get("PASOKH_ID"), exchange.epoch()
    signature = sign(number=number, uniqueid=contact, time_s=time_s, attach=tries, secret=settings.secret)
    script = f"call?number={number}&contact={contact}&t={time_s}&attach={tries}&sig={signature}"
    host, port = settings.fastagi[server]
    line.story.attaches += 1
    return await run_agi(exchange, line, host, port, script)


async def _native(exchange: Exchange, line: Line) -> bool:
    """Asterisk's own queue. True when nobody answered there and the caller goes into the loop again."""
    channel = line.channel
    channel.set("PA_END", "native")
    channel.priority = 30
    line.story.fallback = True
    line.emit("UserEvent", {"UserEvent": "PasokhNative", "Contact": channel.get("PASOKH_ID")}, "user")
    status = await queue(exchange, line)
    if line.gone:
        return False
    channel.set("PA_END", f"native-{status}")
    return status != "CONTINUE"


def delete_rows(exchange: Exchange, keys: str) -> None:
    """`Local/del@pasokh-dbdel`: removes up to ten rows of `pasokh`, named with `&` between them."""
    rows = exchange.database.get("pasokh", {})
    for key in keys.split("&")[:10]:
        rows.pop(key, None)
