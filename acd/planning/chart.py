"""Charts as one HTML file: text and SVG, nothing fetched from anywhere, in Persian or English. Pure.

Time runs from left to right in both languages, as Persian readers know it from every other chart; all the rest of
the Persian page runs from right to left, with Persian digits. Every bar tells its value when pointed at; the figures
of the whole stand in a table.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

from acd.common.hours import jalali
from acd.common.text import persian_digits
from acd.planning.forecast import Forecast, Staffed
from acd.planning.tally import Day, Tally

Language = Literal["fa", "en"]
Unit = Literal["number", "share", "seconds"]

_WORDS: dict[str, tuple[str, str]] = {
    "what_if": ("یک روز تماس با تنظیم‌های گوناگون", "The same calls under different settings"),
    "forecast": ("پیش‌بینی تماس و نیروی لازم", "Expected calls and the agents for them"),
    "offered": ("تماس‌های ورودی", "Offered"),
    "answered": ("پاسخ‌داده", "Answered"),
    "abandoned": ("رها شده", "Abandoned"),
    "flowed_out": ("بیرون رفته از صف", "Flowed out"),
    "refused": ("پذیرفته‌نشده", "Refused"),
    "abandon_rate": ("نرخ رهاشدن", "Abandon rate"),
    "service_level": ("سطح سرویس", "Service level"),
    "asa_s": ("میانگین زمان پاسخ‌گویی (ثانیه)", "Average speed of answer (s)"),
    "wait_all_s": ("میانگین انتظار همه (ثانیه)", "Average wait of all (s)"),
    "wait_p90_s": ("انتظار ۹۰٪ پاسخ‌داده‌ها تا (ثانیه)", "90 % of the answered waited up to (s)"),
    "longest_wait_s": ("طولانی‌ترین انتظار پاسخ‌داده (ثانیه)", "Longest wait of the answered (s)"),
    "occupancy": ("اشتغال کارشناسان", "Occupancy"),
    "by_hour": ("به تفکیک ساعت", "by hour"),
    "by_type": ("به تفکیک نوع تماس", "by type of call"),
    "measure": ("شاخص", "Measure"),
    "difference": ("تفاوت با نخستین", "Difference from the first"),
    "target": ("زمان هدف: {} ثانیه", "Target: {} s"),
    "calls": ("تماس در هر بازه", "Calls in each interval"),
    "agents": ("کارشناس لازم", "Agents needed"),
    "on_plan": ("نیروی برنامه", "On the plan"),
    "from": ("از", "From"),
    "range": ("کمترین تا بیشترین", "Lowest to highest"),
    "average_of": ("میانگین {} روز: {}", "The average of {} days: {}"),
    "average": ("میانگین", "Average"),
}

MEASURES: tuple[tuple[str, Unit], ...] = (
    ("offered", "number"),
    ("answered", "number"),
    ("abandoned", "number"),
    ("flowed_out", "number"),
    ("refused", "number"),
    ("abandon_rate", "share"),
    ("service_level", "share"),
    ("asa_s", "seconds"),
    ("wait_all_s", "seconds"),
    ("wait_p90_s", "seconds"),
    ("longest_wait_s", "seconds"),
    ("occupancy", "share"),
)

_BY_HOUR: tuple[tuple[str, Unit], ...] = (
    ("service_level", "share"),
    ("abandon_rate", "share"),
    ("wait_all_s", "seconds"),
)
_BY_TYPE: tuple[tuple[str, Unit], ...] = (
    ("service_level", "share"),
    ("wait_all_s", "seconds"),
    ("occupancy", "share"),
)

_STYLE = """
:root{color-scheme:light dark;--ink:#1b2430;--soft:#5a6675;--line:#d9dee5;--page:#fff;
--c0:#2563eb;--c1:#d97706;--c2:#0d9488;--c3:#9333ea}
@media(prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#9aa7b7;--line:#323c49;--page:#12171e;
--c0:#6ea0ff;--c1:#f2a541;--c2:#3fc5b6;--c3:#c084fc}}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.6 Vazirmatn,"Noto Sans Arabic",system-ui,sans-serif}
main{max-width:62rem;margin:0 auto;padding:1.5rem}
h1{font-size:1.4rem;margin:0 0 .25rem}.scroll+h1{margin-top:3rem}
h2{font-size:1.05rem;margin:2rem 0 .25rem}p{margin:0;color:var(--soft)}
svg{display:block;width:100%;min-width:36rem;height:auto;direction:ltr}
svg text{font:12px Vazirmatn,"Noto Sans Arabic",system-ui,sans-serif;fill:var(--soft)}
.grid{stroke:var(--line)}.whisker{stroke:var(--ink);stroke-width:2;opacity:.7}
.s0{fill:var(--c0)}.s1{fill:var(--c1)}.s2{fill:var(--c2)}.s3{fill:var(--c3)}
ul{list-style:none;display:flex;flex-wrap:wrap;gap:.25rem 1.5rem;margin:.5rem 0;padding:0}
li i{display:inline-block;width:.8rem;height:.8rem;border-radius:2px;margin-inline-end:.4rem}
i.s0{background:var(--c0)}i.s1{background:var(--c1)}i.s2{background:var(--c2)}i.s3{background:var(--c3)}
.scroll{overflow-x:auto;margin-top:.75rem}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .6rem;border-bottom:1px solid var(--line);text-align:end;white-space:nowrap}
th:first-child{text-align:start;font-weight:500}thead th{color:var(--soft);font-weight:500}
td bdi,th bdi{unicode-bidi:isolate}
"""


@dataclass(frozen=True, slots=True)
class Series:
    """Bars of one colour, one for each label; None draws none. `ranges`: lowest and highest, drawn as a whisker."""

    name: str
    values: Sequence[float | None]
    ranges: Sequence[tuple[float, float]] = ()


@dataclass(frozen=True, slots=True)
class Bars:
    title: str
    unit: Unit
    labels: Sequence[str]
    series: Sequence[Series]


def what_if_page(days: Mapping[str, Day], language: Language, names: Mapping[str, str] | None = None) -> str:
    """The same trace under two or more settings: `days` by the name of each; `names` of the types, where known."""
    say = _Say(language, names or {})
    first = next(iter(days.values()))
    hours = range(min(first.hours, default=0), max(first.hours, default=-1) + 1)
    kinds = list(first.kinds)
    parts = [
        f"<p>{say.word('target').format(say.number(first.target_us / 1e6, 'number'))}</p>",
        say.totals(days),
    ]
    for measure, unit in _BY_HOUR:
        by_hour = [
            Series(name, [_value(day.hours.get(hour), measure) for hour in hours])
            for name, day in days.items()
        ]
        title = f"{say.word(measure)} {say.word('by_hour')}"
        parts.append(say.bars(Bars(title, unit, [say.clock(hour * 60) for hour in hours], by_hour)))
    if len(kinds) > 1:
        for measure, unit in _BY_TYPE:
            by_kind = [
                Series(name, [_value(day.kinds[kind], measure) for kind in kinds])
                for name, day in days.items()
            ]
            title = f"{say.word(measure)} {say.word('by_type')}"
            parts.append(say.bars(Bars(title, unit, [say.name(kind) for kind in kinds], by_kind)))
    return say.page("what_if", parts)


def forecast_page(
    plans: Sequence[tuple[Forecast, Sequence[Staffed]]],
    language: Language,
    names: Mapping[str, str] | None = None,
) -> str:
    """Expected calls and agents for each queue of a day."""
    say = _Say(language, names or {})
    parts = []
    for found, staffed in plans:
        shown = _open_part(staffed)
        labels = [say.clock(each.expected.minute) for each in shown]
        parts.append(f"<h1>{escape(say.name(found.queue))} · {say.day(found)}</h1>")
        days = (
            "، ".join(map(say.date, found.days)) if language == "fa" else ", ".join(map(say.date, found.days))
        )
        parts.append(f"<p>{say.word('average_of').format(say.number(len(found.days), 'number'), days)}</p>")
        calls = Series(
            f"{say.word('average')} – {say.word('range')}",
            [each.expected.calls for each in shown],
            [(each.expected.least, each.expected.most) for each in shown],
        )
        agents = Series(say.word("agents"), [each.figures.agents if each.figures else 0 for each in shown])
        parts.append(say.bars(Bars(say.word("calls"), "number", labels, [calls])))
        parts.append(say.bars(Bars(say.word("agents"), "number", labels, [agents])))
        parts.append(say.intervals(shown))
    return say.page("forecast", parts)


def _open_part(staffed: Sequence[Staffed]) -> Sequence[Staffed]:
    """From the first interval with calls to the last."""
    busy = [at for at, each in enumerate(staffed) if each.expected.calls > 0]
    return staffed[busy[0] : busy[-1] + 1] if busy else ()


def _value(tally: Tally | None, measure: str) -> float | None:
    return None if tally is None else tally.figures()[measure]


@dataclass(frozen=True, slots=True)
class _Say:
    """Words, numbers and drawings in one language."""

    language: Language
    names: Mapping[str, str]

    def word(self, key: str) -> str:
        return _WORDS[key][0 if self.language == "fa" else 1]

    def name(self, key: str) -> str:
        return self.names.get(key, key)

    def digits(self, text: str) -> str:
        return persian_digits(text).replace(".", "٫").replace("%", "٪") if self.language == "fa" else text

    def clock(self, minute: int) -> str:
        return self.digits(f"{minute // 60:02}:{minute % 60:02}")

    def date(self, day: object) -> str:
        text = jalali(day) if self.language == "fa" else str(day)  # type: ignore[arg-type]
        return self.digits(text.replace("-", "/") if self.language == "fa" else text)

    def day(self, found: Forecast) -> str:
        weekday = _WEEKDAYS[found.day.weekday()] if self.language == "fa" else f"{found.day:%A}"
        return f"{weekday} {self.date(found.day)}"

    def number(self, value: float | None, unit: Unit, signed: bool = False) -> str:
        """A dash for what nothing was counted of. The difference of two shares is in points, as a share is."""
        if value is None:
            return "–"
        sign = "+" if signed and round(value, 3 if unit == "share" else 1) else ""
        if unit == "share":
            text = f"{value * 100:{sign}.1f}%"
        elif unit == "seconds" or value != int(value):
            text = f"{value:{sign}.1f}"
        else:
            text = f"{value:{sign}.0f}"
        return self.digits(text.replace("-", "−"))

    def tick(self, value: float, unit: Unit) -> str:
        return self.digits(f"{value * 100:g}%" if unit == "share" else f"{value:g}")

    def totals(self, days: Mapping[str, Day]) -> str:
        heads = [self.word("measure"), *days]
        if len(days) > 1:
            heads.append(self.word("difference"))
        rows = []
        all_figures = [day.total.figures() for day in days.values()]
        for key, unit in MEASURES:
            values = [figures[key] for figures in all_figures]
            if key in ("flowed_out", "refused") and not any(values):
                continue
            cells = [self.number(value, unit) for value in values]
            if len(days) > 1:
                cells.append(
                    " · ".join(self.number(_less(value, values[0]), unit, True) for value in values[1:])
                )
            rows.append([self.word(key), *cells])
        return self.table(heads, rows)

    def intervals(self, shown: Sequence[Staffed]) -> str:
        heads = ("from", "calls", "range", "agents", "on_plan", "service_level", "occupancy")
        rows = [
            [
                self.clock(each.expected.minute),
                self.number(each.expected.calls, "seconds"),
                f"{self.number(each.expected.least, 'number')}–{self.number(each.expected.most, 'number')}",
                self.number(each.figures.agents if each.figures else 0, "number"),
                self.number(each.scheduled, "number"),
                self.number(each.figures.in_target if each.figures else None, "share"),
                self.number(each.figures.occupancy if each.figures else None, "share"),
            ]
            for each in shown
        ]
        return self.table([self.word(head) for head in heads], rows)

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
        head = "".join(f'<th scope="col"><bdi>{escape(each)}</bdi></th>' for each in heads)
        body = "".join(
            f'<tr><th scope="row">{escape(row[0])}</th>'
            + "".join(f'<td><bdi dir="ltr">{escape(cell)}</bdi></td>' for cell in row[1:])
            + "</tr>"
            for row in rows
        )
        return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'

    def bars(self, bars: Bars) -> str:
        legend = "".join(
            f'<li><i class="s{at % 4}"></i><bdi>{escape(each.name)}</bdi></li>'
            for at, each in enumerate(bars.series)
        )
        if len(bars.series) == 1 and not bars.series[0].ranges:
            legend = ""  # the title says it
        return (
            f"<section><h2>{escape(bars.title)}</h2><ul>{legend}</ul>"
            f'<div class="scroll">{self._svg(bars)}</div></section>'
        )

    def _svg(self, bars: Bars) -> str:
        width, height, left, bottom, top = 960, 260, 56, 28, 12
        room, base = width - left - 8, height - bottom
        limit, step = _scale(bars)

        def y(value: float) -> float:
            return base - (base - top) * value / limit

        drawn = []
        ticks = round(limit / step)
        for tick in range(ticks + 1):
            value = tick * step
            drawn.append(
                f'<line class="grid" x1="{left}" x2="{width - 8}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>'
            )
            text = escape(self.tick(round(value, 6), bars.unit))
            drawn.append(f'<text x="{left - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{text}</text>')
        slot = room / max(1, len(bars.labels))
        bar = min(48.0, slot * 0.8 / max(1, len(bars.series)))
        every = math.ceil(len(bars.labels) / 16) if len(bars.labels) > 16 else 1
        for at, label in enumerate(bars.labels):
            middle = left + slot * (at + 0.5)
            if at % every == 0:
                drawn.append(
                    f'<text x="{middle:.1f}" y="{height - 8}" text-anchor="middle">{escape(label)}</text>'
                )
            for number, series in enumerate(bars.series):
                x = middle + bar * (number - len(bars.series) / 2)
                drawn.append(self._bar(bars, series, number, at, x, bar, y))
        title = escape(bars.title)
        return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{title}">{"".join(drawn)}</svg>'

    def _bar(
        self,
        bars: Bars,
        series: Series,
        number: int,
        at: int,
        x: float,
        width: float,
        y: Callable[[float], float],
    ) -> str:
        value = series.values[at]
        if value is None:
            return ""
        said = escape(f"{series.name} · {bars.labels[at]}: {self.number(round(value, 4), bars.unit)}")
        drawn = (
            f'<rect class="s{number % 4}" x="{x:.1f}" y="{y(value):.1f}" width="{max(1.0, width - 1):.1f}" '
            f'height="{y(0) - y(value):.1f}" rx="1.5"><title>{said}</title></rect>'
        )
        if series.ranges:
            low, high = series.ranges[at]
            middle = x + width / 2
            drawn += f'<line class="whisker" x1="{middle:.1f}" x2="{middle:.1f}" y1="{y(low):.1f}" y2="{y(high):.1f}"/>'
        return drawn

    def page(self, title: str, parts: Sequence[str]) -> str:
        name = escape(self.word(title))
        head = "" if title == "forecast" else f"<h1>{name}</h1>"
        direction = "rtl" if self.language == "fa" else "ltr"
        return (
            f'<!doctype html>\n<html lang="{self.language}" dir="{direction}"><head><meta charset="utf-8">'
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            f"<title>{name}</title><style>{_STYLE}</style></head>\n<body><main>{head}{''.join(parts)}</main></body></html>\n"
        )


_WEEKDAYS = ("دوشنبه", "سه‌شنبه", "چهارشنبه", "پنجشنبه", "جمعه", "شنبه", "یکشنبه")


def _less(value: float | None, first: float | None) -> float | None:
    return None if value is None or first is None else value - first


def _scale(bars: Bars) -> tuple[float, float]:
    """The top of the axis and its step: 1, 2 or 5 times a power of ten, about five steps; shares end at 1 at most."""
    values = [value for series in bars.series for value in series.values if value is not None]
    values += [high for series in bars.series for _, high in series.ranges]
    most = max(values, default=0)
    if most <= 0:
        return 1.0, 0.5 if bars.unit == "share" else 1.0
    rough = most / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * each for each in (1, 2, 5, 10) if power * each >= rough * (1 - 1e-9))
    if bars.unit == "number" and step < 1:
        step = 1.0
    limit = step * math.ceil(most / step - 1e-9)
    return (1.0, 0.2) if bars.unit == "share" and limit > 0.8 else (limit, step)
