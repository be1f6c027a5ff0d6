"""pasokh.toml: one process. Every room's own settings are composed here, and nowhere else.

Values come from the file, then from the environment (`PASOKH_WEB__PORT=8081`), which wins. Paths are relative to
the file's folder. Secrets never stand in the file: each is a file of its own in `secrets`, made with a random
content at the first need, so that a new machine has none that somebody knows.
"""

from __future__ import annotations

import os
import secrets as chance
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from acd.common.document import nearest
from crm_lookup.services.settings import AuthenticationSettings, ServiceSettings, with_paths
from ivr.voices import VoiceSettings
from pasokh.errors import SettingsError


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Web(_Section):
    """`public_origins`: other origins whose pages may use this server, e.g. a proxy's `https://desk.example`.
    `password_memory_kib`: what one check of a password costs (argon2id)."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    public_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    secure_cookies: bool = False
    password_memory_kib: int = Field(default=65_536, ge=8_192)


class Database(_Section):
    """SQLite for one machine, PostgreSQL for more. Empty: `pasokh.db` in the state folder."""

    url: str = ""
    password_file: Path | None = None


class Redis(_Section):
    """Empty: one process, its bus in memory."""

    url: str = ""


class Asterisk(_Section):
    """Where Asterisk's manager listens, where we listen for its calls, and which folders both see.

    `agi_address`: under which address Asterisk reaches us, when that is not `agi_host`. `ami_permit`: networks from
    which our process may log in. `systemname` makes contact ids unique over servers. `sip_*`: for
    `pasokh asterisk config --complete`. `messages`: where Asterisk puts what callers say after the tone; both may
    write there. `transfer_allowed`: how the outside numbers may begin that flows transfer callers to; none by default.
    """

    ami_host: str = "127.0.0.1"
    ami_port: int = Field(default=5038, ge=1, le=65535)
    ami_user: str = "pasokh"
    agi_host: str = "127.0.0.1"
    agi_port: int = Field(default=4573, ge=0, le=65535)
    agi_allow: tuple[str, ...] = ("127.0.0.1/32", "::1/128")
    agi_address: str = ""
    ami_permit: tuple[str, ...] = ("127.0.0.1/32",)
    systemname: str = "pasokh"
    sip_bind: str = "0.0.0.0"
    sip_port: int = Field(default=5060, ge=1, le=65535)
    sounds: Path = Path("var/sounds")
    sounds_seen_as: Path | None = None
    recordings: Path = Path("var/recordings")
    messages: Path = Path("var/messages/new")
    messages_seen_as: Path | None = None
    transfer_allowed: tuple[str, ...] = ()


ServiceName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.-]{0,63}$")]
"""As flows write it."""


class Deadlines(_Section):
    """What may be shortened in tests. `recover_s`: how long timers wait for the first word of Asterisk."""

    lookup_s: float = 0.3
    card_wait_s: float = 0.1
    ring_grace_s: float = 2.0
    recover_s: float = 5.0
    resync_s: float = 30.0
    stop_s: float = 3.0
    gone_wait_s: float = 0.5
    ends_s: float = 1.0


class Settings(BaseSettings):
    """One process. `role`: `all` runs the center and serves pages; `web` only serves walls and reads."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix="PASOKH_", env_nested_delimiter="__"
    )

    role: Literal["all", "web"] = "all"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    state: Path = Path("var")
    secrets: Path = Path("secrets")
    site: Path = Path("center.yaml")
    flows: Path | None = None
    bus_name: str = "pasokh"
    web: Web = Web()
    database: Database = Database()
    redis: Redis = Redis()
    asterisk: Asterisk = Asterisk()
    voice: VoiceSettings = VoiceSettings()
    deadlines: Deadlines = Deadlines()
    services: dict[ServiceName, ServiceSettings] = {}
    authentication: AuthenticationSettings = AuthenticationSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (env_settings, init_settings)

    @property
    def database_url(self) -> str:
        return self.database.url or f"sqlite+aiosqlite:///{self.state / 'pasokh.db'}"

    @property
    def control_socket(self) -> Path:
        return self.state / "control.sock"

    @property
    def kept_messages(self) -> Path:
        """Messages of callers that we have taken over."""
        return self.state / "messages" / "kept"

    def secret(self, name: str) -> str:
        """The secret of this name, made now if it is not there. Raises SettingsError when it cannot be read."""
        return read_or_make_secret(self.secrets / name)


