"""One center per state folder: two would write over each other's journal, spool and control socket.

The lock is the kernel's, so it ends with the process, however that ends.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pasokh.errors import NotReadyError


@contextmanager
def sole_center(state: Path) -> Iterator[None]:
    """Hold this folder for a center of this process. Raises NotReadyError."""
    try:
        state.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(state / "center.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise NotReadyError(f"The state folder {state} cannot be used: {error.strerror}.") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NotReadyError(
                f"Another pasokh runs a center from the folder {state}; stop it first, "
                "or give this one another `state`."
            ) from None
        yield
    finally:
        os.close(descriptor)
