/** Chooses the page by the path. Each page is a part of its own, loaded when it is wanted. */

import "./theme.css";
import { render } from "preact";
import { homeOf, me, Problem } from "./shared/api";
import { copyPlainDigits } from "./shared/parts";

async function start(): Promise<void> {
  const root = document.getElementById("app");
  if (!root) throw new Error("index.html has no #app");
  copyPlainDigits();
  switch (location.pathname) {
    case "/login": {
      const { Login } = await import("./login/page");
      return render(<Login />, root);
    }
    case "/wall": {
      const { Wall } = await import("./wall/page");
      return render(<Wall />, root);
    }
    case "/agent": {
      const { Desktop } = await import("./agent/page");
      return render(<Desktop />, root);
    }
    default:
      return goHome();
  }
}

async function goHome(): Promise<void> {
  try {
    const account = await me();
    location.replace(account ? homeOf(account) : "/login");
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    location.replace("/login");
  }
}

void start();
