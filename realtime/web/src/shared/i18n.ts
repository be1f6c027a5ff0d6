/** Language of the page, and everything that is written differently in it: words, digits, durations, dates. */

import { Store, useStore } from "./store";
import type { Label, Language } from "./wire";
import { words, type Word } from "./words";

const KEY = "pasokh.language";

function isLanguage(value: unknown): value is Language {
  return value === "fa" || value === "en";
}

/** Storage may be forbidden (private windows, kiosks): then nothing is remembered. */
export function remembered(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    return;
  }
}

/** `?lang=` holds for all pages of this tab, signing in among them, and changes nobody's choice elsewhere. */
function askedFor(): string | null {
  const asked = new URLSearchParams(location.search).get("lang");
  try {
    if (isLanguage(asked)) sessionStorage.setItem(KEY, asked);
    return sessionStorage.getItem(KEY);
  } catch {
    return asked;
  }
}

const asked = askedFor();
const chosen = isLanguage(asked) ? asked : remembered(KEY);
const guess: Language = navigator.language.startsWith("en") ? "en" : "fa";

export const language = new Store<Language>(isLanguage(chosen) ? chosen : guess);
let settled = isLanguage(chosen);

function dress(): void {
  document.documentElement.lang = language.value;
  document.documentElement.dir = language.value === "fa" ? "rtl" : "ltr";
}
language.watch(dress);
dress();

/** The person's choice: kept for the next time. */
export function chooseLanguage(value: Language): void {
  settled = true;
  remember(KEY, value);
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // Then nothing was asked for there either.
  }
  language.set(value);
}

/** The site's or the account's language: only for someone who has not chosen. */
export function suggestLanguage(value: Language | undefined): void {
  if (!settled && isLanguage(value)) language.set(value);
}

export function t(word: Word, ...values: string[]): string {
  return filled(words[language.value][word], values);
}

/** A text with its places {0}, {1} … filled. */
export function filled(text: string, values: string[]): string {
  return text.replace(/\{(\d)\}/g, (_, n: string) => values[Number(n)] ?? "");
}

/** A word whose key is made at run time; `fallback` when the dictionary has none. */
export function tOf(key: string, fallback: string): string {
  return key in words.en ? t(key as Word) : fallback;
}

export function labelOf(label: Label | undefined, fallback = ""): string {
  if (label === undefined) return fallback;
  if (typeof label === "string") return label;
  return label[language.value] ?? label.fa ?? label.en ?? fallback;
}

const locales = { fa: "fa-IR", en: "en-GB" };
const formats = new Map<string, Intl.NumberFormat>();

function format(name: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = `${language.value} ${name}`;
  let found = formats.get(key);
  if (!found) {
    found = new Intl.NumberFormat(locales[language.value], options);
    formats.set(key, found);
  }
  return found;
}

export const NOTHING = "—";

export function number(value: number | undefined): string {
  return value === undefined ? NOTHING : format("whole", { maximumFractionDigits: 0 }).format(value);
}

export function percent(rate: number | undefined): string {
  if (rate === undefined) return NOTHING;
  return format("percent", { style: "percent", maximumFractionDigits: 0 }).format(rate);
}

/** mm:ss, and h:mm:ss from one hour on; digits of the language. */
export function duration(seconds: number | undefined): string {
  if (seconds === undefined) return NOTHING;
  const whole = Math.max(0, Math.floor(seconds));
  const two = (n: number) => format("two", { minimumIntegerDigits: 2, useGrouping: false }).format(n);
  const hours = Math.floor(whole / 3600);
  const rest = `${two(Math.floor((whole % 3600) / 60))}:${two(whole % 60)}`;
  return hours > 0 ? `${number(hours)}:${rest}` : rest;
}

/** Digits of the language, for texts that hold a number (a telephone number stays in its order). */
export function digits(text: string): string {
  return language.value === "fa" ? text.replace(/[0-9]/g, (d) => "۰۱۲۳۴۵۶۷۸۹"[Number(d)] ?? d) : text;
}

export function asciiDigits(text: string): string {
  return text.replace(/[۰-۹]/g, (d) => String(d.charCodeAt(0) - 0x6f0));
}

/** The same letters however they were typed: Arabic and Persian forms, with or without joiners, any digits. */
export function plain(text: string): string {
  return asciiDigits(text).toLowerCase().replaceAll("ي", "ی").replaceAll("ك", "ک").replaceAll("\u200c", "").trim();
}

/** Day and time; in Persian by the Jalali calendar. */
export function dayAndTime(instant_us: number, timeZone?: string): string {
  return dateText(instant_us, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }, timeZone);
}

export function dateText(instant_us: number, options: Intl.DateTimeFormatOptions, timeZone?: string): string {
  const locale = language.value === "fa" ? "fa-IR-u-ca-persian" : "en-GB";
  const zone = timeZone === undefined ? {} : { timeZone };
  return new Intl.DateTimeFormat(locale, { ...options, ...zone, hourCycle: "h23" }).format(instant_us / 1000);
}

export function useLanguage(): Language {
  return useStore(language);
}
