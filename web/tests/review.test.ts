import assert from "node:assert/strict";
import { test } from "node:test";
import type { Case } from "web/api/leads";
import { compareMarks, likeness, type Mark } from "web/pages/review/differences";
import { merge } from "web/pages/review/merging";
import { diffWords } from "web/pages/review/word_diff";

const box = (label: string, x: number, y: number, side = 100): Mark => ({ label, x, y, width: side, height: side });
const span = (label: string, start: number, end: number): Mark => ({ label, start, end });

const ways = (a: readonly Mark[], b: readonly Mark[]) => compareMarks(a, b).differences.map((one) => one.way);

test("boxes drawn by two hands over one thing are agreed", () => {
  const { agreed, differences } = compareMarks([box("cat", 10, 10)], [box("cat", 14, 12)]);
  assert.equal(agreed.length, 1);
  assert.deepEqual(differences, []);
});

test("a region without a partner belongs to its side, one with another label or place is a pair", () => {
  assert.deepEqual(ways([box("cat", 0, 0)], []), ["only_a"]);
  assert.deepEqual(ways([], [box("cat", 0, 0)]), ["only_b"]);
  assert.deepEqual(ways([box("cat", 0, 0)], [box("dog", 2, 0)]), ["label"]);
  assert.deepEqual(ways([box("cat", 0, 0)], [box("cat", 40, 0)]), ["place"]);
  assert.deepEqual(ways([box("cat", 0, 0)], [box("cat", 90, 90)]), ["only_a", "only_b"]);
});

test("each region has one partner at most, the most alike one", () => {
  const a = [box("cat", 0, 0), box("cat", 20, 0)];
  const b = [box("cat", 19, 0)];
  const { agreed, differences } = compareMarks(a, b);
  assert.deepEqual(agreed, [[a[1], b[0]]]);
  assert.deepEqual(differences.map((one) => one.a), [a[0]]);
});

test("borders of words count to the letter, borders of sounds do not", () => {
  assert.deepEqual(ways([span("person", 3, 9)], [span("person", 3, 10)]), ["place"]);
  assert.deepEqual(ways([span("person", 3.001, 9)], [span("person", 3.05, 9)]), []);
});

test("words and attributes of a region are part of it", () => {
  const cat = { ...span("cat", 0.5, 2.5), text: "meow" };
  assert.deepEqual(ways([cat], [{ ...cat, text: "miaow" }]), ["details"]);
  assert.deepEqual(ways([{ ...box("car", 0, 0), attributes: { parked: true } }], [box("car", 0, 0)]), ["details"]);
});

test("of masks it is known whether they are equal, and a class has one partner", () => {
  const mask = (counts: string): Mark => ({ label: "sky", size: [4, 4], counts });
  assert.equal(likeness(mask("08"), mask("08")), 1);
  assert.deepEqual(ways([mask("08")], [mask("44")]), ["place"]);
});

test("thousands of shapes are compared with thousands", () => {
  const grid = (shift: number) => Array.from({ length: 3000 }, (_, i) => box("cell", (i % 60) * 40 + shift, Math.floor(i / 60) * 40, 30));
  const { agreed } = compareMarks(grid(0), grid(2));
  assert.equal(agreed.length, 3000);
});

test("words that only one text has are runs of their own, in Chinese each sign", () => {
  const [a, b] = diffWords("the quick fox", "the red fox");
  assert.deepEqual(a.map((run) => [run.text, run.isShared]), [["the ", true], ["quick ", false], ["fox", true]]);
  assert.deepEqual(b.map((run) => [run.text, run.isShared]), [["the ", true], ["red ", false], ["fox", true]]);
  assert.deepEqual(diffWords("王小明来了", "王大明来了")[1].filter((run) => !run.isShared).map((run) => run.text), ["大"]);
});

test("the runs of a text are the text", () => {
  for (const [x, y] of [["", "a b"], ["a  b\nc", "c a"], ["。。", "。"], ["e\u0301 ß", "é ß"]] as const) {
    const [a, b] = diffWords(x, y);
    assert.equal(a.map((run) => run.text).join(""), x);
    assert.equal(b.map((run) => run.text).join(""), y);
  }
});

const caseOf = (...values: unknown[]): Case => ({
  item: "i",
  data: { text: "" },
  meta: {},
  loss: 0.5,
  sent_back: [],
  voices: values.map((value, i) => ({ annotator: `a${i}`, name: `n${i}`, kind: "person", value, reliability: 0.8, at: null })),
  sides: values.map((value, i) => ({ value, share: 0.5, voices: [i] })),
});

test("merging regions keeps what is agreed and suggests both of the rest, with the names of those who say so", () => {
  const [cat, dog, bird] = [box("cat", 0, 0), box("dog", 300, 0), box("bird", 0, 300)];
  const merged = merge(caseOf([cat, dog], [cat, bird]), "box");
  assert.deepEqual(merged?.suggestions[0]?.value, [cat, dog, bird]);
  assert.deepEqual(merged?.agreed, [0]);
  assert.deepEqual(merged?.suggestions.slice(1).map((one) => one.source), ["n0", "n1"]);
});

test("merging classes chooses the common ones, numbers meet in the middle, one class of two is not mixed", () => {
  assert.deepEqual(merge(caseOf(["red", "green"], ["green", "blue"]), "multi_choice")?.value, ["green"]);
  assert.equal(merge(caseOf(1, 4), "number")?.value, 2.5);
  assert.equal(merge(caseOf("red", "green"), "choice"), null);
  assert.equal(merge(caseOf(["red", "green"], ["green", "red"]), "ranking"), null);
});
