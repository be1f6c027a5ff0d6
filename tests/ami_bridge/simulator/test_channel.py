"""A channel's variables: what is handed on to legs, and what a text with variables becomes."""

from __future__ import annotations

from ami_bridge.simulator.channel import Channel, expand


def channel(name: str) -> Channel:
    return Channel(f"PJSIP/{name}-00000000", "u", "u", "c", "s", 0.0)


def test_variables_are_handed_on_as_far_as_they_ask() -> None:
    caller, leg, further = channel("trunk"), channel("101"), channel("102")
    caller.set("__PASOKH_ID", "contact")
    caller.set("_ONCE", "one")
    caller.set("MINE", "mine")
    leg.inherit_from(caller)
    further.inherit_from(leg)
    assert leg.variables == {"PASOKH_ID": "contact", "ONCE": "one"}
    assert further.variables == {"PASOKH_ID": "contact"}
    assert caller.get("PASOKH_ID") == "contact"


def test_a_text_is_expanded_from_inside_out() -> None:
    values = {"A": "B", "B": "deep", "EMPTY": ""}
    assert expand("${${A}}-${EMPTY}-${NONE}!", lambda name: values.get(name, "")) == "deep--!"


def test_a_value_that_names_itself_comes_to_an_end() -> None:
    assert "SELF" in expand("${SELF}", lambda name: "${SELF}")
