"""The manager actions we use, typed; and pyst2's own, awaitable.

What each needs in manager.conf stands with it where it is more than `write=call`. Cuts and odd values are as
measured on Asterisk 22.
"""

from __future__ import annotations

import abc
import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import asterisk.manager

from .errors import AmiActionError, AmiRefused
from .wire import ActionFields, AmiMessage

STATUS_VALUE_LIMIT_BYTES: Final = 511
"""Status cuts a variable's value here, without a word and perhaps inside a letter."""

_UNSET: Final = "(null)"


@dataclass(frozen=True, slots=True)
class ChannelStatus:
    """One channel of a Status list. `variables` holds those asked for that are set."""

    channel: str
    uniqueid: str
    linkedid: str
    state: str
    application: str
    data: str = field(repr=False)
    bridge_id: str
    variables: Mapping[str, str] = field(repr=False)


def accepted(action: str, response: AmiMessage) -> AmiMessage:
    """The response itself. Raises AmiActionError when it is an error."""
    if not response.ok:
        raise AmiActionError(action, response.get("Message"))
    return response


def name_of(fields: ActionFields) -> str:
    return str(fields.get("Action", ""))


class TypedActions(abc.ABC):
    """Actions over `action` and `list_action`. All raise AmiActionError, AmiDown, AmiTimeout, AmiRefused."""

    pyst2: ManagerActions

    @abc.abstractmethod
    async def action(self, fields: ActionFields, *, timeout_s: float | None = None) -> AmiMessage: ...

    @abc.abstractmethod
    async def list_action(
        self, fields: ActionFields, *, timeout_s: float | None = None
    ) -> list[AmiMessage]: ...

    # ------------------------------------------------------------ channels

    async def status(self, variables: Sequence[str] = (), *, channel: str = "") -> list[ChannelStatus]:
        """All channels, or one, with these channel variables (values cut at 511 bytes)."""
        fields = {"Action": "Status"}
        if channel:
            fields["Channel"] = channel
        if variables:
            fields["Variables"] = ",".join(variables)
        events = await self.list_action(fields)
        return [_channel_status(event) for event in events if event.event == "Status"]

    async def control_playback_stop(self, channel: str) -> None:
        """Ends the file that plays on this channel, or its WAIT FOR DIGIT (result 1000); nothing playing is
        no error.

        A stop that arrives before the file starts is lost: repeat it every 50 ms until the AGI reply comes.
        """
        await self.action({"Action": "ControlPlayback", "Channel": channel, "Control": "stop"})

    async def hangup(self, channel: str, cause: int | None = None) -> None:
        """Raises AmiActionError when there is no such channel."""
        if cause is None:
            accepted("Hangup", await self.pyst2.hangup(channel))
        else:
            await self.action({"Action": "Hangup", "Channel": channel, "Cause": str(cause)})

    async def redirect(
        self,
        channel: str,
        context: str,
        exten: str,
        priority: str = "1",
        *,
        extra: tuple[str, str, str] | None = None,
    ) -> None:
        """Sends a channel elsewhere in the dialplan; `extra` is (channel, context, exten) of its partner.

        A channel inside AGI() leaves it at once only when AGIEXITONHANGUP was set to yes before.
        """
        if extra is None:
            accepted("Redirect", await self.pyst2.redirect(channel, exten, priority, context=context))
            return
        extra_channel, extra_context, extra_exten = extra
        await self.action(
            {
                "Action": "Redirect",
                "Channel": channel,
                "Context": context,
                "Exten": exten,
                "Priority": priority,
                "ExtraChannel": extra_channel,
                "ExtraContext": extra_context,
                "ExtraExten": extra_exten,
                "ExtraPriority": "1",
            }
        )

    async def blind_transfer(self, channel: str, context: str, exten: str) -> None:
        """`channel` is the agent's; its partner, the caller, goes to the extension."""
        await self.action({"Action": "BlindTransfer", "Channel": channel, "Context": context, "Exten": exten})

    async def originate(
        self,
        channel: str,
        *,
        context: str = "",
        exten: str = "",
        application: str = "",
        data: str = "",
        caller_id: str = "",
        timeout_s: float = 30.0,
        variables: Mapping[str, str] | None = None,
        channel_id: str = "",
        action_id: str = "",
    ) -> None:
        """Rings a channel and returns at once; `channel_id` becomes its Uniqueid. Needs `write=originate`.

        The outcome comes as the event OriginateResponse with `action_id`, or never: keep a deadline.
        """
        fields: dict[str, str | Sequence[str]] = {
            "Action": "Originate",
            "Channel": channel,
            "Timeout": str(round(timeout_s * 1000)),
            "Async": "true",
        }
        if exten:
            fields |= {"Context": context, "Exten": exten, "Priority": "1"}
        optional = {
            "Application": application,
            "Data": data,
            "CallerID": caller_id,
            "ChannelId": channel_id,
            "ActionID": action_id,
        }
        fields |= {name: value for name, value in optional.items() if value}
        if variables:
            fields["Variable"] = [f"{name}={value}" for name, value in variables.items()]
        await self.action(fields)

    async def set_var(self, name: str, value: str, *, channel: str = "") -> None:
        """Sets a channel variable, or a global one without a channel."""
        fields = {"Action": "Setvar", "Variable": name, "Value": value}
        await self.action(fields | ({"Channel": channel} if channel else {}))

    async def get_var(self, name: str, *, channel: str = "") -> str:
        """A variable's value, "" when unset; cut at 1023 bytes."""
        fields = {"Action": "Getvar", "Variable": name}
        answer = await self.action(fields | ({"Channel": channel} if channel else {}))
        return answer.get("Value")

    async def play_dtmf(self, channel: str, digit: str) -> None:
        accepted("PlayDTMF", await self.pyst2.playdtmf(channel, digit))

    async def mute_recording(self, channel: str, mute: bool) -> None:
        """Silence in the recording of MixMonitor, or its end; both directions."""
        await self.action(
            {
                "Action": "MixMonitorMute",
                "Channel": channel,
                "Direction": "both",
                "State": "1" if mute else "0",
            }
        )

    async def stop_recording(self, channel: str) -> None:
        await self.action({"Action": "StopMixMonitor", "Channel": channel})

    async def core_show_channels(self) -> list[AmiMessage]:
        """Needs `write=reporting`."""
        return await self.list_action({"Action": "CoreShowChannels"})

    async def bridge_list(self) -> list[AmiMessage]:
        return await self.list_action({"Action": "BridgeList"})

    # ------------------------------------------------------------ devices, database, fallback queue

    async def device_states(self) -> dict[str, str]:
        """Device → state (`PJSIP/agent001` → `NOT_INUSE`). An unregistered phone is UNAVAILABLE."""
        events = await self.list_action({"Action": "DeviceStateList"})
        return {event.get("Device"): event.get("State") for event in events if event.get("Device")}

    async def db_tree(self, family: str) -> dict[str, str]:
        """Asterisk's own database below a family: key without the family → value. Needs `write=reporting`."""
        try:
            events = await self.list_action({"Action": "DBGetTree", "Family": family})
        except AmiActionError as error:
            if "not found" not in error.text.lower():
                raise
            return {}
        prefix = f"/{family.strip('/')}/"
        return {event.get("Key").removeprefix(prefix): event.get("Val") for event in events}

    async def queue_add(
        self,
        queue: str,
        interface: str,
        *,
        member_name: str = "",
        penalty: int = 0,
        paused: bool = False,
        state_interface: str = "",
    ) -> bool:
        """Adds a member to a native queue; False when it was there already. Needs `write=agent`."""
        fields = {
            "Action": "QueueAdd",
            "Queue": queue,
            "Interface": interface,
            "Penalty": str(penalty),
            "Paused": "true" if paused else "false",
        }
        fields |= {"MemberName": member_name} if member_name else {}
        fields |= {"StateInterface": state_interface} if state_interface else {}
        return await self._unless(fields, "already there")

    async def queue_pause(self, interface: str, paused: bool, *, queue: str = "", reason: str = "") -> bool:
        """Pauses a member in one native queue or in all; False when it is no member. Needs `write=agent`."""
        fields = {"Action": "QueuePause", "Interface": interface, "Paused": "true" if paused else "false"}
        fields |= {"Queue": queue} if queue else {}
        fields |= {"Reason": reason} if reason else {}
        return await self._unless(fields, "not found")

    async def queue_remove(self, queue: str, interface: str) -> bool:
        """Removes a member of a native queue; False when it was not there. Needs `write=agent`."""
        fields = {"Action": "QueueRemove", "Queue": queue, "Interface": interface}
        return await self._unless(fields, "not there", "not found")

    async def queue_status(self, queue: str = "") -> list[AmiMessage]:
        """QueueParams, QueueMember and QueueEntry events of one native queue or all."""
        fields = {"Action": "QueueStatus"}
        return await self.list_action(fields | ({"Queue": queue} if queue else {}))

    async def _unless(self, fields: ActionFields, *texts: str) -> bool:
        try:
            await self.action(fields)
        except AmiActionError as error:
            if any(text in error.text.lower() for text in texts):
                return False
            raise
        return True


