/** How many waited during the last minutes, as far as this page has watched. Time runs left to right. */

import { useEffect, useState } from "preact/hooks";
import { number, t } from "../shared/i18n";

const MINUTES = 10;
const EVERY_MS = 2_000;
const MOST = (MINUTES * 60_000) / EVERY_MS;
const WIDTH = 600;
const HEIGHT = 100;

/** `count` gives the number waiting now, undefined while it is not known (a gap in the line). */
export function WaitingChart({ count }: { count: () => number | undefined }) {
  const [points, setPoints] = useState<(number | undefined)[]>([]);
  useEffect(() => {
    const sample = () => setPoints((past) => [...past, count()].slice(-MOST));
    sample();
    const timer = setInterval(sample, EVERY_MS);
    return () => clearInterval(timer);
  }, [count]);

  const top = Math.max(4, ...points.map((point) => point ?? 0));
  const x = (at: number) => WIDTH - ((points.length - 1 - at) * WIDTH) / (MOST - 1);
  const y = (value: number) => HEIGHT - 2 - (value / top) * (HEIGHT - 6);

  let line = "";
  let area = "";
  let begun = -1;
  points.forEach((value, at) => {
    if (value === undefined) {
      begun = -1;
      return;
    }
    const spot = `${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    line += `${begun < 0 ? "M" : "L"}${spot}`;
    if (begun < 0) begun = at;
    if (points[at + 1] === undefined) area += `${areaOf(begun, at)}`;
  });

  function areaOf(from: number, to: number): string {
    let path = `M${x(from).toFixed(1)} ${HEIGHT}`;
    for (let at = from; at <= to; at++) path += `L${x(at).toFixed(1)} ${y(points[at] ?? 0).toFixed(1)}`;
    return `${path}L${x(to).toFixed(1)} ${HEIGHT}Z`;
  }

  const latest = points.findLast((point) => point !== undefined);
  return (
    <figure class="chart" dir="ltr">
      <figcaption dir="auto">{t("waitingLately", number(MINUTES))}</figcaption>
      <div class="plot">
        <span class="top">{number(top)}</span>
        <span class="bottom">{number(0)}</span>
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img"
          aria-label={`${t("waiting")}: ${number(latest)}`}>
          <path class="grid" d={`M0 ${y(top)}H${WIDTH}M0 ${y(top / 2)}H${WIDTH}M0 ${HEIGHT - 1}H${WIDTH}`} />
          <path class="area" d={area} />
          <path class="line" d={line} />
        </svg>
      </div>
      <div class="axis">
        <span dir="auto">{t("minutesAgo", number(MINUTES))}</span>
        <span dir="auto">{t("minutesAgo", number(MINUTES / 2))}</span>
        <span dir="auto">{t("now")}</span>
      </div>
    </figure>
  );
}
