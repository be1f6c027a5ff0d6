/**
 * What the agent's page knows and can ask for.
 *
 * The state says everything, but at its own pace; an offer and its card also come as messages of their own, so
 * that they are on the screen before the phone rings. Such an offer is shown at once and handed over to the
 * state as soon as the state knows it too.
 */

import { connect, type Live } from "../shared/socket";
import { Store } from "../shared/store";
import type { AgentState, Card, Command, Offer, ServerMessage } from "../shared/wire";

const ANSWER_MS = 5_000;
/** How long a pushed offer may stand without the state knowing it. */
const UNCONFIRMED_MS = 2_000;

export interface Desk {
  live: Live<AgentState>;
  pushed: Store<Offer | undefined>;
  cards: Store<ReadonlyMap<string, Card>>;
  /** The last refusal, as a code; undefined once it is old or something was granted. */
  refusal: Store<string | undefined>;
  ask: (command: Command) => Promise<boolean>;
  shown: (offer: string) => void;
}

export function openDesk(): Desk {
  const pushed = new Store<Offer | undefined>(undefined);
  const cards = new Store<ReadonlyMap<string, Card>>(new Map());
  const refusal = new Store<string | undefined>(undefined);
  const open = new Map<string, (refused: string | undefined) => void>();
  let asked = 0;

  const live = connect<AgentState>("agent", take);

  function keep(card: Card | undefined): void {
    if (!card) return;
    const wanted = new Set([live.state.value?.visit?.contact, live.state.value?.offer?.contact, card.contact]);
    const others = [...cards.value].filter(([contact]) => wanted.has(contact));
    cards.set(new Map([...others, [card.contact, card]]));
  }

  function take(message: ServerMessage): void {
    switch (message.type) {
      case "offer": {
        const { type: _, ...offer } = message;
        if (offer.kind === "task") return; // nothing rings: it comes with the state
        keep(offer.card);
        pushed.set(offer);
        setTimeout(() => {
          const now = live.state.value;
          const ringing = now?.agent?.activity === "ringing";
          if (pushed.value?.offer === offer.offer && !ringing && now?.offer?.offer !== offer.offer) {
            pushed.set(undefined);
          }
        }, UNCONFIRMED_MS);
        return;
      }
      case "card":
        return keep({ ...message.card, contact: message.contact });
      case "result":
        open.get(message.id)?.(message.ok ? undefined : (message.reason ?? "other"));
        return;
    }
  }

  let known: string | undefined;
  live.state.watch(() => {
    const state = live.state.value;
    keep(state?.card);
    keep(state?.offer?.card);
    const before = known;
    known = state?.offer?.offer;
    const over = pushed.value?.offer === before && known !== before;
    if (pushed.value && (over || state?.visit?.contact === pushed.value.contact)) pushed.set(undefined);
  });

  live.link.watch(() => {
    if (live.link.value === "open") return;
    for (const answer of [...open.values()]) answer("offline");
  });

  return {
    live,
    pushed,
    cards,
    refusal,
    ask: (command) =>
      new Promise((resolve) => {
        asked += 1;
        const id = String(asked);
        const timer = setTimeout(() => open.get(id)?.("no_answer"), ANSWER_MS);
        open.set(id, (refused) => {
          clearTimeout(timer);
          open.delete(id);
          refusal.set(undefined);
          refusal.set(refused);
          resolve(refused === undefined);
        });
        if (!live.send({ type: "command", id, ...command })) open.get(id)?.("offline");
      }),
    shown: (offer) => void live.send({ type: "shown", offer }),
  };
}

/** The offer to show: what the state says, completed by what was pushed. */
export function currentOffer(state: AgentState | undefined, pushed: Offer | undefined): Offer | undefined {
  const stated = state?.offer;
  if (!stated) return pushed;
  return pushed?.offer === stated.offer ? { ...pushed, ...stated } : stated;
}

export function cardOf(contact: string | undefined, state: AgentState | undefined, cards: ReadonlyMap<string, Card>) {
  if (contact === undefined) return undefined;
  return cards.get(contact) ?? (state?.card?.contact === contact ? state.card : undefined);
}
