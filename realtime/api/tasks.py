"""Work that is no call: tasks of other channels, and customers to be called back.

They wait in the same queues as callers and are offered to the same agents, on their page. What is to be done (the
note) and for whom stays outside of the center and its journal; agents see it on the card.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import AfterValidator, Field, StringConstraints

from acd.events import TaskArrived, TaskWithdrawn
from acd.types import ContactId, Kind, VisitState
from acd.view import VisitView
from realtime.access import May, Principal
from realtime.api.shapes import TaskMadeShape, TasksShape
from realtime.api.shared import (
    Body,
    Deps,
    Key,
    Outcome,
    Word,
    address_of,
    allowed,
    not_found,
    not_here,
    once,
    printable,
)
from realtime.deps import RealtimeDeps
from realtime.errors import ApiProblem
from realtime.http import JsonResponse
from realtime.ports import Center
from realtime.store import queries
from realtime.task_cards import known_customer, show_card

router = APIRouter(prefix="/api/v1/tasks", tags=["tasks"])

MaySee = Annotated[Principal, Depends(allowed(May.SEE_CONTACTS))]
MayMake = Annotated[Principal, Depends(allowed(May.MAKE_TASKS))]

Note = Annotated[str, StringConstraints(min_length=1, max_length=2_000), AfterValidator(printable)]

_STATES = {VisitState.WAITING: "waiting", VisitState.OFFERED: "offered", VisitState.TALKING: "held"}


class Task(Body):
    """`priority`: points on top of the queue's. `segment`, `language`: where they are not the customer's own.
    `note`: what is to be done."""

    queue: Word
    kind: Literal["task", "callback"] = "task"
    customer: Word | None = None
    segment: Word | None = None
    language: Literal["fa", "en"] | None = None
    priority: Annotated[int, Field(ge=-1_000, le=1_000)] = 0
    preferred_agent: Word | None = None
    note: Note | None = None


@router.post("", status_code=201, responses={201: {"model": TaskMadeShape}})
async def make(body: Task, who: MayMake, request: Request, deps: Deps, key: Key = None) -> Response:
    """Put a task, or a customer to be called back, in line. 422 for a queue, agent, segment or customer that is not
    there."""
    center = _center(deps)
    _check(center, body)

    async def work() -> Outcome:
        customer = await known_customer(deps, body.customer)
        contact = _contact_id(who, key)
        now_us = deps.now_us()
        row = queries.TaskNoteRow(contact, body.customer, body.note, who.user, now_us)
        await queries.keep_task_note(deps.database, row)
        show_card(deps, row, customer)
        segment, language = body.segment or customer.get("segment"), body.language or customer.get("language")
        center.post(
            TaskArrived(
                contact,
                Kind(body.kind),
                body.queue,
                body.customer,
                segment if isinstance(segment, str) else None,
                language if isinstance(language, str) else None,
                body.priority,
                body.preferred_agent,
            )
        )
        deps.audit.note(who.user, "tasks.make", f"{contact} {body.queue}", "ok", address_of(request))
        return 201, {"contact": contact}

    return await once(deps, who, key, "tasks", body, work)


@router.get("", responses={200: {"model": TasksShape}})
async def tasks(who: MaySee, deps: Deps) -> Response:
    """Tasks and callbacks that are not finished, oldest first."""
    open_ = sorted(_open(_center(deps)).values(), key=lambda visit: (visit.entered_us, visit.visit))
    notes = {row.contact: row for row in await queries.task_notes(deps.database, [v.contact for v in open_])}
    return JsonResponse({"tasks": [_shown(visit, notes.get(visit.contact)) for visit in open_]})


@router.delete("/{contact}", status_code=204)
async def withdraw(contact: Word, who: MayMake, request: Request, deps: Deps) -> Response:
    """Take a task out of the line: nobody needs to do it any more. 409 if an agent has it in hand."""
    center = _center(deps)
    visit = _open(center).get(contact)
    if visit is None:
        raise not_found("task")
    if visit.state is VisitState.TALKING:
        raise ApiProblem(409, "task_held", "An agent has this task in hand; they must finish it.")
    center.post(TaskWithdrawn(contact))
    deps.audit.note(who.user, "tasks.withdraw", contact, "ok", address_of(request))
    return Response(status_code=204)


def _center(deps: RealtimeDeps) -> Center:
    if deps.center is None:
        raise not_here("take tasks")
    return deps.center


def _check(center: Center, body: Task) -> None:
    site = center.site
    for name, wanted, known in (
        ("queue", body.queue, site.queues),
        ("preferred_agent", body.preferred_agent, site.agents),
        ("segment", body.segment, site.segments),
    ):
        if wanted is not None and wanted not in known:
            raise ApiProblem(
                422, f"unknown_{name}", f"The site has no {name.replace('_', ' ')} of this name."
            )


def _contact_id(who: Principal, key: str | None) -> ContactId:
    """With a key always the same: a request repeated after a fault does not make a second task."""
    if key is None:
        return f"task-{secrets.token_hex(10)}"
    named = f"{who.user}\n{key}".encode()
    return f"task-{hashlib.sha256(named).hexdigest()[:20]}"


def _open(center: Center) -> dict[ContactId, VisitView]:
    return {visit.contact: visit for visit in center.view().visits.values() if visit.kind is not Kind.CALL}


def _shown(visit: VisitView, row: queries.TaskNoteRow | None) -> dict[str, object]:
    shown: dict[str, object] = {
        "contact": visit.contact,
        "visit": visit.visit,
        "kind": visit.kind.value,
        "queue": visit.queue,
        "state": _STATES[visit.state],
        "entered_us": visit.entered_us,
        "priority": visit.priority,
        "requirement": visit.requirement,
    }
    more = {
        "agent": visit.agent,
        "customer": row.customer if row is not None else None,
        "note": row.note if row is not None else None,
    }
    return shown | {name: value for name, value in more.items() if value is not None}
