/**
 * A call is held out to the agent. The card is here before the phone rings; the server hears `shown` only when
 * the browser has really painted it, which a tab in the background never does.
 */

import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { duration, labelOf, number, t, tOf } from "../shared/i18n";
import { Icon } from "../shared/icons";
import { Until } from "../shared/parts";
import type { Card, Offer } from "../shared/wire";
import { CardView } from "./card";
import type { Desk } from "./desk";
import { ring } from "./ring";

/** The title changes only while nobody sees the page, and slowly. */
const BLINK_MS = 1_000;

export interface OfferProps {
  desk: Desk;
  offer: Offer;
  card: Card | undefined;
  timeZone: string | undefined;
}

/** Tells the server once the panel with its card has been painted: two frames after it was drawn. */
export function useShown(desk: Desk, offer: string, complete: boolean): void {
  const told = useRef<string | undefined>(undefined);
  useLayoutEffect(() => {
    if (!complete || told.current === offer) return;
    let frame = requestAnimationFrame(() => {
      frame = requestAnimationFrame(() => {
        told.current = offer;
        desk.shown(offer);
      });
    });
    return () => cancelAnimationFrame(frame);
  }, [desk, offer, complete]);
}

/** Why the offer came to this agent and not to another, in a few words; and how long it has waited. */
export function WhyYou({ offer }: { offer: Offer }) {
  const why = offer.why;
  const reasons = why === undefined ? [] : [
    tOf(`chose_${why.rule}`, why.rule),
    why.rule === "longest-idle" && why.idle_s !== undefined ? t("freeFor", duration(why.idle_s)) : "",
    why.together === undefined ? "" : t("chose_together", number(why.together)),
    why.step === undefined ? "" : t("chose_step"),
  ];
  return (
    <span class="why-you">
      {offer.wait_us !== undefined && (
        <span>{t("waited")}: <bdi class="figure">{duration(offer.wait_us / 1e6)}</bdi></span>
      )}
      {reasons.length > 0 && (
        <span class="quiet-text" data-why={why?.rule}>{t("whyYou", reasons.filter(Boolean).join(t("comma")))}</span>
      )}
    </span>
  );
}

export function OfferPanel({ desk, offer, card, timeZone }: OfferProps) {
  const panel = useRef<HTMLElement>(null);
  const name = t(offer.kind === "callback" ? "newCallback" : "incoming");
  useLayoutEffect(() => panel.current?.scrollIntoView({ block: "nearest" }), [offer.offer]);
  useShown(desk, offer.offer, card !== undefined);
  useEffect(ring, [offer.offer]);
  useEffect(() => {
    const title = document.title;
    const call = `☎ ${name}`;
    document.title = call;
    const blink = setInterval(() => {
      document.title = document.hidden && document.title === call ? title : call;
    }, BLINK_MS);
    return () => {
      clearInterval(blink);
      document.title = title;
    };
  }, [offer.offer]);
  const can = offer.can_accept === true;
  return (
    <section class="panel offer" ref={panel} data-offer={offer.offer} aria-label={name}>
      <div class="offer-head">
        <span class="mark ringing"><Icon name="ringing" /></span>
        <div>
          <h2>{name}: {labelOf(offer.queue_label, offer.queue)}</h2>
          <WhyYou offer={offer} />
        </div>
        {offer.ring_until_us !== undefined && (
          <span class="countdown"><Until at_us={offer.ring_until_us} say={(left) => t(offer.kind ? "offerEnds" : "ringsFor", left)} /></span>
        )}
      </div>
      <CardView card={card} timeZone={timeZone} />
      <div class="actions">
        <button type="button" class="primary good" data-action="accept" aria-disabled={!can}
          aria-describedby={can ? undefined : "why-not-accept"}
          onClick={() => can && void desk.ask({ command: "accept", offer: offer.offer })}>
          <Icon name="on_call" />
          {t("accept")}
        </button>
        {!can && <span id="why-not-accept" class="lift"><Icon name="phone" />{t("liftReceiver")}</span>}
        <button type="button" class="danger" data-action="reject"
          onClick={() => void desk.ask({ command: "reject", offer: offer.offer })}>
          {t("reject")}
        </button>
      </div>
    </section>
  );
}
