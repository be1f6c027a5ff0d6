"""`pasokh center apply` while callers wait: whole or not at all, and everybody keeps their place."""

from __future__ import annotations

import re
from pathlib import Path

from tests.e2e.calls import a_line_of, serve
from tests.e2e.house import SITE, House, house, page, pasokh, running, sign_in

ALI = "  ali: {label: {fa: علی, en: Ali}, skills: {fa: 9}, phone: desk3}\n"


async def apply(at: House, text: str) -> tuple[int, str, str]:
    at.write_site(text)
    async with pasokh("center", "apply", "--config", at.write_config()) as child:
        return await child.end(40)


async def test_the_line_outlives_new_versions(tmp_path: Path) -> None:
    async with (
        house(tmp_path / "site", users={"sara": "sara", "ali": "ali"}) as at,
        running(at) as run,
        page(at, "wall", "wall") as wall,
    ):
        assert run.engine is not None
        line = await a_line_of(at, wall, 3)
        first, since_us = run.engine.view().version, wall.state["queues"]["cards"]["longest_wait_since_us"]

        broken = SITE.replace("target_s: 20", "target_s: soon").replace("target_s: 30", "targte_s: 30")
        status, _, said = await apply(at, broken)
        assert status == 2
        assert len(re.findall(r"center\.yaml:\d+:\d+: ", said)) == 2, said
        assert run.engine.view().version == first
        assert wall.state["queues"]["cards"]["target_s"] == 20

        changed = SITE.replace("target_s: 20", "target_s: 7").replace("phones:\n", ALI + "phones:\n", 1)
        status, out, said = await apply(at, changed)
        assert (status, said) == (0, "")
        version = run.engine.view().version
        assert version != first
        assert f"Version {version} is in force." in out
        cards = await wall.until(
            "the new target and the new agent",
            lambda: (
                "ali" in wall.state["agents"]
                and wall.state["queues"]["cards"]["target_s"] == 7
                and wall.state["queues"]["cards"]
            ),
        )
        assert (cards["waiting"], cards["longest_wait_since_us"]) == (3, since_us)
        async with page(at, "ali", "agent") as ali:
            await sign_in(ali)
            served = [await serve(ali, number) for number in (1, 2, 3)]
        assert served == [(await call).contact for call in line]


async def test_a_queue_with_callers_cannot_be_taken_away(tmp_path: Path) -> None:
    """Not even when nothing else names it any more."""
    async with house(tmp_path / "site") as at, running(at) as run, page(at, "wall", "wall") as wall:
        assert run.engine is not None
        [waits] = await a_line_of(at, wall, 1)
        first = run.engine.view().version
        flow = at.folder / "flows" / "short.yaml"
        text = flow.read_text(encoding="utf-8").replace("queue: cards}", "queue: loans}")
        flow.write_text(text, encoding="utf-8")
        begin, end = SITE.index("  cards:\n"), SITE.index("  loans:\n    label")
        without = SITE[:begin] + SITE[end:]
        status, _, said = await apply(at, without)
        assert status == 1, said
        assert 'Callers wait in the queue "cards"' in said
        assert run.engine.view().version == first
        async with pasokh("center", "history", "--config", at.config) as child:
            status, out, _ = await child.end()
        assert status == 0
        assert first in out.splitlines()[0], "a version that was refused is not the newest"
        async with page(at, "sara", "agent") as sara:
            await sign_in(sara)
            assert await serve(sara, 1) == (await waits).contact
