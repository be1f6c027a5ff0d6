"""Makes a sound file fit for a telephone line and for being played next to others: 8 kHz, mono, 16 bit, one level,
and no silence around the words.

Run as a program of its own, so that its arithmetic never holds up the loop that serves calls:

    python telephone_wav.py IN.wav OUT.wav

It needs nothing but the standard library, and no other file of this package. A windowed sinc filter ends the
sound at 3.75 kHz before its rate is changed, so that nothing folds back into the voice. Silence is trimmed because
prompts are played one after another, and a gap inside a number sounds like its end: espeak-ng ends every text
with 390 ms of it. The level is that of the spoken parts, so that «بیست و» and «پنج» are equally loud, however
short.
"""

from __future__ import annotations

import math
import sys
import wave
from array import array
from collections.abc import Iterable, Sequence
from operator import mul

TELEPHONE_HZ = 8_000
LEVEL = 3_277
"""Root mean square of the spoken parts: -20 dB below full scale, where Asterisk's own prompts are."""
PEAK = 29_000
"""No sample goes beyond: -1 dB, so that coding for the line does not clip."""
VERSION = 3
"""Changes with what comes out, so that sounds made before are made anew."""

_CUTOFF_HZ = 3_750
_HALF_TAPS_S = 0.0011
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
    """The same sound at another rate, `from_hz` not below `to_hz`; samples are 16-bit.

    First what the line cannot carry is filtered out, then the curve is read off at the new instants, on a
    straight line between two samples. From 22 050 Hz that keeps 3.4 kHz within 2 dB, and what it adds to a tone
    lies 28 dB below it or more.
    """
    if from_hz == to_hz:
        return array("h", samples)
    shared = math.gcd(from_hz, to_hz)
    step, phases = from_hz // shared, to_hz // shared
    curve = _filtered(samples, _kernel(from_hz))
    curve.append(curve[-1] if curve else _BIAS)
    length = len(samples) * phases // step
    out = array("h", bytes(2 * length))
    for phase in range(min(phases, length)):
        count = len(range(phase, length, phases))
        at, rest = divmod(phase * step, phases)
        left, right = (phases - rest) / phases / _UNIT, rest / phases / _UNIT
        before, after = curve[at::step][:count], curve[at + 1 :: step][:count]
        read_off = [round(x * left + y * right) - _BIAS // _UNIT for x, y in zip(before, after, strict=True)]
        out[phase::phases] = array("h", [max(-32_768, min(32_767, each)) for each in read_off])
    return out


_UNIT = 1 << 14
"""The sum of a filter's weights, which are whole numbers."""
_OFFSET = 1 << 15
_ROOM = 1 << 30
_BIAS = _OFFSET * _UNIT + _ROOM


def _filtered(samples: Sequence[int], kernel: Sequence[int]) -> array[int]:
    """Each sample weighted with its neighbours; a value v comes out as v * _UNIT + _BIAS.

    Python multiplies large integers much faster than it loops. Two series written as the digits of two integers,
    base 2^32, have as their product the digits of their convolution, as polynomials have. Digits must not borrow
    from each other: samples are made positive by _OFFSET, and _ROOM keeps every sum within 0 to 2^32.
    """
    half = len(kernel) // 2
    edge = [_OFFSET] * half
    series = array("I", [*edge, *(sample + _OFFSET for sample in samples), *edge])
    weights = sum(weight << 32 * at for at, weight in enumerate(kernel))
    length = len(series) + len(kernel) - 1
    product = _number(series) * weights + _number(array("I", [_ROOM]) * length)
    sums = array("I", product.to_bytes(4 * length + 4, "little"))
    if sys.byteorder == "big":
        sums.byteswap()
    return sums[2 * half : 2 * half + len(samples)]


def _number(digits: array[int]) -> int:
    if sys.byteorder == "big":
        digits.byteswap()
    return int.from_bytes(digits.tobytes(), "little")


def _kernel(from_hz: int) -> list[int]:
    """The weights of a windowed sinc, an odd number of them; their sum is _UNIT."""
    half = math.ceil(_HALF_TAPS_S * from_hz)
    cutoff = 2 * math.pi * _CUTOFF_HZ / from_hz
    weights = [1.0]
    for distance in range(1, half + 1):
        x = cutoff * distance
        weights.append(math.sin(x) / x * (0.5 + 0.5 * math.cos(math.pi * distance / (half + 1))))
    unit = _UNIT / (2 * sum(weights) - 1)
    side = [round(weight * unit) for weight in weights[1:]]
    return [*reversed(side), _UNIT - 2 * sum(side), *side]


def trimmed(samples: array[int], hz: int = TELEPHONE_HZ) -> array[int]:
    """Without the silence before and after the words, but for a breath; all silence stays as it is.

    Faint sounds at either end are kept in part, since they make the words clear but are heard as a gap.
    """
    first = _first_loud(samples)
    if first is None:
        return samples
    last = len(samples) - (_first_loud(reversed(samples)) or 0)
    first, last = max(0, first - int(_LEAD_S * hz)), last + int(_TAIL_S * hz)
    frame = int(_FINE_S * hz)
    clear = [at for at in range(0, len(samples), frame) if level(samples[at : at + frame]) > _FAINT]
    if clear:
        first = max(first, clear[0] - int(_FAINT_LEAD_S * hz))
        last = min(last, clear[-1] + frame + int(_FAINT_TAIL_S * hz))
    return samples[first:last]


def _first_loud(samples: Iterable[int]) -> int | None:
    return next((at for at, sample in enumerate(samples) if not -_QUIET <= sample <= _QUIET), None)


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
    try:
        convert(sys.argv[1], sys.argv[2])
    except (OSError, EOFError, ValueError, wave.Error) as error:
        sys.exit(str(error))
