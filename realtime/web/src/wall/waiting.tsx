/** For supervisors: who waits longest in each queue, and why. Asked for again while it is open. */

import { useEffect, useRef, useState } from "preact/hooks";
import { Problem, whoWaits } from "../shared/api";
import { digits, duration, labelOf, number, t } from "../shared/i18n";
import { Icon } from "../shared/icons";
import { Since } from "../shared/parts";
import type { InLine, QueueState, WallAgent, WhyNot } from "../shared/wire";
import { say, sayOf } from "./reasons";

const AGAIN_MS = 5_000;

interface WaitingProps {
  queues: Record<string, QueueState>;
  agents: Record<string, WallAgent>;
  close: () => void;
}

export default function WaitingPanel({ queues, agents, close }: WaitingProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [lines, setLines] = useState<Record<string, InLine[]> | undefined>(undefined);
  const [failed, setFailed] = useState(false);
  useEffect(() => dialog.current?.showModal(), []);
  useEffect(() => {
    let over = false;
    const look = () => whoWaits().then(
      (found) => {
        if (over) return;
        setLines(found);
        setFailed(false);
      },
      (error: unknown) => {
        if (!(error instanceof Problem)) throw error;
        if (!over) setFailed(true);
      },
    );
    void look();
    const timer = setInterval(() => void look(), AGAIN_MS);
    return () => {
      over = true;
      clearInterval(timer);
    };
  }, []);
  const found = Object.entries(lines ?? {}).sort(([, a], [, b]) => (a[0]?.waiting_since_us ?? 0) - (b[0]?.waiting_since_us ?? 0));
  return (
    <dialog ref={dialog} class="panel waiting-panel" aria-label={t("whyWaiting")} onClose={close}>
      <h2>
        {t("whyWaiting")}
        <button type="button" class="quiet" onClick={() => dialog.current?.close()}>{t("close")}</button>
      </h2>
      {failed && <p class="error" role="alert">{say("failed")}</p>}
      {lines !== undefined && found.length === 0 && <p class="empty">{say("nobody")}</p>}
      {found.map(([queue, line]) => (
        <section key={queue} data-line={queue}>
          <h3>{labelOf(queues[queue]?.label, queue)}</h3>
          <ol>
            {line.map((one) => <Waiting key={one.visit} one={one} agents={agents} />)}
          </ol>
        </section>
      ))}
    </dialog>
  );
}

function Waiting({ one, agents }: { one: InLine; agents: Record<string, WallAgent> }) {
  const cause = one.cause ?? (one.state === "offered" ? "offered" : "none");
  const stuck = cause === "nobody_fits" || cause === "nobody_signed_in";
  const facts = [
    one.kind === "call" ? "" : sayOf("kind", one.kind),
    say("asksFor", digits(labelOf(one.requirement_label))),
    one.step > 0 ? say("step", number(one.step)) : "",
    one.ahead > 0 ? say("ahead", number(one.ahead)) : one.cause === undefined ? "" : say("next"),
    one.waits_for === undefined ? "" : say("waitsFor", labelOf(agents[one.waits_for]?.name, one.waits_for)),
    one.expected_wait_s === undefined ? "" : say("expected", duration(one.expected_wait_s.likely)),
  ];
  return (
    <li class={stuck ? "stuck" : ""} data-visit={one.visit} data-cause={cause}>
      <span class="time"><Since at_us={one.waiting_since_us} /></span>
      <b>{stuck && <Icon name="action" />}{sayOf("cause", cause)}</b>
      <p>{facts.filter(Boolean).join(" · ")}</p>
      {one.agents.length > 0 && (
        <ul class="why-not">
          {one.agents.map((each) => (
            <li key={each.agent}><span>{labelOf(each.name, each.agent)}</span> {whyNot(each)}</li>
          ))}
        </ul>
      )}
    </li>
  );
}

function whyNot(each: WhyNot): string {
  if (each.reason !== "missing_skill") return sayOf("not", each.reason);
  return say("not_missing_skill", labelOf(each.skill_label), number(each.has), number(each.needed));
}
