/** How many waited during the last minutes, as the server remembers it. Time runs left to right. */

import { memo } from "preact/compat";
import { number, t } from "../shared/i18n";
import type { Language, Lately } from "../shared/wire";

const WIDTH = 600;
const HEIGHT = 100;

interface ChartProps {
  lately: Lately;
  /** Only so that a change of language draws it again. */
  language: Language;
}

/** The numbers of all spans, oldest first; undefined where nobody looked (a gap in the line). */
function pointsOf({ spans, waiting }: Lately): (number | undefined)[] {
  const last = Math.max(...Object.keys(waiting).map(Number));
  return Array.from({ length: spans }, (_, at) => waiting[String(last - spans + 1 + at)]);
}

export const WaitingChart = memo(function WaitingChart({ lately }: ChartProps) {
  const points = pointsOf(lately);
  const minutes = (lately.spans * lately.every_us) / 60e6;
  const top = Math.max(4, ...points.map((point) => point ?? 0));
  const x = (at: number) => (at * WIDTH) / (points.length - 1);
  const y = (value: number) => HEIGHT - 2 - (value / top) * (HEIGHT - 6);

  let line = "";
  let area = "";
  let begun = -1;
  points.forEach((value, at) => {
    if (value === undefined) {
      begun = -1;
      return;
    }
    line += `${begun < 0 ? "M" : "L"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    if (begun < 0) begun = at;
    if (points[at + 1] === undefined) area += areaOf(begun, at);
  });

  function areaOf(from: number, to: number): string {
    let path = `M${x(from).toFixed(1)} ${HEIGHT}`;
    for (let at = from; at <= to; at++) path += `L${x(at).toFixed(1)} ${y(points[at] ?? 0).toFixed(1)}`;
    return `${path}L${x(to).toFixed(1)} ${HEIGHT}Z`;
  }

  const latest = points.findLast((point) => point !== undefined);
  return (
    <figure class="chart" dir="ltr">
      <figcaption dir="auto">{t("waitingLately", number(minutes))}</figcaption>
      <div class="plot">
        <span class="top">{number(top)}</span>
        <span class="bottom">{number(0)}</span>
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img"
          aria-label={`${t("waitingLately", number(minutes))}: ${number(latest)}`}>
          <path class="grid" d={`M0 ${y(top)}H${WIDTH}M0 ${y(top / 2)}H${WIDTH}M0 ${HEIGHT - 1}H${WIDTH}`} />
          <path class="area" d={area} />
          <path class="line" d={line} />
        </svg>
      </div>
      <div class="axis">
        <span dir="auto">{t("minutesAgo", number(minutes))}</span>
        <span dir="auto">{t("minutesAgo", number(minutes / 2))}</span>
        <span dir="auto">{t("now")}</span>
      </div>
    </figure>
  );
});
