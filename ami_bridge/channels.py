"""Which channel belongs to which contact, and what Asterisk's events about it mean to the center; pure.

Asterisk promises no order between its events, so nothing is concluded from an order: a leg is known by its
Uniqueid, its offer by the caller's channel that dials and the phone in the leg's name, and every event may come twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from acd.events import Event, Held, OfferAnswered, OfferRang, PhoneChanged, Unheld
from acd.types import ContactId, OfferId, PhoneId, PhoneState, RingFailure

from .wire import AmiMessage

PHONE_STATES: Final = {
    "NOT_INUSE": PhoneState.FREE,
    "UNKNOWN": PhoneState.FREE,
    "INUSE": PhoneState.BUSY,
    "BUSY": PhoneState.BUSY,
    "RINGING": PhoneState.BUSY,
    "RINGINUSE": PhoneState.BUSY,
    "ONHOLD": PhoneState.BUSY,
    "UNAVAILABLE": PhoneState.UNREACHABLE,
    "INVALID": PhoneState.UNKNOWN,
}
"""Asterisk's device states. `UNKNOWN` is a phone that Asterisk knows and cannot watch: ring it and see."""

PHONE_PREFIX: Final = "PJSIP/"
_PHONE_CHANNEL: Final = re.compile(r"PJSIP/(.+)-[0-9a-f]{8}")
_BUSY, _NO_ANSWER, _REJECTED, _ELSEWHERE = "17", ("0", "16", "18", "19"), "21", "26"


def phone_of(channel: str) -> PhoneId:
    """The phone of a leg's channel (`PJSIP/phone-0000002a`); "" for a channel that is no phone's."""
    found = _PHONE_CHANNEL.fullmatch(channel)
    return found[1] if found is not None else ""


@dataclass(frozen=True, slots=True)
class CallerGone:
    """The caller's channel is no more."""

    contact: ContactId


@dataclass(frozen=True, slots=True)
class LegEnded:
    """An agent's phone rings (or talks) no more. `why`: the reason, where the phone itself gave one; None where only
    the caller's own Dial can tell (another answered, or the time was up)."""

    contact: ContactId
    offer: OfferId
    why: RingFailure | None


Meaning = Event | CallerGone | LegEnded


@dataclass(slots=True)
class Leg:
    """An agent's phone that was dialled for an offer. `channel`: its name, for hanging it up. `status`: how its ring
    ended, as DialEnd said."""

    contact: ContactId
    offer: OfferId
    channel: str
    answered: bool = False
    status: str = ""
    over: bool = False


@dataclass(slots=True)
class _Round:
    """The phones that one Dial rings, each with its offer."""

    offers: Mapping[PhoneId, OfferId]
    winner: OfferId | None = None
    legs: list[str] = field(default_factory=list)

    def offer_for(self, channel: str) -> OfferId | None:
        """Of a single phone every leg is its own: it may forward."""
        if len(self.offers) == 1:
            return next(iter(self.offers.values()))
        return self.offers.get(phone_of(channel))


