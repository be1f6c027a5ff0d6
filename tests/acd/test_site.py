"""center.yaml: the shipped example is right, and every mistake is told with its place and its remedy."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from pydantic import ValidationError

from acd.errors import DocumentError, JournalError, Problem
from acd.site import AgentSkill, Site, load_site, read_site, site_json, version_of

EXAMPLE = (Path(__file__).parents[2] / "pasokh/example/center.yaml").read_text("utf-8")
SMALL = """\
name: {fa: کوچک, en: Small}
time_zone: Asia/Tehran
skills: {fa: {label: {fa: فارسی, en: Persian}}}
queues: {main: {label: {fa: اصلی, en: Main}, requires: {fa: 1}}}
agents: {sara: {label: {fa: سارا, en: Sara}, skills: {fa: 3}, phone: p1}}
phones: {p1: {kind: static, contact: "sip:p1@192.0.2.10:5060"}}
numbers: {2100: {flow: main}}
"""


def problems(text: str) -> tuple[Problem, ...]:
    with pytest.raises(DocumentError) as caught:
        load_site(text, "center.yaml")
    return caught.value.problems


def broken(old: str, new: str) -> tuple[Problem, ...]:
    assert old in EXAMPLE
    return problems(EXAMPLE.replace(old, new, 1))


def test_the_example_is_a_bank_without_a_doubt() -> None:
    read = read_site(EXAMPLE, "center.yaml")
    assert read.warnings == ()
    site = read.site
    assert (len(site.numbers), len(site.queues), len(site.agents)) == (2, 4, 8)
    assert site.queues["loans"].requires == {"loans": 3, "fa": 1}
    assert site.agents["sara"].skills["cards"] == AgentSkill(level=7, rank=1)
    assert site.agents["nima"].skills["cards"] == AgentSkill(level=5, rank=2)
    assert site.queues["cards"].label.text("fa") == "امور کارت"
    assert site.numbers["02191001500"].hours == "office"


def test_what_is_left_out_has_the_defaults_of_the_trade() -> None:
    queue = load_site(SMALL, "center.yaml").queues["main"]
    assert (queue.target_s, queue.short_abandon_s, queue.ring_timeout_s) == (20, 5, 15)
    assert (queue.rona_misses, queue.wrap_up_s, queue.capacity, queue.priority) == (1, 30, None, 0)


@pytest.mark.parametrize("text", [EXAMPLE, SMALL])
def test_a_site_comes_back_from_the_journal_as_it_was(text: str) -> None:
    site = load_site(text, "center.yaml")
    again = Site.from_json(site_json(site))
    assert again == site
    assert site_json(again) == site_json(site)
    assert version_of(again) == version_of(site)
    assert list(again.queues) == list(site.queues)
    assert list(again.agents) == list(site.agents)
    assert "\n" not in site_json(site)


def test_the_version_names_the_content_and_not_the_writing() -> None:
    site = load_site(EXAMPLE, "center.yaml")
    assert version_of(load_site(EXAMPLE + "\n# a remark\n", "other.yaml")) == version_of(site)
    assert version_of(load_site(EXAMPLE.replace("target_s: 20", "target_s: 21"), "c")) != version_of(site)
    assert len(version_of(site)) == 16


@pytest.mark.parametrize(
    "text", ["", "{", "{}", "[]", '{"name": {"fa": "x", "en": "x"}, "time_zone": "Mars"}']
)
def test_a_stored_site_that_cannot_be_read_is_told(text: str) -> None:
    with pytest.raises(JournalError, match=r"apply center\.yaml again"):
        Site.from_json(text)


def test_a_site_is_not_changed_after_loading() -> None:
    site = load_site(SMALL, "center.yaml")
    with pytest.raises(ValidationError):
        site.country = "DE"


@pytest.mark.parametrize(
    ("old", "new", "message", "fix"),
    [
        ("requires: {en: 5}", "requires: {eng: 5}", 'the skill "eng"', 'write "en"'),
        ("phone: desk3", "phone: dsk3", 'the phone "dsk3"', 'write "desk3"'),
        ("team: day", "team: night", 'the team "night"', "define it under teams"),
        ("hours: always", "hours: alway", 'the opening hours "alway"', 'write "always"'),
        (
            "dispositions: [resolved,",
            "dispositions: [solved,",
            'the disposition "solved"',
            'write "resolved"',
        ),
        ("skills: {fa: 9, cards: 7}", "skills: {fa: 9, crds: 7}", 'the skill "crds"', 'write "cards"'),
        ("requires: {en: 5}", "requires: {en: 11}", "out of range", "at most 10"),
        ("skills: {fa: 9, cards: 7}", "skills: {fa: 0, cards: 7}", "out of range", "at least 1"),
        ("level: 5, rank: 2}", "level: 5, rank: 0}", "out of range", "at least 1"),
        ("target_s: 20", "target_s: fast", "not a number", "a number"),
        ("{fa: 9, cards: 7}", "{fa: 9, cards: high}", '"high" is not a level', "from 1 to 10"),
        ("target_s: 20", "target: 20", '"target" is not known', 'write "target_s"'),
        ("time_zone: Asia/Tehran", "time_zone: Asia/Teheran", "not a time zone", "Asia/Tehran"),
        ("time_zone: Asia/Tehran", "time_zone: ../../etc/passwd", "not a time zone", "Asia/Tehran"),
        ("country: IR ", "country: Iran ", "not a country", "IR"),
        ("{fa: بانک نمونه, en: Example Bank}", "{fa: بانک نمونه}", '"en" is missing in name', "en:"),
        ("  loans: {label", "  'loans;x': {label", "cannot be an id", "a-z"),
        ("host: sip.example.net", "host: 'a b'", "not a host", "sip.example.org"),
        ("secret_file: secrets/desk1", "secret: hunter2", '"secret" is not known', 'write "secret_file"'),
        ("{kind: desk, secret_file: secrets/desk1}", "{kind: desk}", "no secret", "secret_file"),
        ("{kind: desk, secret_file: secrets/desk1}", "{kind: static}", "no contact", "contact"),
        ("{kind: desk, secret_file: secrets/desk1}", "{kind: dsk}", "is not known", 'write "desk"'),
        ('["08:00-13:00"]', "[8 to 13]", "not a span of hours", "08:00-17:00"),
        ("1405-12-29", "1405-13-29", "not a day", "1405-09-10"),
        ("      thu:", "      thr:", "thr", "thu"),
        ("disposition_required: true", "disposition_required: maybe", "true or false", "true or false"),
        (
            "dispositions: [resolved, follow_up, complaint]\n    ",
            "",
            "a disposition is required",
            "list them",
        ),
        ('"02191001501":', '"0219100150x":', "cannot be dialled", "digits"),
        ("flow: bank, hours: office", "hours: office", '"flow" is missing', "flow:"),
        ("    username:", "    user:", '"user" is not known', 'write "username"'),
        ("{fa: استراحت, en: Break}", "{fa: استراحت, en: '\\u202e'}", "", ""),
    ],
)
def test_a_mistake_is_told_with_its_place_and_its_remedy(old: str, new: str, message: str, fix: str) -> None:
    if not message:
        load_site(EXAMPLE.replace(old, new, 1), "center.yaml")
        return
    found = broken(old, new)
    one = next((p for p in found if message in str(p)), None)
    assert one is not None, [str(p) for p in found]
    assert fix in one.fix, one
    changed = {EXAMPLE.count("\n", 0, EXAMPLE.index(old)) + 1 + n for n in range(-1, 2)}
    near = one.line in changed or "requires a" in message or "is required" in message
    assert near, (one, changed)


def test_every_mistake_is_told_at_once() -> None:
    text = EXAMPLE.replace("requires: {en: 5}", "requires: {eng: 5}").replace("phone: desk3", "phone: dsk3")
    found = problems(text.replace("hours: always", "hours: alway"))
    assert [p.message.split(" names ")[0] for p in found if p.severity == "error"] == [
        "queues.english",
        "agents.mina",
        "numbers.02191001501",
    ]
    assert str(found[0]).startswith("center.yaml:51:16: queues.english names the skill")


def test_a_queue_that_nobody_can_serve_is_a_warning() -> None:
    read = read_site(EXAMPLE.replace("requires: {en: 5}", "requires: {en: 10}"), "center.yaml")
    (warning,) = read.warnings
    assert "no agent has the skills" in warning.message
    assert warning.severity == "warning"
    assert str(warning).startswith("center.yaml:49:3: warning: ")


def test_two_agents_at_one_phone_are_a_warning() -> None:
    (warning,) = read_site(EXAMPLE.replace("phone: desk2", "phone: desk1"), "center.yaml").warnings
    assert '"sara" and "reza"' in warning.message


def test_labels_are_cleaned_and_markup_stays_text() -> None:
    label = load_site(SMALL.replace("en: Small", 'en: "<img src=x>\\u202e\\x1b Bank"'), "c").name
    assert label.en == "<img src=x> Bank"
    (problem,) = problems(SMALL.replace("en: Small", 'en: "\\u200b"'))
    assert "the text is empty" in problem.message


def test_numbers_are_kept_as_they_are_dialled() -> None:
    site = load_site(
        SMALL.replace("2100:", "02100:").replace("time_zone:", "area_code: 021\ntime_zone:"), "c"
    )
    assert list(site.numbers) == ["02100"]
    assert site.area_code == "021"
    assert list(load_site(SMALL.replace("2100:", "۰۲۱۰۰:"), "c").numbers) == ["02100"]


def test_one_number_written_in_two_digits_is_told() -> None:
    (problem,) = problems(SMALL.replace("{2100: {flow: main}}", '{2100: {flow: main}, "۲۱۰۰": {flow: main}}'))
    assert "2100" in problem.message


def test_a_site_of_a_thousand_agents_is_read_in_seconds() -> None:
    agents = "".join(
        f"  a{n}: {{label: {{fa: کارشناس, en: Agent}}, skills: {{fa: 3}}, phone: p{n}}}\n"
        for n in range(1000)
    )
    phones = "".join(f"  p{n}: {{kind: desk, secret_file: secrets/p{n}}}\n" for n in range(1000))
    text = (
        SMALL.split("agents:")[0] + f"agents:\n{agents}phones:\n{phones}numbers: {{2100: {{flow: main}}}}\n"
    )
    begun = time.process_time()
    assert len(load_site(text, "center.yaml").agents) == 1000
    assert time.process_time() - begun < 20
