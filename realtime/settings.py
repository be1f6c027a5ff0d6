"""Every limit and deadline of this room. Tests shorten them; `pasokh.toml` may change them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SocketSettings:
    """Walls' and agents' sockets.

    `hello_s`: how long a new socket may stay silent. `interval_s`: the least time between two deltas of the
    wall. `refresh_s`: how often the wall is looked at although no fact came (waits pass their target
    without one). `quiet_s`: after this much silence a tick is sent. `slow_s`: how long a client may be
    behind before it is closed (1013). `desk_delay_s`: facts of this span become one delta of an agent's
    page. `ring_messages`, `ring_bytes`: what is kept for those who resume. `kept_bytes`: what may wait for
    one agent's socket that is behind. `burst`, `per_s`: what one client may send. `recheck_s`: how often
    sockets are compared with the tokens they came by. `close_s`: how long a closed connection may take to
    drain.
    """

    hello_s: float = 5.0
    interval_s: float = 0.25
    refresh_s: float = 1.0
    quiet_s: float = 2.0
    slow_s: float = 10.0
    desk_delay_s: float = 0.02
    ring_messages: int = 256
    ring_bytes: int = 512 * 1024
    kept_bytes: int = 256 * 1024
    snapshot_ttl_s: float = 15.0
    burst: int = 40
    per_s: float = 20.0
    recheck_s: float = 3.0
    close_s: float = 5.0
    message_bytes: int = 16 * 1024
    sockets_per_agent: int = 20
    sockets_most: int = 5_000


@dataclass(frozen=True, slots=True)
class AccessSettings:
    """Log-ins and tokens. The argon2 costs are those of the library's RFC 9106 low-memory profile.

    `tries_*`: log-ins allowed within `tries_span_s`, from one address, for one account from one address,
    and for one account from everywhere. `hashing_at_once`: passwords verified at the same time.
    """

    token_life_s: float = 12 * 3600.0
    program_token_life_s: float = 90 * 86400.0
    kiosk_token_life_s: float = 365 * 86400.0
    ticket_life_s: float = 30.0
    tickets_most: int = 10_000
    tries_per_address: int = 60
    tries_per_account_and_address: int = 10
    tries_per_account: int = 100
    tries_span_s: float = 60.0
    tries_kept: int = 20_000
    hashing_at_once: int = 2
    argon2_time_cost: int = 3
    argon2_memory_kib: int = 65_536
    argon2_lanes: int = 4
    password_min: int = 8
    token_cache_s: float = 2.0
    token_cache_most: int = 5_000


@dataclass(frozen=True, slots=True)
class BusSettings:
    """`queue_messages`: what one subscriber may leave unread; then the oldest go. `timeout_s`: for each
    command.
    """

    queue_messages: int = 256
    keys_most: int = 1_000
    timeout_s: float = 1.0
    retry_first_s: float = 0.1
    retry_longest_s: float = 5.0


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """`public_origins`: origins besides our own whose pages may use cookies and sockets
    (`https://desk.example`).

    `trusted_proxies`: addresses whose `X-Forwarded-*` is believed. `dist`: the built pages.
    """

    public_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    secure_cookies: bool = False
    body_bytes: int = 2 * 1024 * 1024
    check_s: float = 2.0
    stop_s: float = 5.0
    ping_s: float = 20.0
    keep_alive_s: int = 15
    idempotency_life_s: float = 7 * 86400.0
    idempotency_stale_s: float = 60.0
    audit_queue: int = 10_000
    dist: Path = field(default_factory=lambda: Path(__file__).parent / "web" / "dist")


@dataclass(frozen=True, slots=True)
class RealtimeSettings:
    sockets: SocketSettings = SocketSettings()
    access: AccessSettings = AccessSettings()
    bus: BusSettings = BusSettings()
    http: HttpSettings = field(default_factory=HttpSettings)
