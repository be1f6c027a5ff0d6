/** The figures of the whole site, large enough for the far end of the room. */

import type { ComponentChildren } from "preact";
import { duration, number, percent, t } from "../shared/i18n";
import { Icon, type IconName } from "../shared/icons";
import { Since, StateMark, type StateKind } from "../shared/parts";
import type { AgentCounts, Figures } from "../shared/wire";
import {
  abandonLevel, longestWaitLevel, serviceLevelLevel, targetShare, useLevel, waitingLevel, type Level,
} from "./alarm";

export function LevelMark({ level }: { level: Level }) {
  if (level === "ok") return null;
  return (
    <span class={`level ${level}`}>
      <Icon name={level} />
      {t(level)}
    </span>
  );
}

interface TileProps {
  id: string;
  icon: IconName;
  label: string;
  judge?: () => Level;
  note?: ComponentChildren;
  hover?: string;
  children: ComponentChildren;
}

const calm = (): Level => "ok";

function Tile({ id, icon, label, judge = calm, note, hover, children }: TileProps) {
  const level = useLevel(judge);
  return (
    <section class={`tile ${level}`} data-tile={id} data-level={level} title={hover}>
      <h2>
        <Icon name={icon} />
        {label}
      </h2>
      <div class="big">{children}</div>
      <div class="note">
        <LevelMark level={level} />
        <span>{note}</span>
      </div>
    </section>
  );
}

export function TargetBar({ share, target }: { share: number | undefined; target: number }) {
  return (
    <svg class="target-bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
      <rect class="ground" width="100" height="6" />
      {share !== undefined && <rect class="reached" width={Math.max(0, Math.min(1, share)) * 100} height="6" />}
      <path class="goal" d={`M${target * 100} 0V6`} />
    </svg>
  );
}

const STATES: { kind: StateKind; count: keyof AgentCounts; word: Parameters<typeof t>[0] }[] = [
  { kind: "available", count: "available", word: "available" },
  { kind: "ringing", count: "ringing", word: "ringing" },
  { kind: "on_call", count: "on_call", word: "onCall" },
  { kind: "wrap_up", count: "wrap_up", word: "wrapUp" },
  { kind: "not_ready", count: "not_ready", word: "notReady" },
  { kind: "trouble", count: "unreachable", word: "unreachable" },
];

export function AgentsTile({ agents }: { agents: AgentCounts | undefined }) {
  return (
    <section class="tile agents-tile" data-tile="agents">
      <h2>
        <Icon name="people" />
        {t("agents")}
      </h2>
      <ul class="states">
        {STATES.filter(({ count }) => count !== "unreachable" || agents?.[count]).map(({ kind, count, word }) => (
          <li key={kind} data-count={count}>
            <StateMark kind={kind} />
            <span>{t(word)}</span>
            <b class="figure">{number(agents?.[count])}</b>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Queues may have limits of their own; the site's figure is then the sum over queues, each by its own. */
function withinText([shortest, ...longer]: number[]): string {
  const longest = longer.at(-1);
  if (shortest === undefined) return "";
  return longest === undefined ? t("withinS", number(shortest)) : t("withinByQueue", number(shortest), number(longest));
}

export function Tiles({ total: sums, limits_s }: { total: Figures; limits_s: number[] }) {
  const within = withinText(limits_s);
  const total = limits_s.length > 0 ? { target_s: Math.max(...limits_s), ...sums } : sums;
  const target = targetShare(total);
  return (
    <div class="tiles">
      <Tile id="waiting" icon="waiting" label={t("waiting")} judge={() => waitingLevel(total)}
        note={total.waiting === 0 ? t("noneWaiting") : ""}>
        <bdi class="figure">{number(total.waiting)}</bdi>
      </Tile>
      <Tile id="longest_wait" icon="clock" label={t("longestWait")} judge={() => longestWaitLevel(total)}
        note={total.target_s === undefined ? "" : t("targetIs", t("upToS", number(total.target_s)))}>
        <Since at_us={total.longest_wait_since_us} />
      </Tile>
      <Tile id="service_level" icon="target" label={t("serviceLevel")} judge={() => serviceLevelLevel(total)}
        hover={t("formulaServiceLevel")}
        note={
          <>
            <TargetBar share={total.service_level} target={target} />
            {t("targetIs", `${percent(target)} ${within}`)}
          </>
        }>
        <bdi class="figure">{percent(total.service_level)}</bdi>
      </Tile>
      <Tile id="abandoned" icon="leave" label={t("abandoned")} judge={() => abandonLevel(total)}
        hover={t("formulaAbandon")} note={
          <>
            {t("agentsOf", number(total.abandoned), number(total.offered))}
            {(total.abandoned ?? 0) > 0 && <><br />{t("shortLeftOut")}</>}
          </>
        }>
        <bdi class="figure">{percent(total.abandon_rate)}</bdi>
      </Tile>
      <Tile id="asa" icon="answer" label={t("asa")} hover={t("formulaAsa")}
        note={`${t("answered")} ${number(total.answered)}`}>
        <bdi class="figure">{duration(total.asa_s)}</bdi>
      </Tile>
      <AgentsTile agents={total.agents} />
    </div>
  );
}
