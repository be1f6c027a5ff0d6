"""The dialplan as Asterisk reads it. What it does is tried on the real one in tests/live/test_conf.py."""

from __future__ import annotations

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.site import Label, Number, Phone
from ami_bridge.signature import parse_request, verify
from asterisk_conf import LoopSettings, Unwritable, includes
from asterisk_conf.dialplan import extensions
from tests.asterisk_conf import reader
from tests.asterisk_conf.sites import bent, example, secrets, settings


def contexts(**changes: object) -> dict[str, dict[str, list[str]]]:
    return reader.extensions(extensions(example(), settings(**changes)))


def evaluated(text: str, channel: dict[str, str]) -> str:
    """`${NAME}` and `${SHA1(…)}` of a dialplan's text, innermost first."""
    while found := re.search(r"\$\{([A-Z0-9_]+|SHA1\([^${}]*\))\}", text):
        word = found[1]
        if word.startswith("SHA1("):
            word = hashlib.sha1(word[5:-1].encode(), usedforsecurity=False).hexdigest()
        else:
            word = channel[word]
        text = text[: found.start()] + word + text[found.end() :]
    return text


def test_every_number_has_an_extension_and_all_else_is_turned_away() -> None:
    inbound = contexts()["pasokh-inbound"]
    assert set(inbound) == {*example().numbers, "_[+0-9]!", "s"}
    for number in example().numbers:
        assert inbound[number] == [f"Set(PA_NUMBER={number})", "Goto(pasokh-attach,arrive,1)"]
    for stranger in ("_[+0-9]!", "s"):
        assert inbound[stranger][-1] == "Hangup(1)"


def test_what_it_signs_is_what_the_listener_verifies() -> None:
    steps = contexts()["pasokh-attach"]["s"]
    channel = {
        "PA_NUMBER": "+982191001500",
        "PASOKH_ID": "pbx1-1795373575.0",
        "PA_T1": "1795373575",
        "PA_N": "3",
    }
    [signs] = [step for step in steps if step.startswith("Set(PA_SIG=")]
    channel["PA_SIG"] = evaluated(signs.removeprefix("Set(PA_SIG=").removesuffix(")"), channel)
    [asks] = [step for step in steps if step.startswith("AGI(")]
    request = parse_request(evaluated(asks, channel).removesuffix(")").partition("4573/")[2])
    assert (request.number, request.contact, request.attach) == ("+982191001500", "pbx1-1795373575.0", 3)
    verify(request, uniqueid=request.contact, secret="agi-secret", now_s=1795373575.0, window_s=30.0)


def test_it_never_asks_what_a_dead_process_can_fake() -> None:
    [use] = [step for step in contexts()["pasokh-attach"]["s"] if "AGISTATUS" in step]
    assert use == 'GotoIf($["${AGISTATUS}" = "HANGUP"]?done)'


def test_its_clocks_are_settings() -> None:
    loop = LoopSettings(without_anyone_s=77, young_s=66, young_ends=55, retry_s=0.25, native_wait_s=44)
    steps = "\n".join(contexts(loop=loop)["pasokh-attach"]["s"])
    for text in ("PA_T0} >= 77]", "PA_T1} < 66]", "PA_T1} >= 66]", "PA_BAD} >= 55]", "Wait(0.25)", "c,,,44)"):
        assert text in steps
    with pytest.raises(ValueError, match="at least 1"):
        LoopSettings(young_s=0)


def test_every_jump_has_its_label() -> None:
    text = extensions(example(), settings())
    for context in text.split("\n["):
        for target in re.findall(r"\?(\w+)\)$", context, re.MULTILINE):
            assert f"n({target})" in context


def test_two_servers_take_turns() -> None:
    servers = (("10.0.0.1", 4573), ("10.0.0.2", 4574))
    [asks] = [step for step in contexts(agi_servers=servers)["pasokh-attach"]["s"] if step.startswith("AGI(")]
    which = '${IF($["${PA_SRV}" = "A"]?'
    assert asks.startswith(f"AGI(agi://{which}10.0.0.1:10.0.0.2)}}:{which}4573:4574)}}/call?")


def test_phones_reach_each_other_and_nothing_else() -> None:
    phones = contexts()["pasokh-phones"]
    assert {name: steps[0] for name, steps in phones.items()} == {
        phone: f"Dial(PJSIP/{phone},30)" for phone in example().phones
    }


def test_no_context_leads_from_a_phone_or_trunk_to_another_number() -> None:
    for name in ("pasokh-phones", "pasokh-inbound"):
        for steps in contexts()[name].values():
            assert not any("${EXTEN}" in step and not step.startswith("UserEvent") for step in steps)


@pytest.mark.parametrize("number", ["_X.", "1,1,System(x)", "12\n[x]", "h", "", "12;", "${A}", "٠٢١"])
def test_a_number_that_is_none_stops_everything(number: str) -> None:
    with pytest.raises(Unwritable, match="number"):
        includes(bent("numbers", number, Number(flow="bank")), settings(), secrets)


@pytest.mark.parametrize("phone", ["h", "i", "fax", "_.", "a,b", "x\n[y]", "desk-1", "DESK1", ""])
def test_a_phone_that_asterisk_would_take_for_something_else_stops_everything(phone: str) -> None:
    static = Phone(kind="static", contact="sip:1@192.0.2.10")
    with pytest.raises(Unwritable):
        includes(bent("phones", phone, static), settings(), secrets)


@given(st.text(max_size=60))
def test_no_label_leaves_its_comment(label: str) -> None:
    forged = Label.model_construct(fa="x", en=label)
    site = bent(
        "numbers", "100", Number.model_construct(flow="bank", language=None, hours=None, label=forged)
    )
    plain = bent("numbers", "100", Number(flow="bank"))
    assert reader.read(extensions(site, settings())) == reader.read(extensions(plain, settings()))


@pytest.mark.parametrize("secret", ["", "a,b", "a)b", "${X}", "a b", "a;b", 'a"b', "a|b", "a\nb"])
def test_a_secret_that_the_dialplan_would_read_is_refused_without_showing_it(secret: str) -> None:
    with pytest.raises(Unwritable, match="AGI requests") as caught:
        extensions(example(), settings(agi_secret=secret))
    assert not secret or secret not in str(caught.value)


@pytest.mark.parametrize(
    "servers", [(("a b", 1),), (("h,x", 1),), (("h", 0),), (("::1", 1), ("::2", 1)), (("h)", 1),)]
)
def test_a_server_that_cannot_be_written_is_refused(servers: tuple[tuple[str, int], ...]) -> None:
    with pytest.raises(Unwritable):
        extensions(example(), settings(agi_servers=servers))


def test_one_server_may_have_an_ipv6_address() -> None:
    assert "agi://[::1]:4573/call?" in extensions(example(), settings(agi_servers=(("::1", 4573),)))
    with pytest.raises(ValueError, match="agi_servers"):
        settings(agi_servers=())
