/** The wallboard. With `?kiosk` it shows nothing but figures, keeps the screen awake and turns its own pages. */

import "./wall.css";
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { logout, me, Problem } from "../shared/api";
import { everyQuarter, serverNowUs } from "../shared/clock";
import { dateText, labelOf, number, percent, suggestLanguage, t, useLanguage } from "../shared/i18n";
import { Icon } from "../shared/icons";
import { DataAge, LanguageSwitch, Ticking, useFreshness } from "../shared/parts";
import { connect, type Live } from "../shared/socket";
import { useStore } from "../shared/store";
import type { QueueState, WallAgent, WallState } from "../shared/wire";
import { AgentGrid } from "./agents";
import { WaitingChart } from "./chart";
import { Queues } from "./queues";
import { AlarmStrip } from "./strip";
import { Tiles } from "./tiles";

const kiosk = new URLSearchParams(location.search).has("kiosk");

export function Wall() {
  const [live] = useState(() => connect<WallState>("wall"));
  const language = useLanguage();
  const state = useStore(live.state);
  const link = useStore(live.link);
  const freshness = useFreshness(live);
  useKiosk();
  useEffect(() => suggestLanguage(state?.site?.language), [state?.site?.language]);
  useEffect(() => {
    document.title = `${t("wallboard")} · ${labelOf(state?.site?.name, t("product"))}`;
  }, [language, state?.site?.name]);

  return (
    <div class={`wall ${freshness}${kiosk ? " kiosk" : ""}`} data-freshness={freshness}>
      <Head live={live} state={state} />
      <AlarmStrip alarms={state?.alarms ?? {}} queues={state?.queues ?? {}} />
      {freshness === "stale" && <div class="stale-banner" role="alert">{t("stale")}</div>}
      {link === "not_allowed" ? <p class="empty" role="alert">{t("notAllowed")}</p> : state === undefined ? (
        <p class="empty">{t("noData")}</p>
      ) : (
        <main class="wall-body">
          <Tiles total={state.total ?? {}} limits_s={limitsOf(state)} />
          <div class="wall-rest">
            <section class="panel queue-panel">
              <h2>{t("queues")}<small>{t("today")}</small></h2>
              <Queues queues={state.queues ?? {}} />
              {state.lately && <WaitingChart lately={state.lately} language={language} />}
            </section>
            <AgentGrid agents={state.agents ?? {}} queues={state.queues ?? {}} reasons={state.reasons}
              kiosk={kiosk} language={language} />
          </div>
        </main>
      )}
    </div>
  );
}

/** The limits of the queues' service levels, each once, shortest first. */
function limitsOf(state: WallState): number[] {
  const limits = Object.values(state.queues ?? {}).flatMap((queue) => (queue.target_s === undefined ? [] : [queue.target_s]));
  return [...new Set(limits)].sort((a, b) => a - b);
}

function Head({ live, state }: { live: Live<WallState>; state: WallState | undefined }) {
  const zone = state?.site?.time_zone;
  const when = () =>
    dateText(serverNowUs(), { weekday: "long", day: "numeric", month: "long", hour: "2-digit", minute: "2-digit" }, zone);
  return (
    <header class="bar">
      <h1>{labelOf(state?.site?.name, t("wallboard"))}</h1>
      <span class="when"><Ticking text={when} /></span>
      <span class="facts">
        {state?.contacts_now !== undefined && <span>{t("contactsNow")} <b class="figure">{number(state.contacts_now)}</b></span>}
        {state?.card_before_ring !== undefined && (
          <span title={t("formulaCard")}>{t("cardBeforeRing")} <b class="figure">{percent(state.card_before_ring)}</b></span>
        )}
      </span>
      <DataAge live={live} />
      {!kiosk && (
        <span class="chrome">
          <WhyButton state={state} />
          <LanguageSwitch />
          <button type="button" class="quiet" onClick={() => void leave()}>{t("signOut")}</button>
        </span>
      )}
    </header>
  );
}

type Panel = ComponentType<{ queues: Record<string, QueueState>; agents: Record<string, WallAgent>; close: () => void }>;

/** Only for those who may ask why somebody waits; the panel itself is loaded when it is wanted. */
function WhyButton({ state }: { state: WallState | undefined }) {
  const [may, setMay] = useState(false);
  const [panel, setPanel] = useState<{ Shown: Panel } | undefined>(undefined);
  useEffect(() => {
    me().then(
      (account) => setMay(account?.role === "supervisor" || account?.role === "admin"),
      (error: unknown) => {
        if (!(error instanceof Problem)) throw error;
      },
    );
  }, []);
  if (!may) return null;
  return (
    <>
      <button type="button" class="quiet" data-action="why" aria-haspopup="dialog"
        onClick={() => void import("./waiting").then((found) => setPanel({ Shown: found.default }))}>
        <Icon name="question" />{t("whyWaiting")}
      </button>
      {panel && <panel.Shown queues={state?.queues ?? {}} agents={state?.agents ?? {}} close={() => setPanel(undefined)} />}
    </>
  );
}

async function leave(): Promise<void> {
  try {
    await logout();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
  }
  location.assign("/login");
}

/** Keeps a kiosk's screen awake (where the browser allows it), and starts it afresh each night. */
function useKiosk(): void {
  useEffect(() => {
    if (!kiosk) return;
    const wake = () => {
      if (document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
      navigator.wakeLock.request("screen").catch((error: unknown) => console.info("The screen may sleep:", error));
    };
    wake();
    document.addEventListener("visibilitychange", wake);
    const opened = new Date().getDate();
    const stop = everyQuarter(() => {
      const now = new Date();
      if (now.getDate() !== opened && now.getHours() === 4) location.reload();
    });
    return () => {
      document.removeEventListener("visibilitychange", wake);
      stop();
    };
  }, []);
}
