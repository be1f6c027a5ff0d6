/** What somebody must look at now: a quiet band that nobody overlooks, said in words and not by colour alone. */

import { digits, labelOf, t } from "../shared/i18n";
import { Icon } from "../shared/icons";
import { Since } from "../shared/parts";
import type { Alarm, QueueState } from "../shared/wire";

interface StripProps {
  alarms: Record<string, Alarm>;
  queues: Record<string, QueueState>;
}

export function AlarmStrip({ alarms, queues }: StripProps) {
  const on = Object.entries(alarms).sort(([, a], [, b]) => a.since_us - b.since_us);
  const comma = t("comma");
  return (
    <div class="alarm-strip" role="alert">
      {on.map(([name, alarm]) => (
        <p key={name} data-alarm={alarm.kind}>
          <Icon name="action" />
          <b>{t("alarmUnroutable", alarm.queues.map((id) => labelOf(queues[id]?.label, id)).join(comma))}</b>
          {alarm.missing_labels && (
            <span>{t("alarmNeeded", alarm.missing_labels.map((label) => digits(labelOf(label))).join(t("or")))}</span>
          )}
          <span class="time"><Since at_us={alarm.since_us} /></span>
        </p>
      ))}
    </div>
  );
}
