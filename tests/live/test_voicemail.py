"""Messages on a real Asterisk: what a caller says after the tone is on the supervisor's list, and can be heard."""

from __future__ import annotations

import asyncio
import io
import struct
import wave
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from acd.site import Site
from tests.live.center import PARTS, Place, premises
from tests.live.sipp import Speak

pytestmark = pytest.mark.needs(*PARTS)

FLOW = """\
flow: leave
label: {fa: پیام, en: Message}
languages: [fa, en]
start: leave
prompts:
  speak: {fa: پیام بگذارید., en: Please speak.}
  keys: {fa: یک، نگه‌دار. دو، از نو., en: "One, keep. Two, again."}
nodes:
  leave:
    kind: voicemail
    queue: cards
    prompt: speak
    confirm_prompt: keys
    silence_s: 2
"""


def bent(site: Site) -> Site:
    numbers = {name: each.model_copy(update={"flow": "leave"}) for name, each in site.numbers.items()}
    return site.model_copy(update={"numbers": numbers})


async def test_what_callers_say_is_listed_and_can_be_heard(postgres_url: str) -> None:
    """One who ends by a key and keeps it, one who speaks anew, one who is silent at the end, one who hangs up."""
    async with premises(postgres_url, change=bent, flows={"leave": FLOW}) as place, place.running() as run:
        assert run.prompts_made is not None
        await run.prompts_made
        keeps = [(2500, Speak(1.5)), (1800, "#"), (1500, "1")]
        again = [(2500, Speak(1.0)), (1300, "#"), (1500, "2"), (2500, Speak(2.0)), (2300, "#"), (1500, "1")]
        silent = [(2500, Speak(1.5, silent_s=3.5)), (5500, "1")]
        with (
            place.callers(["09121110001"], keys=keeps) as one,
            place.callers(["09121110002"], keys=again) as two,
            place.callers(["09121110003"], keys=silent) as three,
            place.callers(["09121110004"], keys=[(2500, Speak(4.0))], talk_ms=2500) as four,
        ):
            done = await asyncio.gather(*(caller.finished() for caller in (one, two, three, four)))
        assert all(each.failed == 0 for each in done), [each.errors for each in done]
        await place.until_no_channels()
        async with await supervisor(place) as http:
            found = await listed(http, 4)
            by_caller = {each["caller"]: each for each in found}
            assert set(by_caller) == {f"+98912111000{n}" for n in range(1, 5)}
            for each in found:
                assert each["kind"] == "voicemail"
                audio = (await http.get(f"/api/v1/voicemails/{each['id']}/audio")).content
                seconds, loudest = heard(audio)
                print(f"{each['caller']}: {each['seconds']:.2f} s, loudest {loudest}")
                assert abs(seconds - each["seconds"]) < 0.02
                assert loudest > 4_000, "there is only silence"
            assert by_caller["+989121110001"]["queue"] == "cards"
            assert 1.0 < by_caller["+989121110001"]["seconds"] < 1.9
            assert 1.5 < by_caller["+989121110002"]["seconds"] < 2.6, "the first words were to be replaced"
            assert 1.0 < by_caller["+989121110003"]["seconds"] < 3.2
            assert 1.5 < by_caller["+989121110004"]["seconds"] < 2.9
        assert list(place.settings.asterisk.messages.iterdir()) == []


async def supervisor(place: Place) -> httpx.AsyncClient:
    token = (await place.access.token_for("supervisor", "test")).token
    return httpx.AsyncClient(
        base_url=place.url, headers={"authorization": f"Bearer {token}"}, trust_env=False
    )


async def listed(http: httpx.AsyncClient, count: int) -> list[Mapping[str, Any]]:
    """Those who hung up are taken over some seconds later, when nobody may write to their file any more."""
    async with asyncio.timeout(40):
        while True:
            found: list[Mapping[str, Any]] = (await http.get("/api/v1/voicemails")).json()["voicemails"]
            if len(found) >= count and all("caller" in each for each in found):
                return found
            await asyncio.sleep(0.2)


def heard(audio: bytes) -> tuple[float, int]:
    """Its length in seconds and its loudest sample."""
    with wave.open(io.BytesIO(audio), "rb") as sound:
        frames = sound.readframes(sound.getnframes())
        samples = struct.unpack(f"<{len(frames) // 2}h", frames)
        return sound.getnframes() / sound.getframerate(), max(map(abs, samples), default=0)
