"""The small words of center.yaml: ids, labels, numbers, levels, and how each is checked.

Ids (of queues, agents, phones …) are ASCII words: they go into the dialplan, the ticket and addresses.
What people see is a `Label`, in Persian and English.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from acd.common.document import Written, wrong
from acd.common.hours import knows_country
from acd.common.text import clean_label

Language = Literal["fa", "en"]

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}\Z")
_DIALLED = re.compile(r"\+?[0-9]{1,20}\Z")
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:-]{0,252}\Z")
_SIP = re.compile(r"sips?:[A-Za-z0-9_.+-]{1,64}@[A-Za-z0-9][A-Za-z0-9.-]{0,252}(:[0-9]{1,5})?\Z")
_SECRET_FILE = re.compile(r"[A-Za-z0-9_./-]{1,255}\Z")


def _check_id(value: str) -> str:
    if not _ID.match(value):
        raise wrong(
            f'"{value[:40]}" cannot be an id',
            "use 1 to 32 of a-z, A-Z, 0-9, - and _, beginning with a letter or digit",
        )
    return value


def _check_dialled(value: str) -> str:
    if not _DIALLED.match(value):
        raise wrong(
            f'"{value[:40]}" cannot be dialled', "use digits only, with + in front if the trunk sends it"
        )
    return value


def _check_host(value: str) -> str:
    if not _HOST.match(value):
        raise wrong(f'"{value[:40]}" is not a host', "write a name such as sip.example.org or an address")
    return value


def check_sip(value: str) -> str:
    if not _SIP.match(value):
        raise wrong(f'"{value[:40]}" is not a SIP address', "write it as sip:1001@192.0.2.10:5060")
    return value


def _check_secret_file(value: str) -> str:
    if not _SECRET_FILE.match(value):
        raise wrong(
            "this is not the name of a file", "name the file that holds the secret, not the secret itself"
        )
    return value


def check_time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise wrong(f'"{value[:40]}" is not a time zone', "write it as Asia/Tehran") from None
    return value


def check_country(value: str) -> str:
    if not knows_country(value):
        raise wrong(f'"{value[:40]}" is not a country with a calendar', "write two capital letters, as IR")
    return value


def _check_label_text(value: str) -> str:
    cleaned = clean_label(value)
    if not cleaned:
        raise wrong("the text is empty", "write what people shall see")
    return cleaned


Id = Annotated[Written, AfterValidator(_check_id)]
Dialled = Annotated[Written, AfterValidator(_check_dialled)]
Host = Annotated[Written, AfterValidator(_check_host)]
SecretFile = Annotated[Written, AfterValidator(_check_secret_file)]
LabelText = Annotated[Written, AfterValidator(_check_label_text)]
Level = Annotated[int, Field(ge=1, le=10)]
Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
Priority = Annotated[int, Field(ge=-100, le=100)]


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Label(Model):
    """What people see, in both languages; at most 80 characters each, free of control characters."""

    fa: LabelText
    en: LabelText

    def text(self, language: str) -> str:
        return self.fa if language == "fa" else self.en
