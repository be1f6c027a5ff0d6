/** Sign in: a name and a password; in a demonstration, one click. */

import "./login.css";
import { useEffect, useState } from "preact/hooks";
import { demoAccounts, homeOf, login, Problem, wantedPage, type DemoAccount } from "../shared/api";
import { number, suggestLanguage, t, tOf, useLanguage } from "../shared/i18n";
import { Icon } from "../shared/icons";
import { LanguageSwitch } from "../shared/parts";

function sentence(problem: Problem): string {
  if (problem.status === 0) return t("noAnswer");
  if (problem.status === 401 || problem.status === 403) return t("wrongPassword");
  if (problem.status === 429) return t("tooMany", number(problem.retryAfter_s ?? 60));
  return t("failed", problem.message);
}

/** Where an account goes: to the page that was asked for, when it fits the role, else home. */
function goOn(account: { role: string }): void {
  const wanted = wantedPage();
  const fits = wanted !== undefined && (account.role === "agent" || !wanted.startsWith("/agent"));
  location.assign(fits ? wanted : homeOf(account));
}

export function Login() {
  const language = useLanguage();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [shown, setShown] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const [accounts, setAccounts] = useState<DemoAccount[]>([]);

  useEffect(() => {
    void demoAccounts().then(setAccounts);
  }, []);
  useEffect(() => {
    document.title = `${t("signIn")} · ${t("product")}`;
  }, [language]);

  async function enter(as: string, secret: string): Promise<void> {
    setBusy(true);
    setProblem(undefined);
    try {
      const account = await login(as, secret);
      suggestLanguage(account.language);
      goOn(account);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setProblem(error);
      setBusy(false);
    }
  }

  return (
    <main class="login">
      <div class="login-head">
        <img src="/icon.svg" alt="" width="44" height="44" />
        <h1>{t("product")}</h1>
        <LanguageSwitch />
      </div>
      <form
        class="panel"
        onSubmit={(event) => {
          event.preventDefault();
          void enter(name, password);
        }}
      >
        <label>
          {t("userName")}
          <input
            name="name" autocomplete="username" autocapitalize="none" spellcheck={false} dir="ltr" required
            value={name} onInput={(event) => setName(event.currentTarget.value)}
          />
        </label>
        <label>
          {t("password")}
          <input
            {...(shown ? { type: "text" as const } : { type: "password" as const })}
            name="password" autocomplete="current-password" dir="ltr" required value={password}
            onInput={(event) => setPassword(event.currentTarget.value)}
          />
        </label>
        <label class="check">
          <input type="checkbox" checked={shown} onChange={(event) => setShown(event.currentTarget.checked)} />
          {t("showPassword")}
        </label>
        <div role="alert" class="error">{problem && sentence(problem)}</div>
        <button type="submit" class="primary" disabled={busy}>{t("signIn")}</button>
      </form>
      {accounts.length > 0 && (
        <section class="panel">
          <h2>{t("demoAccounts")}</h2>
          <div class="demo-accounts">
            {accounts.map((account) => (
              <button type="button" key={account.name} disabled={busy}
                onClick={() => void enter(account.name, account.password)}>
                <Icon name={account.role === "agent" ? "person" : "target"} />
                <bdi>{account.label ?? account.name}</bdi>
                <small>{tOf(`role_${account.role}`, account.role)}</small>
              </button>
            ))}
          </div>
        </section>
      )}
    </main>
  );
}
