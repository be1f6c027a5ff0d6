"""How a caller proves who they are. A calling number proves nothing: it only says whom a PIN is held against.

Tries are counted by customer and by calling number, before they are judged, in memory and in the database: hanging
up, calling many times at once, or a restart of ours gives nobody more of them. Whoever is locked out is told the
same whether the PIN was right or not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from acd.common.number import Number
from acd.types import ContactId, CustomerId
from crm_lookup.errors import ServiceError
from crm_lookup.services.pins import PinCheck, PinSettings, hash_of_nobody, keyed
from crm_lookup.services.proofs import ProofStore, token
from crm_lookup.services.service import Services
from crm_lookup.services.settings import RESULT, AuthenticationSettings, Method
from crm_lookup.services.tries import Count, Tries, TriesSettings
from crm_lookup.types import Proof

VERIFIED, NOT_RIGHT, LOCKED, SENT = "verified", "failed", "locked", "sent"
METHOD, LEVEL = "method", "level"
PROOFS = ("pin", "birth_year", "card_last4", "code")
"""What can prove something, in the order in which a method's name holds them."""

_CUSTOMERS, _NUMBERS, _NUMBERLESS, _SENDS = "c-", "n-", "w-", "s-"
CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Claim:
    """Who the caller may be by their number: where the number is known to belong to one customer only, that one."""

    number: Number
    customer: CustomerId | None


@dataclass(slots=True)
class AuthenticationCounters:
    verified: int = 0
    failed: int = 0
    locked: int = 0
    unavailable: int = 0


