"""The signed argument of `agi://host:port/call?number=…&t=…&attach=…&sig=…`; pure.

Whoever reaches the port could otherwise make us believe in calls that do not exist. Asterisk has SHA1 but no
HMAC as a dialplan function, so the dialplan signs `number|uniqueid|t|attach|secret` with the secret last,
where SHA1's length extension does not help. The route is taken from here and never from `agi_extension`,
which a line break in a caller's name could forge.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

from .errors import AgiMalformed, AgiSignatureError

_SCRIPT_LIMIT: Final = 1024
_PARAMETER_LIMIT: Final = 16
_DIGITS: Final = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class CallRequest:
    """What the dialplan asked for: `script?number=…&t=…&attach=…&sig=…`.

    `number` is the number that was dialled, `time_s` Asterisk's EPOCH when it signed, `attach` the count of
    tries of this channel's loop, `contact` the contact id the dialplan made ("" when it sends none).
    `parameters` holds everything, these included, percent-decoded.
    """

    script: str
    number: str = field(repr=False)
    time_s: int
    attach: int
    signature: str = field(repr=False)
    parameters: Mapping[str, str] = field(repr=False)
    contact: str = ""


def parse_request(network_script: str) -> CallRequest:
    """The value of `agi_network_script` (`call?number=…`) as a request.

    `+` stays a plus sign, since numbers begin with it. Raises AgiMalformed for missing, repeated or
    unreadable parameters.
    """
    if len(network_script) > _SCRIPT_LIMIT:
        raise AgiMalformed(f"The AGI request is longer than {_SCRIPT_LIMIT} characters.")
    script, _, query = network_script.partition("?")
    parts = [part for part in query.split("&") if part]
    if len(parts) > _PARAMETER_LIMIT:
        raise AgiMalformed(f"The AGI request has more than {_PARAMETER_LIMIT} parameters.")
    parameters: dict[str, str] = {}
    for part in parts:
        name, _, value = part.partition("=")
        name = unquote(name)
        if name in parameters:
            raise AgiMalformed("The AGI request repeats a parameter; the dialplan sends each once.")
        parameters[name] = unquote(value)
    missing = [name for name in ("number", "t", "attach", "sig") if name not in parameters]
    if missing:
        raise AgiMalformed(f"The AGI request lacks {', '.join(missing)}; generate the dialplan again.")
    for name in ("t", "attach"):
        if not _DIGITS.fullmatch(parameters[name]):
            raise AgiMalformed(f"The parameter {name} of the AGI request is not a number.")
    return CallRequest(
        script=script.strip("/"),
        number=parameters["number"],
        time_s=int(parameters["t"]),
        attach=int(parameters["attach"]),
        signature=parameters["sig"],
        parameters=parameters,
        contact=parameters.get("contact", ""),
    )


def sign(*, number: str, uniqueid: str, time_s: int, attach: int, secret: str) -> str:
    """The signature as 40 hexadecimal digits.

    `uniqueid` is the contact id when the request carries one, else the channel's uniqueid. In the dialplan:
    `${SHA1(${number}|${PASOKH_ID}|${t}|${PA_N}|${secret})}` (module func_sha1). Raises AgiSignatureError when a
    field holds the separator.
    """
    if "|" in number or "|" in uniqueid:
        raise AgiSignatureError("A signed field of an AGI request holds the separator |.")
    text = f"{number}|{uniqueid}|{time_s}|{attach}|{secret}"
    return hashlib.sha1(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def verify(request: CallRequest, *, uniqueid: str, secret: str, now_s: float, window_s: float) -> None:
    """Raises AgiSignatureError unless our dialplan signed this request within ±`window_s` of `now_s`."""
    expected = sign(
        number=request.number,
        uniqueid=uniqueid,
        time_s=request.time_s,
        attach=request.attach,
        secret=secret,
    )
    given = request.signature.lower().encode("utf-8", "surrogatepass")
    if not hmac.compare_digest(expected.encode(), given):
        raise AgiSignatureError("The AGI request is not signed with our secret; compare both sides' secret.")
    if abs(now_s - request.time_s) > window_s:
        raise AgiSignatureError(
            f"The AGI request was signed {now_s - request.time_s:.0f} s ago, outside ±{window_s:.0f} s; "
            "compare the clocks of both machines."
        )


class UsedOnce:
    """Remembers which signed requests were used, for as long as their time would still be accepted.

    The key is (uniqueid, attach, t): a caller who enters the dialplan's loop again starts at attach 1, with a
    later t. Only requests that verified are remembered, so nobody else can fill the memory.
    """

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._until: dict[tuple[str, int, int], float] = {}

    def __len__(self) -> int:
        return len(self._until)

    def use(self, request: CallRequest, *, uniqueid: str, now_s: float) -> None:
        """Raises AgiSignatureError when this request was used before."""
        self._forget(now_s)
        key = (uniqueid, request.attach, request.time_s)
        if key in self._until:
            raise AgiSignatureError("The AGI request was used before; a second session of it is refused.")
        self._until[key] = request.time_s + self._window_s

    def _forget(self, now_s: float) -> None:
        # Nearly in order of time: the first that is still good ends the search, the rest waits a little.
        while self._until:
            key = next(iter(self._until))
            if self._until[key] >= now_s:
                return
            del self._until[key]
