/** HTTP to our own server. Errors are problem documents (RFC 9457) and arrive as `Problem`. */

import type { InLine, Language } from "./wire";

/** What the server answered instead of doing it. Status 0: there was no answer. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string | undefined,
    readonly retryAfter_s: number | undefined,
  ) {
    super(detail ?? title);
  }
}

export type Role = "agent" | "wall" | "supervisor" | "admin";

export interface Account {
  name?: string;
  role: string;
  agent?: string;
  language?: Language;
}

export interface DemoAccount {
  name: string;
  password: string;
  role: string;
  label?: string;
}

async function problemOf(answer: Response): Promise<Problem> {
  const after = Number(answer.headers.get("retry-after") ?? "");
  const retryAfter_s = Number.isFinite(after) && after > 0 ? after : undefined;
  let title = answer.statusText;
  let detail: string | undefined;
  if ((answer.headers.get("content-type") ?? "").includes("json")) {
    const body: unknown = await answer.json().catch(() => undefined);
    if (typeof body === "object" && body !== null) {
      if ("title" in body && typeof body.title === "string") title = body.title;
      if ("detail" in body && typeof body.detail === "string") detail = body.detail;
    }
  }
  return new Problem(answer.status, title, detail, retryAfter_s);
}

async function ask(method: "GET" | "POST", path: string, body?: object): Promise<unknown> {
  const request: RequestInit = {
    method,
    credentials: "same-origin",
    cache: "no-store",
    headers: { accept: "application/json", ...(body ? { "content-type": "application/json" } : {}) },
    signal: AbortSignal.timeout(10_000),
    ...(body ? { body: JSON.stringify(body) } : {}),
  };
  let answer: Response;
  try {
    answer = await fetch(path, request);
  } catch {
    throw new Problem(0, "unreachable", undefined, undefined);
  }
  if (!answer.ok) throw await problemOf(answer);
  if (answer.status === 204) return undefined;
  return answer.json();
}

export const login = (name: string, password: string) =>
  ask("POST", "/api/v1/login", { name, password }) as Promise<Account>;

export const logout = () => ask("POST", "/api/v1/logout");

/** Who is signed in; undefined when nobody is. */
export async function me(): Promise<Account | undefined> {
  try {
    return (await ask("GET", "/api/v1/me")) as Account;
  } catch (error) {
    if (error instanceof Problem && (error.status === 401 || error.status === 403)) return undefined;
    throw error;
  }
}

export async function ticket(scope: "wall" | "agent"): Promise<string> {
  const answer = (await ask("POST", "/api/v1/ws-ticket", { scope })) as { ticket: string };
  return answer.ticket;
}

/** Who waits longest in each queue, and why. */
export async function whoWaits(): Promise<Record<string, InLine[]>> {
  const answer = (await ask("GET", "/api/v1/queues/waiting")) as { queues?: Record<string, InLine[]> };
  return answer.queues ?? {};
}

/** The accounts of a demonstration; none anywhere else. */
export async function demoAccounts(): Promise<DemoAccount[]> {
  try {
    const answer = (await ask("GET", "/api/v1/demo")) as { accounts?: DemoAccount[] };
    return answer.accounts ?? [];
  } catch (error) {
    if (error instanceof Problem) return [];
    throw error;
  }
}

export function homeOf(account: Account): string {
  return account.role === "agent" ? "/agent" : "/wall";
}

/** Where to go after signing in: only ever a page of ours. */
export function wantedPage(): string | undefined {
  const wanted = new URLSearchParams(location.search).get("next");
  if (!wanted) return undefined;
  const url = new URL(wanted, location.origin);
  if (url.origin !== location.origin) return undefined;
  return ["/wall", "/agent"].includes(url.pathname) ? url.pathname + url.search : undefined;
}

export function goToLogin(): void {
  const next = location.pathname + location.search;
  location.assign(`/login?next=${encodeURIComponent(next)}`);
}
