"""No number of a person reaches a log; the ids by which a call is followed do."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from acd.common.checks import luhn, national_id
from acd.common.number import number_token
from acd.common.redact import redact, redact_event, redact_text
from acd.common.text import ascii_digits, persian_digits

CARD = "6219861012345673"


@pytest.mark.parametrize(
    "personal",
    [
        "09121234567",
        "۰۹۱۲۱۲۳۴۵۶۷",
        "٠٩١٢١٢٣٤٥٦٧",
        "+98 912 123 4567",
        "+98-912-123-4567",
        "(021) 8877 6655",
        "0912\u200c123\u200c4567",
        "88776655",
        "0084575948",
        "Local/09121234567@menu-00000001;1",
        "tel09121234567x",
        "sip:09121234567@10.0.0.1",
        "1234567890123",
        "IR062960000000100324200001",
    ],
)
def test_a_personal_number_is_gone(personal: str) -> None:
    left = ascii_digits(redact_text(f"said {personal} twice"))
    assert "[number]" in left or "[id]" in left
    assert not any(part in left for part in ("1234567", "4567", "6655", "0084575948", "100324200001"))


@pytest.mark.parametrize(
    "written", [CARD, "6219-8610-1234-5673", "6219 8610 1234 5673", persian_digits(CARD)]
)
def test_a_card_keeps_only_its_last_four(written: str) -> None:
    assert luhn(CARD)
    assert redact_text(f"card={written};") == "card=[card 5673];"


def test_sixteen_digits_that_are_no_card_are_a_number_all_the_same() -> None:
    assert redact_text("6219861012345670") == "[number]"


def test_a_national_id_is_named_as_such() -> None:
    assert national_id("0084575948") == "0084575948"
    assert redact_text("id 0084575948") == "id [id]"


@pytest.mark.parametrize(
    "harmless",
    [
        "pbx1-1795300000.123",
        "contact pbx-a-1795300000.123.1.2 queued",
        "2026-11-22T18:03:29.123456Z",
        "at 2026-11-22 18:03",
        "127.0.0.1:5038",
        "took 12 ms of 3000 in queue cards",
        "PJSIP/desk1-00000012",
        "PJSIP/1001-0000001a",
        "version fe741a83cf1ce0c1",
        "550e8400-e29b-41d4-a716-446655440000",
        "stepped 100, 200, 300",
        number_token("+989121234567", bytes(16)),
    ],
)
def test_what_a_call_is_followed_by_stays(harmless: str) -> None:
    assert redact_text(harmless) == harmless


PIECES = st.lists(
    st.one_of(
        st.text(max_size=12),
        st.text(alphabet="0123456789۰۱۹٠٩ -+().", max_size=24),
        st.sampled_from(
            [CARD, "pbx1-1795300000.123", "2026-11-22T18:03:29", "[card 5673]", "[number]", "PJSIP/a-"]
        ),
    ),
    max_size=6,
).map("".join)


@given(PIECES)
@example("[card 5673]-0912123")
def test_redacting_twice_changes_nothing(text: str) -> None:
    assert redact_text(redact_text(text)) == redact_text(text)


@given(st.text(max_size=20), st.integers(min_value=10**9, max_value=10**10 - 1), st.text(max_size=20))
def test_a_mobile_number_is_gone_wherever_it_stands(before: str, rest: int, after: str) -> None:
    number = f"0{rest}"
    text = f"{before} {number} {after}"
    assert number not in redact_text(text)
    assert number not in ascii_digits(redact_text(persian_digits(text)))


@given(
    st.from_regex(r"[a-z][a-z0-9_]{0,10}", fullmatch=True),
    st.integers(min_value=1_600_000_000, max_value=4_000_000_000),
    st.integers(min_value=0, max_value=999_999_999),
)
def test_every_contact_id_stays(system: str, epoch: int, n: int) -> None:
    contact = f"{system}-{epoch}.{n}"
    assert redact_text(f"contact {contact}, visit {contact}.2") == f"contact {contact}, visit {contact}.2"


def test_structured_values_are_redacted_to_their_depth() -> None:
    event = {
        "event": "call arrived",
        "contact": "pbx1-1795300000.123",
        "caller_number": "anything",
        "at_us": 1_795_300_000_000_000,
        "wait_s": 1.234567891,
        "code": 9_121_234_567,
        "ok": True,
        "line": 12,
        "more": {"note": "call 09121234567", "pin": "1234", "09121234567": [b"0912 123 4567", None]},
    }
    assert redact_event(None, "info", event) == {
        "event": "call arrived",
        "contact": "pbx1-1795300000.123",
        "caller_number": "[hidden]",
        "at_us": 1_795_300_000_000_000,
        "wait_s": 1.234567891,
        "code": "[number]",
        "ok": True,
        "line": 12,
        "more": {"note": "call [number]", "pin": "[hidden]", "[number]": ["[number]", None]},
    }


@given(
    st.recursive(st.none() | st.integers() | PIECES, lambda inner: st.dictionaries(PIECES, inner, max_size=3))
)
def test_redacting_a_structure_twice_changes_nothing(value: object) -> None:
    assert redact(redact(value)) == redact(value)


def test_a_long_line_is_redacted_in_a_moment() -> None:
    hostile = "1-" * 200_000 + "a" * 200_000 + "-1" * 100_000
    assert "1-1-1-1" not in redact_text(hostile)