class Channels:
    """The callers we know of, the phones each is dialling, and the legs of those phones, by Uniqueid."""

    def __init__(self) -> None:
        self._contacts: dict[str, ContactId] = {}
        self._rounds: dict[ContactId, _Round] = {}
        self._legs: dict[str, Leg] = {}
        self._legs_of: dict[
            OfferId, list[str]
        ] = {}  # more than one where a phone forwards; the newest is last

    def caller(self, uniqueid: str, contact: ContactId) -> None:
        self._contacts[uniqueid] = contact

    def dialling(self, contact: ContactId, offers: Mapping[PhoneId, OfferId]) -> None:
        self.dialled(contact)  # of a session that was replaced nobody told
        self._rounds[contact] = _Round(dict(offers))

    def dialled(self, contact: ContactId) -> None:
        """The caller's Dial has returned; whatever leg is left over is not ours to watch."""
        over = self._rounds.pop(contact, None)
        for uniqueid in over.legs if over is not None else ():
            leg = self._legs.pop(uniqueid)
            self._legs_of.pop(leg.offer, None)

    def winner(self, contact: ContactId) -> OfferId | None:
        """The offer of the caller's round that was answered."""
        now = self._rounds.get(contact)
        return now.winner if now is not None else None

    def answered(self, offer: OfferId) -> bool:
        return any(self._legs[uniqueid].answered for uniqueid in self._legs_of.get(offer, ()))

    def leg(self, offer: OfferId) -> Leg | None:
        """The phone that rings or talks for this offer; the newest, where it forwarded."""
        legs = self._legs_of.get(offer)
        return self._legs[legs[-1]] if legs else None

    def found_leg(
        self,
        uniqueid: str,
        channel: str,
        contact: ContactId,
        offers: Mapping[PhoneId, OfferId],
        answered: bool,
    ) -> OfferId | None:
        """A leg that was there already when we came, or came back, to look. `offers` are those of its round; the
        one it belongs to, None for none of them."""
        now = self._rounds.get(contact)
        if now is None or set(now.offers.values()) != set(offers.values()):
            self.dialling(contact, offers)
            now = self._rounds[contact]
        offer = now.offer_for(channel)
        if offer is None:
            return None
        leg = self._legs.get(uniqueid) or self._new_leg(uniqueid, contact, offer, channel)
        leg.answered = leg.answered or answered
        now.winner = now.winner or (offer if answered else None)
        return offer

    def forget(self, contact: ContactId) -> None:
        self.dialled(contact)
        for uniqueid in [u for u, c in self._contacts.items() if c == contact]:
            del self._contacts[uniqueid]

    def read(self, message: AmiMessage) -> tuple[Meaning, ...]:
        """What this event of Asterisk's means; nothing for most."""
        match message.event:
            case "DialBegin":
                return self._dial_begin(message)
            case "DialEnd":
                return self._dial_end(message)
            case "Hold" | "Unhold":
                leg = self._legs.get(message.get("Uniqueid"))
                if leg is None:
                    return ()
                return (Held(leg.offer) if message.event == "Hold" else Unheld(leg.offer),)
            case "Hangup":
                return self._hangup(message)
            case "DeviceStateChange":
                return phone_changed(message.get("Device"), message.get("State"))
        return ()

    def _dial_begin(self, message: AmiMessage) -> tuple[Event, ...]:
        contact = self._contacts.get(message.get("Uniqueid"))
        now = self._rounds.get(contact) if contact is not None else None
        uniqueid, channel = message.get("DestUniqueid"), message.get("DestChannel")
        offer = now.offer_for(channel) if now is not None else None
        if contact is None or offer is None or not uniqueid or uniqueid in self._legs:
            return ()
        self._new_leg(uniqueid, contact, offer, channel)
        return (OfferRang(offer),)

    def _new_leg(self, uniqueid: str, contact: ContactId, offer: OfferId, channel: str) -> Leg:
        leg = self._legs[uniqueid] = Leg(contact, offer, channel)
        self._legs_of.setdefault(offer, []).append(uniqueid)
        self._rounds[contact].legs.append(uniqueid)
        return leg

    def _dial_end(self, message: AmiMessage) -> tuple[Event, ...]:
        """Only the answer is news at once, and of a round only the first: why a phone did not answer, its own
        hang-up tells more exactly."""
        leg = self._legs.get(message.get("DestUniqueid"))
        if leg is None:
            return ()
        leg.status = message.get("DialStatus")
        now = self._rounds[leg.contact]
        if leg.status != "ANSWER" or now.winner is not None:
            return ()
        leg.answered = True
        now.winner = leg.offer
        return (OfferAnswered(leg.offer),)

    def _hangup(self, message: AmiMessage) -> tuple[Meaning, ...]:
        uniqueid = message.get("Uniqueid")
        contact = self._contacts.pop(uniqueid, None)
        if contact is not None:
            return (CallerGone(contact),)
        leg = self._legs.get(uniqueid)
        if leg is None or leg.over:
            return ()
        leg.over = True
        if not all(self._legs[other].over for other in self._legs_of[leg.offer]):
            return ()
        return (LegEnded(leg.contact, leg.offer, _why(leg.status, message.get("Cause"))),)


def _why(status: str, cause: str) -> RingFailure | None:
    """A reason that the phone gave. Cause 0 and 16 may as well be our own hanging up, 26 is another's answer."""
    if status in ("ANSWER", "CANCEL") or cause in ("", _ELSEWHERE):
        return None
    if status == "BUSY" or cause == _BUSY:
        return RingFailure.BUSY
    if cause == _REJECTED:
        return RingFailure.REJECTED
    return RingFailure.NO_ANSWER if cause in _NO_ANSWER else RingFailure.UNREACHABLE


def phone_changed(device: str, state: str) -> tuple[PhoneChanged, ...]:
    """A phone's state, from a device's name and state; nothing for what is no phone of ours."""
    if not device.startswith(PHONE_PREFIX) or state not in PHONE_STATES:
        return ()
    return (PhoneChanged(device.removeprefix(PHONE_PREFIX), PHONE_STATES[state]),)
