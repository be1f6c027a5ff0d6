"""The manager's door: logins, rights, masks, and a link that breaks or freezes."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib

from ami_bridge.simulator import CallerScript, Simulator

from .conftest import SECRET, Backend, Manager, Session


async def opened(simulator: Simulator) -> Manager:
    manager = Manager()
    await manager.open(simulator._ami_port)
    return manager


async def test_a_login_by_challenge(simulator: Simulator) -> None:
    manager = await opened(simulator)
    assert manager.greeting == "Asterisk Call Manager/11.0.0\r\n"
    challenge = (await manager.ask(Action="Challenge", AuthType="MD5"))[0]["Challenge"][0]
    key = hashlib.md5(f"{challenge}{SECRET}".encode(), usedforsecurity=False).hexdigest()
    reply = await manager.ask(Action="Login", AuthType="MD5", Username="pasokh", Key=key)
    assert reply[0]["Response"] == ["Success"]
    assert (await manager.ask(Action="Logoff"))[0]["Response"] == ["Goodbye"]
    await manager.until(lambda: manager.ended)
    await manager.close()


async def test_a_wrong_password_is_refused_and_the_link_ends(simulator: Simulator) -> None:
    manager = await opened(simulator)
    assert (await manager.ask(Action="Ping"))[0]["Message"] == ["Permission denied"]
    assert (await manager.ask(Action="Login", Username="pasokh", Secret="x"))[0]["Message"] == [
        "Authentication failed"
    ]
    await manager.until(lambda: manager.ended)
    await manager.close()


async def test_what_our_rights_do_not_allow_is_refused(manager: Manager) -> None:
    for action in ("Command", "DBPut", "DBDel", "MixMonitor", "UserEvent", "PJSIPShowEndpoints"):
        assert (await manager.ask(Action=action))[0]["Message"] == ["Permission denied"], action


async def test_a_mask_chooses_the_events(simulator: Simulator, backend: Backend, manager: Manager) -> None:
    async def session(agi: Session) -> None:
        await agi.take()
        await agi.finish()

    backend.script = session
    assert (await manager.ask(Action="Events", EventMask="off"))[0]["Events"] == ["Off"]
    await simulator.call(CallerScript("1001"))
    assert manager.events() == []
    await manager.ask(Action="Events", EventMask="call,agent,user")
    await simulator.call(CallerScript("1001"))
    assert (await manager.event("Hangup"))["Privilege"] == ["call,all"]


async def test_calls_go_on_when_the_link_is_dropped(
    simulator: Simulator, backend: Backend, manager: Manager
) -> None:
    go = asyncio.Event()

    async def session(agi: Session) -> None:
        await agi.take()
        await go.wait()
        await agi.finish()

    backend.script = session
    call = simulator.begin(CallerScript("1001"))
    await manager.event("MusicOnHoldStart")
    simulator.drop_ami()
    await manager.until(lambda: manager.ended)
    again = await opened(simulator)
    await again.login()
    status = await again.ask(list_end="StatusComplete", Action="Status", Variables="PASOKH_ID")
    assert len(status) == 3
    go.set()
    outcome = await asyncio.wait_for(call, 5)
    assert status[1]["Variable"] == [f"PASOKH_ID={outcome.contact}"]
    await again.close()


async def test_a_frozen_link_says_everything_afterwards(simulator: Simulator, manager: Manager) -> None:
    simulator.freeze_ami()
    asked = asyncio.create_task(manager.ask(Action="Ping"))
    simulator.register("101", False)
    done, _ = await asyncio.wait([asked], timeout=0.05)
    assert not done
    simulator.freeze_ami(False)
    assert (await asked)[0]["Ping"] == ["Pong"]
    await manager.event("DeviceStateChange", Device="PJSIP/101", State="UNAVAILABLE")


async def test_a_closed_door_refuses_and_opens_again_at_the_same_port(
    simulator: Simulator, manager: Manager
) -> None:
    await simulator.close_ami()
    await manager.until(lambda: manager.ended)
    try:
        await opened(simulator)
    except ConnectionRefusedError:
        refused = True
    else:
        refused = False
    assert refused
    await simulator.open_ami()
    again = await opened(simulator)
    await again.login()
    await again.close()


async def test_a_peer_that_is_no_manager_is_cut_off(simulator: Simulator) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", simulator._ami_port)
    writer.write(b"x" * 400_000)
    assert (await reader.readline()).startswith(b"Asterisk Call Manager")
    with contextlib.suppress(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()
