/** The call that is talked or wrapped up: its card, its time, and how it ended. */

import { useState } from "preact/hooks";
import { shownNowUs } from "../shared/clock";
import { labelOf, plain, t } from "../shared/i18n";
import { Since, StateMark, Until } from "../shared/parts";
import type { AgentSelf, Card, Disposition, Visit } from "../shared/wire";
import { CardView } from "./card";
import type { Desk } from "./desk";

export interface VisitProps {
  desk: Desk;
  agent: AgentSelf | undefined;
  visit: Visit;
  card: Card | undefined;
  timeZone: string | undefined;
}

export function VisitPanel({ desk, agent, visit, card, timeZone }: VisitProps) {
  const wrapping = agent?.activity === "wrap_up" || visit.wrap_up_until_us !== undefined;
  const until_us = visit.wrap_up_until_us;
  const left = (time: string) =>
    until_us !== undefined && until_us <= shownNowUs() && dispositionMissing(visit)
      ? t("doneNeedsDisposition")
      : t("wrapUpLeft", time);
  const held = agent?.activity === "on_hold";
  return (
    <section class={`panel visit ${wrapping ? "wrapping" : ""}`} data-visit={visit.visit}
      aria-label={wrapping ? t("wrapUpOpen") : t("inTalk")}>
      <div class="offer-head">
        <StateMark kind={wrapping ? "wrap_up" : held ? "on_hold" : "on_call"} />
        <div>
          <h2>{wrapping ? t("wrapUpOpen") : held ? t("activity_on_hold") : visit.kind ? t("callback") : t("inTalk")}: {labelOf(visit.queue_label, visit.queue ?? "")}</h2>
          {!wrapping && <span>{visit.kind ? t("inHand") : t("talkTime")}: <Since at_us={visit.since_us} /></span>}
        </div>
        {wrapping && until_us !== undefined && (
          <span class="countdown"><Until at_us={until_us} say={left} /></span>
        )}
      </div>
      <CardView card={card} timeZone={timeZone} />
      <Dispositions desk={desk} visit={visit} />
      {wrapping ? <Done desk={desk} visit={visit} /> : visit.kind && <Finish desk={desk} visit={visit} />}
    </section>
  );
}

function dispositionMissing(visit: Visit): boolean {
  return visit.disposition_required === true && visit.disposition === undefined;
}

function Done({ desk, visit }: { desk: Desk; visit: Visit }) {
  const missing = dispositionMissing(visit);
  return (
    <div class="actions">
      <button type="button" class="primary" data-action="done" aria-disabled={missing}
        aria-describedby={missing ? "why-not-done" : undefined}
        onClick={() => !missing && void desk.ask({ command: "end_wrap_up" })}>
        {t("done")}
      </button>
      {missing && <span id="why-not-done" class="lift">{t("doneNeedsDisposition")}</span>}
    </div>
  );
}

/** A task or a callback ends when the agent says so; of a callback the wrap-up may still say how it ended. */
export function Finish({ desk, visit }: { desk: Desk; visit: Visit }) {
  const missing = visit.kind === "task" && dispositionMissing(visit);
  const why = `why-not-finish-${visit.visit}`;
  return (
    <div class="actions">
      <button type="button" class="primary" data-action="finish" aria-disabled={missing}
        aria-describedby={missing ? why : undefined}
        onClick={() => !missing && void desk.ask({ command: "finish", visit: visit.visit })}>
        {t(visit.kind === "callback" ? "callbackOver" : "finish")}
      </button>
      {missing && <span id={why} class="lift">{t("finishNeedsDisposition")}</span>}
    </div>
  );
}

const FILTER_FROM = 7;

export function Dispositions({ desk, visit }: { desk: Desk; visit: Visit }) {
  const [filter, setFilter] = useState("");
  const all = visit.dispositions ?? [];
  if (all.length === 0) return null;
  const wanted = plain(filter);
  const fits = (one: Disposition) => plain(`${labelOf(one.label)} ${one.code}`).includes(wanted);
  const found = wanted ? all.filter(fits) : all;
  const choose = (code: string) => {
    setFilter("");
    void desk.ask({ command: "disposition", visit: visit.visit, code });
  };
  const chosen = all.find((one) => one.code === visit.disposition);
  return (
    <fieldset class="dispositions">
      <legend>
        {t(visit.kind === "task" ? "dispositionOfTask" : "disposition")}
        {visit.disposition_required && <small> ({t("dispositionRequired")})</small>}
      </legend>
      {all.length >= FILTER_FROM && (
        <input type="search" data-disposition-first aria-label={t("dispositionFilter")} value={filter}
          placeholder={t("dispositionFilter")} autocomplete="off"
          onInput={(event) => setFilter(event.currentTarget.value)}
          onKeyDown={(event) => {
            const first = found[0];
            if (event.key !== "Enter" || !wanted || !first) return;
            event.preventDefault();
            choose(first.code);
          }} />
      )}
      <div class="choices">
        {found.map((one, at) => (
          <button type="button" key={one.code} class="choice" data-code={one.code}
            data-disposition-first={at === 0 && all.length < FILTER_FROM}
            aria-pressed={one.code === visit.disposition} onClick={() => choose(one.code)}>
            {labelOf(one.label, one.code)}
          </button>
        ))}
        {found.length === 0 && <span class="quiet-text">{t("noDisposition")}</span>}
      </div>
      <p role="status" class="quiet-text">{chosen && t("saved", labelOf(chosen.label, chosen.code))}</p>
    </fieldset>
  );
}
