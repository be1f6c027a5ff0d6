/** The agent desktop: choose a phone, choose a status, see who calls, say how it ended. */

import "./agent.css";
import { useEffect, useRef, useState } from "preact/hooks";
import { logout, Problem } from "../shared/api";
import { dateText, duration, labelOf, number, suggestLanguage, t, tOf, useLanguage } from "../shared/i18n";
import { Icon } from "../shared/icons";
import { DataAge, LanguageSwitch, stateWord, useFreshness } from "../shared/parts";
import { useStore } from "../shared/store";
import type { AgentSelf, AgentState, Offer } from "../shared/wire";
import { cardOf, currentOffer, openDesk, type Desk } from "./desk";
import { ShortcutHelp, useShortcuts, type Act } from "./keys";
import { OfferPanel } from "./offer";
import { PhoneChoice } from "./phones";
import { ringing, setRinging } from "./ring";
import { StatusBar } from "./status";
import { Tasks } from "./tasks";
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
  const offers = state?.task_offers ?? [];
  const tasks = state?.tasks ?? [];
  const zone = state?.site?.time_zone;
  const [keysOn, setKeysOn] = useShortcuts((what) => act(what, desk, offer, offers, setChoosing));

  useEffect(() => suggestLanguage(state?.site?.language), [state?.site?.language]);
  useEffect(() => {
    document.title = `${labelOf(agent?.name, t("agentDesktop"))} · ${t("product")}`;
  }, [language, agent?.name]);

  const atWork = offers.length + tasks.length > 0;
  const signedIn = agent !== undefined && agent.phone !== undefined && agent.status !== "offline";
  return (
    <div class={`desk ${freshness}`} data-freshness={freshness}>
      <header class="bar">
        <h1>{labelOf(agent?.name, t("agentDesktop"))}</h1>
        <DataAge live={desk.live} />
        <span class="chrome">
          <RingSwitch />
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
        <main class={`desk-body ${signedIn || visit ? "" : "choosing"}`}>
          {(signedIn || visit) && <StatusBar desk={desk} state={state} agent={agent} choosing={choosing} setChoosing={setChoosing} />}
          <div class="desk-main">
            {offer && <OfferPanel key={offer.offer} desk={desk} offer={offer} timeZone={zone}
              card={cardOf(offer.contact, state, cards) ?? offer.card} />}
            {visit && <VisitPanel key={visit.visit} desk={desk} agent={agent} visit={visit} timeZone={zone}
              card={cardOf(visit.contact, state, cards)} />}
            <Tasks desk={desk} offers={offers} tasks={tasks} timeZone={zone} />
            {!signedIn && !visit && <PhoneChoice desk={desk} phones={state.phones ?? []} usual={state.usual_phone} />}
            {signedIn && !offer && !visit && !(atWork && agent.status === "available") && <Quiet desk={desk} agent={agent} state={state} keysOn={keysOn} />}
          </div>
          <Today figures={state.today ?? {}} since_us={state.today_since_us} zone={zone} />
        </main>
      )}
    </div>
  );
}

function act(
  what: Act,
  desk: Desk,
  offer: Offer | undefined,
  taskOffers: Offer[],
  chooseReason: (open: boolean) => void,
): void {
  const acceptable = offer?.can_accept ? offer : taskOffers[0];
  const rejectable = offer ?? taskOffers[0];
  switch (what) {
    case "available":
      chooseReason(false);
      return void desk.ask({ command: "status", status: "available" });
    case "not_ready":
      return chooseReason(true);
    case "accept":
      if (acceptable) void desk.ask({ command: "accept", offer: acceptable.offer });
      return;
    case "reject":
      if (rejectable) void desk.ask({ command: "reject", offer: rejectable.offer });
      return;
    case "disposition":
      document.querySelector<HTMLElement>("[data-disposition-first]:not([data-disposition-first=false])")?.focus();
      return;
    case "finish":
      document.querySelector<HTMLElement>("[data-action=finish]")?.click();
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

interface QuietProps {
  desk: Desk;
  agent: AgentSelf;
  state: AgentState;
  keysOn: boolean;
}

/** Nobody calls: why that is, and, if it is up to the agent, the one thing to do next. */
function Quiet({ desk, agent, state, keysOn }: QuietProps) {
  const lost = agent.activity === "not_responding";
  const broken = agent.activity === "unreachable" || agent.trouble !== undefined;
  const waits = agent.status === "available" && !lost;
  const help = lost ? t("notRespondingHelp") : broken ? t("unreachableHelp") : waits ? t("readyForCall") : t("notReadyForCall");
  const title = waits || broken ? t("noCall") : t("youAre", stateWord(agent.status, agent.activity, agent.reason, state.reasons));
  return (
    <section class={`panel quiet-panel ${waits ? "waits" : "asks"}`}>
      <h2>{title}</h2>
      <p class="quiet-text">{help}</p>
      {!waits && (
        <button type="button" class="primary large" data-action="available"
          onClick={() => void desk.ask({ command: "status", status: "available" })}>
          <Icon name="available" />{t("becomeAvailable")}{keysOn && <kbd>F2</kbd>}
        </button>
      )}
    </section>
  );
}

function RingSwitch() {
  const on = useStore(ringing);
  const name = t("ringSound");
  return (
    <button type="button" class="quiet" data-action="ring" aria-pressed={on} aria-label={name}
      title={`${name}: ${on ? t("isOn") : t("isOff")}`} onClick={() => setRinging(!on)}>
      <Icon name={on ? "ringing" : "muted"} />
    </button>
  );
}

/** What a screen reader says. The regions are always there; only their text changes, and never by the clock. */
function Announcer({ state, offer, link }: { state: AgentState | undefined; offer: Offer | undefined; link: string }) {
  const agent = state?.agent;
  const task = state?.task_offers?.[0];
  const alert = offer ? t("say_offer", labelOf(offer.queue_label, offer.queue))
    : link === "lost" ? t("say_lost")
    : task ? t("say_task", labelOf(task.queue_label, task.queue)) : "";
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

interface TodayProps {
  figures: Record<string, number>;
  since_us: number | undefined;
  zone: string | undefined;
}

function Today({ figures, since_us, zone }: TodayProps) {
  const rows = Object.entries(figures);
  if (rows.length === 0) return null;
  const since = since_us === undefined ? undefined : dateText(since_us, { hour: "2-digit", minute: "2-digit" }, zone);
  return (
    <aside class="panel today" aria-label={t("ownFigures")}>
      <h2>{t("ownFigures")}{since !== undefined && <small>{t("sinceTime", since)}</small>}</h2>
      <dl class="figures">
        {rows.map(([id, value]) => (
          <div key={id} data-figure={id}>
            <dt>{tOf(`day_${id}`, id)}</dt>
            <dd class="figure"><bdi>{id.endsWith("_s") ? duration(value) : number(value)}</bdi></dd>
          </div>
        ))}
      </dl>
    </aside>
  );
}
