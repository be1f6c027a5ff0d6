"""Asterisk's configuration files read as Asterisk reads them (main/config.c), to see what it would see."""

from __future__ import annotations


def read(text: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Sections in order, each with its `key = value` lines in order. Directives are `#include` keys."""
    sections: list[tuple[str, list[tuple[str, str]]]] = []
    depth = 0
    for raw in text.split("\n"):
        line, depth = _uncommented(raw, depth)
        line = line.strip()
        if not line:
            continue
        if line.startswith("["):
            name, _, _rest = line[1:].partition("]")
            sections.append((name, []))
        elif line.startswith("#"):
            directive, _, target = line.partition(" ")
            sections[-1][1].append((directive, target.strip()))
        else:
            key, equals, value = line.partition("=")
            assert equals, f"Asterisk would not understand: {line!r}"
            sections[-1][1].append((key.strip(), value.removeprefix(">").strip()))
    return sections


def values(text: str, section: str, key: str) -> list[str]:
    """What Asterisk reads for a key in all sections of a name."""
    return [value for name, lines in read(text) if name == section for found, value in lines if found == key]


def extensions(text: str) -> dict[str, dict[str, list[str]]]:
    """context -> extension -> its steps (application and arguments) in order."""
    found: dict[str, dict[str, list[str]]] = {}
    for context, lines in read(text):
        steps: list[str] = []
        for key, value in lines:
            if key == "exten":
                name, _, rest = value.partition(",")
                priority, _, step = rest.partition(",")
                assert priority == "1"
                assert name not in found.setdefault(context, {}), f"{name} stands twice in {context}"
                steps = found[context].setdefault(name, [])
            else:
                assert key == "same"
                _, _, step = value.partition(",")
            steps.append(step)
    return found


def _uncommented(raw: str, depth: int) -> tuple[str, int]:
    """The line without its comments; `;--` opens one that ends with `--;`, on whatever line."""
    out, at = "", 0
    while at < len(raw):
        if depth:
            if raw.startswith("--;", at):
                depth, at = depth - 1, at + 2
        elif raw.startswith("\\;", at):
            out, at = out + ";", at + 1
        elif raw.startswith(";--", at) and raw[at + 3 : at + 4] != "-":
            depth, at = depth + 1, at + 2
        elif raw[at] == ";":
            break
        else:
            out += raw[at]
        at += 1
    return out, depth
