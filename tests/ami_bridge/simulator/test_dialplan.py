"""The loop that attaches callers: nobody there, dying while they wait, going native, and the row that is left."""

from __future__ import annotations

import asyncio
import hashlib
from urllib.parse import parse_qs, urlsplit

from ami_bridge.simulator import CallerId, CallerScript, Left, Ring, Simulator

from .conftest import Backend, Manager, Session


async def test_the_request_is_signed_over_what_it_says(simulator: Simulator, backend: Backend) -> None:
    async def session(agi: Session) -> None:
        await agi.take()
        await agi.finish()

    backend.script = session
    outcome = await simulator.call(CallerScript("02191000000", CallerId("09121234567", "زهرا احمدی")))
    env = backend.sessions[0].env
    query = {name: values[0] for name, values in parse_qs(urlsplit(env["agi_request"]).query).items()}
    signed = f"02191000000|{outcome.contact}|{query['t']}|1|s"
    assert query["sig"] == hashlib.sha1(signed.encode(), usedforsecurity=False).hexdigest()
    assert (query["number"], query["contact"], query["attach"]) == ("02191000000", outcome.contact, "1")
    assert env["agi_uniqueid"] == outcome.contact
    assert (env["agi_callerid"], env["agi_calleridname"]) == ("09121234567", "زهرا احمدی")


async def test_a_withheld_number_is_unknown(simulator: Simulator, backend: Backend) -> None:
    async def session(agi: Session) -> None:
        await agi.take()
        await agi.finish()

    backend.script = session
    await simulator.call(CallerScript("1001", CallerId("")))
    env = backend.sessions[0].env
    assert (env["agi_callerid"], env["agi_calleridname"], env["agi_callingpres"]) == (
        "unknown",
        "unknown",
        "67",
    )


async def test_who_waits_is_attached_again_with_ticket_and_music(
    simulator: Simulator, backend: Backend, manager: Manager
) -> None:
    tickets: list[str] = []

    async def session(agi: Session) -> None:
        await agi.take()
        if len(backend.sessions) == 1:
            await agi.ask('SET VARIABLE PASOKH_TICKET "{\\"T\\":1,\\"s\\":7}"')
            agi.close()
            return
        tickets.append(await agi.ask("GET FULL VARIABLE ${PASOKH_TICKET}"))
        await agi.finish()

    backend.script = session
    outcome = await simulator.call(CallerScript("1001"))
    assert tickets == ['200 result=1 ({"T":1,"s":7})']
    assert (outcome.attaches, outcome.left) == (2, Left.SYSTEM)
    assert "attach=2" in backend.sessions[1].env["agi_request"]
    await manager.event("Hangup", Uniqueid=outcome.contact)
    assert manager.events().count("MusicOnHoldStart") == 1


async def test_a_killed_backend_gets_its_caller_back_when_it_lives_again(
    simulator: Simulator, backend: Backend
) -> None:
    waits = asyncio.Event()

    async def wait(agi: Session) -> None:
        await agi.take()
        waits.set()
        await agi.reply()

    async def finish(agi: Session) -> None:
        await agi.take()
        await agi.finish()

    backend.script = wait
    call = simulator.begin(CallerScript("1001"))
    await asyncio.wait_for(waits.wait(), 5)
    await backend.stop()
    backend.script = finish
    await backend.start()
    outcome = await asyncio.wait_for(call, 5)
    assert outcome.left is Left.SYSTEM
    assert outcome.attaches >= 2
    assert not outcome.fallback


async def test_without_anyone_the_native_queue_answers_after_twenty_seconds(
    simulator: Simulator, backend: Backend, manager: Manager
) -> None:
    await backend.stop()
    await manager.ask(Action="QueueAdd", Queue="pasokh-fallback", Interface="PJSIP/101", MemberName="sara")
    simulator.phone("101").plan.append(Ring(after_s=0.01, talk_s=0.02))
    outcome = await asyncio.wait_for(simulator.call(CallerScript("1001")), 10)
    assert outcome.fallback
    assert (outcome.answered_by, outcome.left) == ("101", Left.AGENT)
    assert 0.9 <= outcome.wait_s < 3.0  # 20 s of a clock that runs 20 times as fast
    ended, status, _, cause, how, began, number, member, held, talk, _ = simulator.exchange.database["pasokh"][
        outcome.contact
    ].split("|")
    assert (status, cause, how, number, member, held) == ("", "16", "native-CONTINUE", "1001", "sara", "0")
    assert 20 <= float(ended) - int(began) < 60
    assert 0 < float(ended) - float(talk) < 20
    assert (await manager.event("AgentComplete"))["Reason"] == ["agent"]


async def test_a_call_that_kills_us_twice_goes_native(simulator: Simulator, backend: Backend) -> None:
    async def poison(agi: Session) -> None:
        await agi.take()
        agi.close()

    backend.script = poison
    outcome = await simulator.call(CallerScript("1001", patience_s=0.4))
    assert (outcome.attaches, outcome.fallback, outcome.left) == (2, True, Left.ABANDONED)
    assert simulator.exchange.database["pasokh"][outcome.contact].split("|")[1:5] == ["", "0", "0", "native"]


async def test_accepting_and_closing_without_taking_does_not_hold_the_caller(
    simulator: Simulator, backend: Backend
) -> None:
    outcome = await simulator.call(CallerScript("1001", patience_s=2.0))
    assert outcome.fallback
    assert outcome.attaches > 10


async def test_a_caller_who_leaves_in_line_leaves_a_row(simulator: Simulator, backend: Backend) -> None:
    async def wait(agi: Session) -> None:
        await agi.take()
        await agi.reply()

    backend.script = wait
    outcome = await simulator.call(CallerScript("1001", patience_s=0.05))
    await backend.done()
    assert backend.sessions[0].hangups == 2
    row = simulator.exchange.database["pasokh"][outcome.contact].split("|")
    assert row[1:5] == ["", "", "0", "wait"]
    assert row[6:] == ["1001", "", "", "", ""]


async def test_a_redirect_moves_a_caller_to_another_session_and_keeps_who_they_are(
    simulator: Simulator, backend: Backend, manager: Manager
) -> None:
    async def session(agi: Session) -> None:
        await agi.take()
        taken.set()
        if len(backend.sessions) == 1:
            await agi.reply()
            return
        await agi.finish()

    taken = asyncio.Event()
    backend.script = session
    call = simulator.begin(CallerScript("1001"))
    await asyncio.wait_for(taken.wait(), 5)
    channel = backend.sessions[0].env["agi_channel"]
    await manager.ask(Action="Redirect", Channel=channel, Context="pasokh-attach", Exten="s", Priority="1")
    outcome = await asyncio.wait_for(call, 5)
    assert backend.sessions[0].ended
    assert [session.env["agi_uniqueid"] for session in backend.sessions] == [outcome.contact] * 2
    asked = [session.env["agi_network_script"] for session in backend.sessions]
    assert ["attach=1&" in asked[0], "attach=2&" in asked[1]] == [True, True]
    assert outcome.left is Left.SYSTEM
