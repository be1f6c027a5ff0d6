"""Where the boxes and lines of a drawing stand: layers from top to bottom, few crossings, straight where it can be.

The way of Sugiyama, Tagawa and Toda (1981): circles are broken, boxes get layers by their longest way from the
start, long lines get a place in every layer they pass, layers are ordered by the middle of their neighbours, and
each layer's places are the nearest to the wished ones that keep the order. Pure and the same each time.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

SWEEPS = 12
LINE_WIDTH = 26.0
GAP = 28.0


@dataclass(frozen=True, slots=True)
class Box:
    """What is to be placed: its name and size."""

    name: str
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Place:
    """A box in the drawing: its middle, its top, and its layer."""

    x: float
    y: float
    layer: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line from one box to another: the points it passes, first and last on the boxes' edges. `back`: it goes
    upwards."""

    source: str
    target: str
    points: tuple[tuple[float, float], ...]
    back: bool


@dataclass(frozen=True, slots=True)
class Layout:
    width: float
    height: float
    places: Mapping[str, Place]
    lines: tuple[Line, ...]


Pair = tuple[str, str]


def layers_of(names: Sequence[str], pairs: Sequence[Pair]) -> tuple[dict[str, int], frozenset[Pair]]:
    """Each box's layer, and the lines that go against them. Names stand in the order in which they are met."""
    onward: dict[str, list[str]] = {name: [] for name in names}
    for source, target in pairs:
        if source != target:
            onward[source].append(target)
    order, back = _walk(names, onward)
    layer = dict.fromkeys(names, 0)
    for name in order:
        for target in onward[name]:
            if (name, target) not in back:
                layer[target] = max(layer[target], layer[name] + 1)
    return layer, frozenset(back)


def _walk(names: Sequence[str], onward: Mapping[str, Sequence[str]]) -> tuple[list[str], set[Pair]]:
    """The boxes so that every line but those that close a circle goes onward, and those that do."""
    done: list[str] = []
    open_: set[str] = set()
    seen: set[str] = set()
    back: set[Pair] = set()
    for root in names:
        stack: list[tuple[str, int]] = [(root, 0)]
        while stack:
            name, at = stack.pop()
            if at == 0:
                if name in seen:
                    continue
                seen.add(name)
                open_.add(name)
            targets = onward[name]
            while at < len(targets):
                target = targets[at]
                at += 1
                if target in open_:
                    back.add((name, target))
                elif target not in seen:
                    stack += [(name, at), (target, 0)]
                    break
            else:
                open_.discard(name)
                done.append(name)
    return done[::-1], back


def lay_out(
    boxes: Sequence[Box], pairs: Sequence[Pair], layer_gap: float = 64.0, margin: float = 24.0
) -> Layout:
    """Place every box and line. `pairs`: each line once, without those of a box to itself."""
    grid = _Grid({box.name: box for box in boxes}, pairs)
    grid.order()
    return grid.placed(layer_gap, margin)


