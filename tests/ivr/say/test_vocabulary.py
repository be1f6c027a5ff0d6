"""The stock of phrases is small enough to record, and each has a name of its own."""

from __future__ import annotations

import re

from ivr.say import vocabulary


def test_each_phrase_has_one_name_in_its_language() -> None:
    stock = vocabulary(["fa", "en"])
    assert len({(phrase.language, phrase.key) for phrase in stock}) == len(stock)
    assert all(re.fullmatch(r"[a-z0-9-]{1,40}", phrase.key or "") for phrase in stock)


def test_the_stock_is_small_enough_to_record() -> None:
    assert len(vocabulary(["fa"])) <= 230
    assert len(vocabulary(["en"])) <= 175
    assert vocabulary([]) == vocabulary(["de"]) == frozenset()
