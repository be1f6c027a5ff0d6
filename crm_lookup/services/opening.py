"""From settings to services that can be asked; and what is wrong with settings that can be read but not used."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.engine import make_url

from acd.common.document import nearest
from acd.store.base import Database, DatabaseSettings, open_database
from crm_lookup.errors import ServiceSettingError
from crm_lookup.services.example import ExampleAnswers
from crm_lookup.services.http import HttpAnswers
from crm_lookup.services.service import Answers, OneService, Services
from crm_lookup.services.settings import (
    AuthenticationSettings,
    ExampleService,
    HttpService,
    ServiceMap,
    SqlService,
)
from crm_lookup.services.sql import SqlAnswers


def open_services(services: ServiceMap, own: Database) -> Services:
    """All services, connected to when they are first asked. Raises ServiceSettingError with every problem."""
    problems = list(problems_of(services))
    if problems:
        raise ServiceSettingError("\n".join(problems))
    return Services({name: (each, _answers(each, own)) for name, each in services.items()})


def problems_of(services: ServiceMap, authentication: AuthenticationSettings | None = None) -> Iterator[str]:
    """What is wrong, in whole sentences with the remedy."""
    for name, service in services.items():
        for kind in ("secret_file", "ca_file", "password_file"):
            file: Path | None = getattr(service, kind, None)
            if file is not None and (why := _unreadable(file, one_line=kind != "ca_file")):
                yield f"The service {name} cannot be asked: its {kind} {file} {why}."
        if isinstance(service, ExampleService) and service.verified and service.of.endswith(".identify"):
            yield f"The service {name} proves who callers are, so it cannot need that: set verified = false."
    if authentication is not None:
        yield from _methods(services, authentication)


def doubts_about(services: ServiceMap) -> Iterator[str]:
    """What works, and was probably not meant."""
    for name, service in services.items():
        if isinstance(service, HttpService) and service.url.startswith("http://") and _is_remote(service.url):
            yield f"The service {name} is asked over the network without encryption; use https if it can."
        if isinstance(service, ExampleService):
            yield f"The service {name} answers from example data; it must guard nothing and knows no customer of yours."


def _methods(services: ServiceMap, authentication: AuthenticationSettings) -> Iterator[str]:
    for name, method in authentication.methods.items():
        for of in (method.service, method.send):
            if of and of not in services:
                meant = nearest(of, services)
                fix = f"write {meant}" if meant else f"add a section [services.{of}]"
                yield f"The way to prove oneself {name} asks the service {of}, which is not there; {fix}."
            elif of and services[of].verified:
                yield f"The service {of} checks who callers are, so it must have verified = false; set it."
        service = services.get(method.service)
        if (
            service is not None
            and not isinstance(service, ExampleService)
            and "customer" not in service.answer
        ):
            yield (
                f"The service {method.service} does not say who the customer is; give it an answer field customer."
            )


def _answers(service: OneService, own: Database) -> Answers:
    match service:
        case HttpService():
            secret = service.secret_file.read_text(encoding="utf-8").strip() if service.secret_file else ""
            return HttpAnswers(service, secret, _trust(service))
        case SqlService():
            return SqlAnswers(service, _database(service, own), own=bool(service.url))
        case ExampleService():
            return ExampleAnswers(service.of)


def _trust(service: HttpService) -> ssl.SSLContext | None:
    if not service.url.startswith("https://"):
        return None
    context = ssl.create_default_context(cafile=service.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _database(service: SqlService, own: Database) -> Database:
    if not service.url:
        return own
    url = make_url(service.url)
    if service.password_file is not None:
        url = url.set(password=service.password_file.read_text(encoding="utf-8").strip())
    return open_database(
        DatabaseSettings(
            url=url.render_as_string(hide_password=False),
            connect_timeout_s=service.deadline_s,
            reporting_pool=min(4, service.at_once),
            reporting_statement_s=service.deadline_s,
        )
    )


def _unreadable(file: Path, *, one_line: bool) -> str | None:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return f"cannot be read ({getattr(error, 'strerror', None) or 'it is no text'}); write it, or correct the path"
    if not text.strip():
        return "is empty; write the secret into it"
    if one_line and ("\n" in text.strip() or not text.strip().isascii()):
        return "holds more than one line of plain ASCII; write only the secret into it"
    return None


def _is_remote(url: str) -> bool:
    host = url.removeprefix("http://").split("/")[0].rsplit(":", 1)[0].strip("[]")
    return host not in ("localhost", "::1") and not host.startswith("127.")
