"""The child process that checks PINs: `python -m crm_lookup.services.pin_child`."""

from __future__ import annotations

import signal
import sys

from crm_lookup.services.pins import serve


def _write(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


if __name__ == "__main__":
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C is for the parent, which ends us by closing our input
    serve(sys.stdin.readline, _write)
