"""The flows of a site, and the script of each call."""

from __future__ import annotations

from pathlib import Path

import pytest

from acd.errors import DocumentError
from acd.site import load_site
from acd.ticket import Ticket
from acd.verbs import Begun, Say, WaitInLine
from ivr.errors import UnknownFlowError, UnknownNumberError
from ivr.library import OLDER_KEPT, Flows, load_flows, shipped_flows
from ivr.script import FlowScript
from tests.ivr import worlds

EXAMPLE = Path(__file__).parents[2] / "pasokh" / "example" / "center.yaml"


@pytest.fixture
def flows(tmp_path: Path) -> Flows:
    (tmp_path / "bank.yaml").write_text(worlds.FLOW_TEXT, encoding="utf-8")
    return load_flows(worlds.site(), tmp_path)


def script_for(
    flows: Flows, number: str = "021100", ticket: Ticket | None = None, language: str | None = None
) -> FlowScript:
    return flows.script_for(number, ticket, language, sound=worlds.sound, now_utc=lambda: worlds.OPEN)


def test_the_shipped_flows_fit_the_example_site_without_a_warning() -> None:
    site = load_site(EXAMPLE.read_text(encoding="utf-8"), "center.yaml")
    flows = load_flows(site)
    assert set(flows.flows) == {"bank", "insurer", "transaction"} == set(shipped_flows())
    assert flows.warnings == ()
    assert flows.languages() == {"fa", "en"}


def test_every_shipped_text_stands_in_both_languages() -> None:
    for name, flow in load_flows(worlds.site().model_copy(update={"numbers": {}})).flows.items():
        assert flow.languages == ("fa", "en"), name
        texts = [flow.written(prompt) for node in flow.nodes.values() for _, prompt in node.prompts()]
        assert [each for each in texts if each is None or not (each.fa and each.en)] == [], name
        slots = [(each.slots("fa"), each.slots("en")) for each in texts if each is not None]
        assert [{slot.name for slot in fa} ^ {slot.name for slot in en} for fa, en in slots] == [set()] * len(
            texts
        )


def test_a_flow_of_the_operator_wins_over_a_shipped_one_of_that_name(flows: Flows) -> None:
    assert flows.flows["bank"] == worlds.flow()
    assert set(flows.flows) == {"bank", "insurer", "transaction"}


def test_the_number_chooses_flow_and_language(flows: Flows) -> None:
    assert script_for(flows).next(Begun()) == Say(("fa:سلام",), "0123456789*#")
    assert script_for(flows, "021101").next(Begun()) == Say(("en:Hello",), "0123456789*#")
    assert script_for(flows, language="en").position.language == "en"
    assert script_for(flows, language="de").position.language == "fa"
    assert script_for(flows).position.version == flows.versions["bank"]


def test_a_ticket_goes_on_at_its_node_in_its_language(flows: Flows) -> None:
    ticket = Ticket("c1", flow="bank", node="cards", language="en", queue="english")
    a_script = script_for(flows, "021100", ticket)
    assert (a_script.position.node, a_script.position.language) == ("cards", "en")
    assert isinstance(a_script.next(Begun()), WaitInLine)


@pytest.mark.parametrize(
    ("ticket", "node"),
    [
        (Ticket("c1", flow="bank", node="gone"), "greeting"),
        (Ticket("c1", flow="bank", node="gone", queue="english"), "cards"),
        (Ticket("c1", flow="bank", node="gone", queue="closed-down"), "people"),
        (Ticket("c1", flow="gone", node="main"), "greeting"),
        (Ticket("c1"), "greeting"),
    ],
)
def test_a_ticket_from_a_flow_that_changed_finds_a_place(flows: Flows, ticket: Ticket, node: str) -> None:
    assert script_for(flows, ticket=ticket).position.node == node


