import type { Suggestion, Task, Verdict } from "web/tasks";

/** What became of the suggestions that were seen, for the record of one answer. */
export interface Judgement {
  readonly verdict: Verdict;
  /** The suggestion that the verdict is about. */
  readonly base: string | null;
}

/**
 * Suggestions that a person sees: not on blind items, none below the project's threshold, best first.
 *
 * Those of equal score keep the server's order.
 */
export function shownOf<V>(task: Task<V>, threshold = 0): readonly Suggestion<V>[] {
  if (task.blind) return [];
  return task.suggestions.filter((one) => one.score >= threshold).sort((a, b) => b.score - a.score);
}

/**
 * How an answer relates to the suggestions shown.
 *
 * `blind`: none was to be seen. `accepted`: the answer is one of them, however it was typed. `rejected`: it was turned
 * down by hand before. `ignored`: shapes or spans of which none is a suggested one. `edited`: anything else.
 */
export function judge<V>(
  answer: V | null,
  shown: readonly Suggestion<V>[],
  rejected: readonly string[],
  same: (a: V, b: V) => boolean,
): Judgement {
  const [best] = shown;
  if (!best) return { verdict: "blind", base: null };
  if (answer === null) return { verdict: "ignored", base: null };
  const accepted = shown.find((one) => !rejected.includes(one.id) && same(one.value, answer));
  if (accepted) return { verdict: "accepted", base: accepted.id };
  const turnedDown = rejected.at(-1);
  if (turnedDown) return { verdict: "rejected", base: turnedDown };
  if (isListOfMarks(answer) && !sharesAMark(answer, best.value)) return { verdict: "ignored", base: null };
  return { verdict: "edited", base: best.id };
}

/** Spans, boxes, points: lists of objects, as opposed to lists of class names. */
function isListOfMarks(value: unknown): value is readonly object[] {
  return Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === "object");
}

function sharesAMark(answer: readonly object[], suggested: unknown): boolean {
  if (!Array.isArray(suggested)) return false;
  const marks = new Set(suggested.map(placeOf));
  return answer.some((mark) => marks.has(placeOf(mark)));
}

/** What and where a mark is: whoever only says more of a suggested one has edited it. */
function placeOf(mark: object): string {
  const { score: _, attributes: __, ...place } = mark as { score?: unknown; attributes?: unknown };
  return JSON.stringify(place);
}
