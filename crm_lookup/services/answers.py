"""What a flow asks of services, and to prove who the caller is: `lookup.NAME`, `authenticate` and the like.

A call's script asks by these names (`acd.verbs.Ask`); whoever joins the rooms asks here for those that are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from acd.ports import Answers
from acd.types import ContactId
from crm_lookup.lookup import CallerLookup
from crm_lookup.services.authentication import CUSTOMER, METHOD, Authentication, Claim
from crm_lookup.services.service import Services
from crm_lookup.services.settings import RESULT
from crm_lookup.types import Proof

LOOKUP = "lookup."
AUTHENTICATE = "authenticate"
SEND_CODE = "authenticate.code"
VERIFIED = "verified"


class ServiceAnswers:
    """Answers for the services and the proofs of one process. Implements `acd.ports.Answers`."""

    def __init__(
        self,
        services: Services,
        authentication: Authentication,
        lookup: CallerLookup,
        now_us: Callable[[], int],
        otherwise: Answers | None = None,
    ) -> None:
        """`otherwise` answers what is not for here."""
        self.services = services
        self.authentication = authentication
        self._lookup = lookup
        self._now_us = now_us
        self._otherwise = otherwise

    async def start(self) -> None:
        """Recall tries and proofs from before our last stop. Raises what the database raises."""
        self._lookup.remember(await self.authentication.start())

    async def answer(
        self, contact: ContactId, what: str, args: Mapping[str, str]
    ) -> Mapping[str, str] | None:
        """As `acd.ports.Answers`; None for a contact that is over."""
        if not what.startswith(LOOKUP) and what not in (AUTHENTICATE, SEND_CODE, VERIFIED):
            return None if self._otherwise is None else await self._otherwise.answer(contact, what, args)
        caller = self._lookup.caller(contact)
        if caller is None:
            return None
        if what.startswith(LOOKUP):
            return await self.services.ask(what.removeprefix(LOOKUP), args, self._lookup.proof(contact))
        if what == AUTHENTICATE:
            return await self.authentication.answer(contact, args, Claim(*caller))
        if what == SEND_CODE:
            return await self.authentication.send_code(args, Claim(*caller))
        return self._noted(contact, args)

    async def aclose(self) -> None:
        await self.services.aclose()
        await self.authentication.aclose()

    def _noted(self, contact: ContactId, args: Mapping[str, str]) -> Mapping[str, str]:
        """A flow says who the caller is, by questions of its own; or how sure that is, if it was proved before. Whose
        number it is does not count."""
        known = self._lookup.proof(contact)
        customer = args.get(CUSTOMER) or (known.customer if known is not None else "")
        if not customer:
            return {RESULT: "failed"}
        method = args.get(METHOD) or (known.method if known is not None else "flow")
        self.authentication.prove(
            contact, Proof(customer, method, self._now_us(), args.get("level") or "verified")
        )
        return {RESULT: "ok"}
