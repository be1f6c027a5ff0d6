"""What Asterisk's events mean, whatever their order and however often each comes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acd.events import Event, Held, OfferAnswered, OfferRang, PhoneChanged, Unheld
from acd.types import PhoneState, RingFailure
from ami_bridge.channels import CallerGone, Channels, LegEnded, Meaning, phone_changed, phone_of
from ami_bridge.wire import AmiMessage

CALLER, LEG, CONTACT, OFFER = "sys-1.1", "sys-1.2", "sys-1.1", "sys-1.1.1.1"
PHONE, LEG_CHANNEL = "p1", "PJSIP/p1-00000002"


def event(name: str, **headers: str) -> AmiMessage:
    return AmiMessage({"Event": name, **headers})


def dial_begin(caller: str = CALLER, leg: str = LEG, channel: str = LEG_CHANNEL) -> AmiMessage:
    return event("DialBegin", Uniqueid=caller, DestUniqueid=leg, DestChannel=channel)


def dial_end(status: str = "ANSWER", leg: str = LEG, caller: str = CALLER) -> AmiMessage:
    return event("DialEnd", Uniqueid=caller, DestUniqueid=leg, DialStatus=status)


def hangup(uniqueid: str = CALLER) -> AmiMessage:
    return event("Hangup", Uniqueid=uniqueid, Cause="16")


def dialling() -> Channels:
    channels = Channels()
    channels.caller(CALLER, CONTACT)
    channels.dialling(CONTACT, {PHONE: OFFER})
    return channels


def read_all(channels: Channels, messages: Iterable[AmiMessage]) -> list[Meaning]:
    return [meaning for message in messages for meaning in channels.read(message)]


# ---- what each event means ---------------------------------------------------------------------------------


def test_a_call_is_read_from_ring_to_hang_up() -> None:
    heard = read_all(
        dialling(),
        [
            dial_begin(),
            event("DialState", Uniqueid=CALLER, DestUniqueid=LEG, DialStatus="RINGING"),
            dial_end(),
            event("BridgeEnter", Uniqueid=LEG),
            event("Hold", Uniqueid=LEG),
            event("Unhold", Uniqueid=LEG),
            event("BridgeLeave", Uniqueid=LEG),
            hangup(LEG),
            hangup(),
        ],
    )
    assert heard == [
        OfferRang(OFFER),
        OfferAnswered(OFFER),
        Held(OFFER),
        Unheld(OFFER),
        LegEnded(CONTACT, OFFER, None),
        CallerGone(CONTACT),
    ]


@pytest.mark.parametrize("status", ["NOANSWER", "BUSY", "CANCEL", "CONGESTION", "CHANUNAVAIL", "ABORT", ""])
def test_only_an_answer_is_news_of_the_dial_s_end(status: str) -> None:
    channels = dialling()
    assert read_all(channels, [dial_begin(), dial_end(status)]) == [OfferRang(OFFER)]
    assert not channels.answered(OFFER)


@pytest.mark.parametrize(
    "message",
    [
        dial_begin(caller="stranger"),
        dial_begin(leg=""),
        dial_end(leg="stranger"),
        event("DialBegin"),
        event("DialEnd", DialStatus="ANSWER"),
        event("Hold", Uniqueid="stranger"),
        event("Unhold"),
        event("Hold", Uniqueid=CALLER),
        hangup("stranger"),
        event("Hangup"),
        event("Newchannel", Uniqueid=CALLER),
        event("FullyBooted"),
        AmiMessage({}),
        event("DeviceStateChange"),
    ],
    ids=repr,
)
def test_what_is_not_ours_means_nothing(message: AmiMessage) -> None:
    assert dialling().read(message) == ()


@pytest.mark.parametrize("times", [2, 3, 100])
@pytest.mark.parametrize(
    ("message", "meaning"),
    [
        (dial_begin(), OfferRang(OFFER)),
        (dial_end(), OfferAnswered(OFFER)),
        (hangup(), CallerGone(CONTACT)),
    ],
    ids=["DialBegin", "DialEnd", "Hangup"],
)
def test_an_event_that_comes_again_is_told_once(message: AmiMessage, meaning: Event, times: int) -> None:
    channels = dialling()
    heard = read_all(channels, [dial_begin(), *[message] * times])
    assert heard.count(meaning) == 1


# ---- another order -----------------------------------------------------------------------------------------


def test_an_answer_before_the_ring_is_left_to_the_session() -> None:
    """The leg is not known yet, so nobody can say whose answer it is; the caller's Dial tells at its end."""
    channels = dialling()
    assert read_all(channels, [dial_end(), dial_begin()]) == [OfferRang(OFFER)]
    assert not channels.answered(OFFER)


