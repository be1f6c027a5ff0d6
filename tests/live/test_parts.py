"""The real Asterisk boots here, and SIPp rings it: what every other live test stands on."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from typing import Literal

import pytest

from tests.live.asterisk import LiveAsterisk, Ports, unused_udp_port
from tests.live.sipp import Answer, Callers, Phones, Refuse, register

pytestmark = pytest.mark.needs("asterisk", "sipp")

PJSIP = """\
[udp]
type=transport
protocol=udp
bind=127.0.0.1:{sip}
[trunk]
type=endpoint
context=from-trunk
disallow=all
allow=ulaw
direct_media=no
media_address=127.0.0.1
bind_rtp_to_media_address=yes
dtmf_mode=auto_info
[trunk]
type=identify
endpoint=trunk
match=127.0.0.1
{phones}"""
PHONE = """\
[{name}]
type=endpoint
context=nowhere
disallow=all
allow=ulaw
aors={name}
direct_media=no
media_address=127.0.0.1
bind_rtp_to_media_address=yes
[{name}]
type=aor
contact=sip:{name}@127.0.0.1:{port}
"""
REGISTERED = """\
[global]
type=global
endpoint_identifier_order=username,ip,anonymous
[desk9]
type=endpoint
context=nowhere
disallow=all
allow=ulaw
aors=desk9
auth=desk9
direct_media=no
media_address=127.0.0.1
bind_rtp_to_media_address=yes
[desk9]
type=auth
auth_type=userpass
username=desk9
password=open-sesame
[desk9]
type=aor
max_contacts=1
"""
EXTENSIONS = """\
[from-trunk]
exten => 600,1,Answer(,i)
 same => n,Echo()
exten => 601,1,Answer(,i)
 same => n,Playback(beep)
 same => n,Hangup()
exten => 602,1,Answer(,i)
 same => n,Read(KEYS,,2,,1,5)
 same => n,Log(NOTICE,keyed ${KEYS})
 same => n,Hangup()
exten => _7XX,1,Answer(,i)
 same => n,Set(HASH=${EXTEN:1})
 same => n,Dial(PJSIP/desk${EXTEN:2},5,b(stamp^s^1))
 same => n,Log(NOTICE,dialled ${DIALSTATUS})
 same => n,Hangup()
[stamp]
exten => s,1,Set(PJSIP_HEADER(add,X-Pasokh-Contact)=contact-7)
 same => n,Return()
