"""Services and proofs of who is calling, joined with the process: settings, secrets, database."""

from __future__ import annotations

from collections.abc import Callable

from acd.ports import Answers
from acd.store.base import Database
from crm_lookup.errors import ServiceSettingError
from crm_lookup.lookup import CallerLookup
from crm_lookup.services.answers import ServiceAnswers
from crm_lookup.services.authentication import Authentication
from crm_lookup.services.opening import open_services, problems_of
from crm_lookup.services.pins import ChildPinCheck, PinCheck, PinSettings
from crm_lookup.services.proofs import ProofStore
from pasokh.errors import SettingsError
from pasokh.settings import Settings

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
