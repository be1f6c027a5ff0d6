"""The bus between processes of one site: in process, or Redis, behind `acd.ports.Bus`.

Nothing on it is the truth. Each subscriber has a bounded queue; when it is full the oldest message goes,
because the newest is worth more. While Redis is away messages are dropped and counted, never waited for;
readers see a hole in the numbers that messages carry and ask for the whole again. So no method here raises
for a lost link.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections import OrderedDict, deque
from collections.abc import Mapping
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from realtime.settings import BusSettings

log = logging.getLogger(__name__)

_DEFAULTS = BusSettings()


class Subscription:
    """The messages of one topic from now on, newest kept. Ends when it or the bus is closed.

    `dropped`: messages that were pushed out unread.
    """

    def __init__(self, topic: str, most: int) -> None:
        self.topic = topic
        self.dropped = 0
        self._unread: deque[bytes] = deque(maxlen=most)
        self._news = asyncio.Event()
        self._listening = asyncio.Event()
        self._closed = False

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> bytes:
        while not self._unread:
            if self._closed:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        return self._unread.popleft()

    async def listening(self) -> None:
        """Returns when messages published from now on arrive here."""
        await self._listening.wait()

    def push(self, message: bytes) -> None:
        if len(self._unread) == self._unread.maxlen:
            self.dropped += 1
        self._unread.append(message)
        self._news.set()

    def confirm(self) -> None:
        self._listening.set()

    def end(self) -> None:
        self._closed = True
        self._listening.set()
        self._news.set()

    @property
    def ended(self) -> bool:
        return self._closed


class _Topics:
    """Who listens to what."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._by_topic: dict[str, list[Subscription]] = {}

    def add(self, topic: str) -> Subscription:
        subscription = Subscription(topic, self._most)
        self._by_topic.setdefault(topic, []).append(subscription)
        return subscription

    def names(self) -> set[str]:
        self._sweep()
        return set(self._by_topic)

    def push(self, topic: str, message: bytes) -> None:
        for subscription in self._by_topic.get(topic, ()):
            if not subscription.ended:
                subscription.push(message)

    def confirm(self, topic: str) -> None:
        for subscription in self._by_topic.get(topic, ()):
            subscription.confirm()

    def end(self) -> None:
        for subscriptions in self._by_topic.values():
            for subscription in subscriptions:
                subscription.end()
        self._by_topic.clear()

    def _sweep(self) -> None:
        for topic, subscriptions in list(self._by_topic.items()):
            living = [each for each in subscriptions if not each.ended]
            if living:
                self._by_topic[topic] = living
            else:
                del self._by_topic[topic]


class InProcessBus:
    """The bus of one process: the default on one machine. Keys end by the loop's clock."""

    def __init__(self, settings: BusSettings = _DEFAULTS) -> None:
        self._settings = settings
        self._topics = _Topics(settings.queue_messages)
        self._values: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    @property
    def connected(self) -> bool:
        return True

    async def publish(self, topic: str, message: bytes) -> None:
        self._topics.push(topic, message)

    def subscribe(self, topic: str) -> Subscription:
        self._topics.names()
        subscription = self._topics.add(topic)
        subscription.confirm()
        return subscription

    async def put(self, key: str, value: bytes, ttl_s: float) -> None:
        self._values.pop(key, None)
        self._values[key] = (asyncio.get_running_loop().time() + ttl_s, value)
        while len(self._values) > self._settings.keys_most:
            self._values.popitem(last=False)

    async def get(self, key: str) -> bytes | None:
        until, value = self._values.get(key, (0.0, None))
        if value is not None and until <= asyncio.get_running_loop().time():
            del self._values[key]
            return None
        return value

    async def close(self) -> None:
        self._topics.end()
        self._values.clear()


