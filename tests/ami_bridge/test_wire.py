"""AGI and AMI bytes: any cut gives the same messages, and nothing that is written can become two commands."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_bridge.errors import AgiMalformed, AgiRefused, AgiSignatureError, AmiRefused
from ami_bridge.signature import UsedOnce, parse_request, sign, verify
from ami_bridge.wire import (
    AgiEnv,
    AgiLimits,
    AgiReader,
    AgiReply,
    AmiMessage,
    AmiReader,
    HangupLine,
    command_line,
    encode_action,
    encode_command,
    encode_message,
    quote,
    split_command,
)
from ami_bridge.wire import _reply as slow_reading

ENV = (
    b"agi_network: yes\nagi_network_script: call?number=91\nagi_request: agi://127.0.0.1/call\n"
    b"agi_channel: PJSIP/trunk-00000001\nagi_uniqueid: sys-1700000000.1\nagi_calleridname: Zahra\n\n"
)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[a:b] for a, b in itertools.pairwise(edges)]


def read_agi(chunks: list[bytes], reader: AgiReader) -> list[object]:
    return [item for chunk in chunks for item in reader.feed(chunk)]


def reply(line: str) -> AgiReply:
    [item] = AgiReader(env=False).feed(line.encode() + b"\n")
    assert isinstance(item, AgiReply)
    return item


text = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"))


# ---------------------------------------------------------------- AGI


PARTS = st.lists(
    st.sampled_from(
        [b"200", b" ", b"result=", b"0", b"-1", b"12#", b"(", b")", b"v\xff", b"endpos=", b"7", b"\xd9\xbe"]
    ),
    max_size=9,
)


@given(PARTS)
def test_a_usual_reply_is_read_to_the_same_as_any_other(parts: list[bytes]) -> None:
    line = b"200 result=" + b"".join(parts)
    for item in AgiReader(env=False).feed(line + b"\n"):
        assert item == slow_reading(line)


class TestEnv:
    def test_values_are_read_up_to_the_blank_line(self) -> None:
        reader = AgiReader()
        env, answer = reader.feed(ENV + b"200 result=0\n")
        assert isinstance(env, AgiEnv)
        assert env.values["agi_uniqueid"] == "sys-1700000000.1"
        assert not env.suspect
        assert answer == AgiReply(200, "0", text="result=0")

    def test_first_occurrence_wins_and_repeats_are_flagged(self) -> None:
        forged = b"agi_uniqueid: 1.1\nagi_calleridname: x\nagi_uniqueid: 9.9\nagi_calleridname: y\n\n"
        [env] = AgiReader().feed(forged)
        assert isinstance(env, AgiEnv)
        assert env.values == {"agi_uniqueid": "1.1", "agi_calleridname": "x"}
        assert env.repeated == {"agi_uniqueid", "agi_calleridname"}
        assert env.suspect

    def test_lines_that_are_no_agi_value_are_counted(self) -> None:
        [env] = AgiReader().feed(b"agi_uniqueid: 1.1\nrubbish\nEvil: 1\n\n")
        assert isinstance(env, AgiEnv)
        assert (env.strange, env.suspect) == (2, True)

    @pytest.mark.parametrize(
        ("raw", "shown"),
        [
            ("زهرا".encode()[:-1], "زهر\ufffd"),
            (bytes.fromhex("c2e8f2e0"), "\ufffd\ufffd\ufffd\ufffd"),
        ],
    )
    def test_names_that_are_not_utf8_are_shown_and_kept(self, raw: bytes, shown: str) -> None:
        [env] = AgiReader().feed(b"agi_calleridname: " + raw + b"\nagi_uniqueid: 1.1\n\n")
        assert isinstance(env, AgiEnv)
        assert env.values["agi_calleridname"] == shown
        assert env.undecodable == {"agi_calleridname": raw}
        assert not env.suspect

    @pytest.mark.parametrize(
        "flood", [b"agi_x: " + b"y" * 2000, b"agi_x: y\n" * 200, b"\n" * 0 + b"z" * 1100]
    )
    def test_too_much_is_a_fault(self, flood: bytes) -> None:
        reader = AgiReader(AgiLimits(env_bytes=1000, env_lines=100))
        assert reader.feed(flood) == []
        assert reader.fault is not None
        assert reader.feed(ENV) == []


class TestReply:
    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ("200 result=0", (0, "", None)),
            ("200 result=49 endpos=1234", (49, "", 1234)),
            ("200 result=1 (a) b) c)", (1, "a) b) c", None)),
            ("200 result=1 (x) endpos=5)", (1, "x) endpos=5", None)),
            ("200 result=1 ()", (1, "", None)),
            ("200 result=0 (timeout) endpos=55", (0, "timeout", 55)),
            ("200 result=-1 endpos=0", (-1, "", 0)),
            ("200 result=1 (پاسخ \"q\" \\ )", (1, 'پاسخ "q" \\ ', None)),
            ("200 result=1 (HANGUP)", (1, "HANGUP", None)),
            ("200 result=1 (speech) endpos=3 results=0", (1, "speech", 3)),
        ],
    )  # fmt: skip
    def test_fields(self, line: str, expected: tuple[int, str, int | None]) -> None:
        answer = reply(line)
        assert (answer.result, answer.data, answer.endpos) == expected

    def test_keys_keep_their_zeros_and_stars(self) -> None:
        assert reply("200 result=007*").value == "007*"
        assert reply("200 result= (timeout)").timed_out
        with pytest.raises(AgiMalformed):
            _ = reply("200 result=7*").result
        with pytest.raises(AgiMalformed):
            _ = reply("200 result=" + "9" * 5000).result

    def test_a_value_with_line_breaks_is_one_reply(self) -> None:
        reader = AgiReader(env=False)
        items = reader.feed(b"200 result=1 (one\nHANGUP\n200 result=0\ntwo)\n200 result=5\n")
        assert [item.data for item in items if isinstance(item, AgiReply)] == [
            "one\nHANGUP\n200 result=0\ntwo",
            "",
        ]
        assert reader.fault is None

    def test_usage_is_read_to_its_end(self) -> None:
        answer = reply(
            "520-Invalid command syntax.  Proper usage follows:\nUsage: X\n 200 y\n520 End of usage."
        )
        assert answer.code == 520
        assert "Usage: X" in answer.text
        assert reply("520 Invalid command syntax. Proper usage not available.").code == 520

    @pytest.mark.parametrize("code", [100, 510, 511])
    def test_other_codes(self, code: int) -> None:
        assert reply(f"{code} Some text").code == code

    def test_hangup_comes_out_of_band(self) -> None:
        items = AgiReader(env=False).feed(b"HANGUP\n200 result=-1\nHANGUP\n")
        assert [isinstance(item, HangupLine) for item in items] == [True, False, True]

    @pytest.mark.parametrize(
        "line", [b"hello\n", b"agi_x: 1\n", b"20 result=0\n", b"\xff\xfe\n", b"2000 x\n"]
    )
    def test_rubbish_is_a_fault(self, line: bytes) -> None:
        reader = AgiReader(env=False)
        assert reader.feed(line) == []
        assert reader.fault

    @pytest.mark.parametrize("flood", [b"200 result=1 (" + b"x" * 5000, b"520-x\n" + b"y\n" * 5000])
    def test_a_reply_without_end_is_a_fault(self, flood: bytes) -> None:
        reader = AgiReader(AgiLimits(reply_bytes=4000), env=False)
        assert reader.feed(flood) == []
        assert reader.fault

    def test_a_hostile_value_costs_no_time(self) -> None:
        line = b"200 result=1 (" + b") a=b" * 12_000 + b"!\n"
        began_s = time.process_time()
        AgiReader(env=False).feed(line)
        assert time.process_time() - began_s < 0.5


agi_stream = st.lists(
    st.sampled_from(
        [
            b"HANGUP\n",
            b"200 result=0\n",
            b"200 result=1 (a\nb)\n",
            b"520-u\nx\n520 End\n",
            b"511 dead\r\n",
            b"\n",
        ]
    )
    | st.binary(max_size=30),
    max_size=12,
).map(b"".join)


class TestAnyCut:
    @given(agi_stream, st.lists(st.integers(0, 400), max_size=20))
    def test_agi(self, data: bytes, places: list[int]) -> None:
        limits = AgiLimits(env_bytes=250, env_lines=8, reply_bytes=60)
        whole, parts = AgiReader(limits), AgiReader(limits)
        stream = ENV + data
        assert read_agi(cut(stream, places), parts) == read_agi([stream], whole)
        assert (parts.fault is None) == (whole.fault is None)

    @given(
        st.lists(
            st.sampled_from(
                [
                    b"Event: A\r\nX: 1\r\n\r\n",
                    b"Event: B\r\nOutput: a\nb\r\nOutput: \r\n\r\n",
                    b"\r\n",
                    b"no colon\r\n\r\n",
                ]
            )
            | st.binary(max_size=40),
            max_size=12,
        ).map(b"".join),
        st.lists(st.integers(0, 400), max_size=20),
        st.none() | st.integers(1, 3),
    )
    def test_ami(self, data: bytes, places: list[int], limit: int | None) -> None:
        stream = b"Asterisk Call Manager/9.0.0\r\n" + data
        whole = AmiReader(max_message_bytes=60)
        parts = AmiReader(max_message_bytes=60)
        expected = whole.feed(stream)
        got: list[AmiMessage] = []
        for chunk in cut(stream, places):
            got += parts.feed(chunk, limit)
            while parts.more:
                got += parts.feed(b"", limit)
        assert got == expected
        assert parts.fault == whole.fault


class TestCommands:
    @given(text)
    def test_quoting_round_trips(self, value: str) -> None:
        assert split_command(f"SET VARIABLE X {quote(value)}") == ["SET", "VARIABLE", "X", value]

    @given(st.lists(text, max_size=4), text.filter(bool))
    def test_bare_arguments_arrive_as_they_were(self, args: list[str], last: str) -> None:
        line = command_line("EXEC", [*args, last])
        assert split_command(line) == ["EXEC", *args, last]
        assert b"\n" not in line.encode()

    @pytest.mark.parametrize("value", ["x\nHANGUP", "x\r\nHANGUP", "a\0b"])
    def test_a_line_break_is_refused(self, value: str) -> None:
        for write in (quote, lambda v: command_line("NOOP", [v]), lambda v: encode_command(f"NOOP {v}")):
            with pytest.raises(AgiRefused):
                write(value)

    @pytest.mark.parametrize("size", [2001, 2047, 2048, 5000])
    def test_long_commands_are_refused(self, size: int) -> None:
        with pytest.raises(AgiRefused, match="2000"):
            encode_command("N" * size)
        with pytest.raises(AgiRefused):
            encode_command("ی" * (size // 2 + 1))

    def test_the_limit_itself_is_taken(self) -> None:
        assert len(encode_command("N" * 2000)) == 2001

    def test_unpaired_surrogates_and_nothing_are_refused(self) -> None:
        for line in ("NOOP \ud800", "", "  "):
            with pytest.raises(AgiRefused):
                encode_command(line)

    def test_only_text_and_numbers_are_quoted(self) -> None:
        with pytest.raises(AgiRefused):
            quote(None)  # type: ignore[arg-type]

    def test_empty_arguments_at_the_end_are_dropped(self) -> None:
        assert command_line("HANGUP", [""]) == "HANGUP"
        assert command_line("X", ["", 5, ""]) == 'X "" 5'


# ---------------------------------------------------------------- AMI


def messages(data: bytes) -> list[AmiMessage]:
    return AmiReader(greeting=False).feed(data)


class TestAmiMessages:
    def test_repeated_headers_are_lists(self) -> None:
        [message] = messages(b"Response: Success\r\nOutput: a\r\nOutput: a\r\nOutput: \r\nOutput: \r\n\r\n")
        assert message.all("Output") == ["a", "a", "", ""]
        assert message.get("Output") == "a"
        assert message.ok

    def test_a_line_feed_stays_in_its_value(self) -> None:
        [message] = messages(b"Event: VarSet\r\nValue: one\ntwo: x\r\nUniqueid: 1.1\r\n\r\n")
        assert message["Value"] == "one\ntwo: x"
        assert message.event == "VarSet"

    def test_an_escaped_line_break_makes_no_second_event(self) -> None:
        [message] = messages(b"Event: VarSet\r\nValue: x\\r\\nEvent: Hangup\r\n\r\n")
        assert message.event == "VarSet"
        assert message.all("Event") == ["VarSet"]

    def test_channel_variables(self) -> None:
        data = b"Event: A\r\nChanVariable: X=1=2\r\nChanVariable: Y=\r\nChanVariable(PJSIP/1): Z=3\r\n"
        [message] = messages(data + b"Variable: T={}\r\n\r\n")
        assert message.variables() == {"X": "1=2", "Y": "", "Z": "3"}
        assert message.variables("Variable") == {"T": "{}"}

    def test_lines_without_colon_are_data(self) -> None:
        [message] = messages(b"Response: Success\r\nno header\r\nother\r\n\r\n")
        assert message.data == "no header\nother"

    def test_pyst2s_surface(self) -> None:
        [message] = messages(b"Event: A\r\nX: 1\r\n\r\n")
        assert message.has_header("X")
        assert message.get_header("X") == "1"
        assert message.get_header("Y", "-") == "-"

    def test_nothing_personal_in_its_representation(self) -> None:
        assert repr(AmiMessage({"Event": "Newchannel", "CallerIDNum": "0912"})) == "<AmiMessage Newchannel>"

    def test_slices(self) -> None:
        reader = AmiReader(greeting=False)
        assert len(reader.feed(b"Event: A\r\n\r\n" * 5, 2)) == 2
        assert reader.more
        assert len(reader.feed(b"", 2)) == 2
        assert len(reader.feed(b"", 2)) == 1
        assert not reader.more
        assert reader.buffered_bytes == 0

    @pytest.mark.parametrize(
        "greeting", [b"SSH-2.0-OpenSSH\r\n", b"\x15\x03\x01\x00\x02", b"\r\n", b"x" * 300, b"\xff\n"]
    )
    def test_another_banner_is_a_fault(self, greeting: bytes) -> None:
        reader = AmiReader()
        assert reader.feed(greeting) == []
        assert reader.fault
        assert ("TLS" in reader.fault.split(";")[0]) == greeting.startswith(b"\x15")

    def test_a_message_without_end_is_a_fault(self) -> None:
        reader = AmiReader(greeting=False, max_message_bytes=1000)
        assert len(reader.feed(b"Event: A\r\n\r\nEvent: B\r\nX: " + b"y" * 2000)) == 1
        assert reader.fault

    @given(st.dictionaries(st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,8}", fullmatch=True), text, min_size=1))
    def test_actions_round_trip(self, fields: dict[str, str]) -> None:
        assert messages(encode_action(fields)) == [AmiMessage(dict(fields))]

    def test_lists_become_repeated_headers(self) -> None:
        data = encode_action({"Action": "Originate", "Variable": ["a=1", "b=2"]})
        assert data == b"Action: Originate\r\nVariable: a=1\r\nVariable: b=2\r\n\r\n"
        assert encode_message(messages(data)[0]) == data

    @pytest.mark.parametrize(
        "fields",
        [
            {"Action": "Ping\r\nAction: Originate"},
            {"Queue": "sales\nX: y"},
            {"Queue": "a\0"},
            {"Bad name": "x"},
            {"X\r\nAction": "x"},
            {"": "x"},
            {"X": "y" * 1000},
            {"X": "\udc80"},
            {"Variable": ["a=1"] * 121},
        ],
    )
    def test_injection_and_excess_are_refused(self, fields: dict[str, str]) -> None:
        with pytest.raises(AmiRefused):
            encode_action(fields)


# ---------------------------------------------------------------- signature

SECRET = "a secret of the dialplan"


def signed(number: str = "+982191000000", t: int = 1000, attach: int = 1, uniqueid: str = "s-1.1") -> str:
    sig = sign(number=number, uniqueid=uniqueid, time_s=t, attach=attach, secret=SECRET)
    return f"call?number={number}&t={t}&attach={attach}&sig={sig}"


class TestSignature:
    def test_it_is_the_sha1_that_a_dialplan_makes(self) -> None:
        # printf '91|s-1.1|1000|1|k' | sha1sum
        expected = "44fcfcd4d7223576790fe2e3cdf205fb2dffe0fe"
        assert sign(number="91", uniqueid="s-1.1", time_s=1000, attach=1, secret="k") == expected

    def test_a_request_of_ours_is_taken_once(self) -> None:
        request = parse_request(signed())
        assert (request.script, request.number, request.attach) == ("call", "+982191000000", 1)
        verify(request, uniqueid="s-1.1", secret=SECRET, now_s=1010.0, window_s=30.0)
        used = UsedOnce(30.0)
        used.use(request, uniqueid="s-1.1", now_s=1010.0)
        with pytest.raises(AgiSignatureError, match="used before"):
            used.use(request, uniqueid="s-1.1", now_s=1011.0)
        used.use(parse_request(signed(attach=2)), uniqueid="s-1.1", now_s=1011.0)

    def test_used_requests_are_forgotten_when_they_are_too_old_anyway(self) -> None:
        used = UsedOnce(30.0)
        for t in range(1000, 2000):
            used.use(parse_request(signed(t=t)), uniqueid="s-1.1", now_s=float(t))
        assert len(used) <= 32

    @pytest.mark.parametrize("now_s", [969.0, 1031.0, 0.0])
    def test_old_and_future_are_refused(self, now_s: float) -> None:
        with pytest.raises(AgiSignatureError, match="clocks"):
            verify(parse_request(signed()), uniqueid="s-1.1", secret=SECRET, now_s=now_s, window_s=30.0)

    @pytest.mark.parametrize(
        ("script", "uniqueid"),
        [
            (signed(), "s-1.2"),
            (signed().replace("attach=1", "attach=2"), "s-1.1"),
            (signed().replace("t=1000", "t=1001"), "s-1.1"),
            (signed().replace("91000000", "91000001"), "s-1.1"),
            (signed()[:-1] + "é", "s-1.1"),
        ],
    )
    def test_any_other_field_is_refused(self, script: str, uniqueid: str) -> None:
        with pytest.raises(AgiSignatureError, match="not signed"):
            verify(parse_request(script), uniqueid=uniqueid, secret=SECRET, now_s=1000.0, window_s=30.0)

    def test_the_separator_cannot_be_smuggled_in(self) -> None:
        with pytest.raises(AgiSignatureError, match="separator"):
            sign(number="91|s", uniqueid="1", time_s=1, attach=1, secret=SECRET)

    def test_percent_encoding_is_undone_and_plus_is_kept(self) -> None:
        assert parse_request("/call?number=%2B98+1&t=1&attach=1&sig=x").number == "+98+1"
        assert parse_request("call?number=%DB%B1&t=1&attach=1&sig=x").number == "۱"

    @pytest.mark.parametrize(
        "script",
        [
            "",
            "call",
            "call?number=1",
            "call?number=1&t=x&attach=1&sig=s",
            "call?number=1&t=1&attach=-1&sig=s",
            "call?number=1&number=2&t=1&attach=1&sig=s",
            "call?number=1&t=1&attach=1&sig=" + "s" * 2000,
            "call?" + "&".join(f"a{n}=1" for n in range(50)),
            "call?number=1&t=" + "9" * 400 + "&attach=1&sig=s",
        ],
    )
    def test_what_cannot_be_read_is_malformed(self, script: str) -> None:
        with pytest.raises(AgiMalformed):
            parse_request(script)

    @given(st.text())
    def test_no_text_breaks_the_parser(self, script: str) -> None:
        try:
            request = parse_request(f"call?number=1&t=1&attach=1&sig=x&more={script}")
            verify(request, uniqueid="1", secret=SECRET, now_s=1.0, window_s=30.0)
        except (AgiMalformed, AgiSignatureError):
            return
        pytest.fail("a request without a signature was taken")