def load_settings(file: Path) -> Settings:
    """The settings of this file and the environment. Raises SettingsError with every problem, one per line."""
    text = _read(file)
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file}: this is not TOML: {error}. Write lines like `port = 8080`.") from None
    try:
        settings = Settings(**raw)
    except ValidationError as error:
        raise SettingsError("\n".join(_sentence(file, text, each) for each in error.errors())) from None
    return resolved(settings, file.parent.absolute())


def resolved(settings: Settings, folder: Path) -> Settings:
    """The same settings with every path made absolute, below `folder` where it was relative."""
    paths = {
        name: folder / path
        for name in ("state", "secrets", "site", "flows")
        if (path := getattr(settings, name)) is not None
    }
    asterisk = settings.asterisk.model_copy(
        update={
            name: folder / path
            for name in ("sounds", "sounds_seen_as", "recordings", "messages", "messages_seen_as")
            if (path := getattr(settings.asterisk, name)) is not None
        }
    )
    services = with_paths(settings.services, folder)
    return settings.model_copy(update={**paths, "asterisk": asterisk, "services": services})


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SettingsError(
            f"{file}: there is no such file; make one with `pasokh init`, or name another with --config."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: it cannot be read: {error}.") from None


def _sentence(file: Path, text: str, error: Any) -> str:
    loc = [str(step) for step in error["loc"]]
    path = _written(loc)
    variable = f"PASOKH_{'__'.join(path).upper()}"
    line = _line_of(text, path)
    if variable in os.environ:
        place = f"the environment, {variable}"
    else:
        place = f"{file}:{line}" if line else str(file)
    name = ".".join(path)
    if error["type"] == "extra_forbidden":
        known = _known(loc[:-1])
        near = nearest(path[-1], known)
        fix = f"write {near}" if near else f"remove it; known are {', '.join(known)}"
        return f"{place}: {name} is no setting; {fix}."
    said = error["msg"][:1].lower() + error["msg"][1:]
    if error["type"] == "service":
        return f"{place}: {name} is wrong: {said}."
    return f"{place}: {name} is wrong: {said}; correct it or remove it for the default."


def _written(loc: list[str]) -> list[str]:
    """A place as it stands in the file: without the kind of service, by which pydantic tells one from another."""
    return [*loc[:2], *loc[3:]] if loc[0] == "services" and len(loc) > 2 else loc


def _known(loc: list[str]) -> list[str]:
    """The settings that there are at a place; none for one whose names are free."""
    here: list[type[BaseModel]] = [Settings]
    for step in loc:
        here = [inner for each in here for inner in _inside(each, step)]
    return sorted({name for model in here for name in model.model_fields})


def _inside(model: type[BaseModel], step: str) -> list[type[BaseModel]]:
    """The models behind a step: of a setting, of a free name, or (`http`) the one model of this kind."""
    field = model.model_fields.get(step)
    if field is not None:
        return _models(field.annotation)
    kind = model.model_fields.get("kind")
    return [] if kind is not None and step in _KINDS and step not in get_args(kind.annotation) else [model]


_KINDS = ("http", "sql", "example")


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The models that an annotation is made of, of a mapping those of its values."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) is dict:
        return _models(get_args(annotation)[1])
    return [found for each in get_args(annotation) for found in _models(each)]


def _line_of(text: str, path: list[str]) -> int | None:
    """The line on which this setting stands, for plain files of [sections] and `key = value`."""
    section: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if stripped.startswith("["):
            section = stripped.strip("[]").split(".")
            if section == path:
                return number
        elif [*section, stripped.partition("=")[0].strip()] == path[: len(section) + 1]:
            return number
    return None


def read_or_make_secret(path: Path) -> str:
    """The content of a secret's file, without the newline; made with 256 random bits if it is not there."""
    try:
        return path.read_text(encoding="utf-8").strip() or _make(path)
    except FileNotFoundError:
        return _make(path)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The secret {path} cannot be read: {error}.") from None


def _make(path: Path) -> str:
    secret = chance.token_urlsafe(32)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(secret + "\n")
    except OSError as error:
        raise SettingsError(f"The secret {path} cannot be made: {error}.") from None
    return secret
