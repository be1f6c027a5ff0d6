"""pasokh.toml's `[services.NAME]` and `[authentication]` as types.

A wrong setting is told when the process starts, not when the first caller asks. What stands in `{braces}` is an
argument of the flow's question (`{card?}`: one that may be missing, in a query or body); it may stand in a path, a
query or a body, never in a host.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import text as sql_text

from acd.store.base import parse_url
from acd.store.errors import DatabaseSettingError
from crm_lookup.services.mapping import FieldOf, RowsOf, names_in

RESULT = "result"
"""The field of every answer that says how it went; no service may name a field so."""

_ONE_READ = re.compile(r"\s*(select|with|values)\b", re.IGNORECASE)
_WRITES = re.compile(
    r"\b(insert|update|delete|merge|drop|alter|create|truncate|grant|copy|call|do|attach|pragma|vacuum)\b",
    re.IGNORECASE,
)
_HEADER = re.compile(r"[!-~ ]*\Z")


MethodName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_+]{0,63}$")]


def _wrong(message: str) -> PydanticCustomError:
    return PydanticCustomError("service", "{message}", {"message": message})


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _check_url(url: str) -> None:
    """Only http and https to a fixed host: an argument must never choose whom we ask."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _wrong("the url must be http:// or https:// with a host")
    if parts.username is not None or parts.password is not None:
        raise _wrong("the url holds a name or password; put them into a header by secret_file")
    if names_in(parts.netloc) or parts.fragment or parts.query:
        raise _wrong("the url's host must be fixed, and its question stands under query")


Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,31}$")]
Template = Annotated[str, Field(max_length=500)]


class AnswerField(_Part):
    """Where a value stands in an answer (`accounts.0.balance`), and what it must be."""

    at: Annotated[str, Field(min_length=1, max_length=200)]
    kind: Literal["text", "number", "date", "flag"] = "text"
    optional: bool = False

    def as_field(self) -> FieldOf:
        return FieldOf(self.at, self.kind, self.optional)


def _only_at(value: object) -> object:
    return {"at": value} if isinstance(value, str) else value


AnswerFields = dict[Name, Annotated[AnswerField, BeforeValidator(_only_at)]]


class Rows(_Part):
    """A list in the answer: its first `most` rows become `field_1`, `field_2` …, and `rows` says how many."""

    at: Annotated[str, Field(max_length=200)] = ""
    most: Annotated[int, Field(ge=1, le=9)] = 3
    fields: Annotated[AnswerFields, Field(min_length=1)]

    def as_rows(self) -> RowsOf:
        return RowsOf(self.at, self.most, fields_of(self.fields))


def fields_of(fields: AnswerFields) -> dict[str, FieldOf]:
    return {name: field.as_field() for name, field in fields.items()}


class _Service(_Part):
    """`verified`: asked only for a caller who has proved who they are; `{customer}` is then that customer, whatever
    the flow says. `methods`: only those ways of proof are enough (empty: each is). `deadline_s`: over all tries.
    `retries`: of what may be asked twice. After `breaker_after` failures in a row nobody is asked for
    `breaker_open_s`, then one caller's question is the test.
    """

    verified: bool = True
    methods: tuple[MethodName, ...] = ()
    deadline_s: Annotated[float, Field(gt=0, le=30)] = 2.0
    retries: Annotated[int, Field(ge=0, le=3)] = 1
    retry_after_s: Annotated[float, Field(ge=0, le=5)] = 0.1
    at_once: Annotated[int, Field(ge=1, le=1000)] = 16
    breaker_after: Annotated[int, Field(ge=1, le=1000)] = 5
    breaker_open_s: Annotated[float, Field(gt=0, le=3600)] = 30.0
    answer: AnswerFields = {}
    rows: Rows | None = None

    @model_validator(mode="after")
    def _free_names(self) -> Self:
        if RESULT in self.answer or (self.rows is not None and RESULT in self.rows.fields):
            raise _wrong(f"an answer's field cannot be named {RESULT}, which says how it went; rename it")
        return self

    @property
    def arguments(self) -> frozenset[str]:
        """The arguments that a question must bring."""
        return frozenset()


