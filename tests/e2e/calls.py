"""Callers and agents as tests play them."""

from __future__ import annotations

import asyncio

from ami_bridge.simulator import CallerId, CallerScript, CallOutcome, KeyPress
from tests.e2e.house import NUMBER, House, Page


def begin(at: House, key: str, n: int, talk_s: float | None = None) -> asyncio.Task[CallOutcome]:
    return at.simulator.begin(
        CallerScript(NUMBER, CallerId(f"0912777{n:04}"), keys=(KeyPress(key, 0.2),), talk_s=talk_s)
    )


async def a_line_of(
    at: House, wall: Page, callers: int, talk_s: float = 0.1
) -> list[asyncio.Task[CallOutcome]]:
    """So many callers for cards, each in line before the next one calls."""
    calls = []
    for n in range(callers):
        calls.append(begin(at, "1", n, talk_s))
        await wall.until(
            f"{n + 1} callers wait", lambda n=n: wall.state["queues"]["cards"]["waiting"] == n + 1
        )
    return calls


async def serve(agent: Page, number: int) -> str:
    """Take the n-th offer of this socket to its end; whose it was."""
    offer = await agent.until(f"offer {number}", lambda: agent.offer(number))
    await agent.say(type="shown", offer=offer["offer"])
    await wrap_up(agent, offer["contact"])
    return str(offer["contact"])


async def wrap_up(agent: Page, contact: str) -> None:
    await agent.until(
        f"wrap-up of {contact}",
        lambda: agent.state["agent"]["activity"] == "wrap_up" and agent.state["visit"]["contact"] == contact,
    )
    assert (await agent.command("disposition", code="resolved"))["ok"]
    assert (await agent.command("end_wrap_up"))["ok"]
