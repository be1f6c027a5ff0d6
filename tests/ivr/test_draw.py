"""The picture of a flow: whole, the same each time, right in both languages, and nothing from outside in it."""

from __future__ import annotations

import itertools
import re
from xml.etree import ElementTree

import pytest

from acd.common.document import load_document
from acd.kpi.flows import Figures
from ivr.check import load_flow
from ivr.draw import draw
from ivr.draw_layout import Box, lay_out, layers_of
from ivr.draw_words import KINDS as DRAWN_KINDS
from ivr.flow import KINDS, Flow
from ivr.library import shipped_flows
from tests.ivr import worlds

SVG = "{http://www.w3.org/2000/svg}"


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def texts(svg: str) -> list[str]:
    return ["".join(each.itertext()) for each in parsed(svg).iter(f"{SVG}text")]


def flow_of(nodes: str, more: str = "") -> Flow:
    return load_document(f"flow: f\nlanguages: [fa, en]\nstart: a\n{more}\nnodes:\n{nodes}", "f", Flow).model


@pytest.mark.parametrize("name", shipped_flows())
@pytest.mark.parametrize("language", ["fa", "en"])
def test_every_node_and_every_way_of_a_shipped_flow_is_in_its_picture(name: str, language: str) -> None:
    flow = load_flow(shipped_flows()[name], name).flow
    svg = draw(flow, language)
    assert svg == draw(flow, language)
    boxes = [each.get("id") for each in parsed(svg).iter(f"{SVG}g") if each.get("id")]
    assert sorted(boxes) == sorted(f"node-{node}" for node in flow.nodes)
    shown = " ".join(texts(svg))
    for node in flow.nodes.values():
        for edge in node.edges():
            if edge.path[0] == "keys":
                key = str(edge.path[1])
                assert (key if language == "en" else key.translate(PERSIAN)) in shown


PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


def test_nothing_comes_from_outside_and_nothing_runs() -> None:
    flow = load_flow(shipped_flows()["bank"], "bank").flow
    svg = draw(flow, "fa")
    assert re.findall(r"(?:https?:)?//[^\"' )]+", svg) == ["http://www.w3.org/2000/svg"]
    for word in ("<script", "<image", "<use", "<foreignObject", "href", "url(", "@import", " on"):
        assert word not in svg.replace(" on the", "").replace("went on", "").replace(" only", ""), word


def test_texts_of_people_cannot_break_out_of_the_picture() -> None:
    hostile = '"><script>alert(1)</script>&amp;\u202e]]>'
    flow = flow_of("  a: {kind: hangup}", f"label: {{fa: '{hostile}', en: '{hostile}'}}")
    root = parsed(draw(flow, "en"))
    assert not list(root.iter(f"{SVG}script"))
    assert "script>alert" in (root.get("aria-label") or "")


def test_persian_is_written_from_the_right() -> None:
    svg = draw(worlds.flow(), "fa")
    greeting = next(each for each in parsed(svg).iter(f"{SVG}text") if each.text == "سلام")
    name = next(each for each in parsed(svg).iter(f"{SVG}text") if each.text == "greeting")
    assert greeting.get("direction") == "rtl"
    assert greeting.get("text-anchor") == "start", (
        "the start of a text that runs from the right is its right end"
    )
    assert (name.get("direction"), name.get("text-anchor")) == (None, "end")
    assert float(greeting.get("x") or 0) > float(name.get("x") or 0) > 0


def test_the_first_way_stands_where_reading_begins() -> None:
    nodes = """
  a: {kind: menu, prompt: {fa: الف, en: A}, keys: {"1": b, "2": c}, after_tries: c}
  b: {kind: hangup}
  c: {kind: queue, queue: cards}"""

    def left(language: str, node: str) -> float:
        svg = parsed(draw(flow_of(nodes), language))
        group = next(each for each in svg.iter(f"{SVG}g") if each.get("id") == f"node-{node}")
        return float(next(group.iter(f"{SVG}rect")).get("x") or 0)

    assert left("en", "b") < left("en", "c")
    assert left("fa", "b") > left("fa", "c")