@dataclass(slots=True)
class _Grid:
    """Boxes and the points of long lines, in layers. A point of a line is named (source, target, layer)."""

    boxes: dict[str, Box]
    pairs: Sequence[Pair]
    layer: dict[str, int] = field(init=False)
    back: frozenset[Pair] = field(init=False)
    rows: list[list[str]] = field(init=False)
    up: dict[str, list[str]] = field(init=False)
    down: dict[str, list[str]] = field(init=False)
    chains: dict[Pair, list[str]] = field(init=False)

    def __post_init__(self) -> None:
        self.layer, self.back = layers_of(list(self.boxes), self.pairs)
        self.rows = [[] for _ in range(max(self.layer.values(), default=0) + 1)]
        self.chains = {}
        self.up = {name: [] for name in self.boxes}
        self.down = {name: [] for name in self.boxes}
        for name in self.boxes:
            self.rows[self.layer[name]].append(name)
        for pair in self.pairs:
            self._chain(pair)

    def _chain(self, pair: Pair) -> None:
        """Give a line a point in every layer between its boxes; top to bottom, whichever way it goes."""
        top, bottom = reversed(pair) if pair in self.back else pair
        chain = [top]
        for layer in range(self.layer[top] + 1, self.layer[bottom]):
            point = f"{pair[0]}\0{pair[1]}\0{layer}"
            self.layer[point] = layer
            self.rows[layer].append(point)
            self.up[point], self.down[point] = [], []
            chain.append(point)
        chain.append(bottom)
        self.chains[pair] = chain
        for above, below in itertools.pairwise(chain):
            self.down[above].append(below)
            self.up[below].append(above)

    def width(self, name: str) -> float:
        return self.boxes[name].width if name in self.boxes else LINE_WIDTH

    # Order -------------------------------------------------------------------------------------------------

    def order(self) -> None:
        """Order each layer by its neighbours' middle, down and up; the order with the fewest crossings is kept."""
        best, fewest = [list(row) for row in self.rows], self._crossings()
        for sweep in range(SWEEPS):
            downwards = sweep % 2 == 0
            rows = range(1, len(self.rows)) if downwards else range(len(self.rows) - 2, -1, -1)
            for at in rows:
                self._order_row(at, self.up if downwards else self.down, at - 1 if downwards else at + 1)
            if (crossings := self._crossings()) < fewest:
                best, fewest = [list(row) for row in self.rows], crossings
        self.rows = best

    def _order_row(self, at: int, beside: Mapping[str, Sequence[str]], other: int) -> None:
        index = {name: n for n, name in enumerate(self.rows[other])}
        own = {name: float(n) for n, name in enumerate(self.rows[at])}

        def middle(name: str) -> float:
            near = sorted(index[each] for each in beside[name])
            return sum(near) / len(near) if near else own[name]

        self.rows[at].sort(key=lambda name: (middle(name), own[name]))

    def _crossings(self) -> int:
        total = 0
        for at in range(len(self.rows) - 1):
            index = {name: n for n, name in enumerate(self.rows[at + 1])}
            ends = [end for name in self.rows[at] for end in sorted(index[each] for each in self.down[name])]
            total += sum(1 for n, end in enumerate(ends) for before in ends[:n] if before > end)
        return total

    # Places ------------------------------------------------------------------------------------------------

    def placed(self, layer_gap: float, margin: float) -> Layout:
        x = self._columns()
        left = min((x[name] - self.width(name) / 2 for name in x), default=0.0)
        x = {name: at - left + margin for name, at in x.items()}
        tops, heights, y = [], [], margin
        for row in self.rows:
            height = max((self.boxes[name].height for name in row if name in self.boxes), default=0.0)
            tops.append(y)
            heights.append(height)
            y += height + layer_gap
        places = {
            name: Place(x[name], tops[layer], layer)
            for name, layer in self.layer.items()
            if name in self.boxes
        }
        width = max((x[name] + self.width(name) / 2 for name in x), default=0.0) + margin
        lines = tuple(self._lines(x, tops, heights))
        return Layout(width, y - layer_gap + margin, places, lines)

    def _columns(self) -> dict[str, float]:
        x: dict[str, float] = {}
        for row in self.rows:
            at = 0.0
            for name in row:
                x[name] = at + self.width(name) / 2
                at += self.width(name) + GAP
        for sweep in range(SWEEPS * 2):
            downwards = sweep % 2 == 0
            rows = self.rows if downwards else self.rows[::-1]
            for row in rows:
                self._align(row, x, self.up if downwards else self.down)
        return x

    def _align(self, row: Sequence[str], x: dict[str, float], beside: Mapping[str, Sequence[str]]) -> None:
        """The places nearest to where the neighbours want them, in the same order and with gaps between."""
        wishes: list[float] = []
        offsets: list[float] = []
        at = 0.0
        for n, name in enumerate(row):
            if n:
                at += (self.width(row[n - 1]) + self.width(name)) / 2 + GAP
            near = sorted(x[each] for each in beside[name])
            wish = (near[(len(near) - 1) // 2] + near[len(near) // 2]) / 2 if near else x[name]
            offsets.append(at)
            wishes.append(wish - at)
        for name, wish, offset in zip(row, _rising(wishes), offsets, strict=True):
            x[name] = wish + offset

    def _lines(self, x: Mapping[str, float], tops: Sequence[float], heights: Sequence[float]) -> list[Line]:
        leaves = self._ports(x, self.down)
        comes = self._ports(x, self.up)
        lines = []
        for pair, chain in self.chains.items():
            points: list[tuple[float, float]] = []
            for above, below in itertools.pairwise(chain):
                upper, lower = self.layer[above], self.layer[below]
                bottom = tops[upper] + (self.boxes[above].height if above in self.boxes else heights[upper])
                points += [(leaves[above, below], bottom), (comes[below, above], tops[lower])]
            back = pair in self.back
            lines.append(Line(*pair, tuple(points[::-1] if back else points), back))
        return lines

    def _ports(self, x: Mapping[str, float], beside: Mapping[str, Sequence[str]]) -> dict[Pair, float]:
        """Where on a box's edge each of its lines begins: side by side, in the order of where they go."""
        ports: dict[Pair, float] = {}
        for name, others in beside.items():
            ordered = sorted(others, key=lambda other: (x[other], other))
            room = self.width(name) - 40 if name in self.boxes else 0.0
            step = min(30.0, room / max(1, len(ordered) - 1))
            first = x[name] - step * (len(ordered) - 1) / 2
            for n, other in enumerate(ordered):
                ports[name, other] = first + n * step
        return ports


def _rising(wishes: Sequence[float]) -> list[float]:
    """The rising numbers nearest to the wishes, by pooling neighbours that are out of order (isotonic regression)."""
    pools: list[tuple[float, int]] = []
    for wish in wishes:
        total, count = wish, 1
        while pools and pools[-1][0] / pools[-1][1] > total / count:
            before = pools.pop()
            total, count = total + before[0], count + before[1]
        pools.append((total, count))
    return [total / count for total, count in pools for _ in range(count)]