def test_an_answer_after_the_caller_s_hang_up_still_counts() -> None:
    assert read_all(dialling(), [dial_begin(), hangup(), dial_end()]) == [
        OfferRang(OFFER),
        CallerGone(CONTACT),
        OfferAnswered(OFFER),
    ]


def test_a_ring_whose_caller_is_already_gone_means_nothing() -> None:
    assert read_all(dialling(), [hangup(), dial_begin(), dial_end()]) == [CallerGone(CONTACT)]


def test_what_comes_after_the_dial_has_returned_means_nothing() -> None:
    channels = dialling()
    read_all(channels, [dial_begin()])
    channels.dialled(CONTACT)
    assert read_all(channels, [dial_end(), event("Hold", Uniqueid=LEG), dial_begin()]) == []
    assert channels.leg(OFFER) is None


def test_the_next_offer_of_a_caller_has_its_own_leg() -> None:
    channels = dialling()
    read_all(channels, [dial_begin()])
    channels.dialled(CONTACT)
    channels.dialling(CONTACT, {PHONE: "second"})
    heard = read_all(channels, [dial_end(), dial_begin(leg="sys-1.3"), dial_end(leg="sys-1.3")])
    assert heard == [OfferRang("second"), OfferAnswered("second")]
    assert not channels.answered(OFFER)


def test_a_forwarding_phone_makes_two_legs_and_both_are_forgotten() -> None:
    channels = dialling()
    read_all(channels, [dial_begin(), dial_begin(leg="sys-1.3", channel="Local/elsewhere")])
    leg = channels.leg(OFFER)
    assert leg is not None
    assert leg.channel == "Local/elsewhere"
    channels.dialled(CONTACT)
    assert read_all(channels, [event("Hold", Uniqueid=LEG), event("Hold", Uniqueid="sys-1.3")]) == []


def test_one_offer_is_answered_once_also_by_two_legs() -> None:
    heard = read_all(
        dialling(), [dial_begin(), dial_begin(leg="sys-1.3"), dial_end(), dial_end(leg="sys-1.3")]
    )
    assert heard == [OfferRang(OFFER), OfferRang(OFFER), OfferAnswered(OFFER)]


def test_a_dial_that_never_returned_is_forgotten_with_the_next_one() -> None:
    """A caller who was transferred back to us: nobody told how the ring before ended."""
    channels = dialling()
    read_all(channels, [dial_begin()])
    channels.dialling(CONTACT, {PHONE: "second"})
    assert channels.leg(OFFER) is None
    assert read_all(channels, [dial_end()]) == []


# ---- legs that were there before us ------------------------------------------------------------------------


@pytest.mark.parametrize("answered", [False, True])
def test_a_leg_that_was_found_is_watched_from_then_on(answered: bool) -> None:
    channels = Channels()
    channels.caller(CALLER, CONTACT)
    channels.found_leg(LEG, LEG_CHANNEL, CONTACT, {PHONE: OFFER}, answered)
    assert channels.answered(OFFER) is answered
    heard = read_all(channels, [dial_begin(), dial_end(), event("Hold", Uniqueid=LEG)])
    assert heard == ([] if answered else [OfferAnswered(OFFER)]) + [Held(OFFER)]


def test_a_found_leg_stays_answered_when_it_is_found_again() -> None:
    channels = dialling()
    read_all(channels, [dial_begin(), dial_end()])
    channels.found_leg(LEG, LEG_CHANNEL, CONTACT, {PHONE: OFFER}, False)
    assert channels.answered(OFFER)
    assert read_all(channels, [dial_end()]) == []


