/**
 * Who does what, since when. A tile is drawn again only when its own agent changed. When not all fit on the
 * screen, a kiosk turns pages by itself; elsewhere people scroll.
 */

import { memo } from "preact/compat";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { labelOf, number, t } from "../shared/i18n";
import { Since, StateMark, stateKind, stateWord, type StateKind } from "../shared/parts";
import type { Label, Language, QueueState, WallAgent } from "../shared/wire";

const ORDER: StateKind[] = ["trouble", "ringing", "on_call", "on_hold", "wrap_up", "on_task", "available", "not_ready", "offline"];
const TURN_MS = 10_000;

interface TileProps {
  id: string;
  agent: WallAgent;
  queue: Label | undefined;
  reasons: Record<string, Label> | undefined;
  /** Only so that a change of language draws it again. */
  language: Language;
}

const AgentTile = memo(function AgentTile({ id, agent, queue, reasons }: TileProps) {
  const kind = stateKind(agent.status, agent.activity);
  return (
    <li class={`agent ${kind}`} data-agent={id} data-kind={kind}>
      <StateMark kind={kind} />
      <span class="name">{labelOf(agent.name, id)}</span>
      <span class="state">
        {stateWord(agent.status, agent.activity, agent.reason, reasons)}
        {queue !== undefined && <small> · {labelOf(queue)}</small>}
      </span>
      <span class="time"><Since at_us={agent.since_us} /></span>
    </li>
  );
});

export interface AgentGridProps {
  agents: Record<string, WallAgent>;
  queues: Record<string, QueueState>;
  reasons: Record<string, Label> | undefined;
  kiosk: boolean;
  language: Language;
}

export function AgentGrid({ agents, queues, reasons, kiosk, language }: AgentGridProps) {
  const all = Object.entries(agents);
  const shown = all
    .map(([id, agent]) => ({ id, agent, rank: ORDER.indexOf(stateKind(agent.status, agent.activity)) }))
    .filter(({ agent }) => agent.status !== "offline" || agent.activity === "on_call")
    .sort((a, b) => a.rank - b.rank || a.agent.since_us - b.agent.since_us || a.id.localeCompare(b.id));
  const offline = all.length - shown.length;
  const list = useRef<HTMLUListElement>(null);
  const [page, pages] = usePages(list, kiosk, shown.length);
  return (
    <section class="panel agents">
      <h2>
        {t("agents")}
        <small>
          {offline > 0 && t("offlineCount", number(offline))}
          {pages > 1 && <span class="pages">{t("page", number(page + 1), number(pages))}</span>}
        </small>
      </h2>
      {shown.length === 0 ? <p class="empty">{t("noAgents")}</p> : (
        <ul ref={list} class={`agent-grid ${shown.length > 60 ? "dense" : ""}`}>
          {shown.map(({ id, agent }) => (
            <AgentTile key={id} id={id} agent={agent} reasons={reasons} language={language}
              queue={agent.queue === undefined ? undefined : queues[agent.queue]?.label ?? agent.queue} />
          ))}
        </ul>
      )}
    </section>
  );
}

/** How far a page turns: as many whole rows as fit. */
function stepOf(box: HTMLElement): number {
  const row = (box.firstElementChild?.clientHeight ?? 0) + 10;
  return Math.max(row, Math.floor((box.clientHeight + 10) / row) * row);
}

/** Turns pages of a list that is taller than its place. Gives the page shown and how many there are. */
function usePages(list: { current: HTMLElement | null }, turning: boolean, count: number): [number, number] {
  const [page, setPage] = useState(0);
  const [pages, setPages] = useState(1);
  useLayoutEffect(() => {
    const box = list.current;
    if (!turning || !box) return;
    const measure = () => setPages(Math.max(1, Math.ceil(box.scrollHeight / stepOf(box))));
    measure();
    const watcher = new ResizeObserver(measure);
    watcher.observe(box);
    return () => watcher.disconnect();
  }, [turning, count, list]);
  useEffect(() => {
    if (pages < 2) return setPage(0);
    const timer = setInterval(() => setPage((now) => (now + 1) % pages), TURN_MS);
    return () => clearInterval(timer);
  }, [pages]);
  useEffect(() => {
    const box = list.current;
    if (turning && box) box.scrollTop = page * stepOf(box);
  }, [page, turning, list]);
  return [Math.min(page, pages - 1), pages];
}
