"""Whose pages may use cookies and sockets: our own, and those that the settings name. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit


def is_ours(origin: str, host: str | None, public_origins: tuple[str, ...]) -> bool:
    """Whether a browser's `Origin` is the host it asked, or a named one (`https://desk.example:8443`).

    The scheme is not compared with ours: behind a proxy we do not see it.
    """
    if origin.rstrip("/").lower() in {each.rstrip("/").lower() for each in public_origins}:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return bool(host) and parts.scheme in ("http", "https") and parts.netloc.lower() == str(host).lower()
