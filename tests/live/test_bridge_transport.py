"""The bridge's transport on the real Asterisk: what the pure tests assume about it is true of it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import pytest

from ami_bridge.agi import NO_LIMIT, AgiSession, digit_of, interrupted
from ami_bridge.ami import Ami, AmiSettings, AmiStatus
from ami_bridge.errors import AgiCommandError, AgiFailed, AgiHangup, AmiActionError
from ami_bridge.fastagi import FastAgiServer, FastAgiSettings
from ami_bridge.signature import CallRequest
from ami_bridge.wire import COMMAND_LIMIT_BYTES, AmiMessage
from tests.live.asterisk import MODULES, LiveAsterisk, Ports
from tests.ports import unused_tcp_port

pytestmark = pytest.mark.needs("asterisk")

SECRET = "s3cret-of-the-dialplan"
MANAGER = """\
[general]
enabled=yes
bindaddr=127.0.0.1
port={ami}
[pasokh]
secret={secret}
read=call,agent,user
write=call,originate,reporting,agent
"""
DIALPLAN = """\
[globals]
SECRET={secret}
[call]
exten => s,1,Answer()
 same => n,Set(AGIEXITONHANGUP=yes)
 same => n,Set(T=${{EPOCH}})
 same => n,Set(SIG=${{SHA1(+982191000000|${{UNIQUEID}}|${{T}}|1|${{SECRET}})}})
 same => n,AGI(agi://127.0.0.1:{agi}/call?number=+982191000000&contact=${{UNIQUEID}}&t=${{T}}&attach=1&sig=${{SIG}})
 same => n,Set(DB(pasokh/${{UNIQUEID}})=after|${{AGISTATUS}})
 same => n,Hangup()
exten => far,1,Answer()
 same => n,Wait(60)
[elsewhere]
exten => s,1,Wait(60)
"""
QUEUES = "[general]\n[fallback]\nstrategy=ringall\n"


@pytest.fixture(scope="module")
def agi_port() -> int:
    return unused_tcp_port()


@pytest.fixture(scope="module")
def asterisk(agi_port: int) -> Iterator[LiveAsterisk]:
    ports = Ports.free(4)
    files = {
        "manager.conf": MANAGER.format(ami=ports.ami, secret=SECRET),
        "extensions.conf": DIALPLAN.format(agi=agi_port, secret=SECRET),
        "queues.conf": QUEUES,
        "modules.conf": MODULES.read_text() + "load=res_manager_devicestate.so\nload=func_sha1.so\n",
    }
    with LiveAsterisk(files, ports) as started:
        yield started


class Bridge:
    def __init__(self, ami: Ami, server: FastAgiServer, events: list[AmiMessage]) -> None:
        self.ami = ami
        self.server = server
        self.events = events

    async def call(self) -> None:
        """Lets a call enter the dialplan's AGI, with a second Local leg that stays silent."""
        await self.ami.originate("Local/s@call/n", context="call", exten="far")

    async def over(self) -> None:
        """Waits for the end of the call's two legs."""
        await until(lambda: sum(event.event == "Hangup" for event in self.events) == 2)
        assert await self.ami.status() == []


@asynccontextmanager
async def bridge(
    asterisk: LiveAsterisk,
    agi_port: int,
    handler: Callable[[AgiSession, CallRequest], Awaitable[None]],
    secret: str = SECRET,
) -> AsyncIterator[Bridge]:
    events: list[AmiMessage] = []
    test = asyncio.current_task()
    assert test is not None
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def fail(error: Exception) -> None:
        if not failed.done():
            failed.set_exception(error)
            test.cancel()

    async def on_up() -> None:
        return None

    ami = Ami(
        AmiSettings(username="pasokh", secret=secret, port=asterisk.ports.ami, backoff_first_s=0.05),
        random=random.Random(1),
        on_event=events.append,
        on_up=on_up,
        on_down=lambda _reason: None,
        on_error=fail,
    )
    server = FastAgiServer(
        FastAgiSettings(secret=SECRET, port=agi_port),
        handler,
        clock=time.time,
        on_error=lambda _uniqueid, error: fail(error),
    )
    await server.start()
    ami.start()
    try:
        async with asyncio.timeout(20):
            yield Bridge(ami, server, events)
    finally:
        await ami.stop()
        await server.stop(1.0)
        if failed.done():
            failed.result()
        failed.cancel()


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - states and lists have no event; `bridge` has the deadline
        await asyncio.sleep(0.005)


async def unused(_session: AgiSession, _request: CallRequest) -> None:
    raise AssertionError("no call was expected")


async def test_login_lists_and_members(asterisk: LiveAsterisk, agi_port: int) -> None:
    async with bridge(asterisk, agi_port, unused) as joined:
        ami = joined.ami
        await ami.wait_up()
        assert await ami.status(["PASOKH_TICKET"]) == []
        assert await ami.core_show_channels() == []
        assert await ami.bridge_list() == []
        assert isinstance(await ami.device_states(), dict)
        assert await ami.db_tree("nothing-here") == {}
        assert await ami.queue_add("fallback", "Local/1@far", member_name="Zahra زهرا")
        assert not await ami.queue_add("fallback", "Local/1@far")
        assert await ami.queue_pause("Local/1@far", True, queue="fallback", reason="lunch")
        members = [event for event in await ami.queue_status("fallback") if event.event == "QueueMember"]
        assert [(member.get("Name"), member.get("Paused")) for member in members] == [("Zahra زهرا", "1")]
        assert await ami.queue_remove("fallback", "Local/1@far")
        assert not await ami.queue_remove("fallback", "Local/1@far")
        assert not await ami.queue_pause("Local/1@far", True, queue="fallback")
        await ami.set_var("PASOKH_LEADER", "7")
        assert await ami.get_var("PASOKH_LEADER") == "7"
        assert (await ami.pyst2.ping()).get("Ping") == "Pong"
        for refused in ({"Action": "Command", "Command": "core show version"}, {"Action": "DBPut"}):
            with pytest.raises(AmiActionError, match="Permission denied"):
                await ami.action(refused)
        with pytest.raises(AmiActionError):
            await ami.hangup("Local/none")


async def test_long_values_reach_asterisk_whole(asterisk: LiveAsterisk, agi_port: int) -> None:
    async with bridge(asterisk, agi_port, unused) as joined:
        await joined.ami.wait_up()
        value = "x" * 960
        await joined.ami.set_var("LONG", value)
        assert await joined.ami.get_var("LONG") == value


async def test_a_wrong_password_is_told(asterisk: LiveAsterisk, agi_port: int) -> None:
    async with bridge(asterisk, agi_port, unused, secret="wrong") as joined:
        await until(lambda: joined.ami.state.status is AmiStatus.AUTH_FAILED)
        assert "manager.conf" in joined.ami.state.reason


async def test_a_signed_call_runs_commands(asterisk: LiveAsterisk, agi_port: int) -> None:
    done: asyncio.Future[dict[str, object]] = asyncio.get_running_loop().create_future()

    async def handler(session: AgiSession, request: CallRequest) -> None:
        got: dict[str, object] = {"number": request.number, "suspect": session.opening.suspect}
        value = 'پاسخ "q" \\ ${EXTEN} a|b;c) d'
        await session.set_variable("PASOKH_TICKET", value)
        got["ticket"] = await session.get_variable("PASOKH_TICKET") == value
        got["status"] = [one.variables for one in await joined.ami.status(["PASOKH_TICKET"]) if one.variables]
        got["unset"] = await session.get_variable("NOT_SET")
        got["full"] = await session.get_full_variable("${CHANNEL(uniqueid)}") == session.uniqueid
        got["missing"] = (await session.stream_file("no-such-file")).result
        got["played"] = digit_of(await session.stream_file("beep", "1"))
        with pytest.raises(AgiFailed):
            await session.exec("NoSuchApplication")
        for line, code in (("NOT A COMMAND", 510), ("SET VARIABLE", 520)):
            with pytest.raises(AgiCommandError) as caught:
                await session.command(line)
            assert caught.value.code == code
        await session.database_put("pasokh", "k", "v )(")
        got["db"] = await session.database_get("pasokh", "k")
        await session.database_del("pasokh", "k")
        await session.database_del("pasokh", "k")
        got["deleted"] = await session.database_get("pasokh", "k")
        long = "NOOP " + "y" * (COMMAND_LIMIT_BYTES - 5)
        got["long"] = (await session.command(long)).code
        got["exec"] = (await session.exec("NoOp", "a")).result
        await session.set_music()
        got["channel"] = await session.channel_status()
        began = asyncio.get_running_loop().time()
        for _ in range(100):
            await session.noop()
        got["round_trip_us"] = (asyncio.get_running_loop().time() - began) * 1e4
        done.set_result(got)

    async with bridge(asterisk, agi_port, handler) as joined:
        await joined.ami.wait_up()
        await joined.call()
        got = await done
        assert got.pop("round_trip_us") < 20_000  # type: ignore[operator]
        assert got == {
            "number": "+982191000000",
            "suspect": False,
            "ticket": True,
            "status": [{"PASOKH_TICKET": 'پاسخ "q" \\ ${EXTEN} a|b;c) d'}],
            "unset": None,
            "full": True,
            "missing": -1,
            "played": "",
            "db": "v )(",
            "deleted": None,
            "long": 200,
            "exec": 0,
            "channel": 6,
        }
        assert joined.server.counters.accepted == 1
        assert joined.server.counters.refused_signature == 0
        await joined.over()
        [after] = (await joined.ami.db_tree("pasokh")).values()
        assert after.startswith("after|")  # the dialplan went on; what AGISTATUS says means nothing


async def test_interrupting_and_taking_the_channel_away(asterisk: LiveAsterisk, agi_port: int) -> None:
    steps: asyncio.Queue[object] = asyncio.Queue()

    async def handler(session: AgiSession, _request: CallRequest) -> None:
        steps.put_nowait(session.channel)
        steps.put_nowait(interrupted(await session.wait_for_digit()))
        try:
            await session.exec("Wait", "30", deadline_s=NO_LIMIT)
        except AgiHangup as error:
            steps.put_nowait(error.result)
        await session.ended.wait()
        steps.put_nowait(session.hung_up)

    async with bridge(asterisk, agi_port, handler) as joined:
        await joined.ami.wait_up()
        await joined.call()
        channel = str(await steps.get())
        while steps.empty():
            await joined.ami.control_playback_stop(channel)
            await asyncio.sleep(0.02)
        assert await steps.get() is True
        await joined.ami.redirect(channel, "elsewhere", "s")
        assert await steps.get() == "-1"
        assert await steps.get() is True
        assert [one.application for one in await joined.ami.status(channel=channel)] == ["Wait"]
        await joined.ami.hangup(channel)
        await joined.over()
        assert {"Newchannel", "Hangup"} <= {event.event for event in joined.events}
