"""What each manager action does, which permission classes it needs, and what it answers.

Classes and texts were measured on Asterisk 22.10. An action that a real one knows and our user may not do stands
here without a performer, so that it is refused for the right reason.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ami_bridge.wire import AmiMessage

from .channel import UNKNOWN
from .dialplan import delete_rows
from .exchange import Exchange, Member
from .line import Line, Place

STATUS_VARIABLE_BYTES = 511
GETVAR_BYTES = 1023
_CONTROLS = frozenset({"stop", "forward", "reverse", "pause", "restart"})
_BLACKLIST = re.compile(
    r"(system|exec|agi|mixmonitor|shell|externalivr|originate|eval|trysystem)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Reply:
    """A response, and the events of its list when `complete` names the one that ends it.

    `marks_first`: the events carry the ActionID before their own headers, not after.
    """

    response: str
    headers: Mapping[str, str] = field(default_factory=dict)
    events: Sequence[Mapping[str, str | list[str]]] = ()
    complete: str = ""
    counts_twice: bool = False
    marks_first: bool = False


Perform = Callable[[Exchange, AmiMessage], Reply]


@dataclass(frozen=True, slots=True)
class Action:
    """`classes`: any one of them is enough; none are needed when empty."""

    classes: frozenset[str]
    perform: Perform | None = None


def refusal(text: str) -> Reply:
    return Reply("Error", {"Message": text})


def _done(text: str) -> Reply:
    return Reply("Success", {"Message": text})


def _listed(
    text: str,
    events: Sequence[Mapping[str, str | list[str]]],
    complete: str,
    *,
    counts_twice: bool = False,
    marks_first: bool = False,
) -> Reply:
    head = {"EventList": "start", "Message": text}
    return Reply("Success", head, events, complete, counts_twice, marks_first)


def _cut(text: str, size: int) -> str:
    """Asterisk cuts silently, also inside a letter."""
    return text.encode()[:size].decode("utf-8", "replace")


def _field(action: AmiMessage, name: str) -> str:
    """A header's value; managers may write its name in any case."""
    lowered = name.lower()
    return next((action.get(key) for key in action.headers if key.lower() == lowered), "")


# ---- asking


def _ping(exchange: Exchange, action: AmiMessage) -> Reply:
    return Reply("Success", {"Ping": "Pong", "Timestamp": f"{exchange.clock():.6f}"})


def _core_settings(exchange: Exchange, action: AmiMessage) -> Reply:
    about = {
        "AMIversion": "11.0.0",
        "AsteriskVersion": "22.10.1",
        "SystemName": exchange.settings.system_name,
    }
    return Reply("Success", {**about, "CoreCDRenabled": "Yes", "CoreHTTPenabled": "No"})


def _core_status(exchange: Exchange, action: AmiMessage) -> Reply:
    calls = str(len(exchange.lines))
    return Reply("Success", {"CoreCurrentCalls": calls, "CoreProcessedCalls": str(exchange.processed)})


def _status(exchange: Exchange, action: AmiMessage) -> Reply:
    name = _field(action, "Channel")
    if name and name not in exchange.lines:
        return refusal("No such channel")
    lines = [exchange.lines[name]] if name else list(exchange.lines.values())
    wanted = [word.strip() for word in _field(action, "Variables").split(",") if word.strip()]
    events = [_status_of(exchange, line, wanted) for line in lines]
    return _listed("Channel status will follow", events, "StatusComplete", counts_twice=True)