class HttpService(_Service):
    """A question by HTTP, answered in JSON.

    `not_found`: statuses that mean that there is no such thing (for a check of a PIN: that it is wrong). `same`:
    places in the answer that must hold the same as an argument, so that nobody hears another customer's data.
    `idempotent`: whether it may be asked twice; a GET may. `{secret}` in a header is the content of `secret_file`.
    """

    kind: Literal["http"]
    method: Literal["GET", "POST"] = "GET"
    url: Template
    query: dict[str, Template] = {}
    body: dict[str, Template] = {}
    headers: dict[str, Template] = {}
    secret_file: Path | None = None
    ca_file: Path | None = None
    same: dict[Name, str] = {}
    not_found: tuple[int, ...] = (404,)
    largest_bytes: Annotated[int, Field(ge=64, le=1_000_000)] = 65_536
    idempotent: bool | None = None

    @model_validator(mode="after")
    def _askable(self) -> Self:
        _check_url(self.url)
        if self.body and self.method == "GET":
            raise _wrong("a GET has no body; use query, or method POST")
        for name, value in self.headers.items():
            if not _HEADER.match(value) or not re.match(r"[A-Za-z0-9-]+\Z", name):
                raise _wrong(f"the header {name} holds what no header may hold; use plain ASCII")
            unknown = set(names_in(value)) - {"secret"}
            if unknown:
                raise _wrong(f"a header cannot hold the argument {sorted(unknown)[0]}; only {{secret}}")
            if names_in(value) and self.secret_file is None:
                raise _wrong(f"the header {name} holds {{secret}}, but there is no secret_file; add one")
        unknown = set(self.same) - self.arguments
        if unknown:
            raise _wrong(
                f"same names {sorted(unknown)[0]}, which is no argument of the question; ask with it"
            )
        return self

    @property
    def arguments(self) -> frozenset[str]:
        templates = (self.url, *self.query.values(), *self.body.values())
        return frozenset(name for each in templates for name in names_in(each))

    @property
    def may_retry(self) -> bool:
        return self.method == "GET" if self.idempotent is None else self.idempotent


class SqlService(_Service):
    """One reading statement with `:named` arguments, all of them texts (`CAST(:policy AS integer)`).

    `url` empty: the product's own database. Without `answer` every column of the first row is a field. No row is
    `not_found`.
    """

    kind: Literal["sql"]
    url: str = ""
    password_file: Path | None = None
    statement: Annotated[str, Field(max_length=4000)]

    @model_validator(mode="after")
    def _one_reading_statement(self) -> Self:
        bare = re.sub(r"'[^']*'", "''", self.statement).strip().removesuffix(";")
        if ";" in bare or not _ONE_READ.match(bare) or _WRITES.search(bare):
            raise _wrong("the statement must be one SELECT that only reads; remove the rest")
        if self.rows is not None and self.rows.at:
            raise _wrong("rows.at is of HTTP answers; remove it, the rows are those of the statement")
        if self.url:
            try:
                parse_url(self.url)
            except DatabaseSettingError as error:
                raise _wrong(str(error).rstrip(".")) from None
        return self

    @property
    def arguments(self) -> frozenset[str]:
        return frozenset(sql_text(self.statement).compile().params)


EXAMPLES = (
    "bank.identify",
    "bank.balance",
    "bank.transactions",
    "bank.block_card",
    "insurer.identify",
    "insurer.policy",
    "insurer.claim",
    "insurer.premium",
)


class ExampleService(_Service):
    """Answers from the example data that ships, for demonstrations and for writing flows."""

    kind: Literal["example"]
    of: str

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.of not in EXAMPLES:
            raise _wrong(f"there is no example of that name; use one of {', '.join(EXAMPLES)}")
        return self


ServiceSettings = Annotated[HttpService | SqlService | ExampleService, Field(discriminator="kind")]


class Method(_Part):
    """One way to prove who one is. `service`: who checks it, one of `[services]` that answers with the field
    `customer`; empty: our own store of PINs. `send`: the service that sends the code which is keyed then."""

    service: str = ""
    send: str = ""


class AuthenticationSettings(_Part):
    """`methods` by what is keyed as proof: `pin`, `birth_year`, or several as `birth_year+code`. `identities`: which
    argument says who the caller claims to be; the first that is given counts. `tries` of one
    customer and `number_tries` from one calling number within `within_s`, then locked for `lock_s`. `pin_*`: what
    one check of a PIN of our own store costs, in each of `pin_at_once` child processes."""

    methods: dict[MethodName, Method] = {"pin": Method()}
    identities: tuple[Name, ...] = ("national_id", "card", "customer_number", "customer")
    tries: Annotated[int, Field(ge=1, le=20)] = 3
    number_tries: Annotated[int, Field(ge=1, le=1000)] = 10
    code_sends: Annotated[int, Field(ge=1, le=100)] = 5
    within_s: Annotated[float, Field(gt=0)] = 3600.0
    lock_s: Annotated[float, Field(gt=0)] = 1800.0
    pin_memory_kib: Annotated[int, Field(ge=1024)] = 65_536
    pin_time_cost: Annotated[int, Field(ge=1, le=20)] = 2
    pin_at_once: Annotated[int, Field(ge=1, le=16)] = 2
    pin_deadline_s: Annotated[float, Field(gt=0)] = 3.0


ServiceMap = Mapping[str, HttpService | SqlService | ExampleService]


def with_paths(services: ServiceMap, folder: Path) -> dict[str, HttpService | SqlService | ExampleService]:
    """The same services with their files' paths absolute, below `folder` where they were relative."""
    found = {}
    for name, service in services.items():
        paths = {
            each: folder / path
            for each in ("secret_file", "ca_file", "password_file")
            if (path := getattr(service, each, None)) is not None
        }
        found[name] = service.model_copy(update=paths)
    return found
