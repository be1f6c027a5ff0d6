"""The other files: what stands in them, and that nothing a person wrote can become a line of its own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.site import Phone, Queue, Trunk
from asterisk_conf import Unwritable, check_against, complete, includes
from asterisk_conf.modules import NEEDED
from tests.asterisk_conf import reader
from tests.asterisk_conf.sites import bent, example, secrets, settings

OURS = {
    "pasokh-extensions.conf",
    "pasokh-pjsip.conf",
    "pasokh-pjsip-transports.conf",
    "pasokh-manager.conf",
    "pasokh-queues.conf",
    "pasokh-musiconhold.conf",
}
ANY_TEXT = st.text(max_size=40) | st.sampled_from(
    [
        "x\n[evil]\ntype = endpoint",
        "x;y",
        ";--",
        "--;",
        "\\;",
        "#exec /bin/sh",
        "> x",
        " x",
        "a\\",
        "x\r",
        "[x]",
    ]
)


def pjsip(site: object = None, **changes: object) -> str:
    return includes(site or example(), settings(**changes), secrets)["pasokh-pjsip.conf"]  # type: ignore[arg-type]


def pjsip_with(secret: str) -> str:
    return includes(example(), settings(), lambda _: secret)["pasokh-pjsip.conf"]


def kinds(text: str) -> list[tuple[str, str]]:
    return [(name, dict(lines)["type"]) for name, lines in reader.read(text)]


def test_includes_are_ours_alone_and_a_whole_folder_includes_them() -> None:
    site = example()
    assert set(includes(site, settings(), secrets)) == OURS
    whole = complete(site, settings(), secrets)
    included = {
        target
        for text in whole.values()
        for name, lines in reader.read(text)
        for key, target in lines
        if key == "#include"
    }
    assert included == OURS
    assert set(whole) > OURS


def test_secrets_stand_only_where_they_must() -> None:
    files = complete(
        example(), settings(agi_secret="AGI-S", ami_secret="AMI-S"), lambda name: f"SIP-S-{name}"
    )
    assert {name for name, text in files.items() if "-S" in text.replace("SIP-SIDE", "")} == {
        "pasokh-extensions.conf",
        "pasokh-manager.conf",
        "pasokh-pjsip.conf",
    }
    assert "AGI-S" not in repr(settings(agi_secret="AGI-S"))


def test_a_desk_phone_registers_with_its_secret() -> None:
    text = pjsip()
    assert [kind for name, kind in kinds(text) if name == "desk1"] == ["endpoint", "auth", "aor"]
    assert reader.values(text, "desk1", "password") == ["secret-of-desk1"]
    assert reader.values(text, "desk1", "context") == ["pasokh-phones"]
    assert reader.values(text, "desk1", "max_contacts") == ["1"]
    assert reader.values(text, "web1", "webrtc") == ["yes"]
    assert reader.values(text, "web1", "rtp_timeout") == ["8"]


def test_who_does_not_register_is_never_recognised_by_name() -> None:
    static = Phone(kind="static", contact="sip:1001@192.0.2.10:5060")
    text = pjsip(bent("phones", "p1", static), loopback=True)
    for endpoint in ("p1", "trunk-provider", "pasokh-loopback"):
        assert reader.values(text, endpoint, "identify_by") == ["ip"]
    assert "p1" not in reader.values(text, "p1", "endpoint")
    assert reader.values(text, "p1", "contact") == ["sip:1001@192.0.2.10:5060"]


def test_a_trunk_registers_and_is_known_by_its_addresses() -> None:
    text = pjsip()
    assert [kind for name, kind in kinds(text) if name == "trunk-provider"] == [
        "endpoint",
        "aor",
        "identify",
        "auth",
        "registration",
    ]
    assert reader.values(text, "trunk-provider", "match") == ["192.0.2.0/28"]
    assert reader.values(text, "trunk-provider", "client_uri") == ["sip:02191001500@sip.example.net"]
    assert ("trunk-provider", "registration") not in kinds(pjsip(register_trunks=False))


def test_a_trunk_over_tls_with_a_domain_of_its_own() -> None:
    trunk = Trunk(
        host="192.0.2.5",
        transport="tls",
        port=5061,
        username="100@ims.example",
        secret_file="s",
        register=True,
    )
    text = pjsip(bent("trunks", "ims", trunk))
    assert reader.values(text, "trunk-ims", "server_uri") == ["sip:192.0.2.5:5061;transport=tls"]
    assert reader.values(text, "trunk-ims", "client_uri") == ["sip:100@ims.example"]
    assert reader.values(text, "trunk-ims", "from_user") == ["100"]
    assert reader.values(text, "trunk-ims", "username") == ["100@ims.example"]
    assert reader.values(text, "trunk-ims", "match") == ["192.0.2.5"]


def test_the_manager_user_has_the_least_rights_and_comes_from_near() -> None:
    text = includes(example(), settings(ami_permit=("127.0.0.1/32", "10.0.0.0/30", "::1/128")), secrets)[
        "pasokh-manager.conf"
    ]
    assert reader.values(text, "pasokh", "read") == ["call,agent,user"]
    assert reader.values(text, "pasokh", "write") == ["call,originate,reporting,agent"]
    assert reader.values(text, "pasokh", "permit") == [
        "127.0.0.1/255.255.255.255",
        "10.0.0.0/255.255.255.252",
        "::1/128",
    ]
    assert reader.values(text, "pasokh", "deny") == ["0.0.0.0/0.0.0.0", "::/0"]


def test_no_log_of_asterisk_holds_keys() -> None:
    logger = complete(example(), settings(), secrets)["logger.conf"]
    assert reader.values(logger, "logfiles", "messages") == ["notice,warning,error"]


def test_a_whole_asterisk_loads_what_our_files_use() -> None:
    loaded = reader.values(complete(example(), settings(), secrets)["modules.conf"], "modules", "load")
    assert {f"{name}.so" for name in NEEDED} <= set(loaded)
    assert len(loaded) == len(set(loaded))


def test_music_of_a_queue_has_its_folder() -> None:
    queue = example().queues["cards"].model_copy(update={"music": "santoor"})
    text = includes(bent("queues", "cards", queue), settings(), secrets)["pasokh-musiconhold.conf"]
    assert reader.read(text) == [
        ("santoor", [("mode", "files"), ("directory", "moh/santoor"), ("sort", "alpha")])
    ]


def test_on_the_loopback_nothing_listens_elsewhere() -> None:
    files = complete(example(), settings(loopback=True, http_port=8088), secrets)
    for text in files.values():
        for _, lines in reader.read(text):
            for key, value in lines:
                if key in ("bind", "bindaddr"):
                    assert value.startswith("127.0.0.1")


@given(ANY_TEXT)
def test_no_secret_becomes_a_line_of_its_own(secret: str) -> None:
    try:
        text = pjsip_with(secret)
    except Unwritable:
        return
    assert kinds(text) == kinds(pjsip())
    assert reader.values(text, "desk1", "password") == [secret]


@pytest.mark.parametrize("secret", ["", "two words", "broken\nline", "رمز عبور", "x" * 129])
def test_a_secret_that_cannot_be_written_is_not_shown_either(secret: str) -> None:
    with pytest.raises(Unwritable, match="secret") as caught:
        pjsip_with(secret)
    assert not secret or secret not in str(caught.value)


@given(ANY_TEXT)
def test_no_value_of_the_site_becomes_a_line_of_its_own(text: str) -> None:
    site = example()
    phone = Phone.model_construct(
        kind="static", label=None, contact=text, secret_file=None, auto_answer=False
    )
    trunk = site.trunks["provider"].model_copy(update={"match": (text,), "username": f"u{text}"})
    queue = Queue.model_construct(**{**dict(site.queues["cards"]), "music": text})
    for section, name, value in (
        ("phones", "p1", phone),
        ("trunks", "provider", trunk),
        ("queues", "cards", queue),
    ):
        hostile = bent(section, name, value)
        try:
            files = includes(hostile, settings(), secrets)
        except Unwritable:
            continue
        benign = (
            site if section != "phones" else bent("phones", "p1", Phone(kind="static", contact="sip:1@h"))
        )
        for file, plain in includes(benign, settings(), secrets).items():
            if file == "pasokh-musiconhold.conf":
                continue
            keys = [
                (name, [key for key, _ in lines if key != "from_domain"])
                for name, lines in reader.read(plain)
            ]
            assert [
                (name, [key for key, _ in lines if key != "from_domain"])
                for name, lines in reader.read(files[file])
            ] == keys


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [
        ("phones", "anonymous", Phone(kind="static", contact="sip:1@192.0.2.10")),
        ("phones", "trunk-provider", Phone(kind="static", contact="sip:1@192.0.2.10")),
        ("phones", "pasokh-loopback", Phone(kind="static", contact="sip:1@192.0.2.10")),
        ("trunks", "x", Trunk(host="192.0.2.1", secret_file="s")),
        ("trunks", "x", Trunk.model_construct(**{**dict(Trunk(host="h")), "host": "h\n[x]"})),
        ("trunks", "a b", Trunk(host="192.0.2.1")),
    ],
)
def test_what_would_mean_something_else_is_refused(section: str, name: str, value: object) -> None:
    with pytest.raises(Unwritable):
        includes(bent(section, name, value), settings(), secrets)


@pytest.mark.parametrize(
    "changes",
    [
        {"ami_user": "general"},
        {"ami_user": "a]\n[b"},
        {"ami_permit": ("everywhere",)},
        {"sip_port": 0},
        {"sip_bind": "0.0.0.0; x"},
        {"systemname": "a b"},
        {"music": "general"},
        {"codecs": ("ulaw\nx",)},
        {"local_networks": ("10.0.0.0/33",)},
        {"tls_cert_file": "/a\n/b"},
        {"sip_domain": "a b"},
    ],
)
def test_settings_are_checked_too(changes: dict[str, object]) -> None:
    with pytest.raises(Unwritable):
        complete(example(), settings(**changes), secrets)


def test_phones_that_asterisk_does_not_know_are_told() -> None:
    states = {f"PJSIP/{phone}": "NOT_INUSE" for phone in example().phones}
    assert check_against(example(), states) == []
    states["PJSIP/desk2"] = "UNAVAILABLE"  # known, only not registered
    states["PJSIP/desk3"] = "INVALID"
    del states["PJSIP/web1"]
    told = check_against(example(), states)
    assert [sentence.split('"')[1] for sentence in told] == ["desk3", "web1"]
    assert "mina" in told[0]
    assert "pasokh asterisk config" in told[0]
