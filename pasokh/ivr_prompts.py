"""`pasokh ivr prompts`: the sounds of menus made beforehand, and the list of what people may record instead.

The process makes what is missing by itself when it starts; who publishes a menu, or changes the voice, sees here how
long that takes, and what cannot be said, before a caller meets silence.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ivr.phrase import Phrase
from ivr.prompts import Missing, Prepared, PromptLibrary
from ivr.prompts import Progress as Made
from ivr.recordings import recording_sheet
from ivr.voices import voice_from
from pasokh.errors import NotReadyError
from pasokh.settings import Settings

_REASONS_SHOWN = 10


def make_prompts(settings: Settings, phrases: Sequence[Phrase], out: Console, err: Console) -> bool:
    """Make what has no sound yet, with a bar; whether every phrase has one now."""
    library = PromptLibrary(settings.asterisk.sounds, voice_from(settings.voice))
    made, took_s = asyncio.run(_make(library, phrases, err))
    out.print(
        f"{made.made} prompts made in {took_s:.1f} s, {made.present} were there, "
        f"{len(made.missing)} have no sound.",
        markup=False,
    )
    _tell_missing(made.missing, err)
    return not made.missing


async def _make(library: PromptLibrary, phrases: Sequence[Phrase], err: Console) -> tuple[Prepared, float]:
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
    )
    with bar:
        task = bar.add_task("Prompts", total=None)

        def show(made: Made) -> None:
            bar.update(task, completed=made.done, total=made.total)

        prepared = await library.prepare(phrases, show)
    return prepared, loop.time() - began_s


def _tell_missing(missing: Iterable[Missing], err: Console) -> None:
    """Each reason once, with the first prompt it struck: a voice that is not there fails for all alike."""
    by_why: dict[str, list[Phrase]] = {}
    for each in missing:
        by_why.setdefault(each.why, []).append(each.phrase)
    for why, phrases in list(by_why.items())[:_REASONS_SHOWN]:
        first = phrases[0].text if len(phrases[0].text) <= 60 else f"{phrases[0].text[:59]}…"
        others = f" and {len(phrases) - 1} more" if len(phrases) > 1 else ""
        err.print(f"“{first}” ({phrases[0].language}){others}: {why}", markup=False, soft_wrap=True)
    if len(by_why) > _REASONS_SHOWN:
        err.print(f"… and {len(by_why) - _REASONS_SHOWN} other reasons.", markup=False)


def write_sheet(file: Path, phrases: Iterable[Phrase], out: Console) -> None:
    """The list of recordings, as CSV that spreadsheets read as UTF-8. Raises NotReadyError."""
    text = recording_sheet(phrases)
    try:
        file.write_text(text, encoding="utf-8-sig", newline="")
    except OSError as error:
        raise NotReadyError(f"{file} cannot be written: {error.strerror}.") from None
    lines = text.count("\n") - 1
    out.print(f"Wrote {file}: {lines} recordings. Put them below recorded/.", markup=False, soft_wrap=True)