class Authentication:
    """Answers `authenticate`. `on_proof` is told of every proof."""

    def __init__(
        self,
        settings: AuthenticationSettings,
        services: Services,
        store: ProofStore,
        check: PinCheck,
        secret: bytes,
        now_us: Callable[[], int],
        on_proof: Callable[[ContactId, Proof], None],
    ) -> None:
        self._settings = settings
        self._services = services
        self._store = store
        self._check = check
        self._secret = secret
        self._now_us = now_us
        self._on_proof = on_proof
        self._tries = self._begun(())
        self._methods = {in_order(name): method for name, method in settings.methods.items()}
        self._nobodys_hash = hash_of_nobody(PinSettings(settings.pin_memory_kib, settings.pin_time_cost))
        self.counters = AuthenticationCounters()

    async def start(self) -> Mapping[ContactId, Proof]:
        """Recall counts from before; what contacts had proved then. Raises what the database raises."""
        known = await self._store.remember(self._now_us())
        self._tries = self._begun(known.counts)
        self._store.start()
        return known.proofs

    async def answer(
        self, contact: ContactId, args: Mapping[str, str], claim: Claim
    ) -> Mapping[str, str] | None:
        """`result` verified (with `customer` and `method`), failed (with the tries `left`) or locked; None when it
        cannot be judged now, which costs no try. Secrets among `args` are held nowhere after that."""
        word, method = self._method(args)
        if method is None:
            self.counters.unavailable += 1
            return None
        claimed = self._claimed(args, claim)
        if claimed is None:
            self.counters.failed += 1
            return {RESULT: NOT_RIGHT}
        keys = self._keys(claimed, claim.number)
        if not self._take(keys):
            self.counters.locked += 1
            return {RESULT: LOCKED}
        try:
            customer = await self._judged(method, args, claim)
        except ServiceError:
            self._give_back(*keys)
            self.counters.unavailable += 1
            return None
        if customer is None:
            return self._failed(keys)
        self._passed(keys)
        self.counters.verified += 1
        self.prove(contact, Proof(customer, word, self._now_us(), args.get(LEVEL) or VERIFIED))
        return {RESULT: VERIFIED, CUSTOMER: customer, METHOD: word}

    async def send_code(self, args: Mapping[str, str], claim: Claim) -> Mapping[str, str] | None:
        """Have a code sent to whom these arguments name. It is said to be sent also to nobody, so that nobody learns
        who is a customer; who is locked out gets no more of them, and nobody gets one after the other without end."""
        said = self._method(args)[1]
        method = next(
            (each for each in (said, *self._methods.values()) if each is not None and each.send), None
        )
        claimed = self._claimed(args, claim)
        if method is None or claimed is None:
            self.counters.unavailable += 1
            return None
        keys = self._keys(claimed, claim.number)
        sent = self._of(_SENDS).take(_SENDS + keys[0], self._now_us())
        if sent is None or self._is_locked(keys):
            self.counters.locked += 1
            return {RESULT: LOCKED}
        self._store.note_count(sent)
        try:
            await self._services.find(method.send, self._asked(args, claim))
        except ServiceError:
            self.counters.unavailable += 1
            return None
        return {RESULT: SENT}

    def prove(self, contact: ContactId, proof: Proof) -> None:
        """Keep what a caller has proved, and tell whoever shows it."""
        self._store.note_proof(contact, proof)
        self._on_proof(contact, proof)

    async def aclose(self) -> None:
        await self._check.aclose()
        await self._store.aclose()

    # Judging -----------------------------------------------------------------------------------------------

    def _method(self, args: Mapping[str, str]) -> tuple[str, Method | None]:
        """The way that fits what was keyed, and its name: what the flow says, or the proofs that were given."""
        said = (
            args.get(METHOD, "").split("+")
            if args.get(METHOD)
            else [name for name in PROOFS if args.get(name)]
        )
        word = in_order("+".join(said))
        return word, self._methods.get(word)

    def _claimed(self, args: Mapping[str, str], claim: Claim) -> str | None:
        """The identity that tries are counted for: what was keyed, else whose number this is."""
        for name in self._settings.identities:
            if said := args.get(name):
                return f"{name}:{said}"
        return None if claim.customer is None else f"{CUSTOMER}:{claim.customer}"

    def _asked(self, args: Mapping[str, str], claim: Claim) -> Mapping[str, str]:
        """What a service is told: what was keyed, and whose number this is when nobody said who they are."""
        asked = {name: value for name, value in args.items() if name not in (METHOD, LEVEL)}
        if claim.customer is not None and not any(args.get(name) for name in self._settings.identities):
            asked[CUSTOMER] = claim.customer
        return asked

    async def _judged(self, method: Method, args: Mapping[str, str], claim: Claim) -> CustomerId | None:
        if not method.service:
            return await self._by_pin(args, claim)
        found = await self._services.find(method.service, self._asked(args, claim))
        if found is None:
            return None
        if not found.get(CUSTOMER):
            raise ServiceError("missing_field", theirs=True)
        return found[CUSTOMER]

    async def _by_pin(self, args: Mapping[str, str], claim: Claim) -> CustomerId | None:
        """The same work whether there is such a customer or not, so that nobody learns who is one by the time."""
        said = next((args[name] for name in self._settings.identities if args.get(name)), None)
        if said is not None:
            stored = await self._store.pin_of(login_token(said, self._secret))
        else:
            stored = await self._store.pin_of_customer(claim.customer or "")
        hashed = stored.hashed if stored is not None else self._nobodys_hash
        right = await self._check.right(hashed, keyed(args.get("pin", ""), self._secret))
        return stored.customer if right and stored is not None else None

    # Counting ----------------------------------------------------------------------------------------------

    def _begun(self, known: Iterable[Count]) -> Mapping[str, Tries]:
        """The counts of customers, of numbers, and of all who have no number together (ten times as many, so that
        one of them does not lock out the others at once)."""
        limits, counts = self._settings, list(known)
        most = {
            _CUSTOMERS: limits.tries,
            _NUMBERS: limits.number_tries,
            _NUMBERLESS: limits.number_tries * 10,
            _SENDS: limits.code_sends,
        }
        return {
            kind: Tries(
                TriesSettings(each, limits.within_s, limits.lock_s),
                (count for count in counts if count.key.startswith(kind)),
            )
            for kind, each in most.items()
        }

    def _keys(self, claimed: str, number: Number) -> tuple[str, str]:
        customer = _CUSTOMERS + token("identity", claimed, self._secret)
        if not number.key:
            return customer, _NUMBERLESS
        return customer, _NUMBERS + token("number", number.key, self._secret)

    def _of(self, key: str) -> Tries:
        return self._tries[key[:2]]

    def _is_locked(self, keys: tuple[str, str]) -> bool:
        return any(self._of(key).is_locked(key, self._now_us()) for key in keys)

    def _take(self, keys: tuple[str, str]) -> bool:
        if self._is_locked(keys):
            return False
        for key in keys:
            count = self._of(key).take(key, self._now_us())
            assert count is not None
            self._store.note_count(count)
        return True

    def _give_back(self, *keys: str) -> None:
        for key in keys:
            self._store.note_count(self._of(key).give_back(key, self._now_us()))

    def _passed(self, keys: tuple[str, str]) -> None:
        customer, number = keys
        self._store.note_count(self._of(customer).forget(customer, self._now_us()))
        self._give_back(number)

    def _failed(self, keys: tuple[str, str]) -> Mapping[str, str]:
        if self._is_locked(keys):
            self.counters.locked += 1
            return {RESULT: LOCKED}
        self.counters.failed += 1
        count = self._of(keys[0]).count(keys[0])
        return {RESULT: NOT_RIGHT, "left": str(self._settings.tries - (count.failed if count else 0))}


def login_token(identity: str, secret: bytes) -> str:
    """What stands in the store of PINs for what a customer keys to say who they are."""
    return token("login", identity, secret)


def in_order(method: str) -> str:
    """One name for a method, however its proofs are listed."""
    return "+".join(
        sorted(method.split("+"), key=lambda name: (PROOFS.index(name) if name in PROOFS else 9, name))
    )
