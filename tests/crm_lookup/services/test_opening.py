"""Settings that cannot be used are told in whole sentences."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from crm_lookup.errors import PinError, ServiceSettingError
from crm_lookup.services.opening import doubts_about, open_services, problems_of
from crm_lookup.services.pins import PinSettings, hash_pin
from crm_lookup.services.settings import AuthenticationSettings
from tests.crm_lookup.services.worlds import MAP, nothing_stored, told

HTTP = {"kind": "http", "url": "https://core.example/a/{customer}"}
SQL = {"kind": "sql", "statement": "SELECT 1"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({**HTTP, "url": "ftp://core/a"}, "http:// or https://"),
        ({**HTTP, "url": "https://{customer}.example/"}, "host must be fixed"),
        ({**HTTP, "url": "https://core/a?x={customer}"}, "stands under query"),
        ({**HTTP, "url": "https://user:secret@core/a"}, "secret_file"),
        ({**HTTP, "body": {"a": "b"}}, "a GET has no body"),
        ({**HTTP, "headers": {"Authorization": "Bearer {secret}"}}, "there is no secret_file"),
        ({**HTTP, "headers": {"X": "{customer}"}}, "cannot hold the argument customer"),
        ({**HTTP, "headers": {"X": "a\r\nY: b"}}, "plain ASCII"),
        ({**HTTP, "same": {"policy": "id"}}, "no argument of the question"),
        ({**HTTP, "answer": {"result": "a"}}, "cannot be named result"),
        ({**SQL, "statement": "DELETE FROM customer"}, "only reads"),
        ({**SQL, "statement": "SELECT 1; DROP TABLE customer"}, "only reads"),
        ({**SQL, "statement": "WITH x AS (DELETE FROM customer RETURNING id) SELECT * FROM x"}, "only reads"),
        ({**SQL, "url": "mysql://x/y"}, "use sqlite+aiosqlite"),
        ({"kind": "example", "of": "bank.loan"}, "use one of bank.identify"),
    ],
)
def test_what_cannot_be_meant(settings: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said.replace("+", r"\+")):
        MAP.validate_python({"a": settings})


def test_a_quoted_semicolon_and_a_word_in_a_text_are_no_second_statement() -> None:
    MAP.validate_python({"a": {**SQL, "statement": "SELECT 'a; drop it' AS x;"}})


def test_files_that_are_not_there(tmp_path: Path) -> None:
    services, methods = told("http://127.0.0.1:9", tmp_path)
    assert list(problems_of(services, methods)) == []
    assert list(doubts_about(services)) == []
    (tmp_path / "lob").write_text("\n")
    assert all("is empty; write the secret into it." in each for each in problems_of(services))
    (tmp_path / "lob").unlink()
    with pytest.raises(ServiceSettingError, match="cannot be read"):
        open_services(services, nothing_stored(tmp_path))


def test_ways_to_prove_oneself_that_nobody_can_judge() -> None:
    services = MAP.validate_python(
        {"check_pin": {**HTTP, "verified": False}, "check_code": {"kind": "example", "of": "bank.identify"}}
    )
    methods = {
        "pin": {"service": "chek_pin"},
        "birth_year": {"service": "check_pin"},
        "code": {"service": "check_code"},
    }
    said = list(problems_of(services, AuthenticationSettings.model_validate({"methods": methods})))
    assert len(said) == 4
    assert "which is not there; write check_pin" in said[1]
    assert "does not say who the customer is" in said[2]
    assert "must have verified = false" in said[3]


def test_what_was_probably_not_meant() -> None:
    services = MAP.validate_python(
        {"a": {**HTTP, "url": "http://core.example/a"}, "b": {"kind": "example", "of": "bank.balance"}}
    )
    first, second = doubts_about(services)
    assert "without encryption" in first
    assert "example data" in second


@pytest.mark.parametrize("pin", ["123", "1234", "0000", "9876", "12345678901234", "12a4", "۱۲۴۵", ""])
def test_pins_that_are_guessed_first_are_not_kept(pin: str) -> None:
    with pytest.raises(PinError):
        hash_pin(pin, b"x" * 16, PinSettings(memory_kib=1024, time_cost=1))
