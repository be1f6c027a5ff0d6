/**
 * One live connection to the server: a ticket, a snapshot, numbered deltas, and the way back after every break.
 *
 * The page keeps epoch and number of what it has seen. After a break, or when a number is missing, it connects
 * again and says `resume`; the server sends what was missed or a new snapshot. Silence is a break too: the
 * server ticks every 2 s, so 10 s of nothing means the connection only looks alive.
 */

import { Problem, goToLogin, ticket } from "./api";
import { forget, heard } from "./clock";
import { mergePatch } from "./merge";
import { Store } from "./store";
import type { ServerMessage } from "./wire";

const SILENCE_MS = 10_000;
const RETRY_FIRST_MS = 500;
const RETRY_LONGEST_MS = 5_000;

/** Close codes that trying again does not heal. */
const CLOSE_NOT_SIGNED_IN = 4401;
const CLOSE_NOT_ALLOWED = 4403;

export type Link = "connecting" | "open" | "lost" | "not_allowed";

export interface Live<State> {
  state: Store<State | undefined>;
  link: Store<Link>;
  /** Our clock (performance.now) when the last message came. */
  heardAt_ms: () => number | undefined;
  /** Whether it could be sent. */
  send: (message: object) => boolean;
}

/** Connects and stays connected for the life of the page. `other` gets what is neither state nor tick. */
export function connect<State>(
  scope: "wall" | "agent",
  other: (message: ServerMessage) => void = () => undefined,
): Live<State> {
  const state = new Store<State | undefined>(undefined);
  const link = new Store<Link>("connecting");
  let socket: WebSocket | undefined;
  let epoch: string | undefined;
  let seq = 0;
  let gaps = 0;
  let attempts = 0;
  let lastHeard_ms: number | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;

  function take(message: ServerMessage): void {
    switch (message.type) {
      case "snapshot":
        epoch = message.epoch;
        seq = message.seq;
        gaps = 0;
        heard(message.at);
        state.set(message.state as State);
        return;
      case "delta":
        if (message.epoch === epoch && message.seq <= seq) return;
        if (message.epoch !== epoch || message.seq !== seq + 1) return gap();
        seq = message.seq;
        heard(message.at);
        state.set(mergePatch(state.value, message.patch) as State);
        return;
      case "tick":
        if (message.epoch !== epoch || message.seq > seq) return gap();
        heard(message.at);
        return;
      default:
        other(message);
    }
  }

  function gap(): void {
    gaps += 1;
    drop();
    if (gaps === 1) return void open();
    epoch = undefined; // resuming did not close it: ask for everything, and not in haste
    later();
  }

  function drop(): void {
    const old = socket;
    socket = undefined;
    if (!old) return;
    old.onopen = old.onmessage = old.onclose = null;
    old.close(1000);
  }

  function later(): void {
    link.set("lost");
    clearTimeout(retry);
    const most = Math.min(RETRY_LONGEST_MS, 2 * RETRY_FIRST_MS * 2 ** attempts);
    attempts += 1;
    retry = setTimeout(() => void open(), RETRY_FIRST_MS + Math.random() * (most - RETRY_FIRST_MS));
  }

  async function open(): Promise<void> {
    clearTimeout(retry);
    if (link.value !== "lost") link.set("connecting");
    let pass: string;
    try {
      pass = await ticket(scope);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.status === 401) return goToLogin();
      if (error.status === 403) return link.set("not_allowed");
      return later();
    }
    drop();
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const current = new WebSocket(`${scheme}//${location.host}/ws/v1/${scope}?ticket=${encodeURIComponent(pass)}`);
    socket = current;
    lastHeard_ms ??= performance.now();
    const opening_ms = performance.now();
    current.onopen = () => {
      forget();
      current.send(JSON.stringify(epoch === undefined ? { type: "hello" } : { type: "resume", epoch, seq }));
    };
    current.onmessage = (event: MessageEvent<string>) => {
      lastHeard_ms = performance.now();
      attempts = 0;
      link.set("open");
      take(JSON.parse(event.data) as ServerMessage);
    };
    current.onclose = (event) => {
      clearInterval(watch);
      if (socket !== current) return;
      socket = undefined;
      if (event.code === CLOSE_NOT_SIGNED_IN) return goToLogin();
      if (event.code === CLOSE_NOT_ALLOWED) return link.set("not_allowed");
      later();
    };
    const watch = setInterval(() => {
      if (socket !== current) return clearInterval(watch);
      if (performance.now() - Math.max(opening_ms, lastHeard_ms ?? 0) < SILENCE_MS) return;
      clearInterval(watch);
      drop();
      later();
    }, 1_000);
  }

  addEventListener("online", () => {
    if (link.value === "lost") void open();
  });
  void open();

  return {
    state,
    link,
    heardAt_ms: () => (state.value === undefined ? undefined : lastHeard_ms),
    send: (message) => {
      if (socket?.readyState !== WebSocket.OPEN || link.value !== "open") return false;
      socket.send(JSON.stringify(message));
      return true;
    },
  };
}
