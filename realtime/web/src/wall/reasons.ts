/** The words for why somebody waits; apart from all others, since only this panel needs them. */

import { filled, language } from "../shared/i18n";

const en = {
  cause_nobody_fits: "No agent has what is asked for",
  cause_nobody_signed_in: "Nobody who could answer is signed in",
  cause_nobody_available: "Nobody who could answer is available",
  cause_nobody_reachable: "Those who could answer do not, or their phones cannot be reached",
  cause_all_busy: "All who can answer are busy",
  cause_offered: "Held out to an agent now",
  cause_none: "Cannot be offered for a moment",
  asksFor: "Asks for {0}",
  step: "step {0}",
  ahead: "{0} before them",
  next: "next in line",
  waitsFor: "waits for {0}",
  expected: "about {0} more",
  kind_callback: "Callback",
  kind_task: "Task",
  nobody: "Nobody waits.",
  failed: "This cannot be told now.",
  not_missing_skill: "{0}: has {1}, needs {2}",
  not_not_named: "not among those asked for",
  not_rule: "not by the queue's rule",
  not_signed_out: "not signed in",
  not_not_ready: "not ready",
  not_not_responding: "not responding",
  not_phone_unreachable: "phone unreachable",
  not_phone_busy: "phone busy",
  not_back_off: "passed over for a moment",
  not_ringing: "ringing",
  not_in_talk: "in talk",
  not_wrap_up: "wrap-up",
  not_no_capacity: "has all they can hold",
  not_no_page: "page not open",
  not_free: "free",
  not_has_it: "is being offered it",
};

export type Reason = keyof typeof en;

const fa: Record<Reason, string> = {
  cause_nobody_fits: "هیچ کارشناسی مهارت لازم را ندارد",
  cause_nobody_signed_in: "کسی که بتواند پاسخ دهد وارد نشده است",
  cause_nobody_available: "کسی که بتواند پاسخ دهد آماده نیست",
  cause_nobody_reachable: "کسانی که می‌توانند پاسخ دهند بی‌پاسخ‌اند یا تلفنشان در دسترس نیست",
  cause_all_busy: "همهٔ کسانی که می‌توانند پاسخ دهند مشغول‌اند",
  cause_offered: "هم‌اکنون به کارشناسی پیشنهاد شده است",
  cause_none: "برای لحظه‌ای نمی‌توان پیشنهاد داد",
  asksFor: "نیاز: {0}",
  step: "گام {0}",
  ahead: "{0} نفر جلوتر",
  next: "نفر بعدی صف",
  waitsFor: "منتظر {0}",
  expected: "حدود {0} دیگر",
  kind_callback: "تماس دوباره",
  kind_task: "وظیفه",
  nobody: "کسی در انتظار نیست.",
  failed: "اکنون نمی‌توان گفت.",
  not_missing_skill: "{0}: سطح {1}، لازم {2}",
  not_not_named: "جزو افراد خواسته‌شده نیست",
  not_rule: "با قاعدهٔ صف نمی‌خواند",
  not_signed_out: "وارد نشده",
  not_not_ready: "غیرآماده",
  not_not_responding: "بی‌پاسخ",
  not_phone_unreachable: "تلفن در دسترس نیست",
  not_phone_busy: "تلفن مشغول",
  not_back_off: "برای لحظه‌ای کنار گذاشته شده",
  not_ringing: "در حال زنگ",
  not_in_talk: "در گفتگو",
  not_wrap_up: "کار پس از تماس",
  not_no_capacity: "ظرفیتش پر است",
  not_no_page: "صفحه‌اش باز نیست",
  not_free: "آزاد",
  not_has_it: "پیشنهاد نزد اوست",
};

const words = { en, fa };

export function say(reason: Reason, ...values: string[]): string {
  return filled(words[language.value][reason], values);
}

/** A word for a code of the server; the code itself when there is none yet. */
export function sayOf(kind: "cause" | "not" | "kind", code: string): string {
  const key = `${kind}_${code}`;
  return key in en ? say(key as Reason) : code;
}
