"""The composition root: everything is made and joined here, in one place; tests call the same.

Order of life: the database and its schema, the center from its journal, then the doors (records, pages, Asterisk),
and only when Asterisk has said who is still there, the center's timers. Order of death: no new callers, callers in
line are left to Asterisk's music, everything taken in is written, the journal is closed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from random import SystemRandom
from typing import Any

import structlog
from prometheus_client import CollectorRegistry

from acd import journal
from acd.common.number import Number, number_token, parse_number
from acd.engine import CenterClock, Doors, Engine, EngineSettings
from acd.events import Restarted
from acd.ports import Bus
from acd.site import Site, load_site, version_of
from acd.store import documents as document_store
from acd.store.base import DATABASE_ERRORS, Database, DatabaseSettings, open_database, sole_process
from acd.store.journal_file import FileJournal, JournalSettings
from acd.store.records import RecordSettings, RecordWriter
from acd.turn import Rules
from acd.types import US_PER_S, Kind
from ami_bridge.ami import AmiSettings, AmiStatus
from ami_bridge.bridge import Bridge, BridgeDoors, BridgeSettings
from ami_bridge.fastagi import FastAgiSettings
from ami_bridge.recovery import Known, KnownCall
from ami_bridge.session import SessionSettings
from asterisk_conf.pjsip import trunk_endpoint
from pasokh import __version__
from pasokh.answers import AnswersForMessages, JoinedAnswers, MessageLists, join_messages
from pasokh.center_answers import AnswersOfCenter, recall_callers
from pasokh.control import ControlServer
from pasokh.customers import join_customers
from pasokh.documents import KIND, NAME, CenterDocuments, read_document, read_documents
from pasokh.errors import NotReadyError
from pasokh.flow_documents import FlowDocuments, flows_at_start
from pasokh.flow_documents import commands as flow_commands
from pasokh.flows_now import FlowsNow
from pasokh.lock import sole_center
from pasokh.metrics import RoomCounters
from pasokh.recover import recover
from pasokh.services import join_services
from pasokh.settings import Settings
from pasokh.tables import check_tables
from realtime.access import Access
from realtime.audit import AuditLog
from realtime.bus import InProcessBus, RedisBus
from realtime.deps import RealtimeDeps
from realtime.desk import Desk
from realtime.hub import WallFollower, WallHub, WallPublisher
from realtime.ports import Check
from realtime.server import Server
from realtime.settings import AccessSettings, HttpSettings, RealtimeSettings

log: structlog.stdlib.BoundLogger = structlog.get_logger("pasokh")


@dataclass(frozen=True, slots=True)
class Running:
    """A process that runs; what stands after `server` is of a process with a center."""

    settings: Settings
    database: Database
    access: Access
    server: Server
    engine: Engine | None = None
    bridge: Bridge | None = None
    records: RecordWriter | None = None
    prompts_made: asyncio.Task[None] | None = None


class App:
    """One process from start to stop; use as an async context."""

    def __init__(self, settings: Settings, demo_accounts: Sequence[Mapping[str, str]] = ()) -> None:
        self._settings = settings
        self._demo_accounts = demo_accounts
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Running:
        """Start, whole or not at all. Raises NotReadyError, SettingsError or DocumentError."""
        async with AsyncExitStack() as stack:
            run = await build(self._settings, stack, self._demo_accounts)
            self._stack = stack.pop_all()
        return run

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()


async def build(
    settings: Settings, stack: AsyncExitStack, demo_accounts: Sequence[Mapping[str, str]] = ()
) -> Running:
    """Make and join everything this process runs; what was started is undone through `stack`, last first."""
    if settings.role == "all":
        stack.enter_context(sole_process(settings.database_url))
        stack.enter_context(sole_center(settings.state))
    database = open_database(DatabaseSettings(url=settings.database_url))
    stack.push_async_callback(database.close)
    await check_tables(database)
    bus = _bus(settings)
    stack.push_async_callback(bus.close)
    hub = WallHub(RealtimeSettings().sockets)
    rooms = _rooms(settings)
    if settings.role == "web":
        return await _build_web(settings, stack, database, bus, hub, rooms)

    loop = asyncio.get_running_loop()
    rules = Rules(
        int(settings.deadlines.card_wait_s * US_PER_S), int(settings.deadlines.ring_grace_s * US_PER_S)
    )
    files = FileJournal(JournalSettings(settings.state / "journal"), _journal_failed)
    site = await _site(settings, database)
    recovered = recover(files.last_segment(), __version__, site, time.time_ns() // 1000, rules)
    # The wall is read at this moment: what was read before the replay would be late by it for ever.
    clock = CenterClock(loop, time.time_ns() // 1000, recovered.center.state.at_us)
    engine = Engine(recovered.center, recovered.measures, clock, EngineSettings(), _center_broken)
    token_key = settings.secret("token").encode()

    desk = Desk(lambda contact: customers.card(contact), rooms.sockets)
    desk.join_center(engine)
    desk.recall(recovered.facts)
    customers = join_customers(settings, database, lambda: engine.site, engine.post, desk.card_changed)
    stack.push_async_callback(customers.close)
    services = join_services(settings, database, customers.lookup, clock.now_us, otherwise=customers)
    stack.push_async_callback(services.aclose)
    await services.start()
    in_force = await flows_at_start(database.writing, engine.site, settings.flows, _flow_broken)
    flows = FlowsNow(in_force, settings, engine)
    stack.push_async_callback(flows.close)

    def number_of(written: str | None) -> tuple[Number, str | None]:
        at = engine.site
        number = parse_number(written, at.country, at.area_code, tuple(at.phones))
        return number, number_token(number.key, token_key) or None

    messages = join_messages(
        settings, database, clock.now_us, lambda contact: contact in engine.center.state.contacts
    )
    voice = AnswersForMessages(messages, clock.now_us)
    center_answers = AnswersOfCenter(engine, number_of)
    bridge = Bridge(
        _bridge_settings(settings, site),
        BridgeDoors(
            center=engine,
            answers=JoinedAnswers(
                {
                    "voicemail": voice,
                    "survey": voice,
                    **dict.fromkeys(("caller", "queue", "place", "callback"), center_answers),
                },
                otherwise=services,
            ),
            script_for=flows.script_for,
            number_of=number_of,
            known=lambda: _known(engine),
            phones=lambda: engine.site.phones,
            broken=_bridge_broken,
        ),
        SystemRandom(),
    )
    records = RecordWriter(
        database.writing, RecordSettings(spool=settings.state / "records.spool"), bridge.ends.durable
    )
    publisher = WallPublisher(engine, hub, bus, rooms.sockets)
    engine.join(Doors(files, bridge, desk, customers.lookup, records, (desk, publisher)))

    records.start()
    stack.push_async_callback(records.close)
    await records.take_many(recovered.facts)
    await records.flush()
    bridge.ends.durable(recovered.center.state.ended)  # their rows may still be in Asterisk
    files.begin(journal.encode_header(engine.center, engine.measures, __version__), clock.now_us())
    stack.push_async_callback(files.close)
    stack.callback(engine.close)
    await recall_callers(engine, database, number_of)
    if recovered.broken:
        log.error("inputs of the journal broke the center and were left out again", count=recovered.broken)
    if recovered.why_new:
        log.warning("the center begins anew", why=recovered.why_new)
    engine.post(Restarted())

    audit = AuditLog(database.writing, clock.now_us, rooms.http)
    access = Access(database.writing, clock.now_us, rooms.access)
    documents = CenterDocuments(database.writing, engine, settings.flows, flows.use)
    menus = FlowDocuments(
        database.writing, engine, flows.counted, settings.flows, flows.now, flows.use, documents.one_at_a_time
    )
    metrics = CollectorRegistry()
    metrics.register(
        RoomCounters(
            {
                "engine": lambda: engine.counters,
                "agi": lambda: bridge.agi.counters,
                "ami": lambda: bridge.ami.counters,
                "session": lambda: bridge.counters,
                "records": records.counters,
                "lookup": lambda: customers.lookup.counters,
                "flows": lambda: flows.counters,
                "services": lambda: services.services.counters,
                "authentication": lambda: services.authentication.counters,
                "messages": lambda: messages.counters,
            },
            engine.view,
        )
    )
    state = _State(bridge)
    deps = RealtimeDeps(
        settings=rooms,
        database=database.writing,
        reporting=database.reporting,
        access=access,
        audit=audit,
        wall=hub,
        now_us=clock.now_us,
        center=engine,
        desk=desk,
        contacts=customers.contacts,
        customers=customers.lists,
        documents=documents,
        flows=menus,
        voicemails=MessageLists(messages),
        checks=_checks(state, database),
        metrics=metrics,
        demo_accounts=demo_accounts,
        version=__version__,
    )
    server = Server(deps)
    await server.start(settings.web.host, settings.web.port)
    stack.push_async_callback(server.stop)
    _background(stack, publisher.run(), "wall publisher")
    _background(stack, messages.run(), "messages")

    try:
        await bridge.start()
    except OSError as error:
        raise NotReadyError(
            f"The port {settings.asterisk.agi_port} for Asterisk's calls cannot be opened: {error.strerror}; "
            "another pasokh may run, or choose another under [asterisk] agi_port."
        ) from None
    stack.push_async_callback(bridge.stop, settings.deadlines.stop_s)
    stack.callback(state.stopping)
    _background(stack, _arm_when_recovered(engine, bridge, settings.deadlines.recover_s), "recovery")
    prompts = _background(stack, flows.make_prompts(), "prompts")

    control = ControlServer(settings.control_socket, {**_commands(documents, access), **flow_commands(menus)})
    await control.start()
    stack.push_async_callback(control.stop)
    return Running(settings, database, access, server, engine, bridge, records, prompts)


async def _build_web(
    settings: Settings,
    stack: AsyncExitStack,
    database: Database,
    bus: Bus,
    hub: WallHub,
    rooms: RealtimeSettings,
) -> Running:
    """A process without a center: walls that follow the bus, and reads."""
    if not settings.redis.url:
        raise NotReadyError("A process of role web follows the center through Redis; set [redis] url.")
    clock = CenterClock(asyncio.get_running_loop(), time.time_ns() // 1000)
    site = await _site(settings, database)
    customers = join_customers(settings, database, lambda: site, lambda _: None, lambda _: None)
    stack.push_async_callback(customers.close)
    audit = AuditLog(database.writing, clock.now_us, rooms.http)
    access = Access(database.writing, clock.now_us, rooms.access)
    state = _State(None)
    deps = RealtimeDeps(
        settings=rooms,
        database=database.writing,
        reporting=database.reporting,
        access=access,
        audit=audit,
        wall=hub,
        now_us=clock.now_us,
        site=lambda: site,
        contacts=customers.contacts,
        customers=customers.lists,
        checks=_checks(state, database),
        version=__version__,
    )
    server = Server(deps)
    await server.start(settings.web.host, settings.web.port)
    stack.push_async_callback(server.stop)
    stack.callback(state.stopping)
    _background(stack, WallFollower(hub, bus, rooms.sockets).run(), "wall follower")
    return Running(settings, database, access, server)


@dataclass(slots=True)
class _State:
    """What readiness asks: it turns false before anything is taken down."""

    bridge: Bridge | None
    ready: bool = True

    def stopping(self) -> None:
        self.ready = False


# The parts -------------------------------------------------------------------------------------------------


async def _arm_when_recovered(engine: Engine, bridge: Bridge, wait_s: float) -> None:
    """Timers count only when Asterisk has said what became of calls meanwhile, or does not answer."""
    try:
        async with asyncio.timeout(wait_s):
            await bridge.recovery.done.wait()
    except TimeoutError:
        log.warning("asterisk has not answered yet; the center goes on by its own time")
    engine.arm_timers()


def _known(engine: Engine) -> Known:
    state = engine.center.state
    calls: dict[str, KnownCall] = {}
    for contact in state.contacts.values():
        if contact.kind is not Kind.CALL:
            continue  # no telephone knows of it
        visit = state.visits.get(contact.visit) if contact.visit else None
        offer = visit.offer.offer if visit is not None and visit.offer is not None else None
        together = visit.round if visit is not None and len(visit.round) > 1 else ()
        calls[contact.contact] = KnownCall(
            visit.state if visit else None, offer, {each.phone: each.offer for each in together}
        )
    return Known(engine.now_us(), calls, dict(state.members))


def _rooms(settings: Settings) -> RealtimeSettings:
    return RealtimeSettings(
        access=AccessSettings(argon2_memory_kib=settings.web.password_memory_kib),
        http=HttpSettings(
            public_origins=settings.web.public_origins,
            trusted_proxies=settings.web.trusted_proxies,
            secure_cookies=settings.web.secure_cookies,
        ),
    )


def _bus(settings: Settings) -> Bus:
    if settings.redis.url:
        return RedisBus(settings.redis.url, site=settings.bus_name)
    return InProcessBus()


def _bridge_settings(settings: Settings, site: Site) -> BridgeSettings:
    to, deadlines = settings.asterisk, settings.deadlines
    return BridgeSettings(
        agi=FastAgiSettings(
            secret=settings.secret("agi"), host=to.agi_host, port=to.agi_port, allow=to.agi_allow
        ),
        ami=AmiSettings(
            username=to.ami_user, secret=settings.secret("ami"), host=to.ami_host, port=to.ami_port
        ),
        session=SessionSettings(
            gone_wait_s=deadlines.gone_wait_s,
            messages=str(to.messages_seen_as or to.messages),
            transfer_endpoint=trunk_endpoint(next(iter(site.trunks), "")) if site.trunks else "",
            transfer_allowed=to.transfer_allowed,
        ),
        resync_every_s=deadlines.resync_s,
        ends_every_s=deadlines.ends_s,
    )


async def _site(settings: Settings, database: Database) -> Site:
    """The version in force; on the very first day the one of the file, which then becomes version 1."""
    current = await document_store.current(database.writing, KIND, NAME)
    if current is not None:
        return load_site(current.text, "center.yaml")
    text = read_document(settings.site)
    site = read_documents(text, str(settings.site), settings.flows).site
    await document_store.save(
        database.writing, KIND, NAME, text, datetime.now(UTC), "first start", version_of(site)
    )
    return site


def _checks(state: _State, database: Database) -> dict[str, Check]:
    async def running() -> str | None:
        return None if state.ready else "This process is stopping."

    async def stored() -> str | None:
        try:
            async with database.writing.connect():
                return None
        except DATABASE_ERRORS:
            return "The database does not answer; calls go on and records wait on the disk."

    async def asterisk() -> str | None:
        assert state.bridge is not None
        link = state.bridge.ami.state
        return None if link.status is AmiStatus.UP else link.reason

    checks: dict[str, Check] = {"process": running, "database": stored}
    if state.bridge is not None:
        checks["asterisk"] = asterisk
    return checks


def _commands(
    documents: CenterDocuments, access: Access
) -> dict[str, Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]]:
    async def apply(request: Mapping[str, Any]) -> Mapping[str, Any]:
        done = await documents.apply(str(request["text"]), str(request["by"]))
        return {"ok": done.ok, "version": done.version, "problems": list(done.problems)}

    async def ping(_: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"ok": True, "version": __version__}

    return {"center.apply": apply, "ping": ping}


def _background(stack: AsyncExitStack, work: Any, name: str) -> asyncio.Task[None]:
    task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work, name=name)

    async def end() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(end)
    return task


def _journal_failed(error: OSError) -> None:
    log.error("the journal cannot be written; calls go on without it", why=error.strerror)


def _flow_broken(problem: str) -> None:
    log.error("a published flow cannot be used any more; its file is in force", why=problem)


def _center_broken(event: object, error: Exception) -> None:
    log.error("an input broke the center and was left out", event_kind=type(event).__name__, exc_info=error)


def _bridge_broken(where: str, error: Exception) -> None:
    log.warning("something failed between us and asterisk", where=where, exc_info=error)
