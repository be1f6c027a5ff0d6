/** Pieces that every page uses. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { everyQuarter, GREY_MS, shownNowUs } from "./clock";
import {
  asciiDigits, chooseLanguage, digits, duration, labelOf, number, NOTHING, t, tOf, useLanguage,
} from "./i18n";
import { Icon, type IconName } from "./icons";
import type { Link, Live } from "./socket";
import { useStore } from "./store";
import type { Activity, Label, Status } from "./wire";

export function LanguageSwitch() {
  const language = useLanguage();
  const other = language === "fa" ? "en" : "fa";
  return (
    <button type="button" class="quiet" lang={other} onClick={() => chooseLanguage(other)}>
      {t("otherLanguage")}
    </button>
  );
}

/** Text that changes with time; it writes itself, so that the rest of the page is left alone. */
export function Ticking({ text }: { text: () => string }) {
  const place = useRef<HTMLElement>(null);
  const write = () => {
    const now = text();
    if (place.current && place.current.textContent !== now) place.current.textContent = now;
  };
  useLayoutEffect(write);
  useEffect(() => everyQuarter(write));
  return <bdi class="figure ticking" ref={place} />;
}

/**
 * A running clock. Persian digits of one width stand too far apart, so they keep their own; only the last one,
 * which changes each second, has a place of fixed width, and the rest stands still for ten seconds.
 */
function Running({ seconds }: { seconds: () => number }) {
  const place = useRef<HTMLElement>(null);
  const front = useRef<HTMLSpanElement>(null);
  const last = useRef<HTMLSpanElement>(null);
  const write = () => {
    const now = duration(seconds());
    if (!place.current || !front.current || !last.current || place.current.textContent === now) return;
    front.current.textContent = now.slice(0, -1);
    last.current.textContent = now.slice(-1);
    place.current.classList.toggle("long", now.length > 5);
  };
  useLayoutEffect(write);
  useEffect(() => everyQuarter(write));
  return <bdi class="figure running" ref={place}><span ref={front} /><span class="last" ref={last} /></bdi>;
}

/** Time since an instant of the server. */
export function Since({ at_us }: { at_us: number | undefined }) {
  if (at_us === undefined) return <bdi class="figure">{NOTHING}</bdi>;
  return <Running seconds={() => (shownNowUs() - at_us) / 1e6} />;
}

/** Time left until an instant of the server, in a sentence; it stays at zero. */
export function Until({ at_us, say }: { at_us: number; say: (left: string) => string }) {
  return <Ticking text={() => say(duration(Math.ceil(Math.max(0, at_us - shownNowUs()) / 1e6)))} />;
}

/** A telephone number or id: always left to right; copied with plain digits. */
export function PhoneNumber({ text }: { text: string }) {
  return <bdi dir="ltr" class="phone-number">{digits(text)}</bdi>;
}

/** Who copies a number wants to paste it into another program: give plain digits. */
export function copyPlainDigits(): void {
  document.addEventListener("copy", (event) => {
    const selected = document.getSelection()?.toString() ?? "";
    const plain = asciiDigits(selected);
    if (plain === selected || !event.clipboardData) return;
    event.clipboardData.setData("text/plain", plain);
    event.preventDefault();
  });
}

export type Freshness = "none" | "fresh" | "grey" | "stale";
const STALE_MS = 15_000;

function freshnessOf(heardAt_ms: number | undefined): Freshness {
  if (heardAt_ms === undefined) return "none";
  const age_ms = performance.now() - heardAt_ms;
  return age_ms > STALE_MS ? "stale" : age_ms > GREY_MS ? "grey" : "fresh";
}

export function useFreshness<State>(live: Live<State>): Freshness {
  const [freshness, set] = useState<Freshness>(freshnessOf(live.heardAt_ms()));
  useEffect(() => everyQuarter(() => set(freshnessOf(live.heardAt_ms()))), [live]);
  return freshness;
}

const linkIcons: Record<Link, IconName> = { open: "live", connecting: "cut", lost: "cut", not_allowed: "cut" };

/** Is it live, and how old is what we see? Never a live region for itself: it changes every second. */
export function DataAge<State>({ live }: { live: Live<State> }) {
  const link = useStore(live.link);
  const freshness = useFreshness(live);
  const age_s = () => (performance.now() - (live.heardAt_ms() ?? 0)) / 1000;
  return (
    <span class={`age ${freshness}`} data-freshness={freshness} data-link={link}>
      <Icon name={linkIcons[link]} />
      <b>{link === "open" ? t("live") : link === "lost" ? t("lost") : t("connecting")}</b>
      {freshness === "none" ? (
        <span>{t("noData")}</span>
      ) : freshness === "stale" ? (
        <Ticking text={() => t("staleSince", duration(age_s()))} />
      ) : (
        <Ticking text={() => t("dataAge", number(Math.floor(age_s())))} />
      )}
    </span>
  );
}

export type StateKind =
  | "available" | "ringing" | "on_call" | "on_hold" | "on_task" | "wrap_up" | "not_ready" | "trouble" | "offline";

/** One kind for status and activity together: it chooses colour, icon and place in the order. */
export function stateKind(status: Status, activity: Activity): StateKind {
  switch (activity) {
    case "ringing":
      return "ringing";
    case "on_call":
    case "consulting":
      return "on_call";
    case "on_hold":
      return "on_hold";
    case "on_task":
      return status === "available" ? "on_task" : status;
    case "wrap_up":
      return "wrap_up";
    case "not_responding":
    case "unreachable":
      return status === "offline" ? "offline" : "trouble";
    default:
      return status;
  }
}

/** The state in one word: what the agent does, or, when idle, what they chose (with its reason). */
export function stateWord(
  status: Status,
  activity: Activity,
  reason: string | undefined,
  reasons: Record<string, Label> | undefined,
): string {
  const kind = stateKind(status, activity);
  if (kind === "not_ready" && reason !== undefined) return labelOf(reasons?.[reason], reason);
  return activity === "idle" || kind === "offline" ? tOf(`status_${status}`, status) : tOf(`activity_${activity}`, activity);
}

export function StateMark({ kind }: { kind: StateKind }) {
  return (
    <span class={`mark ${kind}`}>
      <Icon name={kind} />
    </span>
  );
}
