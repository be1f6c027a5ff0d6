"""The generated configuration on the real Asterisk: it loads without a word, and keeps its callers.

SIPp calls the numbers of the example site; the listener and the manager link are the product's own.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest

from acd.events import FoundEnded
from acd.site import Phone, Trunk
from ami_bridge.agi import AgiSession
from ami_bridge.ami import Ami, AmiSettings
from ami_bridge.ends import Ends, read_end
from ami_bridge.errors import AmiActionError
from ami_bridge.fastagi import FastAgiServer, FastAgiSettings
from ami_bridge.signature import CallRequest
from ami_bridge.wire import AmiMessage
from asterisk_conf import AsteriskConfSettings, LoopSettings, check_against, complete, includes
from tests.asterisk_conf.sites import bent
from tests.live.asterisk import LiveAsterisk, Ports, unused_udp_port
from tests.live.sipp import Answer, Callers, Phones, register
from tests.ports import unused_tcp_port

pytestmark = pytest.mark.needs("asterisk", "sipp")

NUMBER = "02191001500"
CALLER = "09121234567"
AGI_SECRET = "the-secret.of~this/dialplan=1"
AMI_SECRET = "a;secret;--with$signs,{1}\\"
LOOP = LoopSettings(without_anyone_s=2, young_s=1, retry_s=0.1, native_wait_s=3)
PHONE_PORT = unused_udp_port()
SITE = bent("phones", "p1", Phone(kind="static", contact=f"sip:p1@127.0.0.1:{PHONE_PORT}"))

Handler = Callable[[AgiSession, CallRequest], Awaitable[None]]


def secrets(name: str) -> str:
    return {"secrets/desk2": "semi;colon;--and\\slash"}.get(name, "plain-" + name.replace("/", "-"))


def settings(ports: Ports, *agi_ports: int) -> AsteriskConfSettings:
    return AsteriskConfSettings(
        agi_secret=AGI_SECRET,
        ami_secret=AMI_SECRET,
        agi_servers=tuple(("127.0.0.1", port) for port in agi_ports),
        ami_port=ports.ami,
        sip_port=ports.sip,
        rtp_first=ports.rtp_first,
        rtp_last=ports.rtp_last,
        qualify_s=0,
        loopback=True,
        register_trunks=False,
        loop=LOOP,
    )


@pytest.fixture(scope="module")
def agi_ports() -> tuple[int, int]:
    return unused_tcp_port(), unused_tcp_port()


@pytest.fixture(scope="module")
def asterisk(agi_ports: tuple[int, int]) -> Iterator[LiveAsterisk]:
    ports = Ports.free(100)
    with LiveAsterisk(complete(SITE, settings(ports, *agi_ports), secrets), ports) as started:
        assert started.log_warnings() == []
        yield started


class Us:
    """Our process: the manager link with what it heard, and the listener on the first of both ports."""

    def __init__(self, ami: Ami, server: FastAgiServer, events: list[AmiMessage]) -> None:
        self.ami = ami
        self.server = server
        self.events = events

    async def row(self) -> FoundEnded:
        """The only row that the `h` extension left, as soon as it is there, as the product reads it."""
        while not (rows := await self.ami.db_tree("pasokh")):  # noqa: ASYNC110 - a database has no event
            await asyncio.sleep(0.02)
        [(contact, row)] = rows.items()
        found = read_end(contact, row)
        assert found is not None, row
        return found

    async def forget(self, *contacts: str) -> None:
        """Has rows removed as the product does, and waits until they are."""
        ends = Ends(self.ami, every_s=0.01)
        for contact in contacts:
            ends.has_row(contact)
        ends.durable(contacts)
        while set(await self.ami.db_tree("pasokh")) & set(contacts):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        await ends.close()

    async def heard(self, name: str) -> AmiMessage:
        """The first event of a name, or user event of one."""
        while True:
            for event in self.events:
                if name in (event.event, event.get("UserEvent")):
                    return event
            await asyncio.sleep(0.01)

    async def no_channel(self) -> None:
        while await self.ami.status():  # noqa: ASYNC110
            await asyncio.sleep(0.02)

    async def begin_empty(self) -> None:
        """Nothing that a failed test left: no channel, no member of the queue, no row."""
        for channel in await self.ami.status():
            with suppress(AmiActionError):  # it has just gone by itself
                await self.ami.hangup(channel.channel)
        await self.no_channel()
        await self.ami.queue_remove("pasokh-fallback", "PJSIP/p1")
        await self.forget(*await self.ami.db_tree("pasokh"))


@asynccontextmanager
async def us(asterisk: LiveAsterisk, agi_port: int, handler: Handler | None) -> AsyncIterator[Us]:
    events: list[AmiMessage] = []
    errors: list[object] = []

    async def on_up() -> None:
        return None

    ami = Ami(
        AmiSettings(username="pasokh", secret=AMI_SECRET, port=asterisk.ports.ami, backoff_first_s=0.05),
        random=random.Random(1),
        on_event=events.append,
        on_up=on_up,
        on_down=lambda _reason: None,
        on_error=errors.append,
    )
    server = FastAgiServer(
        FastAgiSettings(secret=AGI_SECRET, port=agi_port),
        handler or unexpected,
        clock=time.time,
        on_error=lambda uniqueid, error: errors.append((uniqueid, error)),
    )
    ami.start()
    try:
        async with asyncio.timeout(25):
            await ami.wait_up()
            joined = Us(ami, server, events)
            await joined.begin_empty()
            events.clear()
            if handler is not None:
                await server.start()
            yield joined
            await joined.no_channel()
    finally:
        await ami.stop()
        await server.stop(1.0)
    assert errors == []


async def unexpected(_session: AgiSession, _request: CallRequest) -> None:
    raise AssertionError("no call was expected here")


def caller(
    asterisk: LiveAsterisk, number: str = NUMBER, *headers: str, talk_ms: int | None = None
) -> Callers:
    return Callers(
        [CALLER],
        dial=number,
        asterisk_port=asterisk.ports.sip,
        headers=headers,
        talk_ms=talk_ms,
        timeout_s=20,
    )


# ---------------------------------------------------------------- loading


def test_a_whole_asterisk_loads_it_with_browsers_and_registrations_too() -> None:
    ports = Ports.free(20)
    with_all = replace(settings(ports, 4573), http_port=unused_tcp_port(), register_trunks=True)
    provider = Trunk(host="127.0.0.1", port=unused_udp_port(), username="100", secret_file="s", register=True)
    site = SITE.model_copy(update={"trunks": {"provider": provider}})
    with LiveAsterisk(complete(site, with_all, secrets), ports) as asterisk:
        assert asterisk.log_warnings() == []
        assert "pasokh-ws" in asterisk.cli("pjsip show transports")
        assert "trunk-provider/sip:127.0.0.1" in asterisk.cli("pjsip show registrations")


def test_an_existing_asterisk_takes_the_includes() -> None:
    ports = Ports.free(20)
    ours = includes(SITE, settings(ports, 4573), secrets)
    theirs = {
        "extensions.conf": "[general]\nstatic=yes\n[globals]\nX=1\n[their-own]\nexten => 1,1,Hangup()\n"
        "#include pasokh-extensions.conf\n",
        "pjsip.conf": f"[udp]\ntype=transport\nprotocol=udp\nbind=127.0.0.1:{ports.sip}\n"
        "[bob]\ntype=endpoint\n#include pasokh-pjsip.conf\n",
        "manager.conf": f"[general]\nenabled=yes\nport={ports.ami}\nbindaddr=127.0.0.1\n[admin]\nsecret=x\n"
        "#include pasokh-manager.conf\n",
        "queues.conf": "[general]\npersistentmembers=yes\n[support]\n#include pasokh-queues.conf\n",
        "musiconhold.conf": "[default]\nmode=files\ndirectory=moh\n#include pasokh-musiconhold.conf\n",
        "modules.conf": complete(SITE, settings(ports, 4573), secrets)["modules.conf"],
    }
    with LiveAsterisk({**ours, **theirs}, ports) as asterisk:
        assert asterisk.log_warnings() == []
        assert f"'{NUMBER}'" in asterisk.cli("dialplan show pasokh-inbound")
        assert "bob" in asterisk.cli("pjsip show endpoints")


def test_secrets_reach_asterisk_as_they_are(asterisk: LiveAsterisk) -> None:
    shown = asterisk.cli("pjsip show auth desk2")
    assert f"password                 : {secrets('secrets/desk2')}\n" in shown


async def test_a_phone_registers_with_its_secret_only(asterisk: LiveAsterisk) -> None:
    async with us(asterisk, 0, None) as joined:
        assert (await joined.ami.device_states())["PJSIP/desk1"] == "UNAVAILABLE"
        for secret, registered in (("wrong", 0), (secrets("secrets/desk1"), 1)):
            sip_port = unused_udp_port()
            outcome = await asyncio.to_thread(
                register, [("desk1", secret)], asterisk_port=asterisk.ports.sip, sip_port=sip_port
            )
            assert outcome.succeeded == registered
        assert (await joined.ami.device_states())["PJSIP/desk1"] == "NOT_INUSE"


async def test_every_phone_of_the_site_is_known(asterisk: LiveAsterisk) -> None:
    async with us(asterisk, 0, None) as joined:
        assert check_against(SITE, await joined.ami.device_states()) == []
        more = bent("phones", "p9", Phone(kind="static", contact="sip:p9@127.0.0.1"))
        [told] = check_against(more, await joined.ami.device_states())
        assert '"p9"' in told


# ---------------------------------------------------------------- the manager user


async def test_the_manager_user_may_what_we_need_and_no_more(asterisk: LiveAsterisk) -> None:
    async with us(asterisk, 0, None) as joined:
        ami = joined.ami
        assert await ami.status(["PASOKH_TICKET"]) == []
        assert await ami.db_tree("pasokh") == {}
        assert await ami.queue_add("pasokh-fallback", "PJSIP/desk2", member_name="reza", paused=True)
        assert await ami.queue_pause("PJSIP/desk2", False, queue="pasokh-fallback")
        assert await ami.queue_remove("pasokh-fallback", "PJSIP/desk2")
        with pytest.raises(AmiActionError, match="No such channel"):
            await ami.control_playback_stop("PJSIP/none-00000000")
        for refused in (
            {"Action": "Command", "Command": "core show version"},
            {"Action": "GetConfig", "Filename": "manager.conf"},
            {"Action": "UpdateConfig", "SrcFilename": "manager.conf", "DstFilename": "manager.conf"},
            {"Action": "Filter", "Operation": "Add", "Filter": "Event: Hangup"},
            {"Action": "DBPut", "Family": "pasokh", "Key": "x", "Val": "y"},
            {"Action": "DBDel", "Family": "pasokh", "Key": "x"},
            {"Action": "Reload"},
            {"Action": "ModuleLoad", "LoadType": "unload", "Module": "res_agi.so"},
            {"Action": "MixMonitor", "Channel": "x", "File": "/tmp/x"},
        ):
            with pytest.raises(AmiActionError, match="Permission denied"):
                await ami.action(refused)
        with pytest.raises(AmiActionError, match="Forbidden"):
            await ami.originate("Local/del@pasokh-dbdel/n", application="System", data="true")


# ---------------------------------------------------------------- callers


async def test_a_call_comes_signed_and_is_over_when_we_say_so(
    asterisk: LiveAsterisk, agi_ports: tuple[int, int]
) -> None:
    got: asyncio.Queue[tuple[AgiSession, CallRequest]] = asyncio.Queue()

    async def handler(session: AgiSession, request: CallRequest) -> None:
        await session.set_variable("PASOKH_TOOK", "1")
        got.put_nowait((session, request))
        await session.set_variable("PASOKH_DONE", "1")

    async with us(asterisk, agi_ports[0], handler) as joined:
        with caller(asterisk) as sipp:
            session, request = await got.get()
            outcome = await sipp.finished()
        assert (request.script, request.number, request.attach) == ("call", NUMBER, 1)
        assert request.contact == session.uniqueid
        assert request.contact.startswith("test-")
        assert session.env["agi_callerid"] == CALLER
        assert joined.server.counters.refused_signature == 0
        assert outcome.succeeded == 1
        assert [moment.what for moment in outcome.moments][-1] == "BYE_HEARD"
        await joined.no_channel()
        assert await joined.ami.db_tree("pasokh") == {}


async def test_a_withheld_number_is_withheld_from_us(
    asterisk: LiveAsterisk, agi_ports: tuple[int, int]
) -> None:
    seen: asyncio.Queue[dict[str, str]] = asyncio.Queue()

    async def handler(session: AgiSession, _request: CallRequest) -> None:
        await session.set_variable("PASOKH_TOOK", "1")
        seen.put_nowait(dict(session.env))
        await session.set_variable("PASOKH_DONE", "1")

    hidden = (f"P-Asserted-Identity: <sip:{CALLER}@127.0.0.1>", "Privacy: id")
    async with us(asterisk, agi_ports[0], handler):
        with caller(asterisk, NUMBER, *hidden) as sipp:
            env = await seen.get()
            await sipp.finished()
        assert CALLER not in " ".join(env.values())
        assert env["agi_callerid"] == "unknown"


async def test_an_unknown_number_is_turned_away_and_told(asterisk: LiveAsterisk) -> None:
    async with us(asterisk, 0, None) as joined:
        for number in ("0217777", "+98217777"):
            joined.events.clear()
            with caller(asterisk, number) as sipp:
                outcome = await sipp.finished()
            assert (outcome.succeeded, outcome.of("ANSWER")) == (0, [])
            assert (await joined.heard("PasokhUnknownNumber")).get("Number") == number
        assert await joined.ami.db_tree("pasokh") == {}


async def test_the_second_server_has_the_call_when_the_first_is_dead(
    asterisk: LiveAsterisk, agi_ports: tuple[int, int]
) -> None:
    taken: asyncio.Queue[CallRequest] = asyncio.Queue()

    async def handler(session: AgiSession, request: CallRequest) -> None:
        await session.set_variable("PASOKH_TOOK", "1")
        taken.put_nowait(request)
        await session.set_variable("PASOKH_DONE", "1")

    async with us(asterisk, agi_ports[1], handler):
        with caller(asterisk) as sipp:
            assert (await taken.get()).attach == 2
            assert (await sipp.finished()).succeeded == 1


async def test_with_nobody_there_asterisks_own_queue_has_the_call_and_its_end_is_kept(
    asterisk: LiveAsterisk,
) -> None:
    async with us(asterisk, 0, None) as joined:
        assert await joined.ami.queue_add("pasokh-fallback", "PJSIP/p1", member_name="sara")
        with Phones(PHONE_PORT, Answer(talk_ms=1200), timeout_s=20) as phones, caller(asterisk) as sipp:
            began = time.time()
            [ring] = await phones.heard("RING")
            assert 1 <= ring.at_us / 1e6 - began < 4
            assert ring.contact == ""
            assert (await sipp.finished()).succeeded == 1
        native = await joined.heard("PasokhNative")
        end = await joined.row()
        assert native.get("Contact") == end.contact
        assert (end.dialled, end.native, end.agent) == (NUMBER, True, "sara")
        assert end.talk_us == pytest.approx(1_200_000, abs=400_000)
        assert end.wait_s in (0, 1)
        assert 0 <= end.began_us / 1e6 - began + 1 < 3
        assert 2 <= (end.at_us - end.began_us) / 1e6 < 8


async def test_a_caller_who_leaves_while_we_are_dead_is_kept_too(asterisk: LiveAsterisk) -> None:
    async with us(asterisk, 0, None) as joined:
        with caller(asterisk, talk_ms=300) as sipp:
            assert (await sipp.finished()).succeeded == 1
        end = await joined.row()
        assert (end.dialled, end.native, end.talk_us) == (NUMBER, False, None)


async def test_who_is_not_answered_there_either_is_offered_to_us_again(
    asterisk: LiveAsterisk, agi_ports: tuple[int, int]
) -> None:
    taken: asyncio.Queue[CallRequest] = asyncio.Queue()
    errors: list[object] = []

    async def handler(session: AgiSession, request: CallRequest) -> None:
        await session.set_variable("PASOKH_TOOK", "1")
        taken.put_nowait(request)
        await session.set_variable("PASOKH_DONE", "1")

    late = FastAgiServer(
        FastAgiSettings(secret=AGI_SECRET, port=agi_ports[0]),
        handler,
        clock=time.time,
        on_error=lambda uniqueid, error: errors.append((uniqueid, error)),
    )
    async with us(asterisk, 0, None) as joined:
        with caller(asterisk) as sipp:
            await joined.heard("PasokhNative")
            await late.start()
            assert (await taken.get()).attach > 2
            assert (await sipp.finished()).succeeded == 1
        await late.stop(1.0)
    assert errors == []


async def test_sessions_that_die_young_lose_the_caller_to_the_queue(
    asterisk: LiveAsterisk, agi_ports: tuple[int, int]
) -> None:
    attaches: list[int] = []

    async def poisoned(session: AgiSession, request: CallRequest) -> None:
        attaches.append(request.attach)
        await session.set_variable("PASOKH_TOOK", "1")

    async with us(asterisk, agi_ports[0], poisoned) as joined:
        with caller(asterisk, talk_ms=2500) as sipp:
            await joined.heard("PasokhNative")
            await sipp.finished()
        assert len(attaches) >= 2
        assert (await joined.row()).native


async def test_a_redirected_caller_keeps_contact_count_and_ticket(
    asterisk: LiveAsterisk, agi_ports: tuple[int, int]
) -> None:
    came: asyncio.Queue[tuple[AgiSession, CallRequest]] = asyncio.Queue()
    written = asyncio.Event()

    async def handler(session: AgiSession, request: CallRequest) -> None:
        await session.set_variable("PASOKH_TOOK", "1")
        came.put_nowait((session, request))
        if request.attach == 1:
            await session.set_variable("PASOKH_TICKET", '{"a":"پاسخ"}')
            written.set()
            await session.ended.wait()
        else:
            assert await session.get_full_variable("${PASOKH_TICKET}") == '{"a":"پاسخ"}'
            await session.set_variable("PASOKH_DONE", "1")

    async with us(asterisk, agi_ports[0], handler) as joined:
        with caller(asterisk) as sipp:
            session, first = await came.get()
            await written.wait()
            await joined.ami.redirect(session.channel, "pasokh-attach", "s")
            again, second = await came.get()
            assert (await sipp.finished()).succeeded == 1
        assert (again.uniqueid, second.contact, second.number) == (session.uniqueid, first.contact, NUMBER)
        assert (first.attach, second.attach) == (1, 2)


async def test_an_agents_phone_rings_with_the_contact_and_dials_nothing_but_phones(
    asterisk: LiveAsterisk, agi_ports: tuple[int, int]
) -> None:
    contacts: asyncio.Queue[str] = asyncio.Queue()

    async def handler(session: AgiSession, request: CallRequest) -> None:
        await session.set_variable("PASOKH_TOOK", "1")
        contacts.put_nowait(request.contact)
        await session.exec("Dial", "PJSIP/p1,10,gb(pasokh-predial^agent^1)", deadline_s=15)
        await session.set_variable("PASOKH_DONE", "1")

    async with us(asterisk, agi_ports[0], handler) as joined:
        with Phones(PHONE_PORT, Answer(talk_ms=100), timeout_s=20) as phones, caller(asterisk) as sipp:
            [ring] = await phones.heard("RING")
            assert ring.contact == await contacts.get()
            assert ring.detail == CALLER
            assert (await sipp.finished()).succeeded == 1
        await joined.no_channel()
        assert await joined.ami.db_tree("pasokh") == {}


async def test_a_talk_that_outlives_us_is_kept_with_its_length(
    asterisk: LiveAsterisk, agi_ports: tuple[int, int]
) -> None:
    async def dies_in_talk(session: AgiSession, _request: CallRequest) -> None:
        await session.set_variable("PASOKH_TOOK", "1")
        dial = "PJSIP/p1,10,gb(pasokh-predial^agent^1)U(pasokh-talk^s^1)"
        asyncio.get_running_loop().create_task(answered(session))
        await session.exec("Dial", dial, deadline_s=15)

    async def answered(session: AgiSession) -> None:
        await joined.heard("BridgeEnter")
        session.close()

    async with us(asterisk, agi_ports[0], dies_in_talk) as joined:
        with (
            Phones(PHONE_PORT, Answer(after_ms=600, talk_ms=900), timeout_s=20) as phones,
            caller(asterisk) as sipp,
        ):
            outcome = await sipp.finished()
            [ring] = phones.moments()[:1]
        end = await joined.row()
        assert outcome.succeeded == 1
        assert (end.dialled, end.native, end.agent) == (NUMBER, False, None)
        assert end.talk_us == pytest.approx(900_000, abs=400_000)  # the talk, without the ringing
        assert end.at_us == pytest.approx(ring.at_us + 1_500_000, abs=400_000)
        assert not [event for event in joined.events if event.get("UserEvent") == "PasokhNative"]


async def test_only_the_named_rows_are_removed(asterisk: LiveAsterisk) -> None:
    async with us(asterisk, 0, None) as joined:
        for key in ("c-1", "c-2", "c-3"):
            await asyncio.to_thread(
                asterisk.cli, f"database put pasokh {key} 1795373575||||wait|1795373570|100||"
            )
        await joined.forget("c-1", "c-3", "c-9")
        assert set(await joined.ami.db_tree("pasokh")) == {"c-2"}
        twelve = [f"d-{n}" for n in range(12)]
        for key in twelve:
            await asyncio.to_thread(asterisk.cli, f"database put pasokh {key} x")
        await joined.forget(*twelve)
        assert set(await joined.ami.db_tree("pasokh")) == {"c-2"}


async def test_nothing_of_ours_was_complained_of(asterisk: LiveAsterisk) -> None:
    """Last: what the calls above made Asterisk say, but for servers that were dead on purpose."""
    ours = [
        line
        for line in asterisk.log_warnings()
        if "Connection refused" not in line and "FastAGI failed" not in line
    ]
    assert ours == []
