/** Work that is no call: what is held out to the agent, and what they have in hand beside the telephone. */

import { useEffect } from "preact/hooks";
import { labelOf, t } from "../shared/i18n";
import { Icon } from "../shared/icons";
import { Since, Until } from "../shared/parts";
import type { Card, Offer, Visit } from "../shared/wire";
import { CardView, ToDo } from "./card";
import type { Desk } from "./desk";
import { useShown, WhyYou } from "./offer";
import { ring } from "./ring";
import { Dispositions, Finish } from "./visit";

interface TasksProps {
  desk: Desk;
  offers: Offer[];
  tasks: Visit[];
  timeZone: string | undefined;
}

export function Tasks({ desk, offers, tasks, timeZone }: TasksProps) {
  return (
    <>
      {offers.map((offer) => <TaskOffer key={offer.offer} desk={desk} offer={offer} timeZone={timeZone} />)}
      {tasks.length > 0 && (
        <section class="panel tasks" aria-label={t("tasksInHand")}>
          <h2>{t("tasksInHand")}</h2>
          {tasks.map((task) => <Task key={task.visit} desk={desk} task={task} timeZone={timeZone} />)}
        </section>
      )}
    </>
  );
}

function TaskOffer({ desk, offer, timeZone }: { desk: Desk; offer: Offer; timeZone: string | undefined }) {
  useShown(desk, offer.offer, true);
  useEffect(ring, [offer.offer]);
  return (
    <section class="panel task-offer" data-task-offer={offer.offer} aria-label={t("newTask")}>
      <div class="offer-head">
        <span class="mark on_task"><Icon name="on_task" /></span>
        <div>
          <h2>{t("newTask")}: {labelOf(offer.queue_label, offer.queue)}</h2>
          <WhyYou offer={offer} />
        </div>
        {offer.ring_until_us !== undefined && (
          <span class="countdown"><Until at_us={offer.ring_until_us} say={(left) => t("offerEnds", left)} /></span>
        )}
      </div>
      <Matter card={offer.card} timeZone={timeZone} />
      <div class="actions">
        <button type="button" class="primary" data-action="accept-task"
          onClick={() => void desk.ask({ command: "accept", offer: offer.offer })}>
          <Icon name="available" />{t("accept")}
        </button>
        <button type="button" class="danger" data-action="reject-task"
          onClick={() => void desk.ask({ command: "reject", offer: offer.offer })}>
          {t("reject")}
        </button>
      </div>
    </section>
  );
}

function Task({ desk, task, timeZone }: { desk: Desk; task: Visit; timeZone: string | undefined }) {
  return (
    <article class="task" data-task={task.visit}>
      <div class="offer-head">
        <span class="mark on_task"><Icon name="on_task" /></span>
        <h3>{labelOf(task.queue_label, task.queue ?? "")}</h3>
        <span class="countdown">{t("inHand")}: <Since at_us={task.since_us} /></span>
      </div>
      <Matter card={task.card} timeZone={timeZone} />
      <Dispositions desk={desk} visit={task} />
      <Finish desk={desk} visit={task} />
    </article>
  );
}

/** What it is about: the customer, if there is one, and what is to be done. */
function Matter({ card, timeZone }: { card: Card | undefined; timeZone: string | undefined }) {
  if (!card) return null;
  return card.customer ? <CardView card={card} timeZone={timeZone} /> : <ToDo note={card.note} />;
}
