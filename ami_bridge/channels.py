"""Which channel belongs to which contact, and what Asterisk's events about it mean to the center; pure.

Asterisk promises no order between its events, so nothing is concluded from an order: a leg is known by its
Uniqueid, an offer by the caller's channel that dials, and every event may come twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from acd.events import Event, Held, OfferAnswered, OfferRang, PhoneChanged, Unheld
from acd.types import ContactId, OfferId, PhoneState

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


@dataclass(frozen=True, slots=True)
class CallerGone:
    """The caller's channel is no more."""

    contact: ContactId


@dataclass(slots=True)
class Leg:
    """An agent's phone that was dialled for an offer. `channel`: its name, for hanging it up."""

    offer: OfferId
    channel: str
    answered: bool = False


class Channels:
    """The callers we know of, the phone each is dialling, and the legs of those phones, by Uniqueid."""

    def __init__(self) -> None:
        self._contacts: dict[str, ContactId] = {}
        self._dialling: dict[ContactId, OfferId] = {}
        self._legs: dict[str, Leg] = {}
        self._legs_of: dict[
            OfferId, list[str]
        ] = {}  # more than one where a phone forwards; the newest is last

    def caller(self, uniqueid: str, contact: ContactId) -> None:
        self._contacts[uniqueid] = contact

    def dialling(self, contact: ContactId, offer: OfferId) -> None:
        self.dialled(contact)  # of a session that was replaced nobody told
        self._dialling[contact] = offer

    def dialled(self, contact: ContactId) -> None:
        """The caller's Dial has returned; whatever leg is left over is not ours to watch."""
        offer = self._dialling.pop(contact, None)
        for uniqueid in self._legs_of.pop(offer, ()) if offer is not None else ():
            del self._legs[uniqueid]

    def answered(self, offer: OfferId) -> bool:
        return any(self._legs[uniqueid].answered for uniqueid in self._legs_of.get(offer, ()))

    def leg(self, offer: OfferId) -> Leg | None:
        """The phone that rings or talks for this offer; the newest, where it forwarded."""
        legs = self._legs_of.get(offer)
        return self._legs[legs[-1]] if legs else None

    def found_leg(
        self, uniqueid: str, channel: str, contact: ContactId, offer: OfferId, answered: bool
    ) -> None:
        """A leg that was there already when we came, or came back, to look."""
        if self._dialling.get(contact) != offer:
            self.dialling(contact, offer)
        leg = self._legs.get(uniqueid) or self._new_leg(uniqueid, offer, channel)
        leg.answered = leg.answered or answered

    def forget(self, contact: ContactId) -> None:
        self.dialled(contact)
        for uniqueid in [u for u, c in self._contacts.items() if c == contact]:
            del self._contacts[uniqueid]

    def read(self, message: AmiMessage) -> tuple[Event | CallerGone, ...]:
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
        offer = self._dialling.get(contact) if contact is not None else None
        uniqueid = message.get("DestUniqueid")
        if offer is None or not uniqueid or uniqueid in self._legs:
            return ()
        self._new_leg(uniqueid, offer, message.get("DestChannel"))
        return (OfferRang(offer),)

    def _new_leg(self, uniqueid: str, offer: OfferId, channel: str) -> Leg:
        leg = self._legs[uniqueid] = Leg(offer, channel)
        self._legs_of.setdefault(offer, []).append(uniqueid)
        return leg

    def _dial_end(self, message: AmiMessage) -> tuple[Event, ...]:
        """Only the answer is news: how an unanswered ring ended, the caller's own Dial tells more exactly."""
        leg = self._legs.get(message.get("DestUniqueid"))
        if leg is None or self.answered(leg.offer) or message.get("DialStatus") != "ANSWER":
            return ()
        leg.answered = True
        return (OfferAnswered(leg.offer),)

    def _hangup(self, message: AmiMessage) -> tuple[CallerGone, ...]:
        contact = self._contacts.pop(message.get("Uniqueid"), None)
        return () if contact is None else (CallerGone(contact),)


def phone_changed(device: str, state: str) -> tuple[PhoneChanged, ...]:
    """A phone's state, from a device's name and state; nothing for what is no phone of ours."""
    if not device.startswith(PHONE_PREFIX) or state not in PHONE_STATES:
        return ()
    return (PhoneChanged(device.removeprefix(PHONE_PREFIX), PHONE_STATES[state]),)
