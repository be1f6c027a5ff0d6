"""After an absence: compare what the center believes with what Asterisk says, and post the differences.

The absence may be ours (a restart) or the manager link's. Callers whose session lives are left alone: their socket
tells the truth. For all others Asterisk's channels say who is still there, and its database how the rest ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from acd.events import Event, FoundEnded, OfferAnswered, PhoneChanged
from acd.types import AgentId, ContactId, OfferId, PhoneId, PhoneState, VisitState

from .actions import ChannelStatus
from .ami import Ami
from .channels import PHONE_PREFIX, PHONE_STATES, Channels
from .ends import FAMILY, Ends, answered_phone, instant_us, read_end
from .errors import AmiActionError, AmiError

ATTACH_CONTEXT = "pasokh-attach"


@dataclass(frozen=True, slots=True)
class KnownCall:
    """A contact as the center has it: the state of its visit, and the offer that rings or is talked on; of several
    that ring together the first, and all of them by phone in `round`."""

    state: VisitState | None
    offer: OfferId | None
    round: Mapping[PhoneId, OfferId] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Known:
    """`now_us`: center time. `members`: who belongs in the fallback queue: phone, and whether paused."""

    now_us: int
    calls: Mapping[ContactId, KnownCall]
    members: Mapping[AgentId, tuple[PhoneId, bool]] = field(default_factory=dict)


class Recovery:
    """`known` is asked for what the center believes just now. `done` is set after the first comparison: from then
    on the center's timers may be trusted."""

    def __init__(
        self,
        ami: Ami,
        channels: Channels,
        ends: Ends,
        post: Callable[[Event], None],
        known: Callable[[], Known],
    ) -> None:
        self.done = asyncio.Event()
        self._ami = ami
        self._channels = channels
        self._ends = ends
        self._post = post
        self._known = known
        self._reading: set[asyncio.Task[None]] = set()
        self.rescued = 0

    async def compare(self, attached: Collection[ContactId], phones: Iterable[PhoneId]) -> None:
        """Raises AmiError when the link breaks meanwhile; then it is done again with the next link.

        Callers are watched before the rows are read: whoever leaves in between is either in a row or heard.
        """
        before = self._known().calls.keys()
        await self._phones(phones)
        channels = await self._ami.status(["PASOKH_ID", "PA_TALK"])
        alive = {contact: c for c in channels if (contact := _contact_of(c)) is not None}
        for contact, caller in alive.items():
            if contact not in attached:
                self._channels.caller(caller.uniqueid, contact)
        rows = await self._ami.db_tree(FAMILY)
        legs: dict[str, list[ChannelStatus]] = {}
        for channel in channels:
            if channel.application == "AppDial":
                legs.setdefault(channel.linkedid, []).append(channel)
        known = self._known()
        for contact, call in known.calls.items():
            if contact in rows and contact not in attached:
                continue
            if (found := alive.get(contact)) is not None:
                self._ring_or_talk(contact, call, found, legs.get(found.linkedid, []))
            elif contact in before and contact not in attached:
                self._post(FoundEnded(contact, "", known.now_us, known.now_us, None))
        for contact, row in rows.items():
            if contact not in attached:
                self._take_in(contact, row)
        for contact, caller in alive.items():
            if contact not in attached and contact not in rows:
                await self._rescue(caller)
        self.done.set()

    async def _phones(self, phones: Iterable[PhoneId]) -> None:
        states = await self._ami.device_states()
        for phone in phones:
            state = states.get(PHONE_PREFIX + phone, "INVALID")
            self._post(PhoneChanged(phone, PHONE_STATES.get(state, PhoneState.UNKNOWN)))

    def _ring_or_talk(
        self, contact: ContactId, call: KnownCall, caller: ChannelStatus, legs: Sequence[ChannelStatus]
    ) -> None:
        """Phones that ring or talk, whose beginning nobody told us: watch them, and tell an answer with its true
        instant. Whoever waits comes back by the dialplan's own loop."""
        talks = bool(caller.bridge_id)
        if call.offer is None or (call.state is VisitState.WAITING and not talks):
            return
        offers = call.round or {"": call.offer}
        for leg in legs:
            answered = talks and leg.bridge_id == caller.bridge_id
            offer = self._channels.found_leg(leg.uniqueid, leg.channel, contact, offers, answered)
            if offer is not None and answered and call.state is not VisitState.TALKING:
                self._post(OfferAnswered(offer, instant_us(caller.variables.get("PA_TALK", ""))))

    def _take_in(self, contact: ContactId, row: str) -> None:
        end = read_end(contact, row)
        if end is not None:
            self._tell_winner(contact, row, end)
            self._post(end)
        elif contact in (known := self._known()).calls:  # damaged: that they are gone it tells all the same
            self._post(FoundEnded(contact, "", known.now_us, known.now_us, None))
        self._ends.has_row(contact)

    def _tell_winner(self, contact: ContactId, row: str, end: FoundEnded) -> None:
        """Of several phones that rang together when we died, the row says which one was answered."""
        call = self._known().calls.get(contact)
        if call is None or call.state is not VisitState.OFFERED or end.talk_us is None or end.native:
            return
        offer = call.round.get(answered_phone(row))
        if offer is not None:
            self._post(OfferAnswered(offer, end.at_us - end.talk_us))

    async def _rescue(self, caller: ChannelStatus) -> None:
        """Out of Asterisk's own queue and back to us, while nobody there has answered."""
        if caller.application != "Queue" or caller.bridge_id:
            return
        try:
            await self._ami.redirect(caller.channel, ATTACH_CONTEXT, "s")
        except AmiActionError:
            return  # the caller has left in this instant
        self.rescued += 1

    # Calls without a session -------------------------------------------------------------------------------

    def orphan_gone(self, contact: ContactId) -> None:
        """A caller without a session hung up just now: how, Asterisk's database tells."""
        task = asyncio.get_running_loop().create_task(self._read_end(contact))
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)

    async def _read_end(self, contact: ContactId) -> None:
        try:
            rows = await self._ami.db_tree(FAMILY)
        except AmiError:
            return  # the next comparison reads it
        known = self._known()
        if contact in rows:
            self._take_in(contact, rows[contact])
        elif contact in known.calls:  # complete, but we died before we could say so
            self._post(FoundEnded(contact, "", known.now_us, known.now_us, None))

    def stop_ring(self, offer: OfferId) -> None:
        """The ring of a call that lost its session is out of time."""
        leg = self._channels.leg(offer)
        if leg is not None and not leg.answered:
            task = asyncio.get_running_loop().create_task(self._hang_up(leg.channel))
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)

    async def _hang_up(self, channel: str) -> None:
        try:
            await self._ami.hangup(channel)
        except AmiError:
            return  # it is gone, or the link is: either way the next comparison sees


def _contact_of(channel: ChannelStatus) -> ContactId | None:
    """The contact whose caller this channel is; agents' legs inherit the id but not the uniqueid."""
    contact = channel.variables.get("PASOKH_ID")
    return contact if contact is not None and contact == channel.uniqueid else None
