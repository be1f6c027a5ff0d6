"""The ticket on a caller's channel: it comes back as it was written, fits, and survives other versions."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.ticket import MAX_BYTES, Ticket, TicketError, decode, encode, newer

ids = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=12)
numbers = st.integers(min_value=-(2**62), max_value=2**62)
tickets = st.builds(
    Ticket,
    contact=ids,
    sequence=st.integers(min_value=0, max_value=10**6),
    flow=st.none() | ids,
    flow_version=st.none() | ids,
    node=st.none() | ids,
    language=st.none() | st.sampled_from(["fa", "en"]),
    customer=st.none() | ids,
    visit=st.none() | ids,
    queue=st.none() | ids,
    entered_us=st.none() | numbers,
    priority=st.none() | st.integers(min_value=-100, max_value=100),
    step=st.none() | st.integers(min_value=0, max_value=9),
    offer=st.none() | ids,
    agent=st.none() | ids,
    offered_us=st.none() | numbers,
)


@given(tickets)
def test_a_ticket_comes_back_as_it_was_written(ticket: Ticket) -> None:
    text = encode(ticket)
    assert decode(text) == ticket
    assert len(text.encode()) <= MAX_BYTES
    assert "\n" not in text


@given(tickets)
def test_its_next_is_newer_whatever_else_changed(ticket: Ticket) -> None:
    after = ticket.next(node="n2", queue=None)
    assert newer(ticket, after) is newer(after, ticket) is after
    assert (after.node, after.queue, after.contact) == ("n2", None, ticket.contact)


def test_what_a_newer_version_wrote_is_kept() -> None:
    text = '{"T":7,"c":"pbx1-1.1","s":3,"zz":{"deep":[1,2]},"n":"menu"}'
    ticket = decode(text).next(node="other")
    again = json.loads(encode(ticket))
    assert again["zz"] == {"deep": [1, 2]}
    assert (again["n"], again["s"]) == ("other", 4)


def test_a_ticket_with_long_ids_fits_and_one_that_does_not_is_refused() -> None:
    fits = Ticket(
        contact="pbx-teh-01-1795000500.123456",
        sequence=999,
        flow="bank",
        flow_version="0123456789abcdef",
        node="ask_for_the_card_number",
        language="fa",
        customer="0190f3a2-7f44-7c1e-9d1e-3a5b7c9d1e2f",
        visit="pbx-teh-01-1795000500.123456.2",
        queue="corporate_customers",
        entered_us=1_795_000_500_000_000,
        priority=-100,
        offer="pbx-teh-01-1795000500.123456.2.17",
        agent="a.mohammadi",
        offered_us=1_795_000_500_000_000,
    )
    assert len(encode(fits).encode()) <= MAX_BYTES
    with pytest.raises(TicketError, match="shorter ids"):
        encode(fits.next(node="گره" * 60))  # bytes count, not characters


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "null", "[]", "7", '"x"', "{}", '{"T":1}', '{"c":"x"}', '{"T":"1","c":"x"}', '{"T":1,"c":7}',
        '{"T":1,"c":"x","s":"3"}', '{"T":1,"c":"x","e":1.5}', '{"T":1,"c":"x","p":true}', '{"T":1,"c":"x","q":null}',
        '{"T":1,"c":"\\ud800"}', "[" * 4000, '{"T":1,"c":"x"', '{"T":1,"c":"x"}x', '{"T":1,"c":"x","z":"\\udfff"}',
    ],
)  # fmt: skip
def test_what_is_no_ticket_is_refused(text: str) -> None:
    with pytest.raises(TicketError):
        decode(text)


@given(st.text(max_size=80))
def test_any_other_text_is_a_ticket_or_an_error_of_ours(text: str) -> None:
    with suppress(TicketError):
        encode(decode(text))
