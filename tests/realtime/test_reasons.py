"""The center's reasons as codes, numbers and labels of the site."""

from __future__ import annotations

import pytest

from acd.site import load_site
from realtime.reasons import chosen, requirement_label
from tests.realtime.house import SITE


@pytest.mark.parametrize(
    ("text", "fa", "en"),
    [
        ("loans>=3", "وام (سطح 3 و بالاتر)", "Loans ≥ 3"),
        ("fa>=1, loans>=3 | sara", "فارسی، وام (سطح 3 و بالاتر) یا سارا", "Persian, Loans ≥ 3 or Sara"),
        ("anybody", "هر کارشناس", "any agent"),
        ("one of sara, reza", "سارا، رضا", "Sara, Reza"),
        ('(agent.team == "a"), gone>=2', '(agent.team == "a")، gone>=2', '(agent.team == "a"), gone>=2'),
    ],
)
def test_a_requirement_is_said_by_the_labels_of_the_site(text: str, fa: str, en: str) -> None:
    assert requirement_label(load_site(SITE, "center.yaml"), text) == {"fa": fa, "en": en}


def test_a_choice_is_a_rule_and_its_figures() -> None:
    assert chosen("best-skill idle_s=42.1 level=7 free=3 step=1") == {
        "rule": "best-skill",
        "idle_s": 42.1,
        "level": 7,
        "free": 3,
        "step": 1,
    }
    assert chosen("") == {"rule": ""}
