/** One row per queue; on a narrow screen one card per queue. */

import { duration, labelOf, number, percent, t } from "../shared/i18n";
import { Icon } from "../shared/icons";
import { Since } from "../shared/parts";
import type { QueueState, WaitRange } from "../shared/wire";
import {
  abandonLevel, longestWaitLevel, present, serviceLevelLevel, targetShare, useLevel, waitingLevel, type Level,
} from "./alarm";
import { LevelMark, TargetBar } from "./tiles";

export function Queues({ queues }: { queues: Record<string, QueueState> }) {
  const rows = Object.entries(queues);
  if (rows.length === 0) return <p class="empty">{t("noQueues")}</p>;
  return (
    <table class="queues">
      <thead>
        <tr>
          <th scope="col">{t("queue")}</th>
          <th scope="col">{t("waiting")}</th>
          <th scope="col">{t("longestWait")}</th>
          <th scope="col" title={t("formulaServiceLevel")}>{t("serviceLevel")}</th>
          <th scope="col" title={t("formulaAbandon")}>{t("abandoned")}</th>
          <th scope="col" title={t("formulaAsa")}>{t("asa")}</th>
          <th scope="col">{t("talking")}</th>
          <th scope="col">{t("available")}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(([id, queue]) => <Row key={id} id={id} queue={queue} />)}
      </tbody>
    </table>
  );
}

function Cell({ label, level = "ok", children }: { label: string; level?: Level; children: preact.ComponentChildren }) {
  return (
    <td data-label={label} class={level}>
      <span class="value">{children}</span>
      <LevelMark level={level} />
    </td>
  );
}

/** What one who calls now may expect: a range, since nobody knows better. */
function rangeOf({ low, high }: WaitRange): string {
  if (high === 0) return t("noWait");
  return t("expectedWait", low === 0 ? t("upTo", duration(high)) : t("range", duration(low), duration(high)));
}

function Row({ id, queue }: { id: string; queue: QueueState }) {
  const waiting = useLevel(() => waitingLevel(queue));
  const longest = useLevel(() => longestWaitLevel(queue));
  const level = useLevel(() => serviceLevelLevel(queue));
  const abandon = useLevel(() => abandonLevel(queue));
  const target = targetShare(queue);
  const goal = t("targetIs", `${percent(target)} ${queue.target_s === undefined ? "" : t("withinS", number(queue.target_s))}`);
  return (
    <tr data-queue={id}>
      <th scope="row">
        {labelOf(queue.label, id)}
        {(queue.expected_wait_s || queue.reserve_open) && (
          <small class="outlook">
            {queue.expected_wait_s && <span data-expected>{rangeOf(queue.expected_wait_s)}</span>}
            {queue.reserve_open && <span class="badge strong" data-reserve><Icon name="people" />{t("reserveOpen")}</span>}
          </small>
        )}
      </th>
      <Cell label={t("waiting")} level={waiting}>{number(queue.waiting)}</Cell>
      <Cell label={t("longestWait")} level={longest}><Since at_us={queue.longest_wait_since_us} /></Cell>
      <Cell label={t("serviceLevel")} level={level}>
        <span title={`${goal}. ${t("formulaServiceLevel")}`}>
          {percent(queue.service_level)}
          {queue.target_s !== undefined && <small> {t("withinS", number(queue.target_s))}</small>}
          <TargetBar share={queue.service_level} target={target} />
        </span>
      </Cell>
      <Cell label={t("abandoned")} level={abandon}>{percent(queue.abandon_rate)}</Cell>
      <Cell label={t("asa")}>{duration(queue.asa_s)}</Cell>
      <Cell label={t("talking")}>{number(queue.talking)}</Cell>
      <Cell label={t("available")}>
        {queue.agents ? t("agentsOf", number(queue.agents.available), number(present(queue.agents))) : number(undefined)}
      </Cell>
    </tr>
  );
}
