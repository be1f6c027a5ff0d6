"""What a script asks by `Ask`: the names, their arguments, and what is understood as an answer. All are texts.

| `what` | arguments | answer |
|---|---|---|
| `caller` | – | `number` as it is dialled ("" if withheld), `withheld` true/false, `country` |
| `customer` | – | `known`, `verified` true/false; `level`, `segment`, `language`, "" if there is none |
| `queue` | `queue` | `waiting`, `estimated_wait_s` ("" if unknown), `staffed`, `open` true/false |
| `place` | – | of the caller's own place in line: `ahead`, `estimated_wait_s` ("" if unknown) |
| `lookup.SERVICE` | those of the node | `result` found, not_found or failed, and the service's fields |
| `authenticate.code` | what was keyed so far, `method` | `result` sent, locked or failed |
| `authenticate` | what was keyed, `method` (its proofs joined by +) | `result` verified, failed or locked, and fields |
| `voicemail` | `queue`, `language`, `name`, `seconds` | `result` ok |
| `callback` | `queue`, `language`, `number` ("": the line's own) | `result` ok, invalid (no such number) or failed |
| `survey` | `survey` (its node), `language`, `queue`, `score`, `reason`, `name` of the recorded words | `result` ok |

A survey is asked before the caller speaks, and again with all of it and the `name`; the last one counts.

`verified` (`customer`, `level`, `method`) tells the center whom a flow has identified by questions of its own; only a
node of kind `ask` asks it, and must name the customer. A node of kind `ask` asks whatever its author wrote. No answer,
or one that is not listed, counts as a failure; what is not known is left out.
"""

from __future__ import annotations

from collections.abc import Mapping

from acd.common.expression import Value
from acd.verbs import Answer, Reply

CALLER = "caller"
CUSTOMER = "customer"
QUEUE = "queue"
PLACE = "place"
LOOKUP = "lookup."
AUTHENTICATE = "authenticate"
SEND_CODE = "authenticate.code"
VOICEMAIL = "voicemail"
CALLBACK = "callback"
SURVEY = "survey"
SURVEY_WORDS = "survey."
"""So begins the name of a recording that is a survey's; no node's name has a dot."""

FACTS_DEADLINE_S = 1.0
"""For what is only nice to know: a caller is not kept waiting for it."""

FIELDS: Mapping[str, frozenset[str]] = {
    CALLER: frozenset({"known", "withheld", "country"}),
    CUSTOMER: frozenset({"known", "verified", "level", "segment", "language"}),
    QUEUE: frozenset({"waiting", "estimated_wait_s", "staffed", "open"}),
    "now": frozenset({"hour", "minute", "weekday", "date", "time", "holiday"}),
}
"""What expressions may read of each. `queues.<id>` has the fields of `queue`."""

_FLAGS = {"true": True, "false": False}


def answered(reply: Reply) -> Mapping[str, str]:
    """The fields of an answer; none if there was no answer."""
    return (reply.values or {}) if isinstance(reply, Answer) else {}


def result_of(reply: Reply) -> str:
    return answered(reply).get("result", "")


def facts(fields: Mapping[str, str], wanted: frozenset[str]) -> dict[str, Value]:
    """Those fields that are wanted, as flags and numbers where they look so; what is empty is not known."""
    return {name: _plain(text) for name, text in fields.items() if name in wanted and text != ""}


def _plain(text: str) -> Value:
    if text in _FLAGS:
        return _FLAGS[text]
    number = number_of(text)
    return text if number is None else number


def number_of(text: str) -> int | float | None:
    """The number that a text writes, at most 18 characters long; None for anything else."""
    plain = text.removeprefix("-")
    if not text.isascii() or len(text) > 18 or not plain.replace(".", "", 1).isdigit():
        return None
    return float(text) if "." in text else int(text)