def _status_of(exchange: Exchange, line: Line, wanted: Sequence[str]) -> dict[str, str | list[str]]:
    channel = line.channel
    up_s = 0.0
    if channel.answered_s is not None:
        up_s = asyncio.get_running_loop().time() - channel.answered_s
    headers: dict[str, str | list[str]] = {
        "Event": "Status",
        "Privilege": "Call",
        **channel.headers(),
        "Type": channel.name.partition("/")[0],
        "DNID": channel.dialled,
        "EffectiveConnectedLineNum": channel.connected_number or UNKNOWN,
        "EffectiveConnectedLineName": channel.connected_name or UNKNOWN,
        "TimeToHangup": "0",
        "BridgeID": channel.bridge,
        "Application": channel.application,
        "Data": channel.application_data,
        "Nativeformats": "(ulaw)",
        "Readformat": "ulaw",
        "Readtrans": "",
        "Writeformat": "ulaw",
        "Writetrans": "",
        "Callgroup": "0",
        "Pickupgroup": "0",
        "Seconds": str(int(up_s)),
    }
    if wanted:
        known = ((name, exchange.known(line, name)) for name in wanted)
        headers["Variable"] = [
            f"{name}={'(null)' if value is None else _cut(value, STATUS_VARIABLE_BYTES)}"
            for name, value in known
        ]
    return headers


def _core_show_channels(exchange: Exchange, action: AmiMessage) -> Reply:
    now = asyncio.get_running_loop().time()
    events: list[dict[str, str | list[str]]] = []
    for line in exchange.lines.values():
        channel = line.channel
        minutes, seconds = divmod(int(now - channel.created_s), 60)
        hours, minutes = divmod(minutes, 60)
        events.append(
            {
                "Event": "CoreShowChannel",
                **channel.headers(),
                "Application": channel.application,
                "ApplicationData": channel.application_data,
                "Duration": f"{hours:02d}:{minutes:02d}:{seconds:02d}",
                "BridgeId": channel.bridge,
            }
        )
    return _listed("Channels will follow", events, "CoreShowChannelsComplete", marks_first=True)


def _device_state_list(exchange: Exchange, action: AmiMessage) -> Reply:
    states = {phone.interface: phone.state for phone in exchange.phones.values()}
    states[f"PJSIP/{exchange.settings.trunk}"] = exchange.trunk_state
    events = [
        {"Event": "DeviceStateChange", "Device": device, "State": state} for device, state in states.items()
    ]
    return _listed("Device State Changes will follow", events, "DeviceStateListComplete", marks_first=True)


def _db_get(exchange: Exchange, action: AmiMessage) -> Reply:
    family, key = _field(action, "Family"), _field(action, "Key")
    value = exchange.database.get(family, {}).get(key)
    if value is None:
        return refusal("Database entry not found")
    event = {"Event": "DBGetResponse", "Family": family, "Key": key, "Val": value}
    return _listed("Result will follow", [event], "DBGetComplete")


def _db_get_tree(exchange: Exchange, action: AmiMessage) -> Reply:
    family = _field(action, "Family")
    rows = sorted(exchange.database.get(family, {}).items())
    events = [{"Event": "DBGetTreeResponse", "Key": f"/{family}/{key}", "Val": value} for key, value in rows]
    return _listed("Result will follow", events, "DBGetTreeComplete")


def _getvar(exchange: Exchange, action: AmiMessage) -> Reply:
    name, channel = _field(action, "Variable"), _field(action, "Channel")
    if not name:
        return refusal("No variable specified")
    if not channel:
        return Reply("Success", {"Variable": name, "Value": exchange.globals.get(name, "")})
    line = exchange.lines.get(channel)
    if line is None:
        return refusal("No such channel")
    return Reply("Success", {"Variable": name, "Value": _cut(exchange.value(line, name), GETVAR_BYTES)})


# ---- moving


def _setvar(exchange: Exchange, action: AmiMessage) -> Reply:
    name, value, channel = (_field(action, key) for key in ("Variable", "Value", "Channel"))
    if not name:
        return refusal("No variable specified")
    if not channel:
        exchange.globals[name] = value
        return _done("Variable Set")
    line = exchange.lines.get(channel)
    if line is None:
        return refusal("No such channel")
    exchange.set_value(line, name, value)
    return _done("Variable Set")


def _control_playback(exchange: Exchange, action: AmiMessage) -> Reply:
    line, control = exchange.lines.get(_field(action, "Channel")), _field(action, "Control")
    if line is None:
        return refusal("No such channel")
    if control not in _CONTROLS:
        return refusal("Unknown control type")
    line.control(control)
    return Reply("Success")


