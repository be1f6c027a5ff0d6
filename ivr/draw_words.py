"""The words, colours and signs of a drawing: what a person sees of each kind of node and each way out."""

from __future__ import annotations

from acd.common.document import Path

# Families of kinds: each has a colour. fa, en.
FAMILIES = {
    "speak": ("گفتن و شنیدن", "speaks and listens"),
    "decide": ("تصمیم", "decides"),
    "ask": ("پرسش از سامانه", "asks a service"),
    "people": ("آدم‌ها", "people"),
    "end": ("پایان", "the end"),
}

# kind: family, word in fa and en, sign (drawn in a square of 16)
KINDS: dict[str, tuple[str, str, str, str]] = {
    "say": ("speak", "گفتن", "say", "M2 6h3l4-3v10l-4-3H2zM11 5.5q2 2.5 0 5M13 3.5q3.5 4.5 0 9"),
    "menu": ("speak", "منو", "menu", "M3 3h2v2H3zM7 3h2v2H7zM11 3h2v2h-2zM3 8h2v2H3zM7 8h2v2H7zM11 8h2v2h-2z"),
    "codes": ("speak", "کدها", "codes", "M2 5h12v6H2zM5 7v2M8 7v2M11 7v2"),
    "collect": ("speak", "ارقام", "digits", "M2 4h12v8H2zM4.5 8h1M7.5 8h1M10.5 8h1"),
    "language": ("speak", "زبان", "language", "M8 2a6 6 0 1 0 .01 0M2 8h12M8 2q-5 6 0 12M8 2q5 6 0 12"),
    "survey": ("speak", "نظرسنجی", "survey", "M8 2l1.8 4 4.2.4-3.2 2.8 1 4.3L8 11 4 13.5l1-4.3L2 6.4 6.2 6z"),
    "hours": ("decide", "ساعت کاری", "hours", "M8 2a6 6 0 1 0 .01 0M8 4.5V8l2.5 2"),
    "branch": ("decide", "انشعاب", "branch", "M8 2v4M8 6L4 10v4M8 6l4 4v4"),
    "set": ("decide", "مقدار", "set", "M3 6h10M3 10h10"),
    "sub": ("decide", "زیرمنو", "sub-flow", "M3 3h7v7H3zM6 10v3h7V6h-3"),
    "return": ("decide", "بازگشت", "return", "M6 3L3 6l3 3M3 6h7q3 0 3 3.5T10 13H6"),
    "ask": ("ask", "پرسش", "ask", "M5.5 6a2.5 2.5 0 1 1 3.5 2.3q-1 .5-1 1.7M8 12.5v.5"),
    "lookup": ("ask", "استعلام", "look-up", "M7 2.5a4.5 4.5 0 1 0 .01 0M10.5 10.5L14 14"),
    "authenticate": ("ask", "احراز هویت", "identity", "M4 7h8v6H4zM5.5 7V5a2.5 2.5 0 0 1 5 0v2"),
    "queue": ("people", "صف", "queue", "M5 4a2 2 0 1 0 .01 0M11 4a2 2 0 1 0 .01 0M2 13q3-6 6 0M8 13q3-6 6 0"),
    "callback": ("people", "تماس با مشتری", "callback", "M4 3q-2 1 0 5t6 5l2-2-3-2q-3-1-4-4l1-1zM10 5l3-3M13 5V2h-3"),
    "voicemail": ("people", "پیام صوتی", "voicemail", "M4.5 6a2.5 2.5 0 1 0 .01 0M11.5 6a2.5 2.5 0 1 0 .01 0M4.5 11h7"),
    "transfer": ("people", "انتقال", "transfer", "M2 6h9M8 3l3 3-3 3M14 11H5"),
    "hangup": ("end", "پایان تماس", "hang up", "M2 10q6-6 12 0l-2 2-2.5-1V9Q8 8.5 6.5 9v2L4 12z"),
}  # fmt: skip
UNKNOWN = ("decide", "", "", "M8 3a5 5 0 1 0 .01 0")

# Ways out: fa, en. "" says nothing: there is one way, and it is plain.
WAYS: dict[str, tuple[str, str]] = {
    "next": ("", ""),
    "found": ("یافت شد", "found"),
    "verified": ("تأیید شد", "verified"),
    "open": ("باز", "open"),
    "closed": ("بسته", "closed"),
    "holiday": ("تعطیل", "holiday"),
    "after": ("پس از گفت‌وگو", "after the talk"),
    "after_tries": ("پس از خطاها", "after the tries"),
    "otherwise": ("وگرنه", "otherwise"),
    "unavailable": ("در دسترس نیست", "unavailable"),
    "failed": ("ناموفق", "failed"),
    "locked": ("قفل", "locked"),
    "not_found": ("یافت نشد", "not found"),
    "declined": ("نپذیرفت", "declined"),
    "unanswered": ("بی‌پاسخ", "no answer"),
    "full": ("صف پر", "full"),
    "empty": ("بی‌کارشناس", "nobody there"),
    "max_wait": ("انتظار زیاد", "waited too long"),
    "voicemail": ("پیام صوتی", "voicemail"),
    "callback": ("تماس با مشتری", "callback"),
    "announcement": ("اعلان", "announcement"),
    "menu": ("منو", "menu"),
}
ERRORS = frozenset(
    {
        "after_tries", "unavailable", "failed", "locked", "not_found", "declined", "unanswered", "full", "empty",
        "max_wait", "announcement",
    }
)  # fmt: skip
"""Ways that nobody wished for: drawn dashed."""

ASKING = frozenset({"ask", "lookup"})
"""Kinds whose `otherwise` means that no answer came."""

START = ("آغاز", "start")
ENTERED = ("ورود", "in")
WENT_ON = ("ادامه", "on")
DROPPED = ("قطع", "lost")
STRIKES = ("خطاها", "errors")
LEGEND_ERROR = ("راه خطا", "error way")
LEGEND_COUNTS = (
    "ورود: تماس‌هایی که به این گره رسیدند؛ ادامه: از آن گذشتند یا کارشان انجام شد؛ قطع: در آن قطع کردند.",
    "in: calls that came to the node; on: went on, or were done; lost: hung up there.",
)


def of(pair: tuple[str, str], language: str) -> str:
    return pair[0] if language == "fa" else pair[1]


def kind(name: str, language: str) -> tuple[str, str, str]:
    """A kind's family, word and sign; of one that is not known its own name."""
    family, fa, en, sign = KINDS.get(name, UNKNOWN)
    return family, of((fa, en), language) or name, sign


def way(path: Path, conditions: dict[Path, str], node_kind: str, language: str) -> tuple[str, bool]:
    """What a way out is called, and whether it is an error's. `conditions`: the expressions of the node."""
    name = str(path[0])
    if name == "when":
        return _short(conditions.get((*path[:2], "if"), str(path[1]))), False
    if len(path) > 1:
        return str(path[1]), False
    if name == "otherwise" and node_kind in ASKING:
        return of(("بی‌پاسخ", "no answer"), language), True
    return of(WAYS.get(name, (name, name)), language), name in ERRORS


def _short(condition: str) -> str:
    """A condition as it is said: `state = "paid"`."""
    return condition.replace("answer.", "").replace("values.", "").replace(" == ", " = ")
