/** The agent desktop: choose a phone, choose a status, see who calls, say how it ended. */

import "./agent.css";
import { useEffect, useRef, useState } from "preact/hooks";
import { logout, Problem } from "../shared/api";
import { duration, labelOf, number, percent, suggestLanguage, t, tOf, useLanguage } from "../shared/i18n";
import { DataAge, LanguageSwitch, stateWord, useFreshness } from "../shared/parts";
import { useStore } from "../shared/store";
import type { AgentSelf, AgentState, Offer } from "../shared/wire";
import { cardOf, currentOffer, openDesk, type Desk } from "./desk";
import { ShortcutHelp, useShortcuts, type Act } from "./keys";
import { OfferPanel } from "./offer";
import { PhoneChoice, StatusBar } from "./status";
import { VisitPanel } from "./visit";

const REFUSAL_MS = 8_000;

export function Desktop() {
  const [desk] = useState(openDesk);
  const language = useLanguage();
  const state = useStore(desk.live.state);
  const link = useStore(desk.live.link);
  const pushed = useStore(desk.pushed);
  const cards = useStore(desk.cards);
  const freshness = useFreshness(desk.live);
  const [choosing, setChoosing] = useState(false);
  const offer = currentOffer(state, pushed);
  const agent = state?.agent;
  const visit = state?.visit;
  const zone = state?.site?.time_zone;
  const [keysOn, setKeysOn] = useShortcuts((what) => act(what, desk, offer, setChoosing));

  useEffect(() => suggestLanguage(state?.site?.language), [state?.site?.language]);
  useEffect(() => {
    document.title = `${labelOf(agent?.name, t("agentDesktop"))} · ${t("product")}`;
  }, [language, agent?.name]);

  const signedIn = agent !== undefined && agent.phone !== undefined && agent.status !== "offline";
  return (
    <div class={`desk ${freshness}`} data-freshness={freshness}>
      <header class="bar">
        <h1>{labelOf(agent?.name, t("agentDesktop"))}</h1>
        <DataAge live={desk.live} />
        <span class="chrome">
          <ShortcutHelp on={keysOn} setOn={setKeysOn} />
          <LanguageSwitch />
          <button type="button" class="quiet" data-action="sign_out" onClick={() => void leave(desk)}>{t("signOut")}</button>
        </span>
      </header>
      <Announcer state={state} offer={offer} link={link} />
      <Refusal desk={desk} />
      {link === "not_allowed" ? <p class="empty" role="alert">{t("notAllowed")}</p> : !state || !agent ? (
        <p class="empty">{t("noData")}</p>
      ) : (
        <main class="desk-body">
          <div class="desk-main">
            {(signedIn || visit) && <StatusBar desk={desk} state={state} agent={agent} choosing={choosing} setChoosing={setChoosing} />}
            {offer && <OfferPanel key={offer.offer} desk={desk} offer={offer} timeZone={zone}
              card={cardOf(offer.contact, state, cards) ?? offer.card} />}
            {visit && <VisitPanel key={visit.visit} desk={desk} agent={agent} visit={visit} timeZone={zone}
              card={cardOf(visit.contact, state, cards)} />}
            {!signedIn && !visit && <PhoneChoice desk={desk} phones={state.phones ?? []} current={agent.phone ?? state.usual_phone} />}
            {signedIn && !offer && !visit && <Quiet agent={agent} />}
          </div>
          <Today figures={state.today ?? {}} />
        </main>
      )}
    </div>
  );
}

function act(what: Act, desk: Desk, offer: Offer | undefined, chooseReason: (open: boolean) => void): void {
  switch (what) {
    case "available":
      chooseReason(false);
      return void desk.ask({ command: "status", status: "available" });
    case "not_ready":
      return chooseReason(true);
    case "accept":
      if (offer?.can_accept) void desk.ask({ command: "accept", offer: offer.offer });
      return;
    case "reject":
      if (offer) void desk.ask({ command: "reject", offer: offer.offer });
      return;
    case "disposition":
      document.querySelector<HTMLElement>("[data-disposition-first]:not([data-disposition-first=false])")?.focus();
      return;
    case "done":
      document.querySelector<HTMLElement>("[data-action=done]")?.click();
      return;
  }
}

async function leave(desk: Desk): Promise<void> {
  await desk.ask({ command: "sign_out" });
  try {
    await logout();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
  }
  location.assign("/login");
}

function Quiet({ agent }: { agent: AgentSelf }) {
  const help =
    agent.activity === "not_responding" ? t("notRespondingHelp")
    : agent.activity === "unreachable" ? t("unreachableHelp")
    : agent.status === "available" ? t("readyForCall")
    : t("notReadyForCall");
  return (
    <section class="panel quiet-panel">
      <h2>{t("noCall")}</h2>
      <p class="quiet-text">{help}</p>
    </section>
  );
}

/** What a screen reader says. The regions are always there; only their text changes, and never by the clock. */
function Announcer({ state, offer, link }: { state: AgentState | undefined; offer: Offer | undefined; link: string }) {
  const agent = state?.agent;
  const alert = offer ? t("say_offer", labelOf(offer.queue_label, offer.queue)) : link === "lost" ? t("say_lost") : "";
  const status = !agent ? ""
    : agent.activity === "wrap_up" ? t("say_wrap_up")
    : t("say_status", stateWord(agent.status, agent.activity, agent.reason, state.reasons));
  return (
    <>
      <div role="alert" class="unseen">{alert}</div>
      <div role="status" class="unseen">{status}</div>
    </>
  );
}

function Refusal({ desk }: { desk: Desk }) {
  const refusal = useStore(desk.refusal);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => {
    clearTimeout(timer.current);
    if (refusal !== undefined) timer.current = setTimeout(() => desk.refusal.set(undefined), REFUSAL_MS);
  }, [refusal, desk]);
  return (
    <div role="alert" class="refusal">
      {refusal !== undefined && tOf(`refused_${refusal}`, t("refused_other", refusal))}
    </div>
  );
}

function Today({ figures }: { figures: Record<string, number> }) {
  const rows = Object.entries(figures);
  if (rows.length === 0) return null;
  return (
    <aside class="panel today">
      <h2>{t("ownFigures")}</h2>
      <dl class="figures">
        {rows.map(([id, value]) => (
          <div key={id} data-figure={id}>
            <dt>{tOf(`day_${id}`, id)}</dt>
            <dd class="figure"><bdi>{figureText(id, value)}</bdi></dd>
          </div>
        ))}
      </dl>
    </aside>
  );
}

function figureText(id: string, value: number): string {
  if (id.endsWith("_s")) return duration(value);
  return id === "occupancy" || id.endsWith("_rate") ? percent(value) : number(value);
}