def test_ways_of_errors_are_dashed_and_named() -> None:
    svg = draw(worlds.flow(), "en")
    assert 'class="way error"' in svg
    nodes = """
  a: {kind: menu, prompt: {fa: الف, en: A}, keys: {"1": b}, after_tries: c}
  b: {kind: hangup}
  c: {kind: queue, queue: cards}"""
    assert "after the tries" in texts(draw(flow_of(nodes), "en"))
    assert "پس از خطاها" in texts(draw(flow_of(nodes), "fa"))


def test_a_way_to_itself_or_far_back_is_written_under_the_box() -> None:
    nodes = """
  a: {kind: menu, prompt: {fa: الف, en: A}, keys: {"1": b, "*": a}, after_tries: d}
  b: {kind: say, prompt: {fa: ب, en: B}, next: c}
  c: {kind: menu, prompt: {fa: ج, en: C}, keys: {"9": a}, after_tries: d}
  d: {kind: hangup, prompt: {fa: د, en: D}}"""
    shown = texts(draw(flow_of(nodes), "en"))
    assert any(text.startswith("* ↻") for text in shown)
    assert any(text.startswith("9 ↩ ") and "a" in text for text in shown)


def test_figures_stand_in_the_boxes_and_much_loss_stands_out() -> None:
    figures = {"main": Figures(120, 80, 40), "greeting": Figures(120, 118, 2)}
    english, persian = draw(worlds.flow(), "en", figures), draw(worlds.flow(), "fa", figures)
    assert {"in 120", "on 80", "lost 40", "lost 2", "in 0"} <= set(texts(english))
    assert {"ورود ۱۲۰", "قطع ۴۰"} <= set(texts(persian))
    bad = [each.text for each in parsed(english).iter(f"{SVG}text") if each.get("class") == "bad"]
    assert bad == ["lost 40"]
    assert "lost" not in " ".join(texts(draw(worlds.flow(), "en")))


def test_every_kind_has_a_word_in_both_languages_and_a_sign() -> None:
    assert set(DRAWN_KINDS) == set(KINDS)
    assert all(all(entry) for entry in DRAWN_KINDS.values())


def test_layers_go_down_but_for_what_closes_a_circle() -> None:
    layer, back = layers_of(
        ["a", "b", "c", "d"], [("a", "b"), ("b", "c"), ("c", "a"), ("a", "c"), ("d", "d")]
    )
    assert (layer["a"], layer["b"], layer["c"], layer["d"]) == (0, 1, 2, 0)
    assert back == {("c", "a")}


def test_boxes_never_lie_on_each_other() -> None:
    names = [f"n{number}" for number in range(40)]
    pairs = [(names[n], names[m]) for n in range(40) for m in (n * 7 % 40, (n + 3) % 40, n // 2) if n != m]
    boxes = [Box(name, 100 + 20 * (number % 3), 40) for number, name in enumerate(names)]
    layout = lay_out(boxes, list(dict.fromkeys(pairs)))
    rows: dict[int, list[tuple[float, float]]] = {}
    for box in boxes:
        place = layout.places[box.name]
        rows.setdefault(place.layer, []).append((place.x - box.width / 2, place.x + box.width / 2))
        assert place.x - box.width / 2 >= 0
        assert place.x + box.width / 2 <= layout.width
    for row in rows.values():
        row.sort()
        assert all(before[1] < after[0] for before, after in itertools.pairwise(row))


def test_a_very_long_flow_is_drawn_without_recursion() -> None:
    nodes = "\n".join(
        f"  n{n}: {{kind: say, prompt: {{fa: الف, en: A}}, next: n{n + 1}}}" for n in range(1200)
    )
    flow = flow_of(
        f"  a: {{kind: say, prompt: {{fa: الف, en: A}}, next: n0}}\n{nodes}\n  n1200: {{kind: hangup}}"
    )
    assert draw(flow, "en").count("<g id=") == 1202
