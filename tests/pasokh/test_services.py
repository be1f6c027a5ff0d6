"""PINs of our own, set by the operator; services that menus ask for in vain, told by the check."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from acd.store.base import DatabaseSettings, opened
from crm_lookup.errors import PinError
from crm_lookup.services.authentication import login_token
from crm_lookup.services.pins import is_right, keyed
from crm_lookup.services.proofs import ProofStore
from crm_lookup.services.settings import AuthenticationSettings
from pasokh import check, migrations
from pasokh.customers import import_sample
from pasokh.demo import demo_services, demo_site
from pasokh.errors import NotReadyError
from pasokh.services import SECRET, set_pin
from pasokh.settings import Settings


async def test_a_pin_is_set_checked_and_taken_away(tmp_path: Path) -> None:
    costs = AuthenticationSettings(pin_memory_kib=1024, pin_time_cost=1)
    settings = Settings(state=tmp_path, secrets=tmp_path / "secrets", authentication=costs)
    await asyncio.to_thread(migrations.upgrade, settings.database_url)
    await import_sample(settings)
    await set_pin(settings, "c-1001", "4071")
    secret = settings.secret(SECRET).encode()
    async with opened(DatabaseSettings(url=settings.database_url)) as database:
        store = ProofStore(database)
        kept = await store.pin_of(login_token("1001", secret))
        assert kept is not None
        assert (kept.customer, is_right(kept.hashed, keyed("4071", secret))) == ("c-1001", True)
        assert not is_right(kept.hashed, keyed("4071", b"another secret of ours, made new"))
        await set_pin(settings, "c-1001", None)
        assert await store.pin_of_customer("c-1001") is None
    with pytest.raises(NotReadyError, match="no customer of this id"):
        await set_pin(settings, "c-4711", "4071")
    with pytest.raises(PinError, match="guessed first"):
        await set_pin(settings, "c-1001", "1111")


def test_the_check_names_services_that_menus_ask_for_in_vain(tmp_path: Path) -> None:
    site = demo_site(4)
    bare = Settings(state=tmp_path, secrets=tmp_path)
    said = [each.sentence for each in check._services(bare, site)]
    assert sum("asks the service" in each for each in said) == 6
    assert any('[authentication.methods."birth_year"]' in each for each in said)
    whole = bare.model_copy(update=demo_services())
    assert all("example data" in each.sentence for each in check._services(whole, site))