class RedisBus:
    """The bus over Redis 7. `site` keeps several sites on one Redis apart.

    One connection listens for all topics; when it is lost it is made again with growing, jittered pauses and
    every topic is subscribed anew. `dropped` counts what could not be published or stored meanwhile.
    """

    def __init__(
        self,
        url: str,
        *,
        site: str = "site",
        settings: BusSettings = _DEFAULTS,
        rng: random.Random | None = None,
    ) -> None:
        self._settings = settings
        self._prefix = f"pasokh:{site}:"
        self._rng = rng or random.Random()
        self._topics = _Topics(settings.queue_messages)
        self._redis: Redis = Redis.from_url(
            url,
            socket_timeout=settings.timeout_s,
            socket_connect_timeout=settings.timeout_s,
            retry=Retry(NoBackoff(), 0),
            max_connections=16,
        )
        self._pause_s = settings.retry_first_s
        self._changed = asyncio.Event()
        self._listener: asyncio.Task[None] | None = None
        self._closed = False
        self._away = False
        self.dropped = 0

    @property
    def connected(self) -> bool:
        """Whether the last thing we tried with Redis worked."""
        return not self._away

    async def publish(self, topic: str, message: bytes) -> None:
        try:
            await self._redis.publish(self._prefix + topic, message)
        except (RedisError, OSError) as error:
            self._lost(error)
        else:
            self._back()

    def subscribe(self, topic: str) -> Subscription:
        subscription = self._topics.add(topic)
        self._changed.set()
        if self._listener is None and not self._closed:
            self._listener = asyncio.get_running_loop().create_task(self._listen(), name="redis bus")
        return subscription

    async def put(self, key: str, value: bytes, ttl_s: float) -> None:
        try:
            await self._redis.set(self._prefix + key, value, px=max(1, int(ttl_s * 1000)))
        except (RedisError, OSError) as error:
            self._lost(error)
        else:
            self._back()

    async def get(self, key: str) -> bytes | None:
        try:
            value = await self._redis.get(self._prefix + key)
        except (RedisError, OSError) as error:
            self._lost(error)
            return None
        self._back()
        return value if isinstance(value, bytes) else None

    async def close(self) -> None:
        self._closed = True
        if self._listener is not None:
            self._listener.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listener
            self._listener = None
        self._topics.end()
        await self._redis.aclose()

    async def _listen(self) -> None:
        while True:
            try:
                async with self._redis.pubsub() as pubsub:
                    await self._hear(pubsub)
            except (RedisError, OSError) as error:
                self._lost(error)
            await asyncio.sleep(self._pause_s * self._rng.uniform(0.5, 1.0))
            self._pause_s = min(self._pause_s * 2, self._settings.retry_longest_s)

    async def _hear(self, pubsub: PubSub) -> None:
        """Passes on what comes; raises when the link is lost."""
        subscribed: set[str] = set()
        unanswered = 0
        while True:
            self._changed.clear()
            wanted = self._topics.names()
            if fresh := wanted - subscribed:
                await pubsub.subscribe(*(self._prefix + topic for topic in sorted(fresh)))
            if stale := subscribed - wanted:
                await pubsub.unsubscribe(*(self._prefix + topic for topic in sorted(stale)))
            subscribed = wanted
            if not subscribed:
                await self._changed.wait()
                continue
            message = await pubsub.get_message(timeout=self._settings.timeout_s / 2)
            if message is None:
                unanswered += 1
                if unanswered > 2:
                    raise ConnectionError("redis does not answer")  # dead without having been closed
                await pubsub.ping()
                continue
            unanswered = 0
            self._take(message)

    def _take(self, message: Mapping[str, Any]) -> None:  # as redis-py hands it out
        if message["type"] == "subscribe":
            self._back()
            self._pause_s = self._settings.retry_first_s
            self._topics.confirm(self._topic(message))
        elif message["type"] == "message":
            self._topics.push(self._topic(message), message["data"])

    def _topic(self, message: Mapping[str, Any]) -> str:
        name: str = message["channel"].decode()
        return name.removeprefix(self._prefix)

    def _lost(self, error: Exception) -> None:
        self.dropped += 1
        if not self._away:
            self._away = True
            log.warning("redis is away (%s); walls of other processes pause", type(error).__name__)

    def _back(self) -> None:
        if self._away:
            self._away = False
            log.info("redis is back")
