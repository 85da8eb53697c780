import { signal } from "@preact/signals";
import { en, type Key } from "web/language/en";
import { zh } from "web/language/zh";

export type { Key } from "web/language/en";

export const TABLES: Readonly<Record<string, Record<Key, string>>> = { en, zh };

const REMEMBERED = "labelmill.language";

/** The language of the page; texts that show it follow. */
export const language = signal(chosenLanguage([]));

/** A string in the person's language, `{name}` filled in. An unknown key comes back as it is, so that it is seen. */
export function t(key: Key, values?: Readonly<Record<string, string | number>>): string {
  return tOf(key, values);
}

/** `t` for keys made at run time: `keys.${act}`. */
export function tOf(key: string, values: Readonly<Record<string, string | number>> = {}): string {
  const table = TABLES[language.value] ?? en;
  const text: string = (table as Record<string, string>)[key] ?? (en as Record<string, string>)[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    return value === undefined ? whole : typeof value === "number" ? formatNumber(value) : value;
  });
}

/** What an act of the key table does, in words. */
export function wordsOfAct(name: string): string {
  const label = /^label_(\d+)$/.exec(name)?.[1];
  return label ? t("keys.label_n", { n: label }) : tOf(`keys.${name}`);
}

export function formatNumber(value: number): string {
  return new Intl.NumberFormat(language.value).format(value);
}

/** The person chose a language: the page switches, and it is remembered on this computer. */
export function speak(wanted: string): void {
  remember(wanted);
  greet(wanted);
}

/** A language to start with, from the account, unless another was chosen on this computer. */
export function greet(wanted: string): void {
  language.value = remembered() ? chosenLanguage([]) : chosenLanguage([wanted]);
  document.documentElement.lang = language.value === "zh" ? "zh-Hans" : language.value;
}

/** The first language there is a table for: of those wanted, the remembered one, those of the browser; else English. */
function chosenLanguage(wanted: readonly string[]): string {
  const browser = typeof navigator === "undefined" ? [] : (navigator.languages ?? []);
  const known = [...wanted, remembered(), ...browser].map((tag) => tag.toLowerCase().split("-")[0] ?? "");
  return known.find((tag) => tag in TABLES) ?? "en";
}

function remembered(): string {
  try {
    return localStorage.getItem(REMEMBERED) ?? "";
  } catch {
    return "";
  }
}

function remember(tag: string): void {
  try {
    localStorage.setItem(REMEMBERED, tag);
  } catch {
    // A browser without storage asks the server at each page.
  }
}
