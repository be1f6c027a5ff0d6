"""Real calls through the whole house: SIPp callers, a real Asterisk, the product, agents at their pages."""

from __future__ import annotations

import pytest

from tests.live.center import CARDS, PARTS, premises
from tests.live.sipp import Answer

pytestmark = pytest.mark.needs(*PARTS)


async def test_one_call_with_the_product_as_a_child(postgres_url: str) -> None:
    async with premises(postgres_url) as place, place.serving(), place.desk("c1", finish="resolved") as desk:
        with (
            place.phones(Answer(talk_ms=500)) as phones,
            place.callers(["09125550001"], keys=CARDS) as callers,
        ):
            done = await callers.finished()
            rang = await phones.heard("RING")
        assert (done.succeeded, done.failed) == (1, 0), done.errors
        assert [moment.who for moment in rang] == ["c1-phone"]
        assert [offer.contact for offer in desk.offers] == [rang[0].contact]
        await place.until_no_channels()
        await place.until_no_rows()
