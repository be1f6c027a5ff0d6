/**
 * Keyboard shortcuts: function keys, because they never collide with typing in any layout. They can be turned
 * off, and are then forgotten until turned on again.
 */

import { useEffect, useRef, useState } from "preact/hooks";
import { remember, remembered, t } from "../shared/i18n";
import { Icon } from "../shared/icons";
import type { Word } from "../shared/words";

const KEY = "pasokh.shortcuts";

export type Act = "available" | "not_ready" | "finish" | "disposition" | "accept" | "reject" | "done";
const KEYS: [string, Act, Word][] = [
  ["F2", "available", "key_available"],
  ["F4", "not_ready", "key_not_ready"],
  ["F6", "finish", "key_finish"],
  ["F7", "disposition", "key_disposition"],
  ["F8", "accept", "key_accept"],
  ["F9", "reject", "key_reject"],
  ["F10", "done", "key_done"],
];

/** Calls `act` for a shortcut while shortcuts are on. */
export function useShortcuts(act: (what: Act) => void): [boolean, (on: boolean) => void] {
  const [on, setOn] = useState(remembered(KEY) !== "off");
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    if (!on) return;
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || event.repeat) return;
      const found = KEYS.find(([key]) => key === event.key);
      if (!found) return;
      event.preventDefault();
      latest.current(found[1]);
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [on]);
  return [on, (wanted) => {
    remember(KEY, wanted ? "on" : "off");
    setOn(wanted);
  }];
}

export function ShortcutHelp({ on, setOn }: { on: boolean; setOn: (on: boolean) => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  return (
    <>
      <button type="button" class="quiet" onClick={() => dialog.current?.showModal()} aria-label={t("shortcuts")} title={t("shortcuts")}>
        <Icon name="keyboard" />
      </button>
      <dialog ref={dialog} class="panel" aria-label={t("shortcuts")}>
        <h2>{t("shortcuts")}</h2>
        <label class="check">
          <input type="checkbox" checked={on} onChange={(event) => setOn(event.currentTarget.checked)} />
          {t("shortcutsOn")}
        </label>
        <dl class="keys">
          {KEYS.map(([key, act, word]) => (
            <div key={act}>
              <dt><kbd>{key}</kbd></dt>
              <dd>{t(word)}</dd>
            </div>
          ))}
        </dl>
        <button type="button" class="primary" onClick={() => dialog.current?.close()}>{t("close")}</button>
      </dialog>
    </>
  );
}