def _hangup(exchange: Exchange, action: AmiMessage) -> Reply:
    line = exchange.lines.get(_field(action, "Channel"))
    if line is None or line.hung_up:
        return refusal("No such channel")
    cause = _field(action, "Cause")
    if cause.isascii() and cause.isdigit():  # without one the channel keeps what it has
        line.channel.hangup_cause = int(cause)
    line.soft_hangup()
    return _done("Channel Hungup")


def _redirect(exchange: Exchange, action: AmiMessage) -> Reply:
    name = _field(action, "Channel")
    line = exchange.lines.get(name)
    if line is None or line.hung_up:
        return refusal(f"Channel does not exist: {name}")
    line.redirect_to(Place(_field(action, "Context"), _field(action, "Exten")))
    return _done("Redirect successful")


def _originate(exchange: Exchange, action: AmiMessage) -> Reply:
    application = _field(action, "Application")
    if _BLACKLIST.search(application):
        return refusal("Originate Access Forbidden: app or data blacklisted")
    channel = _field(action, "Channel")
    if channel.removesuffix("/n") != "Local/del@pasokh-dbdel":
        return refusal("Originate failed")
    variables = dict(pair.partition("=")[::2] for pair in (*action.all("Variable"), *action.all("variable")))
    keys = variables.get("PA_KEYS", variables.get("PA_KEY", ""))
    asyncio.get_running_loop().call_soon(_delete, exchange, action, channel, keys)
    return _done("Originate successfully queued")


def _delete(exchange: Exchange, action: AmiMessage, channel: str, keys: str) -> None:
    """The Local channel that runs `del`: it ends before it is ever answered, which counts as a failure."""
    first, second = exchange.new_local("del", "pasokh-dbdel")
    first.emit("Newchannel")
    second.emit("Newchannel")
    halves = {**first.channel.headers("LocalOne"), **second.channel.headers("LocalTwo")}
    exchange.emit(
        "LocalBridge",
        "call",
        {**halves, "Context": "pasokh-dbdel", "Exten": "del", "LocalOptimization": "No"},
    )
    rung = first.channel.headers("Dest")
    exchange.emit("DialBegin", "call", {**rung, "DialString": channel.removeprefix("Local/")})
    delete_rows(exchange, keys)
    answer = {
        "Response": "Failure",
        "Channel": channel,
        "Application": _field(action, "Application"),
        "Data": _field(action, "Data"),
        "Reason": "0",
        "Uniqueid": UNKNOWN,
        "CallerIDNum": UNKNOWN,
        "CallerIDName": UNKNOWN,
    }
    marks = {"ActionID": action.get("ActionID")} if action.has_header("ActionID") else {}
    exchange.emit("OriginateResponse", "call", {**marks, **answer})
    second.soft_hangup(16)
    first.ask_hangup(cause=16)
    second.channel.hangup_cause = 16
    second.end()
    exchange.emit("DialEnd", "call", {**rung, "DialStatus": "NOANSWER"})
    first.end()


# ---- the fallback queue's members


def _interface(action: AmiMessage) -> str:
    return _field(action, "Interface")


def _paused(action: AmiMessage) -> bool:
    return _field(action, "Paused").lower() in ("true", "yes", "1", "on")


def _queue_add(exchange: Exchange, action: AmiMessage) -> Reply:
    interface = _interface(action)
    if _field(action, "Queue") != exchange.settings.dialplan.queue:
        return refusal("Unable to add interface to queue: No such queue")
    if interface in exchange.members:
        return refusal("Unable to add interface: Already there")
    now = exchange.epoch()
    paused = _paused(action)
    member = Member(
        _field(action, "MemberName") or interface, interface.removeprefix("PJSIP/"), paused, now, now * paused
    )
    exchange.members[interface] = member
    exchange.emit("QueueMemberAdded", "agent", exchange.member_headers(member))
    _wake_queue(exchange)
    return _done("Added interface to queue")


