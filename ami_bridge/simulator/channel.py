"""One channel as Asterisk shows it: its names, state, variables and the headers that every event of it carries; pure.

Header names, their order and the texts for what is unknown were read from a real Asterisk 22.10.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

DOWN: Final = 0
RING: Final = 4
RINGING: Final = 5
UP: Final = 6

STATE_NAMES: Final = {DOWN: "Down", RING: "Ring", RINGING: "Ringing", UP: "Up"}

CAUSE_TEXTS: Final = {
    0: "Unknown",
    3: "No route to destination",
    16: "Normal Clearing",
    17: "User busy",
    19: "User alerting, no answer",
    21: "Call Rejected",
    32: "Unknown",
}

UNKNOWN: Final = "<unknown>"
_VARIABLE: Final = re.compile(r"\$\{([^${}]*)\}")


@dataclass(slots=True)
class Channel:
    """`created_s`, `answered_s`: loop time. `music`: the class that plays, None for silence or speech.

    A variable set as `__NAME` is had by channels this one dials, and by theirs; `_NAME` by the first only.
    """

    name: str
    uniqueid: str
    linkedid: str
    context: str
    exten: str
    created_s: float
    priority: int = 1
    state: int = DOWN
    caller_number: str = ""
    caller_name: str = ""
    connected_number: str = ""
    connected_name: str = ""
    presentation: int = 0
    dialled: str = ""
    language: str = "en"
    music: str | None = None
    held: bool = False
    application: str = ""
    application_data: str = ""
    bridge: str = ""
    hangup_cause: int = 0
    technical_cause: str = ""
    answered_s: float | None = None
    variables: dict[str, str] = field(default_factory=dict)
    inheritance: dict[str, int] = field(default_factory=dict)

    def set(self, name: str, value: str) -> None:
        plain = name.removeprefix("_").removeprefix("_")
        self.variables[plain] = value
        if plain != name:
            self.inheritance[plain] = len(name) - len(plain)

    def get(self, name: str) -> str:
        """A variable's value, "" when it is not set."""
        return self.variables.get(name, "")

    def inherit_from(self, parent: Channel) -> None:
        for name, depth in parent.inheritance.items():
            self.variables[name] = parent.variables[name]
            if depth == 2:
                self.inheritance[name] = 2

    def headers(self, prefix: str = "") -> dict[str, str]:
        """The headers of a channel in an event; `prefix` is `Dest` for the second channel of one."""
        return {
            f"{prefix}Channel": self.name,
            f"{prefix}ChannelState": str(self.state),
            f"{prefix}ChannelStateDesc": STATE_NAMES[self.state],
            f"{prefix}CallerIDNum": self.caller_number or UNKNOWN,
            f"{prefix}CallerIDName": self.caller_name or UNKNOWN,
            f"{prefix}ConnectedLineNum": self.connected_number or UNKNOWN,
            f"{prefix}ConnectedLineName": self.connected_name or UNKNOWN,
            f"{prefix}Language": self.language,
            f"{prefix}AccountCode": "",
            f"{prefix}Context": self.context,
            f"{prefix}Exten": self.exten,
            f"{prefix}Priority": str(self.priority),
            f"{prefix}Uniqueid": self.uniqueid,
            f"{prefix}Linkedid": self.linkedid,
        }


def expand(text: str, value_of: Callable[[str], str]) -> str:
    """`${NAME}` and `${FUNCTION(argument)}` replaced by their values, the inner ones first."""
    for _ in range(16):  # as deep as any dialplan of ours, and an end for values that name themselves
        text, count = _VARIABLE.subn(lambda found: value_of(found[1]), text)
        if not count:
            break
    return text


def cause_text(cause: int) -> str:
    return CAUSE_TEXTS.get(cause, "Unknown")
