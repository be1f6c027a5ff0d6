"""The tables of `acd`: what happened, the documents in force, and who leads.

Instants are UTC (`_at`); durations are whole microseconds (`_us`), as facts carry them, so that a sum over
records is exactly the live one. Ids are those of the facts. Rows of one call refer to each other by id
without foreign keys: a fact must never be refused because another one is still on its way.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, SmallInteger, String, Table, Text

from acd.store.base import Microseconds, UtcInstant, metadata

__all__ = [
    "agent_state",
    "contact",
    "document",
    "lease",
    "leg",
    "menu_step",
    "message",
    "metadata",
    "offer",
    "refusal",
    "survey",
    "visit",
    "wait_cause",
    "wait_step",
]

contact = Table(
    "contact",
    metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False, server_default="call"),
    Column("dialled", String, comment="null: the arrival itself was never recorded"),
    Column("caller_e164", String, comment="only a number with a place in the world's plan"),
    Column("caller_kind", String, comment="how the caller's number was given"),
    Column("customer", String),
    Column("segment", String),
    Column("began_at", UtcInstant, nullable=False),
    Column("ended_at", UtcInstant),
    Column("handled_by", String),
    Index("ix_contact_began_at_id", "began_at", "id"),
    Index("ix_contact_customer_began_at", "customer", "began_at"),
    Index("ix_contact_caller_e164", "caller_e164"),
)

visit = Table(
    "visit",
    metadata,
    Column("id", String, primary_key=True),
    Column("contact", String, nullable=False, index=True),
    Column("queue", String, nullable=False),
    Column("began_at", UtcInstant, nullable=False),
    Column("priority", SmallInteger, nullable=False, server_default="0"),
    Column("outcome", String, comment="answered, abandoned, flowed_out, callback; null: still waiting"),
    Column("wait_us", Microseconds),
    Column("offer", String, comment="the offer that was answered"),
    Column("agent", String),
    Column("answered_at", UtcInstant),
    Column("talk_us", Microseconds, comment="without hold"),
    Column("hold_us", Microseconds),
    Column("acw_us", Microseconds),
    Column("disposition", String),
    Column("ended_by", String),
    Column("ended_at", UtcInstant, comment="the end of the talk, or of the wait"),
    Column("kind", String, nullable=False, server_default="call", comment="call, callback, task"),
    Column("segment", String, comment="the customer's when the visit began"),
    Column("skills", String, comment="those it asks for, with commas between"),
    Column("estimate_us", Microseconds, comment="the wait that was expected when it began"),
    Index("ix_visit_queue_began_at", "queue", "began_at"),
    Index("ix_visit_began_at", "began_at"),
)

refusal = Table(
    "refusal",
    metadata,
    Column("contact", String, primary_key=True),
    Column("queue", String, primary_key=True),
    Column("at", UtcInstant, primary_key=True),
    Column("why", String, nullable=False, comment="full, unknown_queue"),
    Index("ix_refusal_queue_at", "queue", "at"),
)

menu_step = Table(
    "menu_step",
    metadata,
    Column("contact", String, primary_key=True),
    Column("at", UtcInstant, primary_key=True),
    Column("node", String, primary_key=True),
    Column("flow", String, nullable=False),
    Column("version", String, nullable=False),
    Index("ix_menu_step_flow_at", "flow", "at"),
)

wait_step = Table(
    "wait_step",
    metadata,
    Column("visit", String, primary_key=True),
    Column("at", UtcInstant, primary_key=True, comment="of several changes at one instant the last is kept"),
    Column("requirement", Text, nullable=False, comment="what the visit asks for from now on"),
    Column("line", String(32), nullable=False, comment="digest of the requirement"),
    Column("step", SmallInteger, nullable=False),
    Column("priority", SmallInteger, nullable=False),
)

wait_cause = Table(
    "wait_cause",
    metadata,
    Column("line", String(32), primary_key=True, comment="digest of what those who wait in it ask for"),
    Column("at", UtcInstant, primary_key=True, comment="of several changes at one instant the last is kept"),
    Column("cause", String, comment="why they get nobody; null: nobody waits, or they are being offered"),
)

leg = Table(
    "leg",
    metadata,
    Column("id", String, primary_key=True, comment="the contact's for the caller, the visit's for its agent"),
    Column("contact", String, nullable=False, index=True),
    Column("party", String, nullable=False, comment="caller, agent"),
    Column("visit", String),
    Column("offer", String),
    Column("agent", String, comment="the phone is the offer's"),
    Column("began_at", UtcInstant, nullable=False),
    Column("ended_at", UtcInstant),
    Column("talk_us", Microseconds),
    Column("hold_us", Microseconds),
)

offer = Table(
    "offer",
    metadata,
    Column("id", String, primary_key=True),
    Column("visit", String, nullable=False, index=True),
    Column("contact", String, nullable=False),
    Column("queue", String, nullable=False),
    Column("agent", String, nullable=False),
    Column("phone", String),
    Column("page_open", Boolean),
    Column("made_at", UtcInstant, nullable=False),
    Column("shown_at", UtcInstant, comment="when the agent's page confirmed the card"),
    Column("shown_before_ring", Boolean),
    Column("rang_at", UtcInstant),
    Column("state", String),
    Column("why", String),
    Column("ended_at", UtcInstant),
    Column("chosen", String, comment="the rule that chose the agent, and the figures it went by"),
    Index("ix_offer_agent_made_at", "agent", "made_at"),
    Index("ix_offer_made_at", "made_at"),
)

agent_state = Table(
    "agent_state",
    metadata,
    Column("agent", String, primary_key=True),
    Column("at", UtcInstant, primary_key=True, comment="of several changes at one instant the last is kept"),
    Column("phone", String),
    Column("status", String, nullable=False),
    Column("reason", String),
    Column("activity", String, nullable=False),
    Column("since_at", UtcInstant, nullable=False),
    Column("visit", String),
    Column("next_status", String),
    Column("next_reason", String),
    Index("ix_agent_state_at", "at"),
)

document = Table(
    "document",
    metadata,
    Column("kind", String, primary_key=True, comment="center, flow"),
    Column("name", String, primary_key=True),
    Column("number", Integer, primary_key=True, comment="counts up; the highest is in force"),
    Column("version", String, nullable=False, comment="digest of the text"),
    Column("text", Text, nullable=False),
    Column("at", UtcInstant, nullable=False),
    Column("by", String, nullable=False),
)

lease = Table(
    "lease",
    metadata,
    Column("name", String, primary_key=True, comment="the site"),
    Column("holder", String, nullable=False),
    Column("address", String, nullable=False),
    Column("token", BigInteger().with_variant(Integer(), "sqlite"), nullable=False),
    Column("until", UtcInstant, nullable=False),
)

message = Table(
    "message",
    metadata,
    Column("id", String, primary_key=True, comment="contact:name"),
    Column("contact", String, nullable=False, index=True),
    Column("kind", String, nullable=False, comment="voicemail, survey"),
    Column("queue", String),
    Column("at", UtcInstant, nullable=False, comment="the last word"),
    Column("length_us", Microseconds, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("file", String, nullable=False, comment="below the folder of kept messages"),
    Column("agent", String, comment="who shall deal with it"),
    Column("assigned_at", UtcInstant),
    Column("assigned_by", String),
    Column("heard_at", UtcInstant, comment="for the first time"),
    Column("heard_by", String),
    Column("done_at", UtcInstant),
    Column("done_by", String),
    Index("ix_message_kind_at", "kind", "at"),
    Index("ix_message_agent_at", "agent", "at"),
)

survey = Table(
    "survey",
    metadata,
    Column("contact", String, primary_key=True),
    Column("at", UtcInstant, nullable=False),
    Column("queue", String),
    Column("score", SmallInteger),
    Column("reason", String),
    Column("message", String, comment="the caller's own words"),
    Index("ix_survey_at", "at"),
)
