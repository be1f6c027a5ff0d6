"""What the manager can ask and move: tickets of all callers, variables and their limits, rows, members."""

from __future__ import annotations

import asyncio

from ami_bridge.simulator import CallerScript, Left, Simulator

from .conftest import Backend, Manager, Session


async def test_one_status_reads_every_waiting_callers_ticket(
    simulator: Simulator, backend: Backend, manager: Manager
) -> None:
    ready = asyncio.Semaphore(0)

    async def wait(agi: Session) -> None:
        await agi.take()
        ticket = f'{{"T":1,"c":"{agi.env["agi_uniqueid"]}","n":"نوبت"}}'
        quoted = ticket.replace('"', '\\"')
        await agi.ask(f'SET VARIABLE PASOKH_TICKET "{quoted}"')
        ready.release()
        await agi.reply()

    backend.script = wait
    calls = [simulator.begin(CallerScript("1001", hang_up_at_s=1.0)) for _ in range(20)]
    for _ in calls:
        await asyncio.wait_for(ready.acquire(), 5)
    rows = await manager.ask(list_end="StatusComplete", Action="Status", Variables="PASOKH_TICKET,NOTHING")
    assert rows[-1]["ListItems"] == ["20"]
    for row in rows[1:-1]:
        ticket = f'PASOKH_TICKET={{"T":1,"c":"{row["Uniqueid"][0]}","n":"نوبت"}}'
        assert row["Variable"] == [ticket, "NOTHING=(null)"]
        assert row["Application"] == ["AGI"]
    outcomes = await asyncio.wait_for(asyncio.gather(*calls), 5)
    assert {outcome.left for outcome in outcomes} == {Left.ABANDONED}


async def test_long_values_are_cut_where_asterisk_cuts_them(
    simulator: Simulator, backend: Backend, manager: Manager
) -> None:
    lengths: list[int] = []

    async def session(agi: Session) -> None:
        await agi.take()
        await agi.ask('SET VARIABLE LONG "' + "x" * 1500 + '"')
        status = await manager.ask(list_end="StatusComplete", Action="Status", Variables="LONG")
        lengths.append(len(status[1]["Variable"][0].partition("=")[2]))
        getvar = await manager.ask(Action="Getvar", Channel=agi.env["agi_channel"], Variable="LONG")
        lengths.append(len(getvar[0]["Value"][0]))
        lengths.append(len(await agi.ask("GET FULL VARIABLE ${LONG}")) - len("200 result=1 ()"))
        await agi.finish()

    backend.script = session
    await simulator.call(CallerScript("1001"))
    assert lengths == [511, 1023, 1500]


async def test_rows_are_deleted_by_originating_a_local_channel(
    simulator: Simulator, manager: Manager
) -> None:
    simulator.exchange.database["pasokh"] = dict.fromkeys(("a", "b", "c"), "row")
    reply = await manager.ask(
        Action="Originate",
        Channel="Local/del@pasokh-dbdel/n",
        Application="Wait",
        Data="0",
        Async="true",
        Variable="PA_KEYS=a&b",
    )
    assert reply[0]["Message"] == ["Originate successfully queued"]
    await manager.event("OriginateResponse")
    tree = await manager.ask(list_end="DBGetTreeComplete", Action="DBGetTree", Family="pasokh")
    assert [row["Key"] for row in tree[1:-1]] == [["/pasokh/c"]]
    assert not simulator.exchange.lines


async def test_an_originate_may_not_reach_a_shell(manager: Manager) -> None:
    reply = await manager.ask(Action="Originate", Channel="PJSIP/101", Application="System", Data="x")
    assert reply[0]["Message"] == ["Originate Access Forbidden: app or data blacklisted"]


async def test_a_manager_hangs_a_caller_up(simulator: Simulator, backend: Backend, manager: Manager) -> None:
    taken = asyncio.Event()

    async def wait(agi: Session) -> None:
        await agi.take()
        taken.set()
        await agi.reply()

    backend.script = wait
    call = simulator.begin(CallerScript("1001"))
    await asyncio.wait_for(taken.wait(), 5)
    channel = backend.sessions[0].env["agi_channel"]
    assert (await manager.ask(Action="Hangup", Channel=channel, Cause="16"))[0]["Message"] == [
        "Channel Hungup"
    ]
    assert (await asyncio.wait_for(call, 5)).left is Left.SYSTEM
    assert (await manager.ask(Action="Hangup", Channel=channel))[0]["Message"] == ["No such channel"]


async def test_globals_tell_the_leader(manager: Manager) -> None:
    await manager.ask(Action="Setvar", Variable="PASOKH_LEADER", Value="7")
    assert (await manager.ask(Action="Getvar", Variable="PASOKH_LEADER"))[0]["Value"] == ["7"]
