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
  | "on_task"
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

/** Seconds: as good as never less, most likely, as good as never more. */
export interface WaitRange {
  low: number;
  likely: number;
  high: number;
}

/** `expected_wait_s`: for one who calls now; left out when nobody can tell. */
export interface QueueState extends Figures {
  label?: Label;
  expected_wait_s?: WaitRange;
  reserve_open?: boolean;
}

/** Somebody waits in these queues whom nobody who is signed in can answer; `missing_labels`: what it would take. */
export interface Alarm {
  kind: string;
  queues: string[];
  missing_labels?: Label[];
  since_us: number;
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
  alarms?: Record<string, Alarm>;
}

/** Why one agent does not get a contact. */
export interface WhyNot {
  agent: string;
  name?: Label;
  reason: string;
  skill_label?: Label;
  needed?: number;
  has?: number;
}

/** Somebody in line, and why they wait. Without a cause they are being offered, or cannot be for a moment. */
export interface InLine {
  visit: string;
  contact: string;
  kind: string;
  state: string;
  waiting_since_us: number;
  requirement_label: Label;
  step: number;
  ahead: number;
  cause?: string;
  waits_for?: string;
  expected_wait_s?: WaitRange;
  agents: WhyNot[];
}

export type WorkKind = "callback" | "task";

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
  /** What is to be done: of a task or a callback. */
  note?: string;
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

/** Why an offer came to this agent: the rule that chose them, and the figures it went by. */
export interface Chosen {
  rule: string;
  idle_s?: number;
  together?: number;
  step?: number;
}

/** `kind`: what it is when it is no call. `can_accept`: the page's button accepts it. */
export interface Offer {
  kind?: WorkKind;
  why?: Chosen;
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

/** A call; with a `kind` a callback or a task, which the agent finishes by themselves. */
export interface Visit {
  kind?: WorkKind;
  /** Of a task; a call's card is the state's. */
  card?: Card;
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
  task_offers?: Offer[];
  tasks?: Visit[];
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
  | { command: "finish"; visit: string }
  | { command: "end_wrap_up" };
