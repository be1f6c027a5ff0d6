"""What an agent's page shows, drawn from the site and the center's view. Pure.

Ids are for programs: wherever the page shows a queue, an agent, a code or a segment, it gets the label of the
site as it is now. An id that the site does not know (any more) stays what it is, so that nothing is hidden.
"""

from __future__ import annotations

from collections.abc import Mapping

from acd.effects import PopScreen
from acd.kpi.agents import AgentCounts
from acd.site import Site
from acd.types import US_PER_S, AgentId, ContactId, Kind, PhoneId, QueueId, VisitId
from acd.view import AgentView, SiteView, VisitView
from realtime.ports import Card
from realtime.reasons import Json, chosen, label
from realtime.wallboard import without_nulls


def site_part(site: Site) -> Json:
    """What every agent of the site gets."""
    return {
        "site": {"name": label(site.name), "language": site.language, "time_zone": site.time_zone},
        "reasons": {code: label(text) for code, text in site.not_ready_reasons.items()},
    }


def own(seen: AgentView) -> Json:
    """The agent as the page knows them; what is unknown is left out."""
    known: Json = {
        "id": seen.agent,
        "status": seen.status.value,
        "activity": seen.activity.value,
        "since_us": seen.since_us,
    }
    optional: Mapping[str, str | None] = {
        "reason": seen.reason,
        "phone": seen.phone,
        "trouble": seen.trouble,
        "next_status": seen.next_status.value if seen.next_status is not None else None,
        "next_reason": seen.next_reason,
    }
    known.update({key: value for key, value in optional.items() if value is not None})
    return known


def phones(site: Site, view: SiteView, agent: AgentId) -> list[Json]:
    """The phones to choose from, the agent's usual one first, with who else sits there (`taken_by`).

    Who sits at one already gets that one alone: a list of all would be sent anew whenever somebody comes.
    """
    seen, who = view.agents.get(agent), site.agents.get(agent)
    if seen is not None and seen.phone is not None:
        return [_phone(site, seen.phone)]
    sitting = {
        other.phone: name for name, other in view.agents.items() if other.phone is not None and name != agent
    }
    usual = who.phone if who is not None else None
    shown = []
    for name in sorted(site.phones, key=lambda name: name != usual):
        phone = _phone(site, name)
        if name in sitting:
            phone["taken_by"] = agent_name(site, sitting[name])
        shown.append(phone)
    return shown


def visit(site: Site, seen: AgentView, kind: Kind | None = None) -> Json:
    """The call (or callback) that is talked or wrapped up; `kind` None: not known any more."""
    shown = _work(site, seen.visit, seen.contact, seen.queue, seen.since_us, seen.disposition)
    if seen.wrap_up_until_us is not None:
        shown["wrap_up_until_us"] = seen.wrap_up_until_us
    if kind is Kind.CALLBACK:
        shown["kind"] = kind.value
    return shown


def task(site: Site, held: VisitView, card_shown: Json | None) -> Json:
    """A task in hand."""
    since_us = held.entered_us if held.answered_us is None else held.answered_us
    shown = _work(site, held.visit, held.contact, held.queue, since_us, held.disposition)
    shown["kind"] = held.kind.value
    if card_shown is not None:
        shown["card"] = card_shown
    return shown


def _work(
    site: Site,
    visit_id: VisitId | None,
    contact: ContactId | None,
    queue_id: QueueId | None,
    since_us: int,
    disposition: str | None,
) -> Json:
    """What an agent has in hand. A queue that lists no dispositions allows all of the site's."""
    shown: Json = {
        "visit": visit_id,
        "contact": contact,
        "since_us": since_us,
        "dispositions": [],
        "disposition_required": False,
    }
    queue = site.queues.get(queue_id) if queue_id is not None else None
    if queue_id is not None:
        shown["queue"] = queue_id
    if queue is not None:
        shown["queue_label"] = label(queue.label)
        shown["disposition_required"] = queue.disposition_required
        shown["dispositions"] = [
            {"code": code, "label": label(site.dispositions[code])}
            for code in queue.dispositions or site.dispositions
            if code in site.dispositions
        ]
    if disposition is not None:
        shown["disposition"] = disposition
    return shown


def offer(site: Site, made: PopScreen, offered_us: int, card_shown: Json | None) -> Json:
    """What is held out to the agent. A call is accepted by lifting the receiver, other work by the page's button."""
    shown: Json = {
        "offer": made.offer,
        "contact": made.contact,
        "queue": made.queue,
        "wait_us": made.wait_us,
        "ring_until_us": offered_us + int(made.ring_timeout_s * US_PER_S),
        "can_accept": made.kind is not Kind.CALL,
    }
    if made.kind is not Kind.CALL:
        shown["kind"] = made.kind.value
    if made.why:
        shown["why"] = chosen(made.why)
    if made.queue in site.queues:
        shown["queue_label"] = label(site.queues[made.queue].label)
    if card_shown is not None:
        shown["card"] = card_shown
    return shown


def card(site: Site, known: Card) -> Json:
    """The customer's card with the site's labels in place of its ids, and without what is unknown."""
    shown = without_nulls(known)
    customer, recent = shown.get("customer"), shown.get("recent")
    if isinstance(customer, dict):
        segment = customer.get("segment")
        if isinstance(segment, str) and segment in site.segments:
            shown["customer"] = {**customer, "segment": label(site.segments[segment].label)}
    if isinstance(recent, list):
        shown["recent"] = [_recent(site, each) if isinstance(each, Mapping) else each for each in recent]
    return shown


def today(counts: AgentCounts) -> Json:
    """The agent's own figures: counts, and means in seconds where something was counted."""
    shown: Json = {"answered": counts.answered, "missed": counts.missed, "rejected": counts.rejected}
    for name, value in (("talk_s", counts.talk_s), ("acw_s", counts.acw_s), ("aht_s", counts.aht_s)):
        if value is not None:
            shown[name] = round(value, 1)
    return shown


def _recent(site: Site, one: Mapping[str, object]) -> Json:
    shown: Json = {key: value for key, value in one.items() if value is not None}
    queue, agent, code = (shown.get(key) for key in ("queue", "agent", "disposition"))
    if isinstance(queue, str) and queue in site.queues:
        shown["queue"] = label(site.queues[queue].label)
    if isinstance(agent, str):
        shown["agent"] = agent_name(site, agent)
    if isinstance(code, str) and code in site.dispositions:
        shown["disposition"] = label(site.dispositions[code])
    return shown


def agent_name(site: Site, agent: AgentId) -> Json | str:
    return label(site.agents[agent].label) if agent in site.agents else agent


def _phone(site: Site, name: PhoneId) -> Json:
    found = site.phones[name].label if name in site.phones else None
    return {"id": name, "label": label(found) if found is not None else name}
