"""Whether a running Asterisk has what we generated; pure."""

from __future__ import annotations

from collections.abc import Mapping

from acd.site import Site

_NOT_THERE = frozenset({"INVALID", "UNKNOWN"})
REMEDY = "write its files again with `pasokh asterisk config` and load them with `pasokh asterisk reload`"


def check_against(site: Site, device_states: Mapping[str, str]) -> list[str]:
    """One sentence for each phone of the site that Asterisk does not know, in the site's order.

    `device_states` are device names to states as AMI's DeviceStateList tells them (`PJSIP/desk1` to
    `UNAVAILABLE`). A phone that is known but not registered is no fault of the configuration.
    """
    return [
        _sentence(site, phone)
        for phone in site.phones
        if device_states.get(f"PJSIP/{phone}", "INVALID") in _NOT_THERE
    ]


def _sentence(site: Site, phone: str) -> str:
    agents = [name for name, agent in site.agents.items() if agent.phone == phone]
    whose = f"; {', '.join(agents)} cannot take calls there" if agents else ""
    return f'Asterisk does not know the phone "{phone}"{whose}; {REMEDY}.'
