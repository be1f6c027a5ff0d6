"""`pasokh check`: everything an operator can get wrong, each as one sentence with its remedy."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import SystemRandom
from zoneinfo import ZoneInfo

from acd.errors import DocumentError
from acd.site import Site
from acd.store.base import DATABASE_ERRORS, DatabaseSettings, opened
from acd.store.schema import check_schema
from acd.store.voicemail import strays
from ami_bridge.ami import Ami, AmiSettings
from ami_bridge.errors import AmiError
from asterisk_conf.check import check_against
from crm_lookup.services.authentication import in_order
from crm_lookup.services.opening import doubts_about, problems_of
from ivr.flow import AuthenticateNode, LookupNode
from ivr.library import load_flows
from ivr.recordings import check_recordings
from ivr.say import vocabulary
from ivr.voices import VoiceSettings
from pasokh import migrations
from pasokh.control import ask
from pasokh.documents import read_documents
from pasokh.errors import ControlError
from pasokh.settings import Settings

ANSWER_S = 6.0


@dataclass(frozen=True, slots=True)
class Finding:
    sentence: str
    wrong: bool = True


async def everything(settings: Settings) -> list[Finding]:
    """All findings, good ones too, in the order in which a person would mend them."""
    site, findings = _documents(settings)
    findings += _services(settings, site)
    findings += _folders(settings)
    findings += _voice(settings.voice)
    findings += _recordings(settings, site)
    findings.append(await _database(settings))
    findings += await _messages(settings)
    if settings.role == "all":
        findings.append(await _running(settings))
        findings += [each async for each in _asterisk(settings, site)]
    return findings


def _documents(settings: Settings) -> tuple[Site | None, list[Finding]]:
    try:
        text = settings.site.read_text(encoding="utf-8")
        read = read_documents(text, str(settings.site), settings.flows)
    except DocumentError as error:
        return None, [Finding(str(problem)) for problem in error.problems]
    except (OSError, UnicodeDecodeError) as error:
        return None, [Finding(f"{settings.site} cannot be read: {error}; make one with `pasokh init`.")]
    warnings = [Finding(str(problem), wrong=False) for problem in read.warnings]
    return read.site, [
        *warnings,
        *_time_zone(read.site),
        Finding(f"{settings.site} and its flows can be applied.", wrong=False),
    ]


def _services(settings: Settings, site: Site | None) -> list[Finding]:
    """Services that cannot be used, and those that flows ask for in vain: such callers go to a person."""
    found = [Finding(each) for each in problems_of(settings.services, settings.authentication)]
    found += [Finding(each, wrong=False) for each in doubts_about(settings.services)]
    if site is None:
        return found
    flows = load_flows(site, settings.flows).flows
    named = {number.flow for number in site.numbers.values()}
    methods = {in_order(name) for name in settings.authentication.methods}
    for name in sorted(named & flows.keys()):
        nodes = flows[name].nodes.values()
        for service in sorted(
            {node.service for node in nodes if isinstance(node, LookupNode)} - settings.services.keys()
        ):
            found.append(
                Finding(
                    f"The flow {name} asks the service {service}; {_ADD}[services.{service}].", wrong=False
                )
            )
        for method in sorted(
            {in_order(node.method) for node in nodes if isinstance(node, AuthenticateNode)} - methods
        ):
            section = f'[authentication.methods."{method}"]'
            found.append(
                Finding(
                    f"The flow {name} has callers prove themselves by {method}; {_ADD}{section}.", wrong=False
                )
            )
    return found


_ADD = "until pasokh.toml says how, such callers go to a person. See docs/services.md, and add "


def _time_zone(site: Site) -> list[Finding]:
    """Old time-zone data still has summer time in Tehran, which ended in September 2022."""
    offset = datetime(2026, 7, 1, tzinfo=ZoneInfo("Asia/Tehran")).utcoffset()
    if site.time_zone == "Asia/Tehran" and offset is not None and offset.total_seconds() != 12_600:
        return [Finding("This machine's time zones are old (Tehran has no summer time); update tzdata.")]
    return []


def _folders(settings: Settings) -> list[Finding]:
    found = []
    for what, folder in (
        ("state", settings.state),
        ("sounds", settings.asterisk.sounds),
        ("recordings", settings.asterisk.recordings),
        ("messages", settings.asterisk.messages),
    ):
        found.append(_folder(what, folder))
    return found


def _folder(what: str, folder: Path) -> Finding:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return Finding(f"The folder of {what}, {folder}, cannot be made: {error.strerror}.")
    if not os.access(folder, os.W_OK):
        return Finding(f"The folder of {what}, {folder}, cannot be written by this user.")
    if what in ("sounds", "recordings", "messages") and (closed := _closed_above(folder)) is not None:
        return Finding(f"Asterisk cannot see the {what}: {closed} may not be entered by others (chmod o+x).")
    free = shutil.disk_usage(folder)
    if free.free < free.total // 20:
        return Finding(f"The disk of {folder} has less than 5 % free.")
    return Finding(f"The folder of {what} is {folder}.", wrong=False)


def _closed_above(folder: Path) -> Path | None:
    """The first folder on the way that another user (Asterisk's) may not enter."""
    for each in (*reversed(folder.absolute().parents), folder):
        if not each.stat().st_mode & 0o001:
            return each
    return None


def _voice(voice: VoiceSettings) -> list[Finding]:
    if voice.provider == "recorded":
        return [Finding("Only recordings are played; a prompt without one is silent.", wrong=False)]
    program = voice.command[0] if voice.provider == "command" else "espeak-ng"
    if shutil.which(program) is None:
        return [
            Finding(f"{program} is not installed, so prompts without a recording are silent; install it.")
        ]
    return [Finding(f"{program} speaks prompts that have no recording.", wrong=False)]


def _recordings(settings: Settings, site: Site | None) -> list[Finding]:
    """What is wrong with what people recorded; without a site, nobody knows what they should have."""
    if site is None:
        return []
    flows = load_flows(site, settings.flows)
    phrases = flows.phrases() | vocabulary(flows.languages())
    found = check_recordings(settings.asterisk.sounds, phrases)
    return [Finding(f"The recording {each}.", wrong=each.wrong) for each in found]


async def _database(settings: Settings) -> Finding:
    async with opened(DatabaseSettings(url=settings.database_url)) as database:
        try:
            state = await check_schema(database.writing, migrations.head(), migrations.revisions())
        except DATABASE_ERRORS as error:
            return Finding(
                f"The database does not answer ({type(error).__name__}); start it, or correct its url."
            )
    return (
        Finding("The database has the tables of this version.", wrong=False)
        if state.ok
        else Finding(state.sentence)
    )


async def _messages(settings: Settings) -> list[Finding]:
    """Messages of callers whose words are gone, and words that no list shows."""
    async with opened(DatabaseSettings(url=settings.database_url)) as database:
        try:
            lost, unlisted = await strays(database.reporting, settings.kept_messages)
        except DATABASE_ERRORS:
            return []  # of the database something was said already
    found = []
    if lost:
        found.append(
            Finding(f"{len(lost)} messages of callers have no file any more, e.g. {lost[0]}; restore it.")
        )
    if unlisted:
        found.append(
            Finding(
                f"{len(unlisted)} files in {settings.kept_messages} belong to no message, e.g. {unlisted[0]}; "
                f"move them to {settings.asterisk.messages} to have them taken over again."
            )
        )
    return found


async def _running(settings: Settings) -> Finding:
    try:
        await ask(settings.control_socket, {"command": "ping"}, 2.0)
    except ControlError:
        return Finding("No pasokh runs here now.", wrong=False)
    return Finding("A pasokh runs here.", wrong=False)


async def _asterisk(settings: Settings, site: Site | None) -> AsyncIterator[Finding]:
    """Asks Asterisk's manager as the center would."""
    to = settings.asterisk
    up = asyncio.Event()

    async def on_up() -> None:
        up.set()

    ami = Ami(
        AmiSettings(username=to.ami_user, secret=settings.secret("ami"), host=to.ami_host, port=to.ami_port),
        random=SystemRandom(),
        on_event=lambda _: None,
        on_up=on_up,
        on_down=lambda _: None,
        on_error=lambda _: None,
    )
    ami.start()
    try:
        async with asyncio.timeout(ANSWER_S):
            await ami.wait_up()
        yield Finding(f"Asterisk's manager answers at {to.ami_host}:{to.ami_port}.", wrong=False)
        if site is not None:
            for sentence in check_against(site, await ami.device_states()):
                yield Finding(sentence)
    except TimeoutError:
        yield Finding(f"{ami.state.reason} See docs/asterisk.md for Asterisk's side.")
    except AmiError as error:
        yield Finding(f"Asterisk's manager: {error}")
    finally:
        await ami.stop()
