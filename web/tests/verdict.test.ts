import assert from "node:assert/strict";
import { test } from "node:test";
import { judge, shownOf } from "web/session/verdict";
import type { Suggestion } from "web/tasks";
import { makeTask } from "./fixtures";

const suggest = <V>(id: string, value: V, score = 0.8): Suggestion<V> => ({ id, source: id, kind: "model", score, value });
const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

test("suggestions are shown best first, above the threshold, and never on blind items", () => {
  const suggestions = [suggest("low", "x", 0.2), suggest("good", "y", 0.7), suggest("best", "z", 0.9)];
  assert.deepEqual(shownOf(makeTask(1, { suggestions }), 0.5).map((one) => one.id), ["best", "good"]);
  assert.deepEqual(shownOf(makeTask(1, { suggestions, blind: true }), 0.5), []);
});

test("an answer that is a suggestion accepts it, also one that is not the best", () => {
  const shown = [suggest("a", "spam"), suggest("b", "ham")];
  assert.deepEqual(judge("ham", shown, [], same), { verdict: "accepted", base: "b" });
});

test("another answer edits the best, unless it was turned down by hand", () => {
  const shown = [suggest("a", "spam")];
  assert.deepEqual(judge("ham", shown, [], same), { verdict: "edited", base: "a" });
  assert.deepEqual(judge("ham", shown, ["a"], same), { verdict: "rejected", base: "a" });
});

test("who saw nothing judged nothing", () => {
  assert.deepEqual(judge("ham", [], [], same), { verdict: "blind", base: null });
});

test("marks of which none is a suggested one ignore the suggestion", () => {
  const box = { label: "coin", x: 1, y: 1, width: 5, height: 5 };
  const shown = [suggest("a", [box, { ...box, x: 30 }])];
  assert.deepEqual(judge([{ ...box, x: 2 }], shown, [], same), { verdict: "ignored", base: null });
  assert.deepEqual(judge([box], shown, [], same), { verdict: "edited", base: "a" });
  assert.deepEqual(judge([], shown, [], same), { verdict: "edited", base: "a" }, "all were deleted");
  const scored = [suggest("a", [{ ...box, score: 0.9 }, { ...box, x: 30 }])];
  assert.deepEqual(judge([{ ...box, attributes: { old: true } }], scored, [], same), { verdict: "edited", base: "a" }, "said more of it");
});
