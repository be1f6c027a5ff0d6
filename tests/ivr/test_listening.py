"""Listened to by measurement: what a caller hears is there, long enough, equally loud, and joins without a gap.

The sounds are made once and kept where the other tests keep theirs; their names hold voice and text.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import pytest

from ivr.check import load_flow
from ivr.library import shipped_flows
from ivr.phrase import Phrase
from ivr.prompts import PromptLibrary
from ivr.recordings import Measured, measured
from ivr.say import ahead_in_line, cannot_connect, estimated_wait, speak, spell
from ivr.telephone_wav import LEVEL, PEAK, TELEPHONE_HZ, read
from ivr.voices import Espeak
from tests import parts

pytestmark = pytest.mark.needs("espeak")

MOST_GAP_S = 0.150
VALUES = [
    ("number", "25"),
    ("ordinal", "25"),
    ("money", "2534500"),
    ("toman", "1289000"),
    ("date", "1405/9/29"),
    ("time", "21:48"),
    ("time", "09:00"),
    ("duration", "4800"),
    ("phone", "09123456789"),
    ("card", "5608"),
    ("digits", "2719"),
]
SAID = [
    said
    for language in ("fa", "en")
    for said in (
        *(speak(kind, value, language) for kind, value in VALUES),
        ahead_in_line(67, language),
        estimated_wait(180, language),
        (cannot_connect(language),),
    )
]


def flow_phrases() -> list[Phrase]:
    flows = [load_flow(text, f"{name}.yaml", None).flow for name, text in shipped_flows().items()]
    return sorted({phrase for flow in flows for phrase in flow.phrases()})


@pytest.fixture(scope="module")
def sounds() -> dict[Phrase, Measured]:
    wanted = {*flow_phrases(), *(phrase for said in SAID for phrase in said)}
    return asyncio.run(_made_and_measured(wanted))


async def _made_and_measured(wanted: Iterable[Phrase]) -> dict[Phrase, Measured]:
    library = PromptLibrary(parts.cache_root() / "sounds", Espeak())
    prepared = await library.prepare(wanted)
    assert prepared.missing == ()
    found = {}
    for phrase in wanted:
        samples, hz = read(
            str(Path(library.sound(phrase)).with_suffix(".wav"))
        )  # refuses what is not mono, 16 bit
        assert hz == TELEPHONE_HZ
        found[phrase] = measured(samples)
    return found


def test_every_prompt_is_heard_whole_and_equally_loud(sounds: dict[Phrase, Measured]) -> None:
    for phrase, sound in sounds.items():
        letters = sum(character.isalnum() for character in phrase.text)
        assert not sound.is_silent, phrase
        assert 0.1 + 0.03 * letters < sound.length_s < 0.6 + 0.15 * letters, phrase
        assert abs(20 * math.log10(sound.level / LEVEL)) < 3, phrase
        assert sound.peak <= PEAK, phrase
        assert sound.clipped == 0, phrase


def test_a_text_that_is_twice_as_long_takes_about_twice_as_long(sounds: dict[Phrase, Measured]) -> None:
    for language in ("fa", "en"):
        long = [p for p in sounds if p.language == language and len(p.text) > 25]
        paces = sorted(sounds[phrase].length_s / len(phrase.text) for phrase in long)
        assert len(paces) > 5
        assert paces[-1] < 2.5 * paces[0]


@pytest.mark.parametrize("said", SAID, ids=lambda said: f"{said[0].language}: {spell(said)}")
def test_pieces_join_without_a_gap(said: tuple[Phrase, ...], sounds: dict[Phrase, Measured]) -> None:
    for before, after in pairwise(said):
        assert sounds[before].tail_s + sounds[after].lead_s <= MOST_GAP_S, (before, after)
    for phrase in said:
        assert sounds[phrase].longest_pause_s <= (0.5 if " " in phrase.text else MOST_GAP_S), phrase
