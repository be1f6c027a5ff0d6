"""The manager link against peers that misbehave: it comes up, comes back, and never mixes or piles up."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from ami_bridge.ami import Ami, AmiSettings, AmiStatus
from ami_bridge.errors import AmiActionError, AmiDown, AmiRefused, AmiTimeout
from ami_bridge.wire import AmiMessage, AmiReader

SECRET = "manager secret"
FAST = AmiSettings(
    username="pasokh",
    secret=SECRET,
    port=0,
    backoff_first_s=0.002,
    backoff_max_s=0.01,
    ping_every_s=5.0,
)
BANNER = b"Asterisk Call Manager/9.0.0\r\n"

Script = Callable[["Peer", AmiMessage], bytes | None]


class Peer:
    """One connection at Asterisk's end. Answers login and Ping; `script` answers the rest (None: nothing)."""

    def __init__(self, fake: FakeManager, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.fake = fake
        self.reader = reader
        self.writer = writer
        self.actions: list[AmiMessage] = []
        self.logged_in = False

    def say(self, *lines: str) -> None:
        self.writer.write("\r\n".join([*lines, "", ""]).encode())

    async def serve(self) -> None:
        self.writer.write(self.fake.banner)
        messages = AmiReader(greeting=False)
        while data := await self.reader.read(65536):
            for message in messages.feed(data):
                self.actions.append(message)
                self._answer(message)
            if self.fake.deaf:
                await asyncio.Event().wait()

    def _answer(self, message: AmiMessage) -> None:
        action, action_id = message.get("Action"), message.get("ActionID")
        answer = self.fake.script(self, message)
        if answer is not None:
            self.writer.write(answer)
        elif action == "Challenge":
            self.say("Response: Success", f"ActionID: {action_id}", "Challenge: 42")
        elif action == "Login":
            key = hashlib.md5(b"42" + self.fake.secret.encode(), usedforsecurity=False).hexdigest()
            self.logged_in = message.get("Key") == key
            if self.logged_in:
                self.say("Response: Success", f"ActionID: {action_id}", "Message: Authentication accepted")
                self.say("Event: FullyBooted", "Status: Fully Booted")
            else:
                self.say("Response: Error", f"ActionID: {action_id}", "Message: Authentication failed")
        elif action == "Ping" and not self.fake.mute:
            self.say("Response: Success", f"ActionID: {action_id}", "Ping: Pong")


def reply(message: AmiMessage, *lines: str, response: str = "Success") -> bytes:
    head = [f"Response: {response}", f"ActionID: {message.get('ActionID')}"]
    return "\r\n".join([*head, *lines, "", ""]).encode()


def listed(message: AmiMessage, *events: tuple[str, ...]) -> bytes:
    """A list as Asterisk sends it."""
    action_id = f"ActionID: {message.get('ActionID')}"
    data = reply(message, "EventList: start", "Message: will follow")
    for event in (*events, ("Event: XComplete", "EventList: Complete", f"ListItems: {len(events)}")):
        data += "\r\n".join([event[0], action_id, *event[1:], "", ""]).encode()
    return data


def nothing(_peer: Peer, _message: AmiMessage) -> bytes | None:
    return None


class FakeManager:
    def __init__(self) -> None:
        self.banner = BANNER
        self.secret = SECRET
        self.mute = False
        self.deaf = False
        self.script: Script = nothing
        self.peers: list[Peer] = []
        self.arrived = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        peer = Peer(self, reader, writer)
        self.peers.append(peer)
        self.arrived.set()
        try:
            await peer.serve()
        except (ConnectionError, asyncio.CancelledError):
            return
        finally:
            self._tasks.discard(task)
            writer.close()

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks))


class Link:
    """An Ami on a FakeManager, and what it told."""

    def __init__(self, fake: FakeManager, settings: AmiSettings) -> None:
        self.fake = fake
        self.events: list[AmiMessage] = []
        self.downs: list[str] = []
        self.errors: list[Exception] = []
        self.ups = 0
        self.on_up: Callable[[], Awaitable[None]] | None = None
        self.on_event: Callable[[AmiMessage], None] | None = None
        self.ami = Ami(
            settings,
            random=random.Random(1),
            on_event=self._event,
            on_up=self._up,
            on_down=self.downs.append,
            on_error=self.errors.append,
        )

    def _event(self, message: AmiMessage) -> None:
        self.events.append(message)
        if self.on_event is not None:
            self.on_event(message)

    async def _up(self) -> None:
        self.ups += 1
        if self.on_up is not None:
            await self.on_up()

    @property
    def peer(self) -> Peer:
        return self.fake.peers[-1]

    async def up(self) -> None:
        async with asyncio.timeout(5):
            await self.ami.wait_up()


