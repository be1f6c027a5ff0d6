"""Sites and settings for these tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from acd.site import Site, load_site
from asterisk_conf import AsteriskConfSettings

_EXAMPLE = Path(__file__).parents[2] / "pasokh/example/center.yaml"


@cache
def example() -> Site:
    return load_site(_EXAMPLE.read_text("utf-8"), "center.yaml")


def bent(section: str, name: str, value: object) -> Site:
    """The example with one entry more that no center.yaml would be allowed to have."""
    site = example()
    return site.model_copy(update={section: {**getattr(site, section), name: value}})


def settings(**changes: Any) -> AsteriskConfSettings:
    return AsteriskConfSettings(**{"agi_secret": "agi-secret", "ami_secret": "ami-secret", **changes})


def secrets(name: str) -> str:
    return "secret-of-" + name.rpartition("/")[2]