def test_forgetting_a_contact_forgets_its_channel_and_legs_and_no_other_s() -> None:
    channels = dialling()
    read_all(channels, [dial_begin()])
    channels.caller("sys-2.1", "sys-2.1")
    channels.dialling("sys-2.1", {PHONE: "other"})
    channels.forget(CONTACT)
    assert channels.leg(OFFER) is None
    assert read_all(channels, [dial_begin(), dial_end(), hangup()]) == []
    heard = read_all(channels, [dial_begin("sys-2.1", "sys-2.2"), hangup("sys-2.1")])
    assert heard == [OfferRang("other"), CallerGone("sys-2.1")]
    channels.forget("never known")


# ---- several phones at once --------------------------------------------------------------------------------

ROUND = {"p1": "sys-1.1.1.1", "p2": "sys-1.1.1.2"}


def two_dialled() -> Channels:
    channels = Channels()
    channels.caller(CALLER, CONTACT)
    channels.dialling(CONTACT, ROUND)
    begins = [dial_begin(leg=f"leg-{phone}", channel=f"PJSIP/{phone}-0000002a") for phone in ROUND]
    assert read_all(channels, begins) == [OfferRang(offer) for offer in ROUND.values()]
    return channels


def leg_hangup(leg: str, cause: str) -> AmiMessage:
    return event("Hangup", Uniqueid=leg, Cause=cause)


def test_a_leg_is_known_by_the_phone_in_its_name() -> None:
    channels = two_dialled()
    assert read_all(channels, [dial_end(leg="leg-p2")]) == [OfferAnswered("sys-1.1.1.2")]
    assert channels.winner(CONTACT) == "sys-1.1.1.2"
    assert read_all(channels, [event("Hold", Uniqueid="leg-p2")]) == [Held("sys-1.1.1.2")]


def test_a_round_has_one_winner() -> None:
    channels = two_dialled()
    heard = read_all(channels, [dial_end(leg="leg-p1"), dial_end(leg="leg-p2")])
    assert heard == [OfferAnswered("sys-1.1.1.1")]
    assert not channels.answered("sys-1.1.1.2")


@pytest.mark.parametrize(
    ("status", "cause", "why"),
    [
        ("BUSY", "17", RingFailure.BUSY),
        ("NOANSWER", "21", RingFailure.REJECTED),
        ("NOANSWER", "19", RingFailure.NO_ANSWER),
        ("NOANSWER", "0", RingFailure.NO_ANSWER),
        ("CHANUNAVAIL", "20", RingFailure.UNREACHABLE),
        ("CONGESTION", "34", RingFailure.UNREACHABLE),
        ("CANCEL", "26", None),
        ("CANCEL", "16", None),
        ("ANSWER", "16", None),
    ],
)
@pytest.mark.parametrize("in_order", [True, False])
def test_how_a_leg_s_ring_ended(status: str, cause: str, why: RingFailure | None, in_order: bool) -> None:
    """Asterisk promises no order: without DialEnd the cause alone tells, as far as it does."""
    channels = two_dialled()
    said = [dial_end(status, leg="leg-p1"), leg_hangup("leg-p1", cause)]
    ends = [meaning for meaning in read_all(channels, said if in_order else said[1:])
            if isinstance(meaning, LegEnded)]  # fmt: skip
    if in_order or cause in ("17", "21", "19", "20", "34"):
        assert ends == [LegEnded(CONTACT, "sys-1.1.1.1", why)]
    else:
        assert [end.offer for end in ends] == ["sys-1.1.1.1"]
    assert read_all(channels, [leg_hangup("leg-p1", cause)]) == []


def test_a_leg_of_another_phone_than_those_of_the_round_means_nothing() -> None:
    channels = two_dialled()
    assert read_all(channels, [dial_begin(leg="x", channel="PJSIP/p9-0000002a"), dial_end(leg="x")]) == []
    assert read_all(channels, [dial_begin(leg="y", channel="Local/elsewhere"), dial_end(leg="y")]) == []


