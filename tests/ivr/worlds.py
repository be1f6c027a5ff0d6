"""What the tests of flows stand on: a small site, a flow to break, a caller who answers."""

from __future__ import annotations

from datetime import UTC, datetime
from textwrap import dedent, indent

from acd.site import Site, load_site
from acd.verbs import Begun, Reply, Verb
from ivr.check import ReadFlow, load_flow
from ivr.flow import Flow
from ivr.phrase import Phrase
from ivr.script import FlowScript, Surroundings

SITE_TEXT = """
name: {fa: مرکز, en: Center}
time_zone: Asia/Tehran
language: fa
skills: {talk: {label: {fa: گفتن, en: Talking}}}
queues:
  cards: {label: {fa: کارت, en: Cards}, requires: {talk: 1}}
  english: {label: {fa: انگلیسی, en: English}, requires: {talk: 1}}
agents:
  sara: {label: {fa: سارا, en: Sara}, skills: {talk: 5}}
numbers:
  "021100": {flow: bank, hours: office}
  "021101": {flow: bank, language: en}
  "021102": {flow: lost}
hours:
  office: {weekly: {sun: ["08:00-17:00"]}, closed_on_holidays: false}
"""

OPEN = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)  # Sunday, 11:30 in Tehran
CLOSED = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)

FLOW_TEXT = dedent("""
    flow: bank
    start: greeting
    person: people
    prompts:
      wrong: {fa: اشتباه, en: Wrong}
      silent: {fa: سکوت, en: Silence}
      menu: {fa: منو, en: Menu}
    nodes:
      greeting: {kind: say, prompt: {fa: سلام, en: Hello}, next: language}
      language: {kind: language, prompt: {fa: فارسی یک, en: English two}, keys: {"1": fa, "2": en}, next: opening}
      opening: {kind: hours, open: main, closed: closed}
      main:
        kind: menu
        prompt: menu
        no_input: silent
        no_match: wrong
        keys: {1: cards, 2: pin, "*": main}
      cards:
        kind: queue
        queue: {fa: cards, en: english}
        priority: 3
        welcome: {fa: وصل می‌شود, en: Connecting}
        comfort: {fa: صبر, en: Patience}
        after: thanks
      people: {kind: queue, queue: cards, unavailable: thanks}
      pin:
        kind: collect
        prompt: {fa: رمز, en: Your PIN}
        no_input: silent
        no_match: wrong
        into: pin
        max_digits: 6
        min_digits: 4
        secret: true
        next: balance
      balance:
        kind: ask
        what: bank.balance
        args: {pin: $pin, kind: main}
        answers: {ok: mark, blocked: people}
        otherwise: people
        keep: {account: account}
      mark: {kind: set, name: ACCOUNT, value: "A-$account", next: main}
      closed: {kind: hangup, prompt: {fa: بسته, en: Closed}}
      thanks: {kind: hangup, prompt: {fa: سپاس, en: Thanks}}
    """)


def site() -> Site:
    return load_site(SITE_TEXT, "center.yaml")


def flow(text: str = FLOW_TEXT) -> Flow:
    return load_flow(text, "bank.yaml", site()).flow


def sound(phrase: Phrase) -> str:
    return f"{phrase.language}:{phrase.text}"


def script(
    a_flow: Flow | None = None,
    *,
    at: datetime = OPEN,
    language: str = "fa",
    language_known: bool = False,
    node: str | None = None,
) -> FlowScript:
    around = Surroundings(site(), sound, lambda: at, hours="office")
    return FlowScript(
        a_flow if a_flow is not None else flow(), around, language, language_known=language_known, node=node
    )


def walk(a_script: FlowScript, *replies: Reply) -> Verb:
    """The verb after `Begun` and these replies."""
    verb = a_script.next(Begun())
    for reply in replies:
        verb = a_script.next(reply)
    return verb


def small(nodes: str, head: str = "", *, name: str = "small") -> Flow:
    """A flow of these nodes (YAML, indented by two), which begins at `first` and has `people` as its person."""
    return load_small(nodes, head, name=name).flow


def load_small(nodes: str, head: str = "", *, name: str = "small") -> ReadFlow:
    return load_flow(small_text(nodes, head, name=name), f"{name}.yaml", site())


def small_text(nodes: str, head: str = "", *, name: str = "small") -> str:
    return (
        f"flow: {name}\nlanguages: [en]\nstart: first\nperson: people\n{dedent(head).strip()}\nnodes:\n"
        + indent(dedent(nodes), "  ")
        + "\n  people: {kind: queue, queue: cards}\n"
        + ("  bye: {kind: hangup, prompt: {en: Bye}}\n" if "bye" in nodes else "")
    )


def walker(a_flow: Flow, *others: Flow, at: datetime = OPEN, node: str | None = None) -> FlowScript:
    """Its script in English, beside other flows that it may call."""
    flows = {each.flow: each for each in (a_flow, *others)}
    return FlowScript(a_flow, Surroundings(site(), sound, lambda: at, "office", flows), "en", node=node)
