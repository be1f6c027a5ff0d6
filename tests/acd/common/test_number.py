"""One customer has one key, however the number was written; strangers never share one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.common.number import Number, display, number_token, parse_number
from acd.common.text import persian_digits

SECRET = bytes(range(32))


@pytest.mark.parametrize(
    "written",
    [
        "09121234567",
        "9121234567",
        "989121234567",
        "00989121234567",
        "+989121234567",
        "+9809121234567",
        "+09121234567",
        "۰۹۱۲۱۲۳۴۵۶۷",
        "٠٩١٢١٢٣٤٥٦٧",
        "0912 123 45 67",
        "+98 (912) 123-4567",
        "‪+98 912 123 4567‬",
        "tel:+989121234567",
        "sip:09121234567@203.0.113.5",
        '"Ali" <09121234567>',
    ],
)
def test_a_mobile_number_is_one_customer(written: str) -> None:
    number = parse_number(written, "IR", "21")
    assert (number.kind, number.key) == ("e164", "+989121234567")


@pytest.mark.parametrize("area_code", ["21", "021"])
@pytest.mark.parametrize(
    "written", ["88776655", "2188776655", "02188776655", "982188776655", "+982188776655", "8877-6655"]
)
def test_a_landline_is_one_customer(written: str, area_code: str) -> None:
    assert parse_number(written, "IR", area_code).key == "+982188776655"


@pytest.mark.parametrize(
    ("written", "kind", "key"),
    [
        ("1500", "short", "short:1500"),
        ("110", "short", "short:110"),
        ("۱۱۰", "short", "short:110"),
        ("+98110", "short", "short:110"),
        ("داخلی 12", "extension", "ext:12"),
        ("ext. 12", "extension", "ext:12"),
        ("02188776655 ext 12", "e164", "+982188776655"),
        ("+442079460958", "e164", "+442079460958"),
        ("14155552671", "e164", "+14155552671"),
        ("09421234567", "e164", "+989421234567"),
        ("alice", "raw", "raw:alice"),
        ("*98", "raw", "raw:*98"),
        ("1" * 30, "raw", "raw:" + "1" * 30),
    ],
)
def test_what_is_no_customer_number_has_an_honest_key(written: str, kind: str, key: str) -> None:
    number = parse_number(written, "IR", "21")
    assert (number.kind, number.key) == (kind, key)


@pytest.mark.parametrize(
    "written",
    [None, "", " ", "anonymous", "Anonymous", "unknown", "<unknown>", "Restricted", "0", "+", "ناشناس"],
)
def test_a_withheld_number_has_no_key_to_share(written: str | None) -> None:
    number = parse_number(written)
    assert (number.kind, number.key, number.is_known) == ("withheld", "", False)
    assert number_token(number.key, SECRET) == ""


def test_a_local_number_without_an_area_code_does_not_pretend_to_be_e164() -> None:
    assert parse_number("88776655", "IR").kind == "raw"


def test_a_sites_own_extension_is_told_from_a_short_code() -> None:
    assert parse_number("1001", extensions={"1001"}).key == "ext:1001"
    assert parse_number("1500", extensions={"1001"}).key == "short:1500"


def test_another_country_reads_its_own_numbers() -> None:
    assert parse_number("020 7946 0958", "GB").key == "+442079460958"


@pytest.mark.parametrize(
    ("written", "fa", "en"),
    [
        ("+989121234567", "۰۹۱۲ ۱۲۳ ۴۵۶۷", "0912 123 4567"),
        ("1500", "۱۵۰۰", "1500"),
        ("ext 12", "داخلی ۱۲", "ext. 12"),
        ("anonymous", "شماره پنهان", "number withheld"),
        ("+442079460958", "+۴۴ ۲۰ ۷۹۴۶ ۰۹۵۸", "+44 20 7946 0958"),
        ("alice", "alice", "alice"),
    ],
)
def test_a_number_is_shown_as_people_read_it(written: str, fa: str, en: str) -> None:
    number = parse_number(written)
    assert (display(number, "fa"), display(number, "en")) == (fa, en)


@given(st.text(max_size=100))
def test_any_writing_gives_a_number_that_can_be_shown(text: str) -> None:
    number = parse_number(text, "IR", "21")
    assert (number.key == "") == (number.kind == "withheld")
    assert len(number.key) <= 140
    assert display(number, "fa")
    assert display(number, "en")


@given(st.integers(min_value=10**8, max_value=10**9 - 1).filter(lambda n: n // 10**8 != 8))
def test_every_mobile_number_keeps_its_key_through_all_its_forms(rest: int) -> None:
    key = parse_number(f"+989{rest}").key  # 098… is not given out, and 98… begins like the country code
    for form in (f"09{rest}", f"9{rest}", f"00989{rest}", persian_digits(f"09{rest}")):
        assert parse_number(form, "IR", "21").key == key
    assert parse_number(display(parse_number(key), "fa")).key == key


@given(st.text(alphabet="0123456789+ ", max_size=18))
def test_a_key_is_read_as_itself(text: str) -> None:
    number = parse_number(text, "IR", "21")
    if number.kind == "e164":
        assert parse_number(number.key, "IR", "21") == Number("e164", number.key, number.key)


def test_a_token_hides_the_number_and_is_the_same_for_the_same_secret() -> None:
    token = number_token("+989121234567", SECRET)
    assert token == number_token("+989121234567", SECRET)
    assert token != number_token("+989121234567", SECRET[::-1])
    assert token != number_token("+989121234568", SECRET)
    assert len(token) == 16
    assert token.isalpha()


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="too short"):
        number_token("+989121234567", b"short")


def test_a_number_does_not_show_in_a_traceback_or_log() -> None:
    assert "912" not in repr(parse_number("09121234567"))
