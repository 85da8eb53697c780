import { language, t } from "web/language/language";

/** `87 %`, `4.2 %`: shares below a tenth keep a decimal. */
export function formatShare(share: number): string {
  const digits = share > 0 && share < 0.1 ? 1 : 0;
  return new Intl.NumberFormat(language.value, { style: "percent", maximumFractionDigits: digits }).format(share);
}

/** A number with two decimals, as coefficients are written. */
export function formatCoefficient(value: number): string {
  return new Intl.NumberFormat(language.value, { minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(value);
}

/** A time that somebody took, from milliseconds: `3.2 s`, `48 s`, `1 min 20 s`. */
export function formatTaken(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 10) return t("unit.seconds", { n: (Math.round(seconds * 10) / 10).toString() });
  if (seconds < 90) return t("unit.seconds", { n: Math.round(seconds) });
  const minutes = Math.floor(seconds / 60);
  const rest = Math.round(seconds - 60 * minutes);
  return rest === 0 ? t("unit.minutes", { n: minutes }) : t("unit.minutes_seconds", { n: minutes, s: rest });
}

/** A day: `5 Nov`; with its year when it is not this one. */
export function formatDay(at: number, today: number = Date.now()): string {
  const isThisYear = new Date(at).getUTCFullYear() === new Date(today).getUTCFullYear();
  const year = isThisYear ? {} : ({ year: "numeric" } as const);
  return new Intl.DateTimeFormat(language.value, { day: "numeric", month: "short", timeZone: "UTC", ...year }).format(at);
}

const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
];

const LONG_AGO = 30 * 86_400_000;

/** How long ago: `3 days ago`, `just now`; the day where that is more than a month. */
export function formatAgo(at: number, now: number = Date.now()): string {
  const passed = Math.max(0, now - at);
  if (passed > LONG_AGO) return formatDay(at, now);
  const step = STEPS.find(([, size]) => passed >= size);
  if (!step) return t("unit.just_now");
  return new Intl.RelativeTimeFormat(language.value, { numeric: "auto" }).format(-Math.floor(passed / step[1]), step[0]);
}
