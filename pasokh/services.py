"""Services and proofs of who is calling, joined with the process: settings, secrets, database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy.exc import IntegrityError

from acd.ports import Answers
from acd.store.base import Database
from acd.types import CustomerId
from crm_lookup import customers
from crm_lookup.errors import ServiceSettingError
from crm_lookup.lookup import CallerLookup
from crm_lookup.services.answers import ServiceAnswers
from crm_lookup.services.authentication import Authentication, login_token
from crm_lookup.services.opening import open_services, problems_of
from crm_lookup.services.pins import ChildPinCheck, PinCheck, PinSettings, hash_pin
from crm_lookup.services.proofs import ProofStore
from pasokh.errors import NotReadyError, SettingsError
from pasokh.settings import Settings
from pasokh.tables import opened_checked

SECRET = "pin"
"""The secret without which stored PINs are of no use to anybody."""


def join_services(
    settings: Settings,
    database: Database,
    lookup: CallerLookup,
    now_us: Callable[[], int],
    otherwise: Answers | None = None,
    check: PinCheck | None = None,
) -> ServiceAnswers:
    """What answers flows; `start` it, and `aclose` it at the end. Raises SettingsError with every problem."""
    problems = list(problems_of(settings.services, settings.authentication))
    if problems:
        raise SettingsError("\n".join(problems))
    try:
        services = open_services(settings.services, database)
    except ServiceSettingError as error:
        raise SettingsError(str(error)) from None
    authentication = Authentication(
        settings.authentication,
        services,
        ProofStore(database),
        check or ChildPinCheck(pin_settings(settings)),
        settings.secret(SECRET).encode(),
        now_us,
        lookup.prove,
    )
    return ServiceAnswers(services, authentication, lookup, now_us, otherwise)


def pin_settings(settings: Settings) -> PinSettings:
    costs = settings.authentication
    return PinSettings(costs.pin_memory_kib, costs.pin_time_cost, costs.pin_at_once, costs.pin_deadline_s)


async def set_pin(settings: Settings, customer: CustomerId, pin: str | None) -> None:
    """Keep a customer's PIN; None takes it away. They say who they are by the digits of their id (`1001` of
    `c-1001`). Raises NotReadyError for no such customer, PinError for a PIN that is none."""
    secret = settings.secret(SECRET).encode()
    hashed = None if pin is None else hash_pin(pin, secret, pin_settings(settings))
    digits = "".join(each for each in customer if each.isascii() and each.isdigit())
    login = login_token(digits, secret) if digits else None
    async with opened_checked(settings) as database:
        if await customers.get(database.reporting, customer) is None:
            raise NotReadyError(
                "There is no customer of this id; find it with the import file or in the pages."
            )
        try:
            await ProofStore(database).set_pin(customer, hashed, login, datetime.now(UTC))
        except IntegrityError:
            raise NotReadyError(
                "Another customer with a PIN has an id of the same digits; give one of them another id."
            ) from None
