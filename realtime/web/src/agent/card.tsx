/** The customer's card: who calls, how sure that is, and what was before. */

import { instantUs } from "../shared/clock";
import { dayAndTime, labelOf, language, number, t, tOf } from "../shared/i18n";
import { Icon } from "../shared/icons";
import { PhoneNumber } from "../shared/parts";
import type { Card, Recent } from "../shared/wire";

export function CardView({ card, timeZone }: { card: Card | undefined; timeZone: string | undefined }) {
  if (!card) {
    return <section class="card empty-card"><p class="empty">{t("lookingUp")} …</p></section>;
  }
  const customer = card.customer;
  const name = labelOf(customer?.name, customer ? customer.id : t("unknownCaller"));
  return (
    <section class="card" data-contact={card.contact} data-known={card.known}>
      <div class="card-head">
        <span class="face"><Icon name={card.known ? "person" : "question"} /></span>
        <div>
          <h3>{name}</h3>
          {card.caller !== undefined && <PhoneNumber text={card.caller} />}
        </div>
        <div class="badges">
          {customer?.segment !== undefined && <span class="badge strong">{labelOf(customer.segment)}</span>}
          {customer?.language && <span class="badge">{tOf(`lang_${customer.language}`, customer.language)}</span>}
          {customer && (
            <span class={`badge ${card.verified ? "good" : "warn"}`}>
              <Icon name={card.verified ? "available" : "trouble"} />
              {card.verified ? verifiedBy(card.verified_by) : t("notVerified")}
            </span>
          )}
        </div>
      </div>
      <ToDo note={card.note} />
      {!card.known && card.why_unknown !== undefined && (
        <p class="why">{tOf(`why_${card.why_unknown}`, card.why_unknown)}</p>
      )}
      {(card.matches ?? 0) > 1 && <p class="why">{t("matchesN", number(card.matches))}</p>}
      {customer?.notes && (
        <dl class="pairs">
          <dt>{t("notes")}</dt>
          <dd dir="auto">{customer.notes}</dd>
        </dl>
      )}
      {card.others && card.others.length > 0 && (
        <dl class="pairs">
          <dt>{t("othersWith")}</dt>
          {card.others.map((other) => <dd key={other.id}>{labelOf(other.name, other.id)}</dd>)}
        </dl>
      )}
      {customer && card.recent && <RecentList recent={card.recent} timeZone={timeZone} />}
    </section>
  );
}

/** What is to be done, of a task or a callback. */
export function ToDo({ note }: { note: string | undefined }) {
  if (!note) return null;
  return (
    <dl class="pairs to-do">
      <dt>{t("toDo")}</dt>
      <dd><bdi>{note}</bdi></dd>
    </dl>
  );
}

/** How the caller proved who they are. */
function verifiedBy(method: string | undefined): string {
  if (!method) return t("verified");
  const proofs = method.split("+").map((proof) => tOf(`proof_${proof}`, proof));
  return t("verifiedBy", proofs.join(language.value === "fa" ? " و " : " and "));
}

function RecentList({ recent, timeZone }: { recent: Recent[]; timeZone: string | undefined }) {
  return (
    <div class="recent">
      <h4>{t("recentContacts")}</h4>
      {recent.length === 0 ? <p class="quiet-text">{t("noRecent")}</p> : (
        <ul>
          {recent.map((one, at) => {
            const when_us = instantUs(one.at);
            return (
              <li key={at}>
                {when_us !== undefined && <bdi class="when">{dayAndTime(when_us, timeZone)}</bdi>}
                <span>{labelOf(one.queue)}</span>
                {one.outcome !== undefined && <span>{tOf(`outcome_${one.outcome}`, one.outcome)}</span>}
                {one.disposition !== undefined && <span class="badge">{labelOf(one.disposition)}</span>}
                {one.agent !== undefined && <span class="quiet-text">{labelOf(one.agent)}</span>}
              </li>
            );
          })}
        </ul>
      )}
    </div>
  );
}