@pytest.mark.parametrize(
    ("name", "phone"),
    [
        ("PJSIP/c1-phone-0000002a", "c1-phone"),
        ("PJSIP/101-00000001", "101"),
        ("PJSIP/a-b-c-deadbeef", "a-b-c"),
        ("Local/x@y-0000002a;1", ""),
        ("PJSIP/101", ""),
        ("", ""),
    ],
)
def test_the_phone_in_a_channel_s_name(name: str, phone: str) -> None:
    assert phone_of(name) == phone


# ---- phones ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("NOT_INUSE", PhoneState.FREE),
        ("UNKNOWN", PhoneState.FREE),
        ("INUSE", PhoneState.BUSY),
        ("BUSY", PhoneState.BUSY),
        ("RINGING", PhoneState.BUSY),
        ("RINGINUSE", PhoneState.BUSY),
        ("ONHOLD", PhoneState.BUSY),
        ("UNAVAILABLE", PhoneState.UNREACHABLE),
        ("INVALID", PhoneState.UNKNOWN),
    ],
)
def test_a_phone_s_state(word: str, state: PhoneState) -> None:
    message = event("DeviceStateChange", Device="PJSIP/p1", State=word)
    assert Channels().read(message) == (PhoneChanged("p1", state),)


@pytest.mark.parametrize(
    ("device", "word"),
    [
        ("Queue:pasokh-fallback", "NOT_INUSE"),
        ("Local/del@pasokh-dbdel", "INUSE"),
        ("pjsip/p1", "INUSE"),
        ("PJSIP/p1", ""),
        ("PJSIP/p1", "SOMETHING_NEW"),
        ("", ""),
    ],
)
def test_what_is_no_phone_s_state_means_nothing(device: str, word: str) -> None:
    assert phone_changed(device, word) == ()


# ---- any order, any number ---------------------------------------------------------------------------------

_CALLERS = ["sys-1.1", "sys-2.1"]
_LEGS = ["sys-1.2", "sys-1.3", ""]
_MESSAGES = st.one_of(
    st.builds(dial_begin, st.sampled_from([*_CALLERS, "stranger"]), st.sampled_from(_LEGS)),
    st.builds(dial_end, st.sampled_from(["ANSWER", "NOANSWER", ""]), st.sampled_from(_LEGS)),
    st.builds(hangup, st.sampled_from([*_CALLERS, *_LEGS])),
    st.builds(
        lambda name, leg: event(name, Uniqueid=leg),
        st.sampled_from(["Hold", "Unhold"]),
        st.sampled_from(_LEGS),
    ),
    st.builds(
        lambda device, word: event("DeviceStateChange", Device=device, State=word), st.text(), st.text()
    ),
)
_STEPS = st.one_of(
    _MESSAGES,
    st.tuples(st.just("dialling"), st.sampled_from(_CALLERS)),
    st.tuples(st.just("dialled"), st.sampled_from(_CALLERS)),
    st.tuples(st.just("forget"), st.sampled_from(_CALLERS)),
    st.tuples(st.just("caller"), st.sampled_from(_CALLERS)),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(_STEPS, max_size=40))
def test_no_order_and_no_repetition_makes_two_answers_of_one_offer(
    steps: list[AmiMessage | tuple[str, str]],
) -> None:
    channels = Channels()
    heard: list[Meaning] = []
    offers = 0
    for contact in _CALLERS:
        channels.caller(contact, contact)
        channels.dialling(contact, {PHONE: f"{contact}.{offers}"})
    for step in steps:
        if isinstance(step, AmiMessage):
            heard.extend(channels.read(step))
            continue
        name, contact = step
        match name:
            case "dialling":
                offers += 1
                channels.dialling(contact, {PHONE: f"{contact}.{offers}"})
            case "dialled":
                channels.dialled(contact)
            case "forget":
                channels.forget(contact)
            case "caller":
                channels.caller(contact, contact)
    answers = Counter(e.offer for e in heard if isinstance(e, OfferAnswered))
    rings = {e.offer for e in heard if isinstance(e, OfferRang)}
    assert all(count == 1 for count in answers.values())
    assert set(answers) <= rings
    for contact in _CALLERS:
        channels.forget(contact)
    held = [event("Hold", Uniqueid=leg) for leg in _LEGS]
    assert read_all(channels, [*held, *map(hangup, _CALLERS)]) == [], "something was not forgotten"
