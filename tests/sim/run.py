"""`make sim`: random worlds of the center alone, and a whole site on virtual time.

    python -m tests.sim.run                       10 000 worlds of impatient callers and forgetful agents, and one day
    python -m tests.sim.run --seed 7              that one world and that day, exactly as they were

Prints the seed, what happened and a digest; the same seed gives the same digest. Exit status 1 when something that
must always hold did not; then the seed that showed it is printed, to be kept in tests/acd/test_center_property.py.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from multiprocessing import Pool
from random import Random, SystemRandom

from rich.progress import track

from acd import journal
from acd.facts import ContactBegan, ContactEnded, OfferMade, VisitAnswered
from acd.kpi import measures
from acd.state import digest
from ami_bridge.simulator import ANONYMOUS, CallerId, CallerScript, human, random_callers
from tests.acd.random_world import Broken, RandomWorld
from tests.sim.house import CUSTOMERS, NUMBER, SimHouse, sim_house
from tests.sim.loop import run

CALLERS = (
    ANONYMOUS,
    *(CallerId("0" + key.removeprefix("+98"), "x") for key in CUSTOMERS),
    CallerId("02188776655"),
)
LIMIT_S = 3_600
"""Of virtual time: whoever is still there then is stuck."""


@dataclass(frozen=True, slots=True)
class Day:
    """What a run of the whole site came to."""

    digest: str
    calls: int
    answered: int
    virtual_s: float
    journal_lines: int
    wall_messages: int


async def day(seed: int, calls: int) -> Day:
    """Callers come, agents answer or do not, everybody leaves; then the books must agree."""
    async with sim_house(seed) as house:
        for number in range(len(house.simulator.exchange.phones)):
            house.simulator.phone(f"p{number + 1}").habit = human(no_answer=0.08, reject=0.06, hold=0.2)
        await house.people_come()
        loop_began_us = house.engine.now_us()
        crowd = random_callers(
            Random(house.rng.getrandbits(32)),
            calls_per_s=0.25,
            numbers=(NUMBER,),
            callers=CALLERS,
            keys={"1": 5, "2": 3, "": 1, "9": 0.5},
            patience_s=40,
            talk_s=25,
        )
        tasks = []
        for script in islice(crowd, calls):
            arrive_us = loop_began_us + round(script.arrive_s * 1e6)
            await house.until(lambda at_us=arrive_us: house.engine.now_us() >= at_us)  # type: ignore[misc]
            tasks.append(house.simulator.begin(script))
        async with asyncio.timeout(LIMIT_S):
            house.outcomes += [await task for task in tasks]
        await house.until(lambda: not house.engine.center.state.contacts)
        await house.until(lambda: not any(a.busy for a in house.engine.center.state.agents.values()))
        await house.until(lambda: house.wall.state["contacts_now"] == 0)
        agree(house)
        return Day(
            house.digest,
            calls,
            sum(outcome.answered_by is not None for outcome in house.outcomes),
            (house.engine.now_us() - loop_began_us) / 1e6,
            len(house.lines),
            house.wall.messages,
        )


def agree(house: SimHouse) -> None:
    """The center's books, the callers' side, the wall and the journal say the same."""
    _same("faults", house.faults, [])
    ended = Counter(fact.contact for fact in house.facts if isinstance(fact, ContactEnded))
    began = Counter(fact.contact for fact in house.facts if isinstance(fact, ContactBegan))
    callers = Counter(outcome.contact for outcome in house.outcomes)
    _same("contacts that began", began, callers)
    _same("contacts that ended", ended, callers)
    answered = {fact.contact for fact in house.facts if isinstance(fact, VisitAnswered)}
    _same("answered", answered, {o.contact for o in house.outcomes if o.answered_by is not None})
    phones = {
        fact.contact: "p" + str(fact.agent)[1:] for fact in house.facts if isinstance(fact, VisitAnswered)
    }
    _same(
        "who answered",
        phones,
        {o.contact: o.answered_by for o in house.outcomes if o.answered_by is not None},
    )
    total = house.engine.view().total
    _same("the identity", total.offered, total.answered + total.abandoned + total.flowed_out + total.waiting)
    for name in ("offered", "answered", "abandoned", "flowed_out", "talking"):
        _same(f"the wall's {name}", house.wall.state["total"][name], getattr(total, name))
    shown = [offer for person in house.people for offer, _ in person.cards]
    _same("cards", sorted(shown), sorted(fact.offer for fact in house.facts if isinstance(fact, OfferMade)))
    again = journal.read_header(house.header, "sim")
    told = [fact for step in journal.replay(again, house.lines) for fact in step.facts]
    _same("facts of the replay", told, house.facts)
    _same("digest of the replay", digest(again.center.state), digest(house.engine.center.state))
    _same("figures of the replay", measures.dump(again.measures), measures.dump(house.engine.measures))


def _same(what: str, one: object, other: object) -> None:
    if one != other:
        raise Broken(f"{what}: {one!r:.500} is not {other!r:.500}")


async def one_call(seed: int, script: CallerScript) -> SimHouse:
    """One caller, and agents who answer. The house comes back after it has ended, to be looked at."""
    async with sim_house(seed) as house:
        house.card_s = (0.01,)
        await house.people_come()
        async with asyncio.timeout(LIMIT_S):
            house.outcomes.append(await house.simulator.call(script))
        await house.until(lambda: not any(a.busy for a in house.engine.center.state.agents.values()))
        await house.until(lambda: house.wall.state["contacts_now"] == 0)
        agree(house)
        return house


def world_holds(seed: int) -> int | None:
    """The seed, if its world breaks."""
    try:
        world = RandomWorld(seed)
        world.go(250)
        world.drain()
    except Broken:
        return seed
    return None


def worlds(first: int, many: int) -> list[int]:
    """The seeds of those worlds that break, of so many on all processors."""
    with Pool() as pool:
        seeds = range(first, first + many)
        told = pool.imap_unordered(world_holds, seeds, chunksize=20)
        return [seed for seed in track(told, "worlds", total=many) if seed is not None]


def main(words: list[str]) -> int:
    options = argparse.ArgumentParser(prog="make sim", description=__doc__)
    options.add_argument("--seed", type=int, default=None, help="repeat this one")
    options.add_argument("--worlds", type=int, default=10_000, help="random worlds, when no seed is given")
    options.add_argument("--steps", type=int, default=2000, help="inputs of the center's random day")
    options.add_argument("--calls", type=int, default=100, help="callers of the whole site")
    given = options.parse_args(words)
    seed = SystemRandom().randrange(10**6) if given.seed is None else given.seed
    print(f"seed {seed}", flush=True)
    began = time.monotonic()
    if given.seed is None and given.worlds and (broken_seeds := worlds(seed, given.worlds)):
        print(f"broken: {len(broken_seeds)} worlds; repeat one with: make sim SEED={min(broken_seeds)}")
        return 1
    try:
        world = RandomWorld(seed)
        world.go(given.steps)
        world.drain()
        print(f"center  {len(world.inputs)} inputs, {len(world.facts)} facts, digest {world.digest[:16]}")
        whole = run(day(seed, given.calls), 0.0005)
        print(
            f"site    {whole.calls} calls, {whole.answered} answered, {whole.virtual_s:.0f} s of virtual time, "
            f"{whole.journal_lines} inputs, {whole.wall_messages} wall messages, digest {whole.digest}"
        )
    except (Broken, TimeoutError) as broken:
        print(f"broken: {broken!r}\nrepeat it with: make sim SEED={seed}")
        return 1
    print(f"        {time.monotonic() - began:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
