"""What one caller hears, presses and says: sounds, keys, music and messages, as AGI commands.

Whoever waits in line is interrupted by `cut_by`: AMI's ControlPlayback ends a sound and a wait for keys alike. A stop
may come before what it shall stop has begun, and is then lost, so it is sent again until the command has ended.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Final

from acd.types import ContactId
from acd.verbs import Collect, Digits, RecordMessage, Sounds

from .agi import AgiSession, digit_of
from .doors import SessionCounters, SessionSettings, Switch, drop, spawn
from .errors import AmiError
from .wire import AgiReply

ALL_KEYS: Final = "0123456789*#"
SAMPLES_PER_S: Final = 8000
_FILE_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


def message_file(contact: ContactId, name: str) -> str | None:
    """The file of a message, without folder and extension: `<contact>~<name>`. None for what is no plain word."""
    if _FILE_WORD.fullmatch(contact) is None or _FILE_WORD.fullmatch(name) is None:
        return None
    return f"{contact}~{name}"


@dataclass(slots=True)
class Voice:
    """`quiet`: something has ended the music, and it must be asked for again."""

    agi: AgiSession
    switch: Switch
    settings: SessionSettings
    counters: SessionCounters
    quiet: bool = False

    async def say(self, sounds: Sounds, keys: str) -> str:
        """Play sounds in order; the key that ended them, or ""."""
        for sound in sounds:
            if key := digit_of(await self.stream(sound, keys)):
                return key
        return ""

    async def stream(self, sound: str, keys: str) -> AgiReply:
        """Play one sound. A missing one is counted and passed over."""
        self.quiet = True
        reply = await self.agi.stream_file(sound, keys, deadline_s=self.settings.play_limit_s)
        if reply.result == -1:
            self.counters.sounds_missing += 1
        return reply

    async def collect(self, verb: Collect) -> Digits:
        """Keys count from the first sound on; nothing stands between the last sound and the waiting, since a key
        pressed in between would be lost."""
        digits = await self.say(verb.sounds, ALL_KEYS)
        wait_s = verb.next_key_s if digits else verb.first_key_s
        while len(digits) < verb.max_digits and not (verb.end_key and digits.endswith(verb.end_key)):
            key = await self.key(wait_s)
            if not key:
                return Digits(digits, complete=False)
            digits += key
            wait_s = verb.next_key_s
        return Digits(digits.removesuffix(verb.end_key) if verb.end_key else digits, complete=True)

    async def key(self, wait_s: float) -> str:
        """The next key within this time, or ""."""
        return digit_of(await self.agi.wait_for_digit(max(1, round(wait_s * 1000))))

    async def pause(self, seconds: float, keys: str) -> str:
        """Music for a while; the key of `keys` that ended it, or ""."""
        await self.music()
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while (rest_s := end - loop.time()) > 0:
            key = await self.key(rest_s)
            if key and key in keys:
                return key
        return ""

    async def record(self, contact: ContactId, verb: RecordMessage) -> float:
        """A message of the caller's, as a file in the folder of messages; its seconds. A key of `end_keys` also
        ends what is played before. 0 where there is no such folder: then nothing is kept."""
        await self.say(verb.sounds, verb.end_keys)
        file = message_file(contact, verb.name)
        if not self.settings.messages or file is None:
            self.counters.messages_lost += 1
            return 0.0
        self.quiet = True
        reply = await self.agi.record_file(
            f"{self.settings.messages}/{file}",
            "wav",
            verb.end_keys,
            round(verb.longest_s * 1000),
            silence_s=round(verb.silence_s),
        )
        if reply.result == -1:  # it could not be written
            self.counters.messages_lost += 1
            return 0.0
        return (reply.endpos or 0) / SAMPLES_PER_S

    async def music(self) -> None:
        """Music for a caller who waits; sounds and Dial have ended what the dialplan began."""
        if self.quiet:
            await self.agi.set_music(True, self.settings.music)
            self.quiet = False

    # Interrupting ------------------------------------------------------------------------------------------

    async def cut_by(
        self, command: Coroutine[Any, Any, AgiReply], call: Coroutine[Any, Any, None]
    ) -> AgiReply:
        """Run a command that plays or listens; when `call` returns first, it is cut short."""
        running, called = spawn(command), spawn(call)
        try:
            await asyncio.wait({running, called}, return_when=asyncio.FIRST_COMPLETED)
            while not running.done():
                await self._stop()
                await asyncio.wait({running}, timeout=self.settings.stop_again_s)
            return running.result()
        finally:
            await drop(running, called)

    async def _stop(self) -> None:
        try:
            await self.switch.control_playback_stop(self.agi.channel)
        except AmiError:
            self.counters.stops_lost += 1

    @property
    def slice_s(self) -> float:
        """How long keys may be awaited in one piece by a caller who must be interruptible."""
        return self.settings.keys_slice_s if self.switch.up else self.settings.keys_slice_alone_s
