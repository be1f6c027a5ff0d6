"""A service that is asked by HTTP and answers in JSON.

No redirect is followed and no proxy of the environment is used: whom we ask stands in pasokh.toml and nowhere
else. What is asked and answered is personal, so nothing of it gets into an error or a log.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Mapping
from urllib.parse import quote, urlencode, urlsplit

import httpcore
import msgspec

from crm_lookup.errors import ServiceError
from crm_lookup.services.mapping import fields_in, filled, filled_fields, names_in, rows_in, same
from crm_lookup.services.settings import HttpService, fields_of
from crm_lookup.services.wire import LoopBackend

# At DEBUG httpcore logs requests with their addresses, which hold customers' numbers.
logging.getLogger("httpcore").setLevel(logging.INFO)

_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_OF_US = frozenset({401, 403, 407})
_HEADERS_MOST = 64


class HttpAnswers:
    """Asks one HTTP service. Implements `crm_lookup.services.service.Answers`."""

    def __init__(self, settings: HttpService, secret: str = "", trust: ssl.SSLContext | None = None) -> None:
        """`secret` goes where headers say `{secret}`; `trust` says which servers of https are believed."""
        self._settings = settings
        self._headers = [
            (b"Host", urlsplit(settings.url).netloc.encode("ascii")),
            (b"Accept", b"application/json"),
            (b"Accept-Encoding", b"identity"),  # nothing small that unpacks to something huge
            *(
                (name.encode(), filled(text, {"secret": secret}).encode())
                for name, text in settings.headers.items()
            ),
        ]
        self._fields = fields_of(settings.answer)
        self._rows = settings.rows.as_rows() if settings.rows is not None else None
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=trust,
            max_connections=settings.at_once,
            max_keepalive_connections=settings.at_once,
            retries=0,
            network_backend=LoopBackend(),
        )

    @property
    def may_retry(self) -> bool:
        return self._settings.may_retry

    async def ask(self, args: Mapping[str, str]) -> Mapping[str, str] | None:
        """The fields of the answer; None: there is no such thing. Raises ServiceError."""
        url, body = self._url(args), self._body(args)
        headers = [*self._headers, (b"Content-Type", b"application/json")] if body else self._headers
        try:
            async with self._pool.stream(self._settings.method, url, headers=headers, content=body) as answer:
                if answer.status in self._settings.not_found:
                    return None
                self._refuse(answer)
                data = _json(await self._read(answer))
        except (httpcore.ConnectError, httpcore.ConnectTimeout):
            raise ServiceError("unreachable", again=True, theirs=True) from None
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError):
            raise ServiceError("broken_off", again=True, theirs=True) from None
        return self._taken(data, args)

    async def aclose(self) -> None:
        await self._pool.aclose()

    def _url(self, args: Mapping[str, str]) -> str:
        template = self._settings.url
        for name in names_in(template):
            if args.get(name, "").strip(".") == "":  # "..", "." and nothing would be another path
                raise ServiceError("bad_argument" if name in args else "missing_argument")
        url = filled(template, {name: quote(value, safe="") for name, value in args.items()})
        query = filled_fields(self._settings.query, args)
        return f"{url}?{urlencode(query)}" if query else url

    def _body(self, args: Mapping[str, str]) -> bytes | None:
        if self._settings.method != "POST":
            return None
        return msgspec.json.encode(filled_fields(self._settings.body, args))

    def _refuse(self, answer: httpcore.Response) -> None:
        status = answer.status
        if status in _BUSY or status > 504:
            raise ServiceError("error_status", again=True, theirs=True)
        if status in _OF_US:
            raise ServiceError("not_let_in", theirs=True)
        if 300 <= status < 400:
            raise ServiceError("redirected", theirs=True)
        if not 200 <= status < 300:
            raise ServiceError("refused")
        if len(answer.headers) > _HEADERS_MOST:
            raise ServiceError("too_large", theirs=True)
        told = {name.lower(): value for name, value in answer.headers}
        if told.get(b"content-encoding", b"identity").lower() != b"identity":
            raise ServiceError("not_json", theirs=True)
        kind = told.get(b"content-type", b"").split(b";")[0].strip().lower()
        if kind != b"application/json" and not kind.endswith(b"+json"):
            raise ServiceError("not_json", theirs=True)

    async def _read(self, answer: httpcore.Response) -> bytes:
        read = bytearray()
        async for part in answer.aiter_stream():
            read += part
            if len(read) > self._settings.largest_bytes:
                raise ServiceError("too_large", theirs=True)
        return bytes(read)

    def _taken(self, data: object, args: Mapping[str, str]) -> Mapping[str, str]:
        for argument, path in self._settings.same.items():
            if not same(data, path, args[argument]):
                raise ServiceError("somebody_else", theirs=True)
        try:
            found = fields_in(data, self._fields)
            return found | rows_in(data, self._rows) if self._rows is not None else found
        except ServiceError as error:
            raise ServiceError(error.why, theirs=True) from None


def _json(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, ValueError):
        raise ServiceError("not_json", theirs=True) from None
