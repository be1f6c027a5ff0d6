"""One message, encoded once for everybody who gets it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from realtime.reasons import Json


@dataclass(frozen=True, slots=True)
class Encoded:
    """`text` is the JSON, `frame` the same as one unmasked, uncompressed text frame (RFC 6455, 5.2).

    An uncompressed frame is legal also on a connection that agreed on compression.
    """

    text: bytes
    frame: bytes


def encode(message: Mapping[str, object]) -> Encoded:
    return framed(msgspec.json.encode(message))


def framed(text: bytes) -> Encoded:
    return Encoded(text, _prefix(len(text)) + text)


def decode(text: str | bytes) -> Json | None:
    """The JSON object in a client's message; None when it is anything else."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def snapshot(epoch: str, seq: int, at_us: int, state: Mapping[str, object]) -> Encoded:
    return encode({"type": "snapshot", "epoch": epoch, "seq": seq, "at": at_us, "state": state})


def delta(epoch: str, seq: int, at_us: int, patch: Mapping[str, object]) -> Encoded:
    return encode({"type": "delta", "epoch": epoch, "seq": seq, "at": at_us, "patch": patch})


def tick(epoch: str, seq: int, at_us: int) -> Encoded:
    return encode({"type": "tick", "epoch": epoch, "seq": seq, "at": at_us})


def _prefix(length: int) -> bytes:
    if length < 126:
        return bytes((0x81, length))
    if length < 65_536:
        return b"\x81\x7e" + length.to_bytes(2, "big")
    return b"\x81\x7f" + length.to_bytes(8, "big")
