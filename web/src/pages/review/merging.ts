/** Where editing begins: at one side's answer, or at what both sides agree on; without DOM. */

import type { Case, Side } from "web/api/leads";
import { compareMarks, isMarks, type Mark } from "web/pages/review/differences";
import type { Suggestion } from "web/tasks";

/** What an editing starts from: a value, suggestions beside it, and regions to be taken at once. */
export interface Beginning<V> {
  readonly value: V | null;
  readonly suggestions: readonly Suggestion<V>[];
  /** Places in the first suggestion's value of what is agreed. */
  readonly agreed: readonly number[];
}

/** Editing an answer: it is there, as if the person had made it; the others' answers are not in the way. */
export function beginWith<V>(value: V): Beginning<V> {
  return { value, suggestions: [], agreed: [] };
}

/**
 * What both sides say is kept, and the rest is suggested, to be taken or dropped one by one.
 *
 * Of regions those without a partner, and both of a pair that differs, are left to decide. Of classes that may be
 * several, the common ones are chosen and the others suggested. Numbers meet in the middle. Null for answers that
 * cannot be mixed: of two classes, two texts, two orders it is one or the other.
 */
export function merge<V>(found: Case<V>, kind: string): Beginning<V> | null {
  const [a, b] = found.sides;
  if (!a || !b || kind === "ranking") return null;
  if (isMarks(a.value) && isMarks(b.value)) return mergeMarks(found, a as Side<never>, b as Side<never>) as unknown as Beginning<V>;
  if (isClassNames(a.value) && isClassNames(b.value)) return mergeNames(a.value, b.value) as unknown as Beginning<V>;
  if (typeof a.value === "number" && typeof b.value === "number") return beginWith(((a.value + b.value) / 2) as V);
  return null;
}

function mergeMarks(found: Case<unknown>, a: Side<readonly Mark[]>, b: Side<readonly Mark[]>): Beginning<readonly Mark[]> {
  const { agreed, differences } = compareMarks(a.value, b.value);
  const kept = agreed.map(([mark]) => mark);
  const open = differences.flatMap((one) => [one.a, one.b].filter((mark) => mark !== null));
  const sides = [a, b].map((side, i) => suggestionOf(`side-${i}`, side.value, namesOf(found, side)));
  const merged = { ...suggestionOf("merged", [...kept, ...open], ""), isMerged: true };
  return { value: null, suggestions: [merged, ...sides], agreed: kept.map((_, i) => i) };
}

function mergeNames(a: readonly string[], b: readonly string[]): Beginning<readonly string[]> {
  const both = a.filter((name) => b.includes(name));
  const either = [...a, ...b.filter((name) => !a.includes(name))];
  return { value: both, suggestions: [suggestionOf("either", either, "")], agreed: [] };
}

function suggestionOf<V>(id: string, value: V, source: string): Suggestion<V> {
  return { id, source, kind: "person", score: 1, is_scored: false, value };
}

/** Who is on a side, as it is said: `ana, bob`. */
export function namesOf(found: Pick<Case<unknown>, "voices">, side: Pick<Side, "voices">): string {
  return side.voices.map((place) => found.voices[place]?.name ?? "").join(", ");
}

function isClassNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}
