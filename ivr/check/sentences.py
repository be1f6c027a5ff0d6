"""Sentences that several checks need."""

from __future__ import annotations

from collections.abc import Iterable

from acd.common.document import Path, Tree, nearest
from acd.errors import Problem


def unknown(tree: Tree, path: Path, kind: str, word: str, known: Iterable[str], otherwise: str) -> Problem:
    """Something is named that does not exist."""
    meant = nearest(word, known)
    fix = f'write "{meant}", or {otherwise}' if meant else otherwise
    return tree.problem(path, f'{dotted(path)} names the {kind} "{word[:40]}", which does not exist', fix)


def dotted(path: Path) -> str:
    return ".".join(str(step) for step in path)