[nowhere]
"""


@pytest.fixture(scope="module")
def phone_ports() -> dict[str, int]:
    return {name: unused_udp_port() for name in ("desk1", "desk2", "desk3")}


@pytest.fixture(scope="module")
def asterisk(phone_ports: dict[str, int]) -> Iterator[LiveAsterisk]:
    ports = Ports.free()
    phones = "".join(PHONE.format(name=name, port=port) for name, port in phone_ports.items()) + REGISTERED
    files = {"pjsip.conf": PJSIP.format(sip=ports.sip, phones=phones), "extensions.conf": EXTENSIONS}
    with LiveAsterisk(files, ports) as running:
        yield running


def test_it_is_an_asterisk_22_that_has_nothing_to_warn_of(asterisk: LiveAsterisk) -> None:
    assert asterisk.cli("core show version").startswith("Asterisk 22.")
    assert asterisk.log_warnings() == []
    assert asterisk.channels() == 0


async def test_callers_ring_an_echo_and_hang_up_themselves(asterisk: LiveAsterisk) -> None:
    with Callers(
        ["09121111111", "09122222222"], dial="600", asterisk_port=asterisk.ports.sip, talk_ms=300
    ) as callers:
        outcome = await callers.finished()
    assert (outcome.succeeded, outcome.failed) == (2, 0), outcome
    assert [m.who for m in outcome.of("ANSWER")] == ["09121111111", "09122222222"]
    talked_us = [
        sent.at_us - answer.at_us
        for sent, answer in zip(outcome.of("BYE_SENT"), outcome.of("ANSWER"), strict=True)
    ]
    assert all(us >= 290_000 for us in talked_us)


async def test_a_caller_hears_the_other_side_hang_up(asterisk: LiveAsterisk) -> None:
    with Callers(["09121111111"], dial="601", asterisk_port=asterisk.ports.sip) as callers:
        outcome = await callers.finished()
    assert outcome.succeeded == 1, outcome
    assert [m.what for m in outcome.moments] == ["INVITE", "ANSWER", "BYE_HEARD"]


@pytest.mark.parametrize(
    "by",
    [
        "info",
        pytest.param(
            "rfc2833", marks=pytest.mark.skipif(os.geteuid() != 0, reason="SIPp sends RFC 2833 as root only")
        ),
    ],
)
async def test_keys_reach_the_dialplan(asterisk: LiveAsterisk, by: Literal["info", "rfc2833"]) -> None:
    keys = [(300, "4"), (400, "2")] if by == "info" else [(300, "7"), (500, "3")]
    with Callers(["0912"], dial="602", asterisk_port=asterisk.ports.sip, keys=keys, keys_by=by) as callers:
        outcome = await callers.finished()
    assert outcome.succeeded == 1, outcome
    assert [m.detail for m in outcome.of("KEY")] == [key for _, key in keys]
    assert f"keyed {''.join(key for _, key in keys)}" in asterisk.log_text()


async def test_a_phone_answers_and_hangs_up(asterisk: LiveAsterisk, phone_ports: dict[str, int]) -> None:
    with (
        Phones(phone_ports["desk1"], Answer(after_ms=100, talk_ms=300)) as phones,
        Callers(["09121111111"], dial="701", asterisk_port=asterisk.ports.sip) as callers,
    ):
        outcome = await callers.finished()
        await phones.heard("BYE_SENT")
        heard = phones.stop()
    assert outcome.succeeded == 1, outcome
    assert [(m.what, m.who) for m in heard.moments] == [
        (w, "desk1") for w in ("RING", "ANSWER", "BYE_SENT")
    ], heard
    assert heard.succeeded == 1, heard
    ring, answer, bye = heard.moments
    assert (ring.detail, ring.contact) == ("09121111111", "contact-7")
    assert answer.at_us - ring.at_us >= 90_000
    assert bye.at_us - answer.at_us >= 290_000


async def test_a_phone_hears_that_the_caller_left(
    asterisk: LiveAsterisk, phone_ports: dict[str, int]
) -> None:
    with (
        Phones(phone_ports["desk2"], Answer(after_ms=None)) as phones,
        Callers(["0912"], dial="702", asterisk_port=asterisk.ports.sip, talk_ms=500) as callers,
    ):
        outcome = await callers.finished()
        await phones.heard("CANCEL")
        heard = phones.stop()
    assert outcome.succeeded == 1, outcome
    assert [m.what for m in heard.moments] == ["RING", "CANCEL"]
    assert heard.succeeded == 1, heard


async def test_phones_talk_until_the_caller_hangs_up(
    asterisk: LiveAsterisk, phone_ports: dict[str, int]
) -> None:
    with (
        Phones(phone_ports["desk1"], Answer()) as phones,
        Callers(
            ["0912"] * 20, dial="701", asterisk_port=asterisk.ports.sip, talk_ms=500, calls_per_s=40
        ) as callers,
    ):
        outcome = await callers.finished()
        await phones.heard("BYE_HEARD", 20)
        heard = phones.stop()
    assert (outcome.succeeded, outcome.failed) == (20, 0), outcome.errors
    assert (heard.succeeded, heard.failed) == (20, 0), heard.errors
    assert asterisk.channels() == 0


@pytest.mark.parametrize(
    ("behaviour", "status"),
    [(Refuse.busy(), "BUSY"), (Refuse.reject(), "CHANUNAVAIL"), (Refuse.unavailable(), "NOANSWER")],
    ids=lambda value: value if isinstance(value, str) else value.status[:3],
)
async def test_phones_refuse(
    asterisk: LiveAsterisk, phone_ports: dict[str, int], behaviour: Refuse, status: str
) -> None:
    before = asterisk.log_text().count("dialled ")
    with (
        Phones(phone_ports["desk3"], behaviour) as phones,
        Callers(["0912"], dial="703", asterisk_port=asterisk.ports.sip) as callers,
    ):
        outcome = await callers.finished()
        await phones.heard("REFUSED")
    assert outcome.succeeded == 1, outcome
    said = [line.rsplit(" ", 1)[1] for line in asterisk.log_text().splitlines() if "dialled " in line]
    assert len(said) == before + 1
    assert said[-1] == status


async def test_a_phone_registers_with_its_password_and_is_rung_there(asterisk: LiveAsterisk) -> None:
    port = unused_udp_port()
    wrong = await asyncio.to_thread(
        register, [("desk9", "wrong")], asterisk_port=asterisk.ports.sip, sip_port=unused_udp_port()
    )
    assert wrong.succeeded == 0
    right = await asyncio.to_thread(
        register, [("desk9", "open-sesame")], asterisk_port=asterisk.ports.sip, sip_port=port
    )
    assert right.succeeded == 1, right
    with (
        Phones(port, Answer(talk_ms=200)) as phones,
        Callers(["0912"], dial="709", asterisk_port=asterisk.ports.sip) as callers,
    ):
        outcome = await callers.finished()
        assert [m.who for m in await phones.heard("RING")] == ["desk9"]
    assert outcome.succeeded == 1, outcome


async def test_it_keeps_its_database_over_a_restart() -> None:
    with LiveAsterisk({}, Ports.free()) as asterisk:
        asterisk.cli("database put pasokh one two")
        asterisk.stop()
        asterisk.start()
        assert "two" in asterisk.cli("database get pasokh one")
