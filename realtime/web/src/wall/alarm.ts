/**
 * When a figure wants attention (amber) or action (red). A level must hold for 3 s before it is shown, so that
 * a figure at its limit does not flicker.
 */

import { useEffect, useState } from "preact/hooks";
import { everyQuarter, shownNowUs } from "../shared/clock";
import type { AgentCounts, Figures } from "../shared/wire";

export type Level = "ok" | "attention" | "action";

const HOLD_MS = 3_000;
const TARGET_SHARE = 0.8;
const TARGET_S = 20;
const LONG_WAIT_S = 120;
const POOR_SHARE = 0.6;
const ABANDON_ATTENTION = 0.05;
const ABANDON_ACTION = 0.1;

export const targetShare = (figures: Figures) => figures.target_share ?? TARGET_SHARE;

/** Attention once the target is missed, action from two minutes on (or six times a longer target). */
export function longestWaitLevel(figures: Figures): Level {
  if (figures.longest_wait_since_us === undefined) return "ok";
  const wait_s = (shownNowUs() - figures.longest_wait_since_us) / 1e6;
  const target_s = figures.target_s ?? TARGET_S;
  if (wait_s > Math.max(LONG_WAIT_S, 3 * target_s)) return "action";
  return wait_s > target_s ? "attention" : "ok";
}

export function serviceLevelLevel(figures: Figures): Level {
  const share = figures.service_level;
  if (share === undefined) return "ok";
  if (share < Math.min(POOR_SHARE, targetShare(figures))) return "action";
  return share < targetShare(figures) ? "attention" : "ok";
}

export function abandonLevel(figures: Figures): Level {
  const rate = figures.abandon_rate;
  if (rate === undefined) return "ok";
  return rate > ABANDON_ACTION ? "action" : rate > ABANDON_ATTENTION ? "attention" : "ok";
}

export function present(agents: AgentCounts | undefined): number {
  if (!agents) return 0;
  return (agents.available ?? 0) + (agents.ringing ?? 0) + (agents.on_call ?? 0) + (agents.wrap_up ?? 0);
}

/** Action when somebody waits and nobody is there to answer; attention when more wait than agents are there. */
export function waitingLevel(figures: Figures): Level {
  const waiting = figures.waiting ?? 0;
  if (waiting === 0 || figures.agents === undefined) return "ok";
  const there = present(figures.agents);
  if (there === 0) return "action";
  return waiting > there ? "attention" : "ok";
}

/** The level, after it has held long enough. `judge` may look at the clock. */
export function useLevel(judge: () => Level): Level {
  const [shown, show] = useState<Level>("ok");
  const [held] = useState<{ level: Level; since_ms: number }>({ level: "ok", since_ms: 0 });
  const look = () => {
    const level = judge();
    if (level !== held.level) {
      held.level = level;
      held.since_ms = performance.now();
    }
    if (level !== shown && performance.now() - held.since_ms >= HOLD_MS) show(level);
  };
  useEffect(() => everyQuarter(look));
  return shown;
}
