/** What the agent chose, and what the system sees them do. During a call a choice becomes the next status. */

import { useEffect, useRef } from "preact/hooks";
import { labelOf, t, tOf } from "../shared/i18n";
import { Icon } from "../shared/icons";
import { Since, StateMark, stateKind, stateWord } from "../shared/parts";
import type { AgentSelf, AgentState, Status } from "../shared/wire";
import type { Desk } from "./desk";

export function isBusy(agent: AgentSelf): boolean {
  return ["ringing", "on_call", "on_hold", "consulting", "wrap_up"].includes(agent.activity);
}

export interface StatusBarProps {
  desk: Desk;
  state: AgentState;
  agent: AgentSelf;
  choosing: boolean;
  setChoosing: (open: boolean) => void;
}

export function StatusBar({ desk, state, agent, choosing, setChoosing }: StatusBarProps) {
  const kind = stateKind(agent.status, agent.activity);
  const aim = agent.next_status ?? agent.status;
  const reasons = Object.entries(state.reasons ?? {});
  const phone = state.phones?.find((one) => one.id === agent.phone);
  const list = useRef<HTMLDivElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    // Asked for by a key or a click, so focus follows; never by itself.
    if (choosing) list.current?.querySelector("button")?.focus();
  }, [choosing]);

  const set = (status: Status, reason?: string) => {
    if (choosing) opener.current?.focus();
    setChoosing(false);
    void desk.ask({ command: "status", status, ...(reason === undefined ? {} : { reason }) });
  };
  const notReady = () => (reasons.length === 0 ? set("not_ready") : setChoosing(!choosing));

  return (
    <section class={`panel status-bar ${kind}`} aria-label={t("yourStatus")} data-status={agent.status} data-activity={agent.activity}>
      <div class="now">
        <StateMark kind={kind} />
        <div>
          <strong>{stateWord(agent.status, agent.activity, agent.reason, state.reasons)}</strong>
          <span class="time"><Since at_us={agent.since_us} /></span>
        </div>
      </div>
      <div class="statuses" role="group" aria-label={t("yourStatus")}>
        <button type="button" data-status="available" aria-pressed={aim === "available"} onClick={() => set("available")}>
          <Icon name="available" />{t("status_available")}
        </button>
        <button type="button" data-status="not_ready" ref={opener} aria-pressed={aim === "not_ready"} aria-expanded={choosing}
          onClick={notReady}>
          <Icon name="not_ready" />{t("status_not_ready")}
        </button>
        <button type="button" data-status="offline" aria-pressed={aim === "offline"} onClick={() => set("offline")}>
          <Icon name="offline" />{t("status_offline")}
        </button>
      </div>
      <div class="quiet-text where">
        <Icon name="phone" />{t("atPhone")}: <bdi>{labelOf(phone?.label, agent.phone ?? "—")}</bdi>
      </div>
      {choosing && (
        <div class="choices reasons" ref={list} role="group" aria-label={t("reason")}
          onKeyDown={(event) => {
            if (event.key !== "Escape") return;
            opener.current?.focus();
            setChoosing(false);
          }}>
          <span>{t("reason")}:</span>
          {reasons.map(([code, label]) => (
            <button type="button" key={code} class="choice" data-reason={code}
              aria-pressed={aim === "not_ready" && (agent.next_status ? agent.next_reason : agent.reason) === code}
              onClick={() => set("not_ready", code)}>
              {labelOf(label, code)}
            </button>
          ))}
          <button type="button" class="quiet" onClick={() => setChoosing(false)}>{t("cancel")}</button>
        </div>
      )}
      {agent.next_status !== undefined ? (
        <p class="next" data-next={agent.next_status}>
          {t("nextStatus", stateWord(agent.next_status, "idle", agent.next_reason, state.reasons))}
        </p>
      ) : isBusy(agent) ? <p class="next quiet-text">{t("nextStatusHint")}</p> : null}
      {agent.trouble !== undefined && (
        <p class="error" role="alert">{tOf(`trouble_${agent.trouble}`, agent.trouble)}</p>
      )}
    </section>
  );
}
