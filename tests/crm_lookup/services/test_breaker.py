from __future__ import annotations

from crm_lookup.services.breaker import Breaker


def test_it_opens_and_one_question_is_the_test() -> None:
    breaker = Breaker(after=3, open_s=30)
    assert [breaker.went_ill(0.0) for _ in range(2)] == [False, False]
    breaker.went_well()
    assert [breaker.went_ill(float(n)) for n in range(3)] == [False, False, True]
    assert not breaker.may_ask(31.9)
    assert [breaker.may_ask(32.0) for _ in range(3)] == [True, False, False]
    breaker.no_word()
    assert breaker.may_ask(32.0)
    assert not breaker.went_ill(40.0)  # it was open before
    assert not breaker.may_ask(69.9)
    assert breaker.may_ask(70.0)
    breaker.went_well()
    assert not breaker.is_open
    assert breaker.may_ask(70.0)
    assert breaker.opened == 2
