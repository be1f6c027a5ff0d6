/**
 * What the server sends and what pages send back. Names are the server's. What is unknown is left out, never
 * null (a null in a patch deletes). Instants end in `_us`: microseconds since 1970, UTC.
 */

export type Language = "fa" | "en";
export type Label = string | { fa?: string; en?: string };
export type Status = "available" | "not_ready" | "offline";
export type Activity =
  | "idle"
  | "ringing"
  | "on_call"
  | "on_hold"
  | "consulting"
  | "wrap_up"
  | "not_responding"
  | "unreachable";

// The wall -----------------------------------------------------------------------------------------------

export interface AgentCounts {
  available?: number;
  ringing?: number;
  on_call?: number;
  wrap_up?: number;
  not_ready?: number;
  unreachable?: number;
}

/** Counts of today; rates are 0..1. `target_share` is the service level aimed at, `target_s` its limit. */
export interface Figures {
  waiting?: number;
  longest_wait_since_us?: number;
  offered?: number;
  answered?: number;
  abandoned?: number;
  flowed_out?: number;
  talking?: number;
  service_level?: number;
  target_s?: number;
  target_share?: number;
  abandon_rate?: number;
  asa_s?: number;
  aht_s?: number;
  agents?: AgentCounts;
}

export interface QueueState extends Figures {
  label?: Label;
}

export interface WallAgent {
  name?: Label;
  status: Status;
  reason?: string;
  activity: Activity;
  since_us: number;
  queue?: string;
}

/** The most that waited in each span of `every_us`, by the span's number (instant / `every_us`). */
export interface Lately {
  every_us: number;
  spans: number;
  waiting: Record<string, number>;
}

export interface WallState {
  site?: { name?: Label; language?: Language; time_zone?: string };
  queues?: Record<string, QueueState>;
  total?: Figures;
  agents?: Record<string, WallAgent>;
  reasons?: Record<string, Label>;
  contacts_now?: number;
  lately?: Lately;
  card_before_ring?: number;
}

// The agent's page ---------------------------------------------------------------------------------------

/** `taken_by`: who else sits there. */
export interface Phone {
  id: string;
  label?: Label;
  taken_by?: Label;
}

export interface Card {
  contact: string;
  known: boolean;
  why_unknown?: string;
  caller?: string;
  matches?: number;
  customer?: {
    id: string;
    name?: Label;
    segment?: Label;
    language?: Language;
    phones?: string[];
    notes?: string;
  };
  verified?: boolean;
  /** What proved it: `pin`, `birth_year`, `card_last4`, `code`, or several joined by +. */
  verified_by?: string;
  recent?: Recent[];
  others?: { id: string; name?: Label }[];
}

export interface Recent {
  at?: string | number;
  queue?: Label;
  agent?: Label;
  outcome?: string;
  disposition?: Label;
}

/** `can_accept`: the phone can be told to answer, so the page's button works. */
export interface Offer {
  offer: string;
  contact: string;
  queue: string;
  queue_label?: Label;
  wait_us?: number;
  ring_until_us?: number;
  can_accept?: boolean;
  card?: Card;
}

export interface Disposition {
  code: string;
  label?: Label;
}

export interface Visit {
  visit: string;
  contact: string;
  queue?: string;
  queue_label?: Label;
  since_us: number;
  wrap_up_until_us?: number;
  dispositions?: Disposition[];
  disposition?: string;
  disposition_required?: boolean;
}

export interface AgentSelf {
  id: string;
  name?: Label;
  status: Status;
  reason?: string;
  activity: Activity;
  since_us: number;
  phone?: string;
  trouble?: string;
  next_status?: Status;
  next_reason?: string;
}

export interface AgentState {
  site?: { name?: Label; language?: Language; time_zone?: string };
  agent?: AgentSelf;
  /** Where the agent sits unless they choose another. */
  usual_phone?: string;
  phones?: Phone[];
  reasons?: Record<string, Label>;
  offer?: Offer;
  visit?: Visit;
  card?: Card;
  today?: Record<string, number>;
  /** From when on `today` counts, when that is not the whole day. */
  today_since_us?: number;
}

// Messages -----------------------------------------------------------------------------------------------

export type ServerMessage =
  | { type: "snapshot"; epoch: string; seq: number; at: number; state: unknown }
  | { type: "delta"; epoch: string; seq: number; at: number; patch: unknown }
  | { type: "tick"; epoch: string; seq: number; at: number }
  | ({ type: "offer" } & Offer)
  | { type: "card"; contact: string; card: Card }
  | { type: "result"; id: string; ok: boolean; reason?: string };

export type Command =
  | { command: "sign_in"; phone: string }
  | { command: "sign_out" }
  | { command: "status"; status: Status; reason?: string }
  | { command: "accept"; offer: string }
  | { command: "reject"; offer: string }
  | { command: "disposition"; visit: string; code: string }
  | { command: "end_wrap_up" };
