/**
 * The server's clock, as far as this page can know it, and the one second hand that all timers share.
 *
 * Every message carries the server's time. A message can only be late, so of the last differences between its
 * time and ours the largest is nearest to the truth. Ours is the monotonic clock: people set wrong wall clocks.
 */

const KEPT = 32;
let differences_us: number[] = [];
let offset_us: number | undefined;
let lastHeard_ms = performance.now();

/** From this age on what is shown is old, and says so. */
export const GREY_MS = 5_000;

/** A server's instant in microseconds, from a number of microseconds or an RFC 3339 text. */
export function instantUs(at: unknown): number | undefined {
  if (typeof at === "number" && Number.isFinite(at)) return at;
  if (typeof at === "string") {
    const ms = Date.parse(at);
    if (!Number.isNaN(ms)) return ms * 1000;
  }
  return undefined;
}

export function heard(at_us: number): void {
  lastHeard_ms = performance.now();
  differences_us.push(at_us - performance.now() * 1000);
  if (differences_us.length > KEPT) differences_us.shift();
  offset_us = Math.max(...differences_us);
}

/** After a pause of unknown length (sleep, lost connection) old differences tell nothing. */
export function forget(): void {
  differences_us = [];
}

export function serverNowUs(): number {
  return offset_us === undefined ? Date.now() * 1000 : performance.now() * 1000 + offset_us;
}

/**
 * The time that timers show: the server's, but it stands still while nothing is heard. The wait of a caller who
 * may have been answered long ago must not go on growing on a screen that does not know.
 */
export function shownNowUs(): number {
  const silent_ms = performance.now() - lastHeard_ms;
  return serverNowUs() - Math.max(0, silent_ms - GREY_MS) * 1000;
}

const hands = new Set<() => void>();
let running = false;

/** Calls `hand` four times a second while the page is open, until the returned function is called. */
export function everyQuarter(hand: () => void): () => void {
  hands.add(hand);
  if (!running) {
    running = true;
    setInterval(() => {
      for (const each of [...hands]) each();
    }, 250);
  }
  return () => hands.delete(hand);
}
