"""What docs/queues.md shows can be used as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

from acd.site import load_site

HOUSE = Path(__file__).parents[2]

SITE = """
name: {fa: مرکز, en: Center}
time_zone: Asia/Tehran
skills:
  loans: {label: {fa: وام, en: Loans}}
  cards: {label: {fa: کارت, en: Cards}}
  fa: {label: {fa: فارسی, en: Persian}}
  en: {label: {fa: انگلیسی, en: English}}
teams: {experts: {label: {fa: متخصصان, en: Experts}}}
agents: {sara: {label: {fa: سارا, en: Sara}, team: experts, skills: {loans: 9, cards: 9, fa: 9}}}
numbers: {"2100": {flow: bank}}
hours: {office: {weekly: {sat: ["08:00-17:00"]}}}
"""


def test_the_examples_are_read() -> None:
    text = (HOUSE / "docs/queues.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    requirement, ranking, entry = blocks
    general = "  general: {label: {fa: همه, en: All}, requires: {}}\n"
    site = load_site(SITE + requirement + entry + general + ranking, "docs/queues.md")
    loans = site.queues["loans"]
    assert [step.after_s for step in loans.relax] == [60, 120, 180]
    assert loans.capacity == 40
    assert site.ranking.by == "relative"
