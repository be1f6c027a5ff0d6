"""Puts generated files into a folder: all drafts first, then each in its place by a rename.

Whoever reads a file meanwhile reads the old one or the new one, never half of one. Files have mode 0640 and
the folder's group, so that Asterisk, which usually runs as that group, reads them, and others do not.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from .errors import NotWritten

FILE_MODE: Final = 0o640
FOLDER_MODE: Final = 0o750
_NAME: Final = re.compile(r"[a-z0-9_-]{1,64}\.conf")


def write(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Writes `files` (name to text) into `folder`, which is made if it is not there; the paths, in order.

    Raises NotWritten: nothing was changed, unless the message says which files already are the new ones.
    """
    for name in files:
        if not _NAME.fullmatch(name):
            raise NotWritten(f"{name[:80]!r} is no name of a configuration file; nothing was written.")
    drafts: list[tuple[Path, Path]] = []
    done: list[Path] = []
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        for name, text in files.items():
            drafts.append((_draft(folder, name, text), folder / name))
        for draft, path in drafts:
            draft.replace(path)
            done.append(path)
        _to_disk(folder)
    except OSError as error:
        for draft, _ in drafts:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
        already = f"; already new: {', '.join(path.name for path in done)}" if done else ""
        raise NotWritten(
            f"Asterisk's files cannot be written to {folder} ({error.strerror}){already}; write to a folder of "
            "yours, or as a user who may write there."
        ) from error
    return done


def _draft(folder: Path, name: str, text: str) -> Path:
    draft = folder / f".{name}.new"
    draft.unlink(missing_ok=True)  # left over from a run that was killed
    # Exclusive and never through a link: in a folder that others may write to, a link could lead elsewhere.
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            group = folder.stat().st_gid
            if os.fstat(handle).st_gid != group:
                os.fchown(handle, -1, group)
            os.fchmod(handle, FILE_MODE)
            os.fsync(handle)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return draft


def _to_disk(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def readable_by_all(folder: Path) -> list[Path]:
    """Those of our files in the folder that everybody on this machine can read, for `pasokh check`."""
    return [
        path
        for path in sorted(folder.glob("pasokh-*.conf"))
        if stat.S_IMODE(path.stat().st_mode) & stat.S_IROTH
    ]