def _queue_pause(exchange: Exchange, action: AmiMessage) -> Reply:
    member = exchange.members.get(_interface(action))
    if member is None:
        return refusal("Interface not found")
    member.paused = _paused(action)
    if member.paused:
        member.last_pause_s = exchange.epoch()
    exchange.emit("QueueMemberPause", "agent", exchange.member_headers(member))
    _wake_queue(exchange)
    return _done(f"Interface {'paused' if member.paused else 'unpaused'} successfully")


def _queue_remove(exchange: Exchange, action: AmiMessage) -> Reply:
    member = exchange.members.pop(_interface(action), None)
    if member is None:
        return refusal("Unable to remove interface: Not there")
    exchange.emit("QueueMemberRemoved", "agent", exchange.member_headers(member))
    return _done("Removed interface from queue")


def _wake_queue(exchange: Exchange) -> None:
    for line in exchange.queue:
        line.wake()


# The queue counts; of that nothing is simulated, as nobody of us reads it.
_NO_FIGURES = {
    **dict.fromkeys(("Holdtime", "TalkTime", "Completed", "Abandoned", "ServiceLevel"), "0"),
    "ServicelevelPerf": "0.0",
    "ServicelevelPerf2": "0.0",
    "Weight": "0",
}


def _queue_status(exchange: Exchange, action: AmiMessage) -> Reply:
    queue = exchange.settings.dialplan.queue
    events: list[dict[str, str | list[str]]] = [
        {
            "Event": "QueueParams",
            "Queue": queue,
            "Max": "0",
            "Strategy": "leastrecent",
            "Calls": str(len(exchange.queue)),
            **_NO_FIGURES,
        }
    ]
    for member in exchange.members.values():
        headers = exchange.member_headers(member)
        about = {"Name": headers.pop("MemberName"), "Location": headers.pop("Interface")}
        events.append({"Event": "QueueMember", **about, **headers})
    return _listed("Queue status will follow", events, "QueueStatusComplete")


def _any_of(*classes: str) -> frozenset[str]:
    return frozenset(classes)


_SYSTEM = _any_of("system")

ACTIONS: dict[str, Action] = {
    "ping": Action(_any_of(), _ping),
    "coresettings": Action(_any_of("system", "reporting"), _core_settings),
    "corestatus": Action(_any_of("system", "reporting"), _core_status),
    "status": Action(_any_of("system", "call", "reporting"), _status),
    "coreshowchannels": Action(_any_of("system", "reporting"), _core_show_channels),
    "devicestatelist": Action(_any_of("call", "reporting"), _device_state_list),
    "dbget": Action(_any_of("system", "reporting"), _db_get),
    "dbgettree": Action(_any_of("system", "reporting"), _db_get_tree),
    "getvar": Action(_any_of("call", "reporting"), _getvar),
    "setvar": Action(_any_of("call"), _setvar),
    "controlplayback": Action(_any_of("call"), _control_playback),
    "hangup": Action(_any_of("system", "call"), _hangup),
    "redirect": Action(_any_of("call"), _redirect),
    "originate": Action(_any_of("originate"), _originate),
    "queueadd": Action(_any_of("agent"), _queue_add),
    "queuepause": Action(_any_of("agent"), _queue_pause),
    "queueremove": Action(_any_of("agent"), _queue_remove),
    "queuestatus": Action(_any_of(), _queue_status),
    "dbput": Action(_SYSTEM),
    "dbdel": Action(_SYSTEM),
    "dbdeltree": Action(_SYSTEM),
    "mixmonitor": Action(_SYSTEM),
    "modulecheck": Action(_SYSTEM),
    "filter": Action(_SYSTEM),
    "pjsipshowendpoints": Action(_SYSTEM),
    "pjsipshowcontacts": Action(_SYSTEM),
    "command": Action(_any_of("command")),
    "getconfig": Action(_any_of("system", "config")),
    "userevent": Action(_any_of("user")),
    "agi": Action(_any_of("agi")),
}
