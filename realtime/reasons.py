"""The center's reasons in a shape that pages put into words: codes and numbers, and the site's labels. Pure.

A reason is never a sentence here: the same code is said in Persian and in English by the page. What a queue asks for
is said by labels of the site (`Loans ≥ 3`), as far as it is made of skills and agents; an expression stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from acd.routing.estimate import WaitRange
from acd.site import Label, Site
from acd.why import WhyNot, WhyWaiting

Json = dict[str, object]

_SKILL = re.compile(r"([A-Za-z0-9_-]+)>=(\d+)\Z")
_OR = {"fa": " یا ", "en": " or "}
_AND = {"fa": "، ", "en": ", "}
_LEVEL = {"fa": "{0} (سطح {1} و بالاتر)", "en": "{0} ≥ {1}"}
"""From right to left the sign is mirrored, and read by many as its contrary: Persian has words instead."""
_ANYBODY = {"fa": "هر کارشناس", "en": "any agent"}


def label(value: Label) -> Json:
    return {"fa": value.fa, "en": value.en}


def chosen(why: str) -> Json:
    """Why an agent was chosen (`acd.why.why_chosen`) as fields: the `rule`, and each figure by its name."""
    rule, *figures = why.split() or [""]
    shown: Json = {"rule": rule}
    for name, sign, value in (figure.partition("=") for figure in figures):
        if sign:
            shown[name] = _number(value)
    return shown


def _number(text: str) -> int | float | str:
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text


def requirement_label(site: Site, text: str) -> Json:
    """A requirement as `acd.routing.needs.said` writes it, in both languages, with the site's labels for its ids."""
    return {
        language: _OR[language].join(
            _AND[language].join(_term(site, term, language) for term in way.split(", "))
            for way in text.split(" | ")
        )
        for language in ("fa", "en")
    }


def _term(site: Site, term: str, language: str) -> str:
    if term == "anybody":
        return _ANYBODY[language]
    found = _SKILL.match(term)
    if found is not None and found[1] in site.skills:
        name = getattr(site.skills[found[1]].label, language)
        return f"{name}" if found[2] == "1" else _LEVEL[language].format(name, found[2])
    who = site.agents.get(term.removeprefix("one of "))
    return getattr(who.label, language) if who is not None else term


def waiting(site: Site, case: WhyWaiting, agents: int) -> Json:
    """Why a visit waits now; of the agents who do not get it the nearest so many. What is unknown is left out."""
    shown: Json = {
        "visit": case.visit,
        "queue": case.queue,
        "state": case.state.value,
        "waiting_since_us": case.waiting_since_us,
        "requirement": case.requirement,
        "requirement_label": requirement_label(site, case.requirement),
        "step": case.step,
        "priority": case.priority,
        "ahead": case.ahead,
        "able": case.able,
        "present": case.present,
        "attached": case.attached,
        "agents": [_why_not(site, each) for each in case.agents[:agents]],
    }
    optional: Mapping[str, object] = {
        "cause": case.cause.value if case.cause is not None else None,
        "waits_for": case.waits_for,
        "next_step_us": case.next_step_us,
        "expected_wait_s": wait_range(case.expected),
    }
    return shown | {name: value for name, value in optional.items() if value is not None}


def wait_range(expected: WaitRange | None) -> Json | None:
    """In whole seconds: a wait is not known better than that."""
    if expected is None:
        return None
    return {
        "low": round(expected.low_s),
        "likely": round(expected.likely_s),
        "high": round(expected.high_s),
    }


def _why_not(site: Site, each: WhyNot) -> Json:
    shown: Json = {"agent": each.agent, "reason": each.reason}
    who = site.agents.get(each.agent)
    if who is not None:
        shown["name"] = label(who.label)
    if each.skill is not None:
        skill = site.skills.get(each.skill)
        shown["skill"] = each.skill
        shown["skill_label"] = label(skill.label) if skill is not None else each.skill
        shown["needed"], shown["has"] = each.needed, each.has
    return shown
