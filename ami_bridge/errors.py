"""What can go wrong between us and Asterisk; each class is a reason to catch.

BridgeError
├── AgiError                    one caller's session
│   ├── AgiEnded                the session is over; nothing more can be asked of it
│   │   ├── AgiHangup           Asterisk took the channel away (HANGUP or 511)
│   │   └── AgiGone             the socket ended without a HANGUP
│   ├── AgiTimeout              no reply within the deadline; the session has been closed
│   ├── AgiCommandError         Asterisk did not accept the command (510, 520 or an unknown code)
│   ├── AgiFailed               Asterisk accepted the command and could not do it
│   ├── AgiMalformed            the peer does not speak AGI
│   ├── AgiRefused              we refused to write the command
│   └── AgiSignatureError       the argument was not signed by our dialplan, is old, or was used before
└── AmiError                    the manager link
    ├── AmiDown                 there is no link, or it broke while we waited
    │   └── AmiMalformed        it was cut because the peer does not speak AMI
    ├── AmiAuthError            Asterisk knows us not, or not with this password or from this address
    ├── AmiTimeout              no reply within the deadline; the link stays
    ├── AmiActionError          Asterisk answered the action with an error
    └── AmiRefused              we refused to write the action

Messages name places, codes and limits, never a caller's number, name or keys.
"""

from __future__ import annotations


class BridgeError(Exception):
    """Anything that went wrong between us and Asterisk."""


class AgiError(BridgeError):
    """Something went wrong in one AGI session; other calls are untouched."""


class AgiEnded(AgiError):
    """The session is over. Its call may well go on elsewhere."""


class AgiHangup(AgiEnded):
    """Asterisk took the channel away from this session.

    Not the same as "the caller hung up": a redirect or a transfer reads alike when AGIEXITONHANGUP is set, so
    ask Asterisk (AMI Status) before calling a contact abandoned. `result` is the result field of the reply
    that came with it, when there was one (`"-1"` of an interrupted command).
    """

    def __init__(self, message: str, *, result: str | None = None) -> None:
        super().__init__(message)
        self.result = result


class AgiGone(AgiEnded):
    """The socket ended without a HANGUP: Asterisk died, the network broke, or we closed the session."""


class AgiTimeout(AgiError):
    """A command had no reply within its deadline. The session was closed, so that Asterisk's loop goes on."""


class AgiCommandError(AgiError):
    """Asterisk did not accept the command: 510 unknown, 520 wrong use, or a code we do not know."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"Asterisk answered {code} to an AGI command: {text[:200]!r}")
        self.code = code
        self.text = text


class AgiFailed(AgiError):
    """Asterisk ran the command and reported failure: no such file, application or database key."""


class AgiMalformed(AgiError):
    """The peer does not speak AGI, or the stream fell out of step."""


class AgiRefused(AgiError):
    """Refused before a byte was written: line break, NUL, unpaired surrogate or too long."""


class AgiSignatureError(AgiError):
    """The request's argument was not signed by our dialplan, is too old or new, or was used before."""


class AmiError(BridgeError):
    """Something went wrong on the manager link."""


class AmiDown(AmiError):
    """There is no manager link, or it broke before the reply came. Whether the action was done is unknown."""


class AmiMalformed(AmiDown):
    """The peer does not speak AMI, or sent a message over the limit; the link was cut."""


class AmiAuthError(AmiError):
    """Asterisk refused the login: user, password, ACL, or the user's rights in manager.conf."""


class AmiTimeout(AmiError):
    """No reply within the deadline. Whether the action was done is unknown."""


class AmiActionError(AmiError):
    """Asterisk answered the action with `Response: Error`; `text` is its Message header."""

    def __init__(self, action: str, text: str) -> None:
        super().__init__(f"Asterisk refused the action {action}: {text[:200]}")
        self.action = action
        self.text = text


class AmiRefused(AmiError):
    """Refused before a byte was written: line break, NUL, bad header name, too long or too many in flight."""
