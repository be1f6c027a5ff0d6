/** Where the agent sits: the usual phone first, the others behind one click, and who else sits where. */

import { useState } from "preact/hooks";
import { labelOf, plain, remember, remembered, t } from "../shared/i18n";
import { Icon } from "../shared/icons";
import type { Phone } from "../shared/wire";
import type { Desk } from "./desk";

const KEY = "pasokh.phone";
/** So many phones fit side by side; more are put behind a click, and many get a filter. */
const FEW = 6;
const MANY = 24;

export function PhoneChoice({ desk, phones, usual }: { desk: Desk; phones: Phone[]; usual: string | undefined }) {
  const [chosen, choose] = useState<string | undefined>(undefined);
  const [filter, setFilter] = useState("");
  const free = phones.filter((one) => one.taken_by === undefined);
  const isFree = (id: string | null | undefined) => free.some((one) => one.id === id);
  const before = usual ?? remembered(KEY);
  const first = phones.find((one) => one.id === before);
  const wanted = chosen ?? before ?? (free.length === 1 ? free[0]?.id : undefined);
  const phone = isFree(wanted) ? wanted : undefined;
  const others = phones.filter((one) => one !== first);
  const found = others.filter((one) => plain(`${labelOf(one.label)} ${one.id}`).includes(plain(filter)));
  if (phones.length === 0) return <section class="panel"><p class="empty">{t("noPhones")}</p></section>;
  const option = (one: Phone) => <Option key={one.id} one={one} checked={one.id === phone} choose={choose} />;
  const choices = <div class="choices">{found.map(option)}</div>;
  return (
    <section class="panel phones">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (phone === undefined) return;
          remember(KEY, phone);
          void desk.ask({ command: "sign_in", phone });
        }}
      >
        <fieldset>
          <legend><h2>{t("choosePhone")}</h2></legend>
          <p class="quiet-text">{t("choosePhoneWhy")}</p>
          {first && <div class="choices usual">{option(first)}</div>}
          {first && others.length > FEW ? (
            <details open={first.taken_by !== undefined}>
              <summary>{t("otherPhone")}</summary>
              {others.length > MANY && (
                <input type="search" aria-label={t("dispositionFilter")} placeholder={t("dispositionFilter")}
                  value={filter} autocomplete="off" onInput={(event) => setFilter(event.currentTarget.value)} />
              )}
              {choices}
            </details>
          ) : choices}
        </fieldset>
        <button type="submit" class="primary large" data-action="sign_in" disabled={phone === undefined}>
          {t("signInAtPhone")}
        </button>
      </form>
    </section>
  );
}

function Option({ one, checked, choose }: { one: Phone; checked: boolean; choose: (id: string) => void }) {
  const taken = one.taken_by !== undefined;
  return (
    <label class={`choice radio ${taken ? "taken" : ""}`} data-phone={one.id}>
      <input type="radio" name="phone" value={one.id} checked={checked} disabled={taken} onChange={() => choose(one.id)} />
      <Icon name="phone" />
      <bdi>{labelOf(one.label, one.id)}</bdi>
      {taken && <small>{t("takenBy", labelOf(one.taken_by))}</small>}
    </label>
  );
}
