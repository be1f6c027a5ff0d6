"""What the composition root hands to this room. Without a center it is a process that only shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry
from sqlalchemy.ext.asyncio import AsyncEngine

from acd.site import Site
from realtime.access import Access
from realtime.audit import AuditLog
from realtime.desk import Desk
from realtime.hub import WallHub
from realtime.ports import Center, Check, Contacts, Customers, Documents, Flows, Voicemails
from realtime.settings import RealtimeSettings


@dataclass(frozen=True, slots=True)
class RealtimeDeps:
    """`center` and `desk` are of the leader only. `checks`: name to condition of readiness. `reporting`: the database's
    door for reads that may be slow. `site`: what it is without a center here.

    `demo_accounts`: shown on the log-in page, so only ever those of a demonstration
    (`name, password, role, label`).
    """

    settings: RealtimeSettings
    database: AsyncEngine
    access: Access
    audit: AuditLog
    wall: WallHub
    now_us: Callable[[], int]
    center: Center | None = None
    desk: Desk | None = None
    contacts: Contacts | None = None
    customers: Customers | None = None
    documents: Documents | None = None
    voicemails: Voicemails | None = None
    flows: Flows | None = None
    checks: Mapping[str, Check] = field(default_factory=dict)
    metrics: CollectorRegistry = field(default_factory=CollectorRegistry)
    demo_accounts: Sequence[Mapping[str, str]] = ()
    version: str = "0"
    reporting: AsyncEngine | None = None
    site: Callable[[], Site] | None = None
