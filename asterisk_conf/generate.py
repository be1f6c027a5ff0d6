"""What Asterisk needs, generated from the site: `includes` for an Asterisk that is there, `complete` for one
of our own; pure.

The same files of ours (`pasokh-*.conf`) stand in both. Nothing a person wrote in center.yaml reaches a file
unchecked (syntax.py), and a value that Asterisk would misread stops the whole generation with one sentence.
"""

from __future__ import annotations

from acd.site import Site

from . import dialplan, manager, modules, pjsip, queues, syntax, whole
from .pjsip import Secrets
from .settings import AsteriskConfSettings
from .syntax import Section


def includes(site: Site, settings: AsteriskConfSettings, secrets: Secrets) -> dict[str, str]:
    """File name to text of what an operator includes into the files of an existing Asterisk.

    `secrets` gives the secret of a `secret_file` of the site. Raises Unwritable.
    """
    return {
        "pasokh-extensions.conf": dialplan.extensions(site, settings),
        "pasokh-pjsip.conf": pjsip.pjsip(site, settings, secrets),
        "pasokh-pjsip-transports.conf": pjsip.transports(settings),
        "pasokh-manager.conf": manager.manager(settings),
        "pasokh-queues.conf": queues.queues(settings),
        "pasokh-musiconhold.conf": queues.music(site, settings),
    }


def complete(site: Site, settings: AsteriskConfSettings, secrets: Secrets) -> dict[str, str]:
    """File name to text of a whole configuration folder. Raises Unwritable."""
    # By name first: on a loopback both trunks and phones come from one address.
    order = Section("global", [("type", "global"), ("endpoint_identifier_order", "username,ip")])
    general = Section("general", [("static", "yes"), ("writeprotect", "yes"), ("autofallthrough", "yes")])
    return {
        **whole.files(settings),
        **includes(site, settings, secrets),
        "modules.conf": modules.modules_whole(),
        "extensions.conf": syntax.render(
            "The dialplan.", [general], tail=["#include pasokh-extensions.conf"]
        ),
        "pjsip.conf": syntax.render(
            "Phones and trunks.",
            [order],
            tail=["#include pasokh-pjsip-transports.conf", "#include pasokh-pjsip.conf"],
        ),
        "manager.conf": manager.manager_whole(settings),
        "queues.conf": queues.queues_whole(),
        "musiconhold.conf": queues.music_whole(settings),
    }
