"""What docs/flows.md shows is a flow that can be used, and what it lists is what there is."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import indent

import pytest

from acd.common.document import load_document
from ivr.check import load_flow
from ivr.flow import BUILT_IN, KINDS, NAMES, Flow
from ivr.flow.whole import AnyNode
from ivr.say.slots import KINDS as SPOKEN
from ivr.steps.questions import FIELDS
from tests.ivr import worlds

GUIDE = (Path(__file__).parents[2] / "docs" / "flows.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
ROWS = {row[0]: row[1] for row in re.findall(r"^\| `([a-z]+)` \| (.*?) \|", GUIDE, re.MULTILINE)}


def test_the_first_example_is_a_whole_flow() -> None:
    site = worlds.site()
    site = site.model_copy(update={"queues": {"reception": site.queues["cards"]}})
    assert load_flow(EXAMPLES[0], "clinic.yaml", site, {"billing.due"}).warnings == ()


@pytest.mark.parametrize("example", EXAMPLES[1:])
def test_the_others_are_nodes(example: str) -> None:
    text = f"flow: f\nstart: {example.split(':')[0]}\nnodes:\n{indent(example, '  ')}"
    nodes = "".join(
        f"  {n}: {{kind: queue, queue: cards}}\n" for n in ("people", "offer", "balance", "thanks")
    )
    assert load_document(text + nodes, "f.yaml", Flow).model.nodes


def test_every_kind_is_listed_with_the_fields_that_must_be_written() -> None:
    assert set(KINDS) <= set(ROWS)
    for node in AnyNode.__args__:
        kind = node.model_fields["kind"].annotation.__args__[0]
        fields = {n.rstrip("_"): f.is_required() for n, f in node.model_fields.items() if n != "kind"}
        bold = {
            name for part in re.findall(r"\*\*(.*?)\*\*", ROWS[kind]) for name in re.findall(r"`(\w+)`", part)
        }
        assert bold == {name for name, required in fields.items() if required}, kind
        assert set(re.findall(r"`(\w+)`", ROWS[kind])) <= set(fields), kind


def test_everything_that_a_condition_may_read_is_listed() -> None:
    assert set(NAMES) <= set(ROWS)
    for name, fields in FIELDS.items():
        row = ROWS["queues" if name == "queue" else name]
        assert fields <= set(re.findall(r"\w+", row)), name


def test_the_kinds_of_slots_and_the_built_in_prompts_exist() -> None:
    assert all(kind in GUIDE for kind in SPOKEN)
    named = re.search(r"replaces one\n\((.*?)…", GUIDE, re.DOTALL)
    assert named is not None
    assert set(re.findall(r"`([a-z-]+)`", named[1])) <= set(BUILT_IN)
