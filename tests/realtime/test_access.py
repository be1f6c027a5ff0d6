"""Users, tokens and limits, on the real database."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from realtime.access import ALLOWED, May, Role, hash_of
from realtime.errors import NotSignedIn, TooManyTries, UserError
from tests.realtime.house import PASSWORD, SHORT, House, house


async def test_what_is_stored_logs_nobody_in(a_house: House) -> None:
    """H12: passwords as argon2id, tokens as their hash."""
    token = await a_house.token("sara")
    async with a_house.database.writing.connect() as connection:
        users = (await connection.execute(text("SELECT * FROM user_account"))).all()
        tokens = (await connection.execute(text("SELECT * FROM access_token"))).all()
    assert all("$argon2id$" in repr(user) for user in users)
    assert PASSWORD not in repr(users)
    assert token not in repr(tokens)
    assert hash_of(token) in repr(tokens)


async def test_a_wrong_password_and_an_unknown_user_answer_alike(a_house: House) -> None:
    access = a_house.deps.access
    said = []
    for name in ("sara", "nobody"):
        with pytest.raises(NotSignedIn) as caught:
            await access.log_in(name, "wrong password", "192.0.2.1")
        said.append(str(caught.value))
    assert said[0] == said[1]
    await access.set_active("sara", False)
    with pytest.raises(NotSignedIn):
        await access.log_in("sara", PASSWORD, "192.0.2.1")


async def test_an_unknown_user_costs_a_verification_too(
    a_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    access, against = a_house.deps.access, []
    verify = type(access._hasher).verify

    def counted(self: object, hash_: str, password: str) -> bool:
        against.append(hash_)
        return bool(verify(self, hash_, password))  # type: ignore[arg-type]

    monkeypatch.setattr(type(access._hasher), "verify", counted)
    for name in ("sara", "nobody"):
        with pytest.raises(NotSignedIn):
            await access.log_in(name, "wrong password", "192.0.2.1")
    assert len(against) == 2
    assert all(hash_.startswith("$argon2id$") for hash_ in against)


async def test_log_ins_are_limited_by_account_and_address(tmp_path: Path) -> None:
    """H11: one address, one account, and one account from many addresses."""
    limits = replace(SHORT.access, tries_per_account_and_address=3, tries_per_address=6, tries_per_account=8)
    async with house(tmp_path, settings=replace(SHORT, access=limits)) as built:
        access = built.deps.access
        waits: list[float] = []

        async def tries(name: str, address: str) -> int:
            for number in range(20):
                try:
                    await access.log_in(name, "wrong password", address)
                except TooManyTries as error:
                    waits.append(error.retry_after_s)
                    return number
                except NotSignedIn:
                    continue
            return 20

        assert await tries("sara", "192.0.2.1") == 3
        assert (await access.log_in("sara", PASSWORD, "192.0.2.2")).token, "the same user from elsewhere"
        assert await tries("reza", "192.0.2.1") == 2, "this address has used up its own"
        assert [await tries("boss", f"198.51.100.{n}") for n in range(4)] == [3, 3, 2, 0]
        assert all(0 < wait_s <= limits.tries_span_s for wait_s in waits)


async def test_tokens_end(a_house: House, tmp_path_factory: pytest.TempPathFactory) -> None:
    access = a_house.deps.access
    token = await a_house.token("sara")
    principal = await access.principal(token)
    assert (principal.user, principal.role, principal.agent) == ("sara", Role.AGENT, "sara")
    ticket = access.ticket(principal, "agent")
    await access.log_out(principal)
    with pytest.raises(NotSignedIn):
        await access.principal(token)
    with pytest.raises(NotSignedIn):
        access.redeem(ticket, "agent")
    short = replace(SHORT, access=replace(SHORT.access, token_life_s=0.0, ticket_life_s=0.0))
    async with house(tmp_path_factory.mktemp("short"), settings=short) as built:
        with pytest.raises(NotSignedIn):
            await built.deps.access.principal(await built.token("sara"))
        with pytest.raises(NotSignedIn):
            built.deps.access.redeem(built.deps.access.ticket(principal, "wall"), "wall")


async def test_users_that_cannot_be(a_house: House) -> None:
    access = a_house.deps.access
    for name, password, role, agent in (
        ("sara", PASSWORD, Role.AGENT, "sara"),
        ("", PASSWORD, Role.WALL, None),
        (" x", PASSWORD, Role.WALL, None),
        ("a\x00b", PASSWORD, Role.WALL, None),
        ("new", "short", Role.WALL, None),
        ("new", PASSWORD, Role.AGENT, None),
    ):
        with pytest.raises(UserError):
            await access.add_user(name, password, role, agent)
    with pytest.raises(UserError):
        await access.set_password("nobody", PASSWORD)


async def test_the_first_admin_gets_a_password_of_its_own_once(a_house: House) -> None:
    """H14: there is no default password."""
    access = a_house.deps.access
    assert await access.ensure_admin() is None
    async with a_house.database.writing.begin() as connection:
        await connection.execute(text("DELETE FROM user_account"))
    password = await access.ensure_admin()
    assert password is not None
    assert (await access.log_in("admin", password, "192.0.2.1")).principal.role is Role.ADMIN
    assert await access.ensure_admin() is None


def test_roles_only_grow() -> None:
    assert ALLOWED[Role.WALL] < ALLOWED[Role.AGENT] < ALLOWED[Role.SUPERVISOR] < ALLOWED[Role.ADMIN]
    assert May.CHANGE_CENTER not in ALLOWED[Role.SUPERVISOR]
