"""Logs as `pasokh serve` writes them."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
import structlog

from pasokh import logs


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """JSON lines as on standard error, at the level that says most; the test's own clients are left out."""
    root = logging.getLogger()
    level, before = root.level, structlog.get_config()
    for name in ("websockets.client", "httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    others = root.handlers[:]
    logs.set_up("debug")
    [ours] = root.handlers
    assert isinstance(ours, logging.StreamHandler)
    lines = io.StringIO()
    ours.setStream(lines)
    root.handlers[:] = [*others, ours]
    yield lines
    root.removeHandler(ours)
    root.setLevel(level)
    structlog.configure(**before)