def _channel_status(event: AmiMessage) -> ChannelStatus:
    variables = event.variables("Variable")
    return ChannelStatus(
        channel=event.get("Channel"),
        uniqueid=event.get("Uniqueid"),
        linkedid=event.get("Linkedid"),
        state=event.get("ChannelStateDesc"),
        application=event.get("Application"),
        data=event.get("Data"),
        bridge_id=event.get("BridgeID"),
        variables={name: value for name, value in variables.items() if value != _UNSET},
    )


class ManagerActions(asterisk.manager.Manager):  # type: ignore[misc]
    """pyst2's `Manager` with its action methods awaitable: each returns what `send_action` returns, a future.

    The base's __init__ makes queues and threads and its __del__ logs off, so neither is called. login,
    logoff, connect and close belong to `Ami`. `register_event(name, function)` works as in pyst2 (`"*"` for
    all): `function(event, manager)`; a true result ends the round.
    """

    def __init__(self, send: Callable[[ActionFields], asyncio.Future[AmiMessage]]) -> None:
        self._send = send
        self._event_callbacks: dict[str, list[Callable[[object, object], object]]] = {}

    def __del__(self) -> None:
        """Nothing to close; the base would log off."""

    def send_action(self, cdict: Mapping[str, object], **kwargs: object) -> asyncio.Future[AmiMessage]:
        """The future of the response. Values become text; empty ones, pyst2's "not given", are left out."""
        fields: dict[str, str | Sequence[str]] = {}
        for name, value in {**cdict, **kwargs}.items():
            if isinstance(value, list | tuple):
                fields[name] = [str(item) for item in value]
            elif value is not None and value != "":
                fields[name] = str(value)
        return self._send(fields)

    def dispatch(self, message: AmiMessage) -> None:
        """Gives an event to the functions registered for it."""
        if not self._event_callbacks:
            return
        event = asterisk.manager.Event(message)
        for name in (message.event, "*"):
            for function in list(self._event_callbacks.get(name, [])):
                if function(event, self):
                    return

    def _not_here(self, *_args: object, **_kwargs: object) -> None:
        raise AmiRefused("The link logs in, out and reconnects by itself: use Ami.start() and Ami.stop().")

    login = logoff = connect = connected = close = message_loop = event_dispatch = _not_here
