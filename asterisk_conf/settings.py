"""What the generator must know besides the site: where things listen, and the dialplan's own clocks."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """The clocks of the loop that keeps a caller attached to us.

    `without_anyone_s`: how long nobody may take a call before Asterisk's own queue gets it. `young_s`: a
    session that ends sooner counts against us, and `young_ends` of them do the same as the clock. `retry_s`
    is the pause between tries. Asterisk counts in whole seconds, so the first two are whole.
    """

    without_anyone_s: int = 20
    young_s: int = 5
    young_ends: int = 2
    retry_s: float = 0.5
    native_wait_s: int = 120

    def __post_init__(self) -> None:
        if min(self.without_anyone_s, self.young_s, self.young_ends, self.native_wait_s) < 1:
            raise ValueError("The clocks of the dialplan's loop are at least 1.")
        if not 0.01 <= self.retry_s <= 60:
            raise ValueError("The loop's pause is between 0.01 and 60 seconds.")


@dataclass(frozen=True, slots=True)
class AsteriskConfSettings:
    """Addresses and secrets of one Asterisk.

    `agi_servers` are one or two of our servers, tried in turn. `agi_secret` signs what the dialplan sends
    (FastAgiSettings.secret), `ami_secret` is the manager user's. `ami_permit` are networks our process may log
    in from. `codecs` and `qualify_s` are of the phones (0: phones are not asked whether they are there).
    `sip_domain` stands in what browsers receive, else this machine's name. `external_address` and
    `local_networks` are for an Asterisk behind NAT.

    For a whole own Asterisk (`complete`): `systemname` makes contact ids unique over servers; `http_port` is
    for browsers' websockets (None: no HTTP); `loopback` binds every medium to 127.0.0.1 and takes calls from
    there as from a trunk; `register_trunks` may be switched off where there is no provider. `music_folder`
    holds the default music, and a folder for each other class; relative, it lies in Asterisk's data folder.
    """

    agi_secret: str = field(repr=False)
    ami_secret: str = field(repr=False)
    agi_servers: tuple[tuple[str, int], ...] = (("127.0.0.1", 4573),)
    ami_user: str = "pasokh"
    ami_port: int = 5038
    ami_bind: str = "127.0.0.1"
    ami_permit: tuple[str, ...] = ("127.0.0.1/32",)
    sip_bind: str = "0.0.0.0"
    sip_port: int = 5060
    sip_domain: str | None = None
    external_address: str | None = None
    local_networks: tuple[str, ...] = ()
    tls_cert_file: str | None = None
    tls_key_file: str | None = None
    tls_port: int = 5061
    rtp_first: int = 10_000
    rtp_last: int = 20_000
    codecs: tuple[str, ...] = ("alaw", "ulaw")
    qualify_s: int = 30
    rtp_timeout_s: int = 8
    music: str = "default"
    music_folder: str = "moh"
    systemname: str = "pasokh"
    http_bind: str = "127.0.0.1"
    http_port: int | None = None
    loopback: bool = False
    register_trunks: bool = True
    loop: LoopSettings = field(default_factory=LoopSettings)

    def __post_init__(self) -> None:
        if not 1 <= len(self.agi_servers) <= 2:
            raise ValueError("agi_servers names one server, or two that stand in for each other.")
