/** Where values lie on a line, and the ticks that a person would have chosen. Knows no DOM. */

/** From a value to its place. */
export type Scale = (value: number) => number;

/** Values from `low` to `high` on places from `start` to `end`; one value alone lies in the middle. */
export function linear(low: number, high: number, start: number, end: number): Scale {
  if (!(high > low)) return () => (start + end) / 2;
  return (value) => start + ((value - low) / (high - low)) * (end - start);
}

/** Steps of 1, 2 or 5 (times a power of ten) between two values, about `wanted` of them; both ends inside. */
export function ticksOf(low: number, high: number, wanted: number): readonly number[] {
  if (!(high > low) || wanted < 1) return [low];
  const step = stepOf((high - low) / wanted);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const digits = Math.max(0, -Math.floor(Math.log10(step)) + 1);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toFixed(digits)));
}

/** The next step of 1, 2 or 5 that is not smaller. */
export function stepOf(raw: number): number {
  const power = 10 ** Math.floor(Math.log10(raw));
  const found = [1, 2, 5, 10].find((one) => one * power >= raw * (1 - 1e-9));
  return (found ?? 10) * power;
}

/** A round value not below this one: the end of an axis that starts at nought. */
export function roundAbove(value: number): number {
  if (value <= 0) return 1;
  const step = stepOf(value / 5);
  return Math.ceil(value / step - 1e-9) * step;
}

export const DAY_MS = 86_400_000;

const DAYS = [1, 2, 7, 14] as const;
const MONTHS = [1, 2, 3, 6, 12, 24, 60] as const;

/** Days, Mondays or first days of months between two moments (UTC), at most `most`. */
export function dayTicks(from: number, to: number, most: number): readonly number[] {
  for (const days of DAYS) {
    const step = days * DAY_MS;
    // 5 January 1970 was a Monday: weeks begin there.
    const origin = days >= 7 ? 4 * DAY_MS : 0;
    const first = Math.ceil((from - origin) / step) * step + origin;
    const n = Math.max(0, Math.floor((to - first) / step) + 1);
    if (n <= most) return Array.from({ length: n }, (_, i) => first + i * step);
  }
  return monthTicks(from, to, most);
}

function monthTicks(from: number, to: number, most: number): readonly number[] {
  const first = new Date(from);
  const start = first.getUTCFullYear() * 12 + first.getUTCMonth();
  for (const months of MONTHS) {
    const found: number[] = [];
    for (let month = Math.ceil(start / months) * months; ; month += months) {
      const at = Date.UTC(Math.floor(month / 12), month % 12, 1);
      if (at > to) break;
      if (at >= from) found.push(at);
    }
    if (found.length <= most) return found;
  }
  return [from, to];
}

/** A share of a line as SVG and CSS write it; three decimals, so that equal figures give equal pages. */
export function percent(share: number): string {
  return `${Number((100 * Math.min(1, Math.max(0, share))).toFixed(3))}%`;
}