def test_an_unknown_number_or_flow_is_said(flows: Flows) -> None:
    with pytest.raises(UnknownNumberError):
        script_for(flows, "999")
    with pytest.raises(UnknownFlowError, match=r'The flow "lost" is not loaded'):
        script_for(flows, "021102")
    assert script_for(flows, "999", Ticket("c1", flow="bank", node="main")).position.node == "main"


def test_every_broken_file_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "bank.yaml").write_text(
        worlds.FLOW_TEXT.replace("queue: cards,", "queue: cord,"), encoding="utf-8"
    )
    (tmp_path / "other.yaml").write_text("flow: [", encoding="utf-8")
    (tmp_path / "third.yaml").write_bytes(b"\xff")
    with pytest.raises(DocumentError) as caught:
        load_flows(worlds.site(), tmp_path)
    assert [Path(p.file).name for p in caught.value.problems] == ["bank.yaml", "other.yaml", "third.yaml"]


def test_a_file_and_its_flow_have_one_name(tmp_path: Path) -> None:
    (tmp_path / "bunk.yaml").write_text(worlds.FLOW_TEXT, encoding="utf-8")
    with pytest.raises(DocumentError, match=r'the file "bunk\.yaml" holds the flow "bank"'):
        load_flows(worlds.site(), tmp_path)


CHANGED = worlds.FLOW_TEXT.replace("{fa: سلام, en: Hello}", "{fa: درود, en: Good day}")


def published(text: str) -> Flows:
    return load_flows(worlds.site(), published={"bank": text})


def test_a_published_flow_wins_over_a_file_of_that_name(tmp_path: Path) -> None:
    (tmp_path / "bank.yaml").write_text(worlds.FLOW_TEXT, encoding="utf-8")
    flows = load_flows(worlds.site(), tmp_path, {"bank": CHANGED})
    assert script_for(flows).next(Begun()) == Say(("fa:درود",), "0123456789*#")
    assert flows.texts["bank"] == CHANGED


def test_a_call_keeps_the_version_it_began_with(flows: Flows) -> None:
    before = flows.versions["bank"]
    now = published(CHANGED).after(flows, ())
    assert now.versions["bank"] != before
    began_before = Ticket("c1", flow="bank", flow_version=before, node="greeting")
    script = script_for(now, ticket=began_before)
    assert script.next(Begun()) == Say(("fa:سلام",), "0123456789*#")
    assert script.position.version == before
    began_now = Ticket("c2", flow="bank", flow_version=now.versions["bank"], node="greeting")
    assert script_for(now, ticket=began_now).next(Begun()) == Say(("fa:درود",), "0123456789*#")


def test_a_version_that_is_gone_goes_on_at_the_same_node_of_the_present_one(flows: Flows) -> None:
    script = script_for(flows, ticket=Ticket("c1", flow="bank", flow_version="0" * 12, node="cards"))
    assert (script.position.node, script.position.version) == ("cards", flows.versions["bank"])
    script = script_for(flows, ticket=Ticket("c1", flow="bank", flow_version="0" * 12, node="gone"))
    assert script.position.node == "greeting"


def test_versions_that_nobody_is_in_are_forgotten_but_for_the_newest(flows: Flows) -> None:
    now, first = flows, flows.versions["bank"]
    for number in range(OLDER_KEPT + 3):
        now = published(CHANGED.replace("درود", f"درود {number}")).after(now, {("bank", first)})
    kept = [version for name, version in now.older if name == "bank"]
    assert len(kept) == OLDER_KEPT + 1
    assert kept[0] == first
    assert now.versions["bank"] not in kept


def test_a_version_that_comes_back_is_the_present_one_again(flows: Flows) -> None:
    again = load_flows(worlds.site(), published={"bank": worlds.FLOW_TEXT}).after(
        published(CHANGED).after(flows, ()), ()
    )
    assert again.versions["bank"] == flows.versions["bank"]
    assert [name for name, _ in again.older if name == "bank"] == ["bank"]
