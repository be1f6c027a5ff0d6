"""Makes a sound file fit for a telephone line and for being played next to others: 8 kHz, mono, 16 bit, one level,
and no silence around the words.

Run as a program of its own, so that its arithmetic never holds up the loop that serves calls:

    python telephone_wav.py IN.wav OUT.wav

It needs nothing but the standard library, and no other file of this package. The rate is changed by a
windowed sinc filter in as many phases as the two rates need; it ends at 3.6 kHz, so that nothing folds back
into the voice. Silence is trimmed because prompts are played one after another, and a gap inside a number
sounds like its end: espeak-ng ends every text with 390 ms of it. The level is that of the spoken parts, so that
«بیست و» and «پنج» are equally loud, however short.
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
LEVEL = 3_277
"""Root mean square of the spoken parts: -20 dB below full scale, where Asterisk's own prompts are."""
PEAK = 29_000
"""No sample goes beyond: -1 dB, so that coding for the line does not clip."""
VERSION = 2
"""Changes with what comes out, so that sounds made before are made anew."""

_CUTOFF_HZ = 3_600
_HALF_TAPS = 24
_QUIET = 160  # a sample of silence, at most: -46 dB
_FAINT = 184  # the level of a frame of faint sound, at most: -45 dB; a closing «ت», a first «ه»
_LEAD_S = 0.01
_TAIL_S = 0.03
_FAINT_LEAD_S = 0.05
_FAINT_TAIL_S = 0.06
_FINE_S = 0.01
_FADE_S = 0.005
_FRAME_S = 0.02
_SPOKEN = 0.1  # a frame counts as spoken from this part of the loudest one on: -20 dB
_MOST_GAIN = 8.0


def level(samples: Sequence[float]) -> float:
    """Root mean square of at least one sample."""
    return math.sqrt(sum(map(mul, samples, samples)) / len(samples))


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
    """Without the silence before and after the words, but for a breath; all silence stays as it is.

    Faint sounds at either end are kept in part, since they make the words clear but are heard as a gap.
    """
    heard = [at for at, sample in enumerate(samples) if abs(sample) > _QUIET]
    if not heard:
        return samples
    first, last = heard[0] - int(_LEAD_S * hz), heard[-1] + 1 + int(_TAIL_S * hz)
    frame = int(_FINE_S * hz)
    clear = [at for at in range(0, len(samples), frame) if level(samples[at : at + frame]) > _FAINT]
    if clear:
        first = max(first, clear[0] - int(_FAINT_LEAD_S * hz))
        last = min(last, clear[-1] + frame + int(_FAINT_TAIL_S * hz))
    return samples[max(0, first) : last]


def leveled(samples: array[int], hz: int = TELEPHONE_HZ) -> array[int]:
    """With its spoken parts at LEVEL, if no sample goes beyond PEAK by that; all silence stays as it is."""
    peak = max((abs(sample) for sample in samples), default=0)
    if peak <= _QUIET:
        return samples
    gain = min(LEVEL / _spoken_level(samples, int(_FRAME_S * hz)), PEAK / peak, _MOST_GAIN)
    return array("h", [round(sample * gain) for sample in samples])


def _spoken_level(samples: array[int], frame: int) -> float:
    """Root mean square of the frames that are not pauses."""
    frames = (samples[at : at + frame] for at in range(0, len(samples), frame))
    levels = [level(each) for each in frames]
    floor = max(levels) * _SPOKEN
    spoken = [each for each in levels if each >= floor]
    return level(spoken)


def faded(samples: array[int], hz: int = TELEPHONE_HZ) -> array[int]:
    """With a few milliseconds of rise and fall, so that no end clicks against the next sound."""
    out = array("h", samples)
    length = min(int(_FADE_S * hz), len(out) // 2)
    for at in range(length):
        out[at] = out[at] * at // length
        out[-1 - at] = out[-1 - at] * at // length
    return out


def for_telephone(samples: array[int], hz: int) -> array[int]:
    """Everything above, in the order that costs least: what is cut is not computed."""
    return faded(trimmed(leveled(resampled(trimmed(samples, hz), hz))))


def read(path: str) -> tuple[array[int], int]:
    """Samples and rate of a wav file. Raises ValueError for what is not 16-bit mono at 8 kHz or more."""
    with wave.open(path, "rb") as file:
        hz = file.getframerate()
        if (file.getnchannels(), file.getsampwidth()) != (1, 2) or hz < TELEPHONE_HZ:
            raise ValueError("The sound is not 16-bit mono of at least 8 kHz; record it so.")
        frames = file.readframes(file.getnframes())
    samples = array("h", frames[: len(frames) // 2 * 2])
    if sys.byteorder == "big":
        samples.byteswap()
    return samples, hz


def write(path: str, samples: array[int]) -> None:
    """Write `samples` as a wav file of 8 kHz, mono, 16 bit."""
    if sys.byteorder == "big":
        samples = array("h", samples)
        samples.byteswap()
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(TELEPHONE_HZ)
        file.writeframes(samples.tobytes())


def convert(source: str, target: str) -> None:
    """Read one wav file and write the other. Raises ValueError for what is not 16-bit mono at 8 kHz or
    more."""
    samples, hz = read(source)
    if not samples:
        raise ValueError("The sound is empty.")
    write(target, for_telephone(samples, hz))


if __name__ == "__main__":
    os.nice(10)  # callers come first
    try:
        convert(sys.argv[1], sys.argv[2])
    except (OSError, EOFError, ValueError, wave.Error) as error:
        sys.exit(str(error))
