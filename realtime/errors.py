"""What can go wrong where staff look and ask. Each class is a reason to catch.

    RealtimeError
    ├── ServeError         the HTTP port cannot be opened
    ├── NotAllowed         who asks may not; or is not known at all
    │   ├── NotSignedIn    no token, an old one, or a revoked one
    │   └── TooManyTries   the limit of log-ins is reached: `retry_after_s`
    ├── UserError          a user cannot be made or changed as asked
    └── ApiProblem         an answer other than success, as a problem document (RFC 9457)

Messages are one clear sentence, safe to show to the one who asked.
"""

from __future__ import annotations


class RealtimeError(Exception):
    """Anything that this room raises on purpose."""


class ServeError(RealtimeError):
    """The port cannot be opened; the message names it and says what to do."""


class NotAllowed(RealtimeError):
    """The one who asks is known, and may not do this."""


class NotSignedIn(NotAllowed):
    """There is no valid token."""


class TooManyTries(NotAllowed):
    """Too many log-ins; `retry_after_s` is when it may be tried again."""

    def __init__(self, retry_after_s: float) -> None:
        self.retry_after_s = retry_after_s
        super().__init__("Too many attempts to log in; wait and try again.")


class UserError(RealtimeError):
    """A user cannot be made or changed as asked; the message says why."""


class ApiProblem(RealtimeError):
    """An error answer. `code` is a stable word for programs, `detail` a sentence for people."""

    def __init__(
        self, status: int, code: str, detail: str, *, retry_after_s: float | None = None, **more: object
    ) -> None:
        self.status = status
        self.code = code
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.more = more
        super().__init__(detail)