@asynccontextmanager
async def link(settings: AmiSettings = FAST, *, start: bool = True) -> AsyncIterator[Link]:
    fake = FakeManager()
    port = await fake.start()
    joined = Link(fake, replace(settings, port=port))
    try:
        if start:
            joined.ami.start()
            await joined.up()
        yield joined
    finally:
        await joined.ami.stop()
        await fake.stop()


async def until(condition: Callable[[], bool]) -> None:
    """Gives the loop turns until something is so."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - counters have no event, and the bound is above
            await asyncio.sleep(0.001)


# ---------------------------------------------------------------- up


async def test_it_logs_in_by_challenge_with_its_mask_and_never_sends_the_secret() -> None:
    async with link() as joined:
        challenge, login = joined.peer.actions[:2]
        assert challenge.get("AuthType") == "MD5"
        assert (login.get("Username"), login.get("Events")) == ("pasokh", "call,agent,user")
        assert not login.has_header("Secret")
        assert joined.ami.state.status is AmiStatus.UP
        assert joined.ami.version == "9.0.0"
        await until(lambda: [event.event for event in joined.events] == ["FullyBooted"])
        assert SECRET not in repr(joined.ami.settings)


async def test_the_resync_is_done_before_it_is_up() -> None:
    async with link(start=False) as joined:
        states: list[AmiStatus] = []

        async def resync() -> None:
            await joined.ami.pyst2.ping()
            states.append(joined.ami.state.status)

        joined.on_up = resync
        joined.ami.start()
        await joined.up()
        assert states == [AmiStatus.CONNECTING]


async def test_a_resync_that_fails_is_tried_again() -> None:
    async with link(start=False) as joined:

        async def resync() -> None:
            if joined.ups == 1:
                raise LookupError("a fault of ours")
            if joined.ups == 2:
                raise AmiActionError("Status", "Permission denied")

        joined.on_up = resync
        joined.ami.start()
        await joined.up()
        assert joined.ups == 3
        assert [type(error) for error in joined.errors] == [LookupError]
        assert joined.downs == []


async def test_a_resync_without_end_is_cut() -> None:
    async with link(replace(FAST, resync_timeout_s=0.02), start=False) as joined:

        async def resync() -> None:
            if joined.ups == 1:
                await asyncio.Event().wait()

        joined.on_up = resync
        joined.ami.start()
        await joined.up()
        assert joined.ups == 2


# ---------------------------------------------------------------- not up


@pytest.mark.parametrize(
    ("banner", "reason"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not an Asterisk manager"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "TLS"),
        (b"", "no greeting within"),
    ],
)
async def test_another_banner_or_none(banner: bytes, reason: str) -> None:
    async with link(replace(FAST, greeting_timeout_s=0.02), start=False) as joined:
        joined.fake.banner = banner
        joined.ami.start()
        await until(lambda: joined.ami.state.status is AmiStatus.DOWN and reason in joined.ami.state.reason)
        await until(lambda: len(joined.fake.peers) >= 2)
        joined.fake.banner = BANNER
        await joined.up()


async def test_nobody_listens(free_port: int) -> None:
    async with link(start=False) as joined:
        ami = Ami(
            replace(FAST, port=free_port),
            random=random.Random(1),
            on_event=joined.events.append,
            on_up=joined._up,
            on_down=joined.downs.append,
            on_error=joined.errors.append,
        )
        ami.start()
        await until(lambda: ami.state.status is AmiStatus.DOWN and str(free_port) in ami.state.reason)
        with pytest.raises(AmiDown, match="no manager link"):
            await ami.action({"Action": "Ping"})
        await ami.stop()
        assert joined.downs == []
        assert joined.errors == []


async def test_a_wrong_password_says_so_and_is_not_tried_hotly() -> None:
    settings = replace(FAST, backoff_first_s=0.01, backoff_max_s=0.05)
    async with link(settings, start=False) as joined:
        joined.fake.secret = "another"
        joined.ami.start()
        await until(lambda: joined.ami.counters.auth_failures == 4)
        loop = asyncio.get_running_loop()
        before_s, tries = loop.time(), len(joined.fake.peers)
        await until(lambda: joined.ami.counters.auth_failures == 8)
        assert loop.time() - before_s >= 4 * 0.05 * 0.5 * 0.9
        assert len(joined.fake.peers) == tries + 4
        await until(lambda: joined.ami.state.status is AmiStatus.AUTH_FAILED)
        assert "manager.conf" in joined.ami.state.reason
        assert SECRET not in joined.ami.state.reason
        joined.fake.secret = SECRET
        await joined.up()


def test_the_pauses_grow_to_their_limit_with_jitter() -> None:
    async def pauses() -> list[float]:
        async with link(replace(FAST, backoff_first_s=1.0, backoff_max_s=30.0), start=False) as joined:
            return [joined.ami._pause_s(tries) for tries in (0, 1, 2, 3, 4, 5, 6, 50, 5000)]

    limits = [1.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    got = asyncio.run(pauses())
    assert all(limit / 2 <= pause <= limit for pause, limit in zip(got, limits, strict=True))
    assert len({pause / limit for pause, limit in zip(got, limits, strict=True)}) > 5


# ---------------------------------------------------------------- it breaks, it comes back


async def test_a_closed_link_fails_who_waits_tells_it_and_comes_back() -> None:
    async with link() as joined:
        waiting = asyncio.ensure_future(joined.ami.action({"Action": "Slow"}))
        await until(lambda: joined.peer.actions[-1].get("Action") == "Slow")
        joined.peer.writer.close()
        with pytest.raises(AmiDown):
            await waiting
        await until(lambda: joined.ups == 2)
        await joined.up()
        assert len(joined.downs) == 1
        assert "closed by the other side" in joined.downs[0]
        assert (await joined.ami.pyst2.ping()).get("Ping") == "Pong"


async def test_a_half_open_link_is_dead_after_its_silence() -> None:
    async with link(replace(FAST, ping_every_s=0.01, dead_after_s=0.1)) as joined:
        first = joined.peer
        await until(lambda: sum(action.get("Action") == "Ping" for action in first.actions) >= 3)
        assert joined.ami.state.status is AmiStatus.UP
        joined.fake.mute = True
        await until(lambda: len(joined.downs) == 1)
        assert "nothing was heard" in joined.downs[0]
        joined.fake.mute = False
        await joined.up()
        assert joined.peer is not first


async def test_a_message_over_the_limit_cuts_the_link() -> None:
    async with link(replace(FAST, max_message_bytes=10_000)) as joined:
        joined.peer.writer.write(b"Event: X\r\nY: " + b"z" * 20_000)
        await until(lambda: joined.ups == 2)
        assert "over the limit" in joined.downs[0]


async def test_a_peer_that_does_not_read_is_cut() -> None:
    async with link(replace(FAST, max_unsent_bytes=50_000, max_pending=100_000)) as joined:
        joined.fake.deaf = True
        await joined.ami.pyst2.ping()

        def flood() -> None:
            for _ in range(100_000):
                joined.ami.send({"Action": "NoOp", "Data": "x" * 900})

        with pytest.raises(AmiDown, match="does not read"):
            flood()
        joined.fake.deaf = False
        await until(lambda: joined.ups == 2)


async def test_stopping_ends_those_who_wait() -> None:
    async with link() as joined:
        waiting = asyncio.ensure_future(joined.ami.action({"Action": "Slow"}))
        await until(lambda: joined.peer.actions[-1].get("Action") == "Slow")
        await joined.ami.stop()
        with pytest.raises(AmiDown):
            await waiting
        assert joined.ami.state.status is AmiStatus.DOWN
        with pytest.raises(AmiDown):
            joined.ami.send({"Action": "Ping"})


# ---------------------------------------------------------------- replies


async def test_replies_are_matched_by_their_id() -> None:
    kept: list[AmiMessage] = []

    def script(_peer: Peer, message: AmiMessage) -> bytes | None:
        if message.get("Action") == "Slow":
            kept.append(message)
            return b""
        if message.get("Action") == "Quick":
            return reply(message, "Said: quick") + reply(kept[0], "Said: slow")
        return None

    async with link() as joined:
        joined.fake.script = script
        slow = joined.ami.send({"Action": "Slow"})
        quick = joined.ami.send({"Action": "Quick"})
        assert (await quick).get("Said") == "quick"
        assert (await slow).get("Said") == "slow"


async def test_no_reply_is_a_timeout_and_the_link_stays() -> None:
    async with link() as joined:
        with pytest.raises(AmiTimeout, match="Slow"):
            await joined.ami.action({"Action": "Slow"}, timeout_s=0.01)
        late = joined.peer.actions[-1]
        joined.peer.writer.write(reply(late))
        await until(lambda: joined.ami.counters.late_replies == 1)
        assert joined.ami.state.status is AmiStatus.UP
        assert joined.ami.counters.timeouts == 1


async def test_error_replies_are_raised() -> None:
    async with link() as joined:
        joined.fake.script = lambda _peer, message: reply(
            message, "Message: No such channel", response="Error"
        )
        with pytest.raises(AmiActionError, match="No such channel"):
            await joined.ami.hangup("PJSIP/gone")
        with pytest.raises(AmiActionError, match="No such channel"):
            await joined.ami.status(channel="PJSIP/gone")
        assert not (await joined.ami.pyst2.hangup("PJSIP/gone")).ok


async def test_lists_are_collected_whole_among_events() -> None:
    def script(_peer: Peer, message: AmiMessage) -> bytes | None:
        if message.get("Action") != "CoreShowChannels":
            return None
        start = reply(message, "EventList: start")
        item = f"Event: CoreShowChannel\r\nActionID: {message.get('ActionID')}\r\nN: {{}}\r\n\r\n"
        other = b"Event: Newchannel\r\nUniqueid: 7\r\n\r\n"
        end = f"Event: Done\r\nActionID: {message.get('ActionID')}\r\nEventList: Complete\r\n\r\n".encode()
        return start + item.format(1).encode() + other + item.format(2).encode() + end

    async with link() as joined:
        joined.fake.script = script
        channels = await joined.ami.core_show_channels()
        assert [channel.get("N") for channel in channels] == ["1", "2"]
        assert [event.event for event in joined.events] == ["FullyBooted", "Newchannel"]


async def test_an_event_with_the_id_of_an_action_that_is_no_list_is_an_event() -> None:
    def script(_peer: Peer, message: AmiMessage) -> bytes | None:
        if message.get("Action") != "Originate":
            return None
        event = f"Event: OriginateResponse\r\nActionID: {message.get('ActionID')}\r\nReason: 4\r\n\r\n"
        return event.encode() + reply(message) + event.encode()

    async with link() as joined:
        joined.fake.script = script
        await joined.ami.originate("PJSIP/a", context="c", exten="1", action_id="mine")
        await until(lambda: len(joined.events) == 3)
        assert [event.get("ActionID") for event in joined.events[1:]] == ["mine", "mine"]


async def test_what_waits_and_what_is_listed_is_bounded() -> None:
    async with link(replace(FAST, max_pending=3, max_list_items=2)) as joined:
        joined.fake.script = lambda _peer, message: (
            listed(message, *[("Event: X",)] * 3) if message.get("Action") == "List" else None
        )
        with pytest.raises(AmiRefused, match="list"):
            await joined.ami.list_action({"Action": "List"})
        for _ in range(3):
            joined.ami.send({"Action": "Slow"})
        with pytest.raises(AmiRefused, match="Too many"):
            joined.ami.send({"Action": "Slow"})


async def test_injection_is_refused_before_it_is_written() -> None:
    async with link() as joined:
        before = len(joined.peer.actions)
        with pytest.raises(AmiRefused):
            await joined.ami.queue_add("sales\r\nAction: Originate", "PJSIP/a")
        with pytest.raises(AmiRefused):
            await joined.ami.pyst2.redirect("PJSIP/a\r\nX: y", "s")
        with pytest.raises(AmiRefused):
            await joined.ami.pyst2.login("x", "y")
        await joined.ami.pyst2.ping()
        assert len(joined.peer.actions) == before + 1


async def test_an_action_id_in_use_is_refused() -> None:
    async with link() as joined:
        joined.ami.send({"Action": "Slow", "ActionID": "mine"})
        with pytest.raises(AmiRefused):
            joined.ami.send({"Action": "Slow", "ActionID": "mine"})


async def test_pyst2s_actions_are_awaitable() -> None:
    async with link() as joined:
        joined.fake.script = lambda _peer, message: reply(message)
        for call in (
            joined.ami.pyst2.originate("PJSIP/a", "91", "ctx", "1", variables={"A": "1", "B": "2"}),
            joined.ami.pyst2.redirect("PJSIP/a", "s", context="c"),
            joined.ami.pyst2.playdtmf("PJSIP/a", "5"),
            joined.ami.pyst2.dbget("fam", "key"),
            joined.ami.pyst2.absolute_timeout("PJSIP/a", 5),
        ):
            assert (await call).ok
        originate = joined.peer.actions[-5]
        assert originate.all("Variable") == ["A=1", "B=2"]
        assert originate.get("ActionID")


# ---------------------------------------------------------------- typed actions


async def test_status_gives_channels_with_their_variables() -> None:
    fields = ("Channel: PJSIP/t-1", "Uniqueid: 1.1", "Linkedid: 1.1", "Application: AGI", "BridgeID: ")

    def script(_peer: Peer, message: AmiMessage) -> bytes | None:
        variables = ('Variable: PASOKH_TICKET={"v":1,"x":"a=b"}', "Variable: PASOKH_ID=(null)")
        return listed(message, ("Event: Status", *fields, *variables), ("Event: Status", *fields))

    async with link() as joined:
        joined.fake.script = script
        first, second = await joined.ami.status(["PASOKH_TICKET", "PASOKH_ID"])
        assert joined.peer.actions[-1].get("Variables") == "PASOKH_TICKET,PASOKH_ID"
        assert (first.channel, first.uniqueid, first.application) == ("PJSIP/t-1", "1.1", "AGI")
        assert first.variables == {"PASOKH_TICKET": '{"v":1,"x":"a=b"}'}
        assert second.variables == {}


async def test_the_database_and_the_devices_are_read() -> None:
    def script(_peer: Peer, message: AmiMessage) -> bytes | None:
        if message.get("Action") == "DBGetTree":
            return listed(
                message,
                ("Event: DBGetTreeResponse", "Key: /pasokh/a-1.1", "Val: 17|ANSWER|3|16|wait"),
                ("Event: DBGetTreeResponse", "Key: /pasokh/a-1.2", "Val: "),
            )
        return listed(message, ("Event: DeviceStateChange", "Device: PJSIP/a1", "State: NOT_INUSE"))

    async with link() as joined:
        joined.fake.script = script
        assert await joined.ami.db_tree("pasokh") == {"a-1.1": "17|ANSWER|3|16|wait", "a-1.2": ""}
        assert await joined.ami.device_states() == {"PJSIP/a1": "NOT_INUSE"}


async def test_members_of_the_fallback_queue() -> None:
    errors = {
        "QueueAdd": "Already there",
        "QueueRemove": "Interface not found",
        "QueuePause": "Permission denied",
    }

    def script(_peer: Peer, message: AmiMessage) -> bytes | None:
        return reply(message, f"Message: {errors[message.get('Action')]}", response="Error")

    async with link() as joined:
        joined.fake.script = lambda _peer, message: reply(message)
        assert await joined.ami.queue_add("fallback", "PJSIP/a", member_name="Zahra", penalty=2, paused=True)
        assert joined.peer.actions[-1].get("MemberName") == "Zahra"
        assert await joined.ami.queue_pause("PJSIP/a", True, reason="lunch")
        assert await joined.ami.queue_remove("fallback", "PJSIP/a")
        joined.fake.script = script
        assert not await joined.ami.queue_add("fallback", "PJSIP/a")
        assert not await joined.ami.queue_remove("fallback", "PJSIP/a")
        with pytest.raises(AmiActionError, match="Permission denied"):
            await joined.ami.queue_pause("PJSIP/a", True)


async def test_what_moves_channels_is_written_as_asterisk_wants_it() -> None:
    async with link() as joined:
        joined.fake.script = lambda _peer, message: reply(message, "Value: v")
        ami = joined.ami
        await ami.control_playback_stop("C")
        await ami.hangup("C")
        await ami.hangup("C", 16)
        await ami.redirect("C", "ctx", "s")
        await ami.redirect("C", "ctx", "s", extra=("E", "ctx2", "w"))
        await ami.blind_transfer("C", "ctx", "s")
        await ami.originate("PJSIP/a", application="Wait", data="1", channel_id="id", variables={"K": "v"})
        await ami.set_var("PASOKH_LEADER", "7")
        assert await ami.get_var("X", channel="C") == "v"
        await ami.play_dtmf("C", "1")
        await ami.mute_recording("C", True)
        await ami.stop_recording("C")
        sent = [{k: v for k, v in a.headers.items() if k != "ActionID"} for a in joined.peer.actions[2:]]
        move = {"Action": "Redirect", "Channel": "C", "Exten": "s", "Priority": "1", "Context": "ctx"}
        extra = {"ExtraChannel": "E", "ExtraContext": "ctx2", "ExtraExten": "w", "ExtraPriority": "1"}
        assert sent == [
            {"Action": "ControlPlayback", "Channel": "C", "Control": "stop"},
            {"Action": "Hangup", "Channel": "C"},
            {"Action": "Hangup", "Channel": "C", "Cause": "16"},
            move,
            move | extra,
            {"Action": "BlindTransfer", "Channel": "C", "Context": "ctx", "Exten": "s"},
            {
                "Action": "Originate",
                "Channel": "PJSIP/a",
                "Timeout": "30000",
                "Async": "true",
                "Application": "Wait",
                "Data": "1",
                "ChannelId": "id",
                "Variable": "K=v",
            },
            {"Action": "Setvar", "Variable": "PASOKH_LEADER", "Value": "7"},
            {"Action": "Getvar", "Variable": "X", "Channel": "C"},
            {"Action": "PlayDTMF", "Channel": "C", "Digit": "1"},
            {"Action": "MixMonitorMute", "Channel": "C", "Direction": "both", "State": "1"},
            {"Action": "StopMixMonitor", "Channel": "C"},
        ]


# ---------------------------------------------------------------- events


async def test_a_flood_comes_in_order_in_slices_and_others_get_their_turn() -> None:
    count = 20_000
    async with link(replace(FAST, slice_messages=50)) as joined:
        turns = slice_ = longest = 0

        def seen(_message: AmiMessage) -> None:
            nonlocal slice_, longest
            slice_ += 1
            longest = max(longest, slice_)

        joined.on_event = seen
        before = len(joined.events)
        flood = b"".join(
            b"Event: VarSet\r\nPrivilege: dialplan,all\r\nN: %d\r\n\r\n" % n for n in range(count)
        )
        joined.peer.writer.write(flood)
        async with asyncio.timeout(20):
            while len(joined.events) < before + count:
                turns += 1
                slice_ = 0
                await asyncio.sleep(0)
        assert [event.get("N") for event in joined.events[before:]] == [str(n) for n in range(count)]
        assert longest <= 100  # a slice may end one turn and another begin it
        assert turns >= count / 100
        assert joined.ami.state.status is AmiStatus.UP


async def test_a_reader_that_is_slow_bounds_what_we_keep() -> None:
    kept: list[int] = []
    async with link(replace(FAST, slice_messages=10)) as joined:
        reader = joined.ami._link.reader if joined.ami._link else None
        assert reader is not None
        joined.on_event = lambda _message: kept.append(reader.buffered_bytes)
        event = b"Event: VarSet\r\nX: " + b"x" * 1000 + b"\r\n\r\n"
        joined.peer.writer.write(event * 5000)
        await until(lambda: len(kept) >= 5000)
        assert max(kept) < 1_000_000


async def test_a_fault_in_a_callback_costs_neither_the_link_nor_the_next_event() -> None:
    async with link() as joined:

        def seen(message: AmiMessage) -> None:
            if message.event == "Bad":
                raise KeyError("a fault of ours")

        joined.on_event = seen
        joined.peer.say("Event: Bad")
        joined.peer.say("Event: Good")
        await until(lambda: joined.events[-1].event == "Good")
        assert [type(error) for error in joined.errors] == [KeyError]
        assert joined.ami.state.status is AmiStatus.UP


async def test_events_registered_in_pyst2s_way() -> None:
    async with link() as joined:
        heard: list[tuple[str, str]] = []

        def hangup(event: object, _manager: object) -> bool:
            heard.append(("Hangup", str(event)))
            return True

        joined.ami.pyst2.register_event("Hangup", hangup)
        joined.ami.pyst2.register_event("*", lambda event, _manager: heard.append(("*", str(event))))
        joined.peer.say("Event: Hangup", "ChanVariable: X=1")
        joined.peer.say("Event: Hold")
        await until(lambda: len(joined.events) == 3)
        assert heard[-2:] == [("Hangup", "Hangup"), ("*", "Hold")]


async def test_a_repeated_event_and_rubbish_are_handed_on_as_they_came() -> None:
    async with link() as joined:
        for _ in range(3):
            joined.peer.say("Event: Hold", "Uniqueid: 1.1")
        joined.peer.say("rubbish")
        joined.peer.say("Response: Success", "ActionID: nobody's")
        joined.peer.say("Event: Last")
        await until(lambda: joined.events[-1].event == "Last")
        assert [event.event for event in joined.events] == ["FullyBooted", *["Hold"] * 3, "Last"]
        assert joined.ami.counters.late_replies == 2
