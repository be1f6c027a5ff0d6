"""Makes a sound file fit for a telephone line: 8 kHz, mono, 16 bit, without the silence around the words.

Run as a program of its own, so that its arithmetic never holds up the loop that serves calls:

    python telephone_wav.py IN.wav OUT.wav

It needs nothing but the standard library, and no other file of this package. The rate is changed by a
windowed sinc filter in as many phases as the two rates need; it ends at 3.7 kHz, so that nothing folds back
into the voice. Silence is trimmed because prompts are played one after another, and a gap inside a number
sounds like its end.
"""

from __future__ import annotations

import math
import os
import sys
import wave
from array import array
from collections.abc import Sequence
from operator import mul

TELEPHONE_HZ = 8_000
_CUTOFF_HZ = 3_700
_HALF_TAPS = 40
_QUIET = 250
_LEAD_S = 0.01
_TAIL_S = 0.05


def resampled(samples: Sequence[int], from_hz: int, to_hz: int = TELEPHONE_HZ) -> array[int]:
    """The same sound at another rate, `from_hz` not below `to_hz`; samples are 16-bit."""
    if from_hz == to_hz:
        return array("h", samples)
    shared = math.gcd(from_hz, to_hz)
    step, phases = from_hz // shared, to_hz // shared
    kernels = [_kernel(phase / phases, from_hz) for phase in range(phases)]
    padded = [0] * _HALF_TAPS + list(samples) + [0] * (_HALF_TAPS + 1)
    out = array("h")
    for n in range(len(samples) * phases // step):
        whole, phase = divmod(n * step, phases)
        window = padded[whole + 1 : whole + 1 + 2 * _HALF_TAPS]
        out.append(max(-32_768, min(32_767, round(sum(map(mul, kernels[phase], window))))))
    return out


def _kernel(offset: float, from_hz: int) -> list[float]:
    """The filter's weights for an output that lies `offset` of a sample after an input sample; their sum is
    1."""
    cutoff = 2 * _CUTOFF_HZ / from_hz
    weights = []
    for tap in range(2 * _HALF_TAPS):
        distance = tap - (_HALF_TAPS - 1) - offset
        x = math.pi * cutoff * distance
        sinc = math.sin(x) / x if x else 1.0
        weights.append(sinc * (0.5 + 0.5 * math.cos(math.pi * distance / _HALF_TAPS)))
    total = sum(weights)
    return [weight / total for weight in weights]


def trimmed(samples: array[int], hz: int = TELEPHONE_HZ) -> array[int]:
    """Without the silence before and after the words, but for a breath; all silence stays as it is."""
    loud = [at for at, sample in enumerate(samples) if abs(sample) > _QUIET]
    if not loud:
        return samples
    return samples[max(0, loud[0] - int(_LEAD_S * hz)) : loud[-1] + 1 + int(_TAIL_S * hz)]


def convert(source: str, target: str) -> None:
    """Read one wav file and write the other. Raises ValueError for what is not 16-bit mono at 8 kHz or
    more."""
    with wave.open(source, "rb") as file:
        hz = file.getframerate()
        if (file.getnchannels(), file.getsampwidth()) != (1, 2) or hz < TELEPHONE_HZ:
            raise ValueError("The sound is not 16-bit mono of at least 8 kHz; record it so.")
        samples = array("h", file.readframes(file.getnframes()))
    if sys.byteorder == "big":
        samples.byteswap()
    spoken = trimmed(resampled(samples, hz))
    if sys.byteorder == "big":
        spoken.byteswap()
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(TELEPHONE_HZ)
        file.writeframes(spoken.tobytes())


if __name__ == "__main__":
    os.nice(10)  # callers come first
    try:
        convert(sys.argv[1], sys.argv[2])
    except (OSError, EOFError, ValueError, wave.Error) as error:
        sys.exit(str(error))
