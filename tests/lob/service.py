"""The sample line-of-business service: accounts, cards, transactions, policies, claims, premiums, PINs and codes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from urllib.parse import parse_qsl, unquote, urlsplit

from crm_lookup.services.example import Person, people, reference

SECRET = "sesame"
Json = Mapping[str, object]


class Ill(Enum):
    """How it answers while it is ill."""

    LATE = auto()  # 30 s
    ERROR = auto()  # 500
    HUGE = auto()  # 10 MB
    HTML = auto()
    WRONG_TYPES = auto()
    SOMEBODY_ELSE = auto()
    HALF = auto()  # breaks off within the answer
    REDIRECT = auto()
    NOT_HTTP = auto()
    ZIPPED = auto()
    SILENT = auto()  # takes the question and closes


@dataclass(frozen=True, slots=True)
class Asked:
    method: str
    path: str
    query: Mapping[str, str]
    body: Mapping[str, str]
    headers: Mapping[str, str]


class NobodyError(Exception):
    """There is no such customer, policy or claim."""


@dataclass(slots=True)
class LineOfBusiness:
    """The service; `port` once it listens. `codes`: by customer, the last one that was "sent"."""

    ill: Ill | None = None
    ill_times: int = 1_000_000
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    codes: dict[str, str] = field(default_factory=dict)
    blocked: set[str] = field(default_factory=set)
    connections: int = 0
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def listening(self, port: int = 0) -> AsyncIterator[LineOfBusiness]:
        server = await asyncio.start_server(self._come, "127.0.0.1", port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await server.wait_closed()

    # The wire ----------------------------------------------------------------------------------------------

    async def _come(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.connections += 1
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # whoever asked is gone, or we are stopping
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        parts = urlsplit(target)
        asked = Asked(
            method,
            parts.path,
            dict(parse_qsl(parts.query)),
            json.loads(body) if body else {},
            headers,
        )
        self.asked.append(asked)
        self.was_asked.set()
        if self.ill is not None and self.ill_times > 0:
            self.ill_times -= 1
            return await self._ill_answer(self.ill, asked, writer)
        status, answer = self._answered(asked)
        _write(writer, status, json.dumps(answer, ensure_ascii=False).encode())
        await writer.drain()
        return True

    async def _ill_answer(self, ill: Ill, asked: Asked, writer: asyncio.StreamWriter) -> bool:
        status, answer = self._answered(asked)
        whole = json.dumps(answer).encode()
        match ill:
            case Ill.LATE:
                await asyncio.sleep(30)
                _write(writer, status, whole)
            case Ill.ERROR:
                _write(writer, 500, b'{"error": "database"}')
            case Ill.HUGE:
                writer.write(_head(200, 10_000_000))
                for _ in range(1000):
                    writer.write(b"[" * 10_000)
                    await writer.drain()
            case Ill.HTML:
                _write(writer, 200, b"<html>Please log in</html>", "text/html; charset=utf-8")
            case Ill.WRONG_TYPES:
                _write(writer, 200, json.dumps(_with(answer, lambda _: {"a": [None]})).encode())
            case Ill.SOMEBODY_ELSE:
                _write(writer, 200, json.dumps({**answer, "customer": "c-1030"}).encode())
            case Ill.HALF:
                writer.write(_head(200, len(whole)) + whole[: len(whole) // 2])
            case Ill.REDIRECT:
                writer.write(
                    b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
                )
            case Ill.NOT_HTTP:
                writer.write(b"220 mail.example ESMTP\r\n")
            case Ill.ZIPPED:
                writer.write(_head(200, 4, extra="Content-Encoding: gzip\r\n") + b"\x1f\x8b\x08\x00")
            case Ill.SILENT:
                pass
        await writer.drain()
        return ill in (Ill.ERROR, Ill.HTML, Ill.WRONG_TYPES, Ill.SOMEBODY_ELSE, Ill.REDIRECT)

    # What it knows -----------------------------------------------------------------------------------------

    def _answered(self, asked: Asked) -> tuple[int, Json]:
        if asked.headers.get("authorization") != f"Bearer {SECRET}":
            return 401, {"error": "who are you?"}
        steps = [unquote(step) for step in asked.path.strip("/").split("/")]
        try:
            match asked.method, steps:
                case "POST", ["identify"]:
                    return 200, {"customer": self._identified(asked.body).customer}
                case "POST", ["codes"]:
                    return 200, self._send_code(asked.body)
                case "GET", ["accounts", customer, "balance"]:
                    return 200, _of(customer, lambda one: {"balance": {"rial": one.balance_rial}})
                case "GET", ["accounts", customer, "transactions"]:
                    return 200, _of(customer, _transactions)
                case "POST", ["cards", customer, "block"]:
                    self.blocked.add(customer)
                    return 200, _of(customer, lambda one: {"reference": reference(one)})
                case "GET", ["policies", customer]:
                    return 200, _of(customer, _policy)
                case "GET", ["premiums", customer]:
                    return 200, _of(customer, _premium)
                case "GET", ["claims", customer]:
                    return 200, _of(customer, _claim)
        except NobodyError:
            pass
        return 404, {"error": "not found"}

    def _identified(self, body: Mapping[str, str]) -> Person:
        """Who is named, if every proof that was sent is right and there is at least one."""
        one = _named(body)
        right = {
            "pin": one.pin,
            "birth_year": one.birth_year,
            "card_last4": one.card[-4:],
            "code": self.codes.get(one.customer, ""),
        }
        sent = {name: value for name, value in body.items() if name in right and value}
        if not sent or any(value != right[name] for name, value in sent.items()):
            raise NobodyError
        return one

    def _send_code(self, body: Mapping[str, str]) -> Json:
        one = _named(body)
        self.codes[one.customer] = f"{int(one.national_id) * 7919 % 900_000 + 100_000}"
        return {"sent": True}


def _write(writer: asyncio.StreamWriter, status: int, body: bytes, kind: str = "application/json") -> None:
    writer.write(_head(status, len(body), kind) + body)


def _head(status: int, length: int, kind: str = "application/json", extra: str = "") -> bytes:
    return (
        f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{extra}\r\n"
    ).encode()


def _named(body: Mapping[str, str]) -> Person:
    for one in people():
        if body.get("national_id") == one.national_id or body.get("card") == one.card:
            return one
        if body.get("customer_number") == one.customer.removeprefix("c-"):
            return one
    raise NobodyError


def _of(customer: str, tell: Callable[[Person], Json]) -> Json:
    one = next((each for each in people() if each.customer == customer), None)
    if one is None:
        raise NobodyError
    return {"customer": one.customer, **tell(one)}


def _transactions(one: Person) -> Json:
    rows = [{"amount": t.amount_rial, "day": t.day, "direction": t.direction} for t in one.transactions]
    return {"transactions": rows}


def _policy(one: Person) -> Json:
    if not one.policies:
        raise NobodyError
    policy = one.policies[0]
    return {
        "policy": {
            "no": policy.number,
            "subject": policy.subject,
            "state": policy.state,
            "until": policy.until,
        }
    }


def _premium(one: Person) -> Json:
    if not one.policies:
        raise NobodyError
    return {"premium": {"rial": one.policies[0].premium_rial, "due": one.policies[0].due}}


def _claim(one: Person) -> Json:
    if not one.claims:
        raise NobodyError
    claim = one.claims[0]
    return {"claim": {"no": claim.number, "state": claim.state, "day": claim.day, "rial": claim.amount_rial}}


def _with(value: object, change: Callable[[object], object]) -> object:
    """The same shape with every leaf but the customer changed."""
    if isinstance(value, Mapping):
        return {name: each if name == "customer" else _with(each, change) for name, each in value.items()}
    if isinstance(value, list):
        return [_with(each, change) for each in value]
    return change(value)


def settings_toml(url: str, secret_file: str) -> str:
    """The sections of pasokh.toml by which the product asks this service, under the names that the flows use."""
    ask = (
        f'kind = "http"\nheaders = {{ Authorization = "Bearer {{secret}}" }}\nsecret_file = "{secret_file}"\n'
    )
    own = 'same = { customer = "customer" }\n'

    def get(name: str, path: str, rest: str) -> str:
        return f'[services.{name}]\n{ask}{own}url = "{url}/{path}"\n{rest}\n'

    def post(name: str, body: str, rest: str = "") -> str:
        fields = ", ".join(f'{each.rstrip("?")} = "{{{each}}}"' for each in body.split())
        return (
            f'[services.{name}]\n{ask}method = "POST"\nidempotent = true\nverified = false\n'
            f'url = "{url}/{"codes" if name == "send_code" else "identify"}"\nbody = {{ {fields} }}\n{rest}\n'
        )

    customer = 'answer = { customer = "customer" }\n'
    return "".join(
        [
            post("check_pin", "customer_number? national_id? card? pin", customer),
            post("check_birth_year", "national_id birth_year", customer),
            post("check_code", "national_id birth_year code", customer),
            post("send_code", "national_id"),
            get(
                "balance",
                "accounts/{customer}/balance",
                'answer = { balance = { at = "balance.rial", kind = "number" } }',
            ),
            get(
                "transactions",
                "accounts/{customer}/transactions",
                'rows = { at = "transactions", most = 3, fields = { amount = { at = "amount", kind = "number" }, '
                'day = { at = "day", kind = "date" }, direction = "direction" } }',
            ),
            get(
                "block_card",
                "cards/{customer}/block",
                'method = "POST"\nmethods = ["pin"]\nanswer = { reference = "reference" }',
            ),
            get(
                "policy",
                "policies/{customer}",
                'answer = { number = "policy.no", subject = "policy.subject", state = "policy.state", '
                'until = { at = "policy.until", kind = "date" } }',
            ),
            get(
                "premium",
                "premiums/{customer}",
                'answer = { premium = { at = "premium.rial", kind = "number" }, '
                'due = { at = "premium.due", kind = "date" } }',
            ),
            get(
                "claim",
                "claims/{customer}",
                'answer = { number = "claim.no", state = "claim.state", day = { at = "claim.day", kind = "date" }, '
                'amount = { at = "claim.rial", kind = "number" } }',
            ),
            '[authentication.methods.pin]\nservice = "check_pin"\n\n',
            '[authentication.methods.birth_year]\nservice = "check_birth_year"\n\n',
            '[authentication.methods."birth_year+code"]\nservice = "check_code"\nsend = "send_code"\n',
        ]
    )
