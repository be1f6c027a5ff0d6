"""Both buses behave alike; the Redis one survives the loss of its links."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest
import redis.asyncio

from realtime.bus import InProcessBus, RedisBus, Subscription
from realtime.settings import BusSettings

SHORT = BusSettings(queue_messages=4, timeout_s=1.0, retry_first_s=0.02, retry_longest_s=0.1)


@pytest.fixture(params=["in process", pytest.param("redis", marks=pytest.mark.needs("redis"))])
def bus_url(request: pytest.FixtureRequest) -> str | None:
    url: str | None = request.getfixturevalue("redis_url") if request.param == "redis" else None
    return url


@pytest.fixture
async def bus(bus_url: str | None) -> AsyncIterator[InProcessBus | RedisBus]:
    made = RedisBus(bus_url, settings=SHORT) if bus_url else InProcessBus(SHORT)
    yield made
    await made.close()


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Waits for what only a question to the outside can tell."""
    async with asyncio.timeout(5):
        while not await holds():  # noqa: ASYNC110 - nothing outside tells us
            await asyncio.sleep(0.01)


async def is_value(bus: InProcessBus | RedisBus, value: bytes | None) -> bool:
    return await bus.get("snapshot") == value


async def first(subscription: Subscription) -> bytes:
    async with asyncio.timeout(5):
        return await anext(subscription)


async def test_every_subscriber_of_a_topic_gets_a_message_and_others_do_not(
    bus: InProcessBus | RedisBus,
) -> None:
    one, two, other = bus.subscribe("wall"), bus.subscribe("wall"), bus.subscribe("other")
    for subscription in (one, two, other):
        await subscription.listening()
    await bus.publish("wall", b"\x00a")
    await bus.publish("other", b"b")
    assert await first(one) == await first(two) == b"\x00a"
    assert await first(other) == b"b"


async def test_the_newest_messages_win_when_a_subscriber_is_slow(bus: InProcessBus | RedisBus) -> None:
    slow, quick = bus.subscribe("wall"), bus.subscribe("wall")
    await slow.listening()
    await quick.listening()
    for number in range(10):
        await bus.publish("wall", b"%d" % number)
        assert await first(quick) == b"%d" % number
    assert [await first(slow) for _ in range(4)] == [b"6", b"7", b"8", b"9"]
    assert slow.dropped == 6


async def test_a_value_is_kept_for_its_time(bus: InProcessBus | RedisBus) -> None:
    assert await bus.get("snapshot") is None
    await bus.put("snapshot", b"1", 0.05)
    assert await bus.get("snapshot") == b"1"
    await until(lambda: is_value(bus, None))
    await bus.put("snapshot", b"2", 60)
    await bus.put("snapshot", b"3", 60)
    assert await bus.get("snapshot") == b"3"


async def test_closing_ends_the_subscriptions(bus: InProcessBus | RedisBus) -> None:
    subscription = bus.subscribe("wall")
    await subscription.listening()
    await bus.close()
    with pytest.raises(StopAsyncIteration):
        await first(subscription)


async def test_keys_in_process_are_bounded() -> None:
    bus = InProcessBus(replace(SHORT, keys_most=3))
    for number in range(5):
        await bus.put(f"k{number}", b"x", 60)
    assert [await bus.get(f"k{number}") for number in range(5)] == [None, None, b"x", b"x", b"x"]


async def test_a_lost_link_to_redis_is_made_again_and_heard_over(redis_url: str) -> None:
    bus = RedisBus(redis_url, settings=SHORT)
    subscription = bus.subscribe("wall")
    await subscription.listening()
    async with redis.asyncio.Redis.from_url(redis_url) as killer:
        assert await killer.client_kill_filter(_type="pubsub") == 1

        async def listens() -> bool:
            heard = await killer.pubsub_numsub("pasokh:site:wall")
            return bool(heard == [(b"pasokh:site:wall", 1)])

        await until(listens)
    await bus.publish("wall", b"again")
    assert await first(subscription) == b"again"
    await bus.close()


async def test_without_redis_nothing_raises_and_the_loss_is_counted(free_port: int) -> None:
    bus = RedisBus(f"redis://127.0.0.1:{free_port}/0", settings=SHORT)
    await bus.publish("wall", b"x")
    await bus.put("snapshot", b"x", 1)
    assert await bus.get("snapshot") is None
    assert not bus.connected
    assert bus.dropped == 3
    await bus.close()
