"""A flow as a picture: one SVG that needs nothing else, in Persian or English, readable in light and dark.

Boxes are nodes, coloured and signed by kind; lines are ways out with the key or the reason on them, dashed for those
of errors. A far way back, or one of many to the same node, is written under its box (`↩ main`) instead of drawn
across the picture. In Persian the picture is read from right to left, so the first key stands on the right.

Pure: the same flow and figures give the same text.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from acd.common.document import Path
from acd.common.text import persian_digits
from acd.kpi.flows import Figures
from ivr import draw_words as words
from ivr.check import ways
from ivr.draw_layout import Box, Layout, Line, lay_out, layers_of
from ivr.flow import Flow

WIDTH = 224.0
HEAD = 30.0
ROW = 19.0
FAR = 2
MANY = 4
LOST_MUCH = 0.1
"""Of those who entered; a node that loses more stands out."""

STYLE = """
svg{--bg:#fff;--ink:#1d2733;--soft:#5c6b7a;--line:#8a97a5;--bad:#c2371f;--card:#f7f9fb;--edge:#d5dde5;
--speak:#1f6fd1;--decide:#6d5bd0;--ask:#0e8074;--people:#b35c00;--end:#596675;background:var(--bg);
font-family:Vazirmatn,"Noto Sans Arabic","Noto Naskh Arabic",Tahoma,"DejaVu Sans",system-ui,sans-serif;font-size:12px}
@media(prefers-color-scheme:dark){svg{--bg:#12171d;--ink:#e8edf2;--soft:#a3b0bd;--line:#7d8b99;--bad:#ff8a70;
--card:#1b222a;--edge:#34404c;--speak:#6aa9f7;--decide:#ab9df5;--ask:#4cc3b4;--people:#f0a04b;--end:#9aa8b6}}
.bg{fill:var(--bg)}.box{fill:var(--card);stroke:var(--edge)}.ink{fill:var(--ink)}.soft{fill:var(--soft)}
.bad{fill:var(--bad);font-weight:700}.name{font-weight:700;font-size:13px}.title{font-weight:700;font-size:18px}
.way{fill:none;stroke:var(--line);stroke-width:1.5}.error{stroke:var(--bad);stroke-dasharray:5 4}
.head{fill:var(--line)}.headerror{fill:var(--bad)}.label{fill:var(--ink)}
.labelerror{fill:var(--bad)}.pill{fill:var(--bg);stroke:var(--edge)}.pillerror{stroke:var(--bad)}
.sign{fill:none;stroke-width:1.4;stroke-linecap:round;stroke-linejoin:round}.lost{fill:var(--bad)}
.track{fill:var(--edge)}.word{font-size:11px}
.speak{fill:var(--speak)}.decide{fill:var(--decide)}.ask{fill:var(--ask)}.people{fill:var(--people)}.end{fill:var(--end)}
.sspeak{stroke:var(--speak)}.sdecide{stroke:var(--decide)}.sask{stroke:var(--ask)}.speople{stroke:var(--people)}
.send{stroke:var(--end)}
"""

_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_START = "\0start"


def draw(flow: Flow, language: str = "fa", figures: Mapping[str, Figures] | None = None) -> str:
    """The flow as SVG text. `language`: of the words (`fa`, `en`). `figures`: what callers did in each node."""
    return _Picture(flow, language, figures).svg()


@dataclass(frozen=True, slots=True)
class _Way:
    """What is written at one line: the keys or reasons, and whether all of them are errors."""

    label: str
    error: bool


class _Picture:
    def __init__(self, flow: Flow, language: str, figures: Mapping[str, Figures] | None) -> None:
        self.flow = flow
        self.language = language
        self.rtl = language == "fa"
        self.figures = figures
        self.kinds = {name: node.kind for name, node in flow.nodes.items()}
        ways_out = {name: self._ways(name) for name in flow.nodes}
        self.order = _met_first(flow, ways_out)
        self.lines, self.notes = self._drawn_or_noted(ways_out)
        self.detail = {name: self._detail(name) for name in flow.nodes}
        pairs = [pair for pair in self.lines if pair[0] != pair[1]]
        boxes = [Box(_START, 60, 22), *(Box(name, WIDTH, self._height(name)) for name in self.order)]
        self.layout: Layout = lay_out(boxes, [(_START, flow.start), *pairs])
        self.width = max(self.layout.width, 640.0)
        self.shift = (self.width - self.layout.width) / 2
        self.taken: list[tuple[float, float, float, float]] = []

    # What is drawn -----------------------------------------------------------------------------------------

    def _ways(self, name: str) -> dict[str, _Way]:
        """Every way out of a node by its target; several to one target are one line."""
        node = self.flow.nodes[name]
        conditions: dict[Path, str] = dict(node.conditions())
        found: dict[str, list[tuple[str, bool]]] = {}
        for edge in node.edges():
            if edge.target in self.flow.nodes:
                found.setdefault(edge.target, []).append(
                    words.way(edge.path, conditions, node.kind, self.language)
                )
        for target, _ in ways(self.flow, name):  # also those that are not written
            if target not in found and target in self.flow.nodes:
                found[target] = [(words.of(words.STRIKES, self.language), True)]
        return {target: _joined(each) for target, each in found.items()}

    def _drawn_or_noted(
        self, ways_out: Mapping[str, Mapping[str, _Way]]
    ) -> tuple[dict[tuple[str, str], _Way], dict[str, list[tuple[str, _Way]]]]:
        """Which ways are lines, and which are written under their box, since they would cross the whole picture."""
        pairs = [(name, target) for name in self.order for target in ways_out[name]]
        layer, back = layers_of(self.order, pairs)
        arriving: dict[str, int] = {}
        for name, target in pairs:
            arriving[target] = arriving.get(target, 0) + (name != target)
        lines: dict[tuple[str, str], _Way] = {}
        notes: dict[str, list[tuple[str, _Way]]] = {}
        first: set[str] = set()
        for name, target in pairs:
            way = ways_out[name][target]
            span = layer[target] - layer[name]
            far = (name, target) in back and span <= -FAR
            crowded = arriving[target] > MANY and (span > FAR or span < 0 or way.error)
            if name == target or far or (crowded and target in first):
                notes.setdefault(name, []).append((target, way))
            else:
                lines[name, target] = way
                first.add(target)
        return lines, notes

    def _detail(self, name: str) -> str:
        """The line under the name: the queue, or the beginning of what is said."""
        node = self.flow.nodes[name]
        for attribute in ("queue", "service", "what", "flow", "to", "name", "ask"):
            value = getattr(node, attribute, None)
            if isinstance(value, dict):
                value = " / ".join(dict.fromkeys(str(each) for each in value.values()))
            if isinstance(value, tuple):
                value = ", ".join(str(each) for each in value)
            if isinstance(value, str) and value:
                return value
        for path, prompt in node.prompts():
            if path != ("prompt",):
                continue
            written = self.flow.written(prompt)
            text = written.text(self.language) if written is not None else None
            if text:
                return text
        return ""

    def _height(self, name: str) -> float:
        rows = (
            bool(self.detail[name])
            + len(self.notes.get(name, ()))
            + 1.2 * (self._figures_of(name) is not None)
        )
        return HEAD + 8 + ROW * rows

    def _figures_of(self, name: str) -> Figures | None:
        """None if nobody was counted; where nobody came is a figure too."""
        return None if self.figures is None else self.figures.get(name) or Figures(0, 0, 0)

    # Drawing -----------------------------------------------------------------------------------------------

    def svg(self) -> str:
        label = self.flow.label.text(self.language) if self.flow.label is not None else self.flow.flow
        top, bottom = 58.0, 64.0 if self.figures is None else 84.0
        height = self.layout.height + top + bottom
        lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(self.width)} {_n(height)}" '
            f'width="{_n(self.width)}" height="{_n(height)}" role="img" lang={quoteattr(self.language)} '
            f"aria-label={quoteattr(_clean(label))}>",
            f"<title>{_xml(label)}</title>",
            f"<style>{STYLE}</style>",
            f'<rect class="bg" width="{_n(self.width)}" height="{_n(height)}"/>',
            self._text(self.width / 2, 34, label, "ink title"),
            f'<g transform="translate({_n(self.shift)} {_n(top)})">',
        ]
        drawn = [self._line(line) for line in self.layout.lines]
        lines += [path for path, _ in drawn]
        lines += [self._box(name) for name in self.order]
        lines += [self._start(), *(label for _, label in drawn)]
        lines += ["</g>", *self._legend(height - bottom + 20), "</svg>"]
        return "\n".join(line for line in lines if line) + "\n"

    def _x(self, x: float) -> float:
        """Persian is read from the right, and so is its picture."""
        return self.layout.width - x if self.rtl else x

    def _start(self) -> str:
        place = self.layout.places[_START]
        x = self._x(place.x)
        return (
            f'<rect class="end" x="{_n(x - 30)}" y="{_n(place.y)}" width="60" height="22" rx="11"/>'
            f'<text x="{_n(x)}" y="{_n(place.y + 15.5)}" text-anchor="middle" class="bg word">'
            f"{_xml(words.of(words.START, self.language))}</text>"
        )

    def _box(self, name: str) -> str:
        place = self.layout.places[name]
        height = self._height(name)
        left, y = self._x(place.x) - WIDTH / 2, place.y
        family, word, sign = words.kind(self.kinds[name], self.language)
        near, far = (
            (left + WIDTH, left) if self.rtl else (left, left + WIDTH)
        )  # where reading begins, and ends
        inward = -1 if self.rtl else 1
        parts = [
            f'<g id="node-{_xml(name)}"><title>{_xml(self._full_text(name))}</title>',
            f'<rect class="box" x="{_n(left)}" y="{_n(y)}" width="{_n(WIDTH)}" height="{_n(height)}" rx="8"/>',
            f'<rect class="{family}" x="{_n(near - (5 if self.rtl else 0))}" y="{_n(y + 8)}" width="5" '
            f'height="{_n(height - 16)}" rx="2"/>',
            f'<path class="sign s{family}" d="{sign}" '
            f'transform="translate({_n(near + inward * 20 - 8)} {_n(y + 8)})"/>',
            self._text(
                near + inward * 34,
                y + 21,
                _cut(name, WIDTH - 56 - _wide(word), bold=True),
                "ink name",
                "near",
                direction="ltr",
            ),
            self._text(far - inward * 10, y + 21, word, f"{family} word", "far"),
        ]
        row = y + HEAD + 12
        if self.detail[name]:
            parts.append(
                self._text(near + inward * 14, row, _cut(self.detail[name], WIDTH - 26), "soft", "near")
            )
            row += ROW
        for target, way in self.notes.get(name, ()):
            arrow = "↻" if target == name else "↪" if self.rtl else "↩"
            label = self._digits(way.label)
            text = f"{label} {arrow} " if label else f"{arrow} "
            style = "labelerror" if way.error else "soft"
            shown = text + ("" if target == name else _isolated(target))
            runs = "rtl" if self.rtl else "ltr"
            parts.append(self._text(near + inward * 14, row, _cut(shown, WIDTH - 26), style, "near", runs))
            row += ROW
        parts += self._figures(name, left, near, inward, row)
        return "".join(parts) + "</g>"

    def _full_text(self, name: str) -> str:
        return f"{name}: {self.detail[name]}" if self.detail[name] else name

    def _figures(self, name: str, left: float, near: float, inward: int, row: float) -> Iterator[str]:
        counts = self._figures_of(name)
        if counts is None:
            return
        pairs = (
            (words.ENTERED, counts.entered),
            (words.WENT_ON, counts.left),
            (words.DROPPED, counts.dropped),
        )
        much = counts.entered > 0 and counts.dropped / counts.entered > LOST_MUCH
        for number, (word, count) in enumerate(pairs):
            style = "bad" if much and number == 2 else "ink"
            said = f"{words.of(word, self.language)} {self._digits(str(count))}"
            yield self._text(near + inward * (14 + 64 * number), row, said, style, "near")
        share = counts.dropped / counts.entered if counts.entered else 0.0
        width = WIDTH - 28
        lost = min(width, width * share)
        x = left + 14 + (width - lost if self.rtl else 0)
        yield f'<rect class="track" x="{_n(left + 14)}" y="{_n(row + 6)}" width="{_n(width)}" height="4" rx="2"/>'
        if lost:
            yield f'<rect class="lost" x="{_n(x)}" y="{_n(row + 6)}" width="{_n(lost)}" height="4" rx="2"/>'

    def _line(self, line: Line) -> tuple[str, str]:
        """The path with its head, and its label, which is drawn above everything."""
        way = self.lines.get((line.source, line.target), _Way("", False))
        points = [(self._x(x), y) for x, y in line.points]
        d = f"M{_n(points[0][0])} {_n(points[0][1])}"
        for (x0, y0), (x1, y1) in itertools.pairwise(points):
            half = (y0 + y1) / 2
            d += f"C{_n(x0)} {_n(half)} {_n(x1)} {_n(half)} {_n(x1)} {_n(y1)}"
        error = " error" if way.error else ""
        x, y = points[-1]
        up = 1 if line.back else -1
        head = f"M{_n(x)} {_n(y)}l-4.5 {_n(8 * up)}h9z"
        path = f'<path class="way{error}" d="{d}"/><path class="head{error.strip()}" d="{head}"/>'
        return path, self._label(way, points, line.back)

    def _label(self, way: _Way, points: list[tuple[float, float]], back: bool) -> str:
        if not way.label:
            return ""
        text = _cut(self._digits(way.label), 150)
        wide = max(18.0, _wide(text) + 10)
        (x0, y0), (x1, y1) = points[:2]
        best: tuple[float, float] | None = None
        for t in (0.5, 0.34, 0.66, 0.2, 0.8, 0.1, 0.9):
            s = 3 * t * t - 2 * t**3  # a cubic with level ends and upright handles
            x, y = x0 + (x1 - x0) * s, y0 + (y1 - y0) * (1.5 * t * (1 - t) + t**3)
            x = min(max(x, wide / 2), self.layout.width - wide / 2)
            best = best or (x, y)
            area = (x - wide / 2, y - 9, x + wide / 2, y + 6)
            if not any(_meet(area, other) for other in self.taken):
                best = (x, y)
                break
        x, y = best or (x0, y0)
        self.taken.append((x - wide / 2, y - 9, x + wide / 2, y + 6))
        error = way.error
        pill = (
            f'<rect class="pill{" pillerror" if error else ""}" x="{_n(x - wide / 2)}" y="{_n(y - 9)}" '
            f'width="{_n(wide)}" height="18" rx="9"/>'
        )
        return pill + self._text(x, y + 4, text, f"label{' labelerror' if error else ''}")

    def _legend(self, y: float) -> Iterator[str]:
        step = (self.width - 40) / (len(words.FAMILIES) + 1)
        for number, (family, names) in enumerate(words.FAMILIES.items()):
            x = 20 + step * (number + 0.5)
            x = self.width - x if self.rtl else x
            yield f'<rect class="{family}" x="{_n(x - 9)}" y="{_n(y - 14)}" width="18" height="6" rx="3"/>'
            yield self._text(x, y + 8, words.of(names, self.language), "soft word")
        x = 20 + step * (len(words.FAMILIES) + 0.5)
        x = self.width - x if self.rtl else x
        yield f'<path class="way error" d="M{_n(x - 20)} {_n(y - 11)}h40"/>'
        yield self._text(x, y + 8, words.of(words.LEGEND_ERROR, self.language), "soft word")
        if self.figures is not None:
            yield self._text(
                self.width / 2, y + 32, words.of(words.LEGEND_COUNTS, self.language), "soft word"
            )

    def _text(
        self, x: float, y: float, text: str, style: str, side: str = "middle", direction: str | None = None
    ) -> str:
        """A text at `x`: its middle, or the side where reading begins (`near`) or ends (`far`) in this picture."""
        runs = direction or ("rtl" if _is_persian(text) else "ltr")
        begins_here = (side == "near") == ((runs == "rtl") == self.rtl)
        anchor = "middle" if side == "middle" else "start" if begins_here else "end"
        way = ' direction="rtl" unicode-bidi="embed"' if runs == "rtl" else ""
        return (
            f'<text class="{style}" x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}"{way}>{_xml(text)}</text>'
        )

    def _digits(self, text: str) -> str:
        """Keys and counts in the digits of the language; words and conditions as they are."""
        return persian_digits(text) if self.rtl and not any("a" <= c <= "z" for c in text.lower()) else text


def _met_first(flow: Flow, ways_out: Mapping[str, Iterable[str]]) -> list[str]:
    """The nodes in the order in which a caller may meet them; those that nobody meets stand last."""
    found: dict[str, None] = {}
    for root in (flow.start, flow.person, *flow.nodes):
        todo = [root] if root in flow.nodes else []
        while todo:
            name = todo.pop(0)
            if name is not None and name not in found:
                found[name] = None
                todo += ways_out[name]
    return list(found)


def _joined(ways_to_one: list[tuple[str, bool]]) -> _Way:
    plain = any(not label for label, _ in ways_to_one)  # the usual way, which the others join
    labels = dict.fromkeys(label for label, error in ways_to_one if label and not (plain and error))
    separator = "، " if any(_is_persian(label) for label in labels) else ", "
    return _Way(separator.join(labels), all(error for _, error in ways_to_one))


def _meet(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _is_persian(text: str) -> bool:
    """By the first letter that has a direction, as the Unicode rules say."""
    for letter in text:
        kind = unicodedata.bidirectional(letter)
        if kind in ("L", "R", "AL"):
            return kind != "L"
    return False


def _isolated(text: str) -> str:
    """A Latin word that keeps its order within Persian."""
    return f"\u2066{text}\u2069"


def _wide(text: str, *, bold: bool = False) -> float:
    """About how wide a text of 12 pixels is."""
    width = 0.0
    for letter in text:
        if unicodedata.category(letter) in ("Mn", "Cf"):
            continue
        width += 3.6 if letter in " .,:;،؛'il|!" else 6.7 if _is_persian(letter) else 7.3
    return width * (1.12 if bold else 1.0)


def _cut(text: str, room: float, *, bold: bool = False) -> str:
    """As much of a text as there is room for, with an ellipsis when something is left out."""
    text = " ".join(text.split())
    if _wide(text, bold=bold) <= room:
        return text
    kept = text
    while kept and _wide(kept, bold=bold) > room - 12:
        kept = kept[:-1]
    return kept.rstrip(" \u200c،؛,.") + "…"


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


def _xml(text: str) -> str:
    return escape(_clean(text))


def _n(number: float) -> str:
    """A number as short as it can be."""
    return f"{number:.1f}".removesuffix(".0")
