import assert from "node:assert/strict";
import { test } from "node:test";
import { computed, signal } from "@preact/signals";
import { actOnRegions } from "web/regions/acts";
import { Regions, sameRegions } from "web/regions/regions";
import { type Span, spanRules } from "web/regions/spans/state";
import type { Schema, Suggestion, Task } from "web/tasks";
import type { WidgetContext } from "web/widget";

const CLASSES = [{ name: "PER" }, { name: "LOC" }];
const SUGGESTED: readonly Span[] = [
  { start: 0, end: 4, label: "PER", score: 0.9 },
  { start: 5, end: 9, label: "LOC" },
];

/** Regions over a value with a history, as the page keeps it. */
function regionsOf(value: readonly Span[] | null = null, values: readonly (readonly Span[])[] = [SUGGESTED], rules = spanRules(CLASSES)) {
  const held = signal(value);
  const past: (readonly Span[] | null)[] = [];
  const said: string[] = [];
  const suggestions = values.map((one, i): Suggestion<readonly Span[]> => ({ id: `s${i}`, source: `model ${i}`, kind: "model", score: 0.8, value: one }));
  const context: WidgetContext<readonly Span[]> = {
    item: {} as Task<readonly Span[]>,
    schema: { classes: CLASSES } as unknown as Schema,
    value: held,
    suggestions: computed(() => suggestions),
    isReadOnly: false,
    change: (next) => {
      past.push(held.value);
      held.value = next;
    },
    finish: () => undefined,
    say: (message) => said.push(message),
    t: (key) => key,
    keyOf: () => "",
  };
  const regions = new Regions<Span>(context, rules);
  const state = { regions, armed: signal("PER") };
  return { regions, held, said, undo: () => (held.value = past.pop() ?? null), act: (act: string) => actOnRegions(state, act) };
}

const left = (regions: Regions<Span>) => regions.entries.value.filter((entry) => entry.isSuggested).length;

test("a suggestion is answered as it is by Enter alone, without its scores", () => {
  const { regions, act } = regionsOf();

  assert.equal(act("accept"), false);
  assert.deepEqual(regions.answer(), [{ start: 0, end: 4, label: "PER" }, { start: 5, end: 9, label: "LOC" }]);
});

test("a a accepts one after the other, and what is dropped is not sent", () => {
  const { regions, act, held } = regionsOf();

  act("next_region");
  act("accept_region");
  act("reject");

  assert.deepEqual(held.value, [{ start: 0, end: 4, label: "PER" }]);
  assert.deepEqual(regions.answer(), held.value);
  assert.equal(left(regions), 0);
});

test("undo brings dropped and accepted suggestions back", () => {
  const { regions, act, undo } = regionsOf();
  act("next_region");
  act("reject");
  act("accept_all");
  assert.equal(left(regions), 0);

  undo();
  assert.equal(left(regions), 1);
  undo();
  assert.equal(left(regions), 2);
});

test("a suggested region that is edited is the person's own, and stays selected", () => {
  const { regions, act, held } = regionsOf();
  act("next_region");
  const id = regions.selectedId.value as string;

  act("label_2");
  regions.replace(id, { start: 0, end: 3, label: "LOC" });

  assert.deepEqual(held.value, [{ start: 0, end: 3, label: "LOC" }]);
  assert.equal(regions.selected.value?.id, id);
  assert.equal(left(regions), 1);
});

test("a deleted region that was suggested does not come back as a suggestion", () => {
  const { regions, act } = regionsOf();
  act("next_region");
  const id = regions.selectedId.value as string;
  act("accept_region");
  regions.select(id);

  act("delete_region");

  assert.equal(left(regions), 1);
});

test("a draft from before has dealt with the suggestions, until they are asked for again", () => {
  const { regions } = regionsOf([{ start: 1, end: 2, label: "PER" }]);

  assert.equal(left(regions), 0);
  assert.ok(regions.isPutAway.value);
  regions.show(0);
  assert.ok(!regions.isPutAway.value);
  assert.equal(left(regions), 2);
});

test("one act on several regions is one step: edited, gone and new ones, suggested ones among them", () => {
  const { regions, held, undo } = regionsOf();
  regions.add({ start: 20, end: 24, label: "PER" });
  const [own, first, second] = regions.entries.value.map(({ id }) => id) as [string, string, string];

  regions.update(new Map([[own, null], [first, { start: 0, end: 3, label: "PER" }], [second, null]]), [{ start: 30, end: 34, label: "LOC" }]);

  assert.deepEqual(held.value, [{ start: 0, end: 3, label: "PER" }, { start: 30, end: 34, label: "LOC" }]);
  assert.equal(left(regions), 0);
  assert.equal(regions.selected.value?.region.start, 30);
  undo();
  assert.deepEqual(held.value, [{ start: 20, end: 24, label: "PER" }]);
  assert.equal(left(regions), 2);
});

test("where regions may not overlap, a suggestion gives way to the person's own", () => {
  const rules = { ...spanRules(CLASSES), beside: (span: Span, own: readonly Span[]) => (own.some(({ start }) => start === span.start) ? null : span) };
  const { regions } = regionsOf(null, [SUGGESTED], rules);
  regions.add({ start: 0, end: 2, label: "LOC" });

  assert.deepEqual(regions.answer()?.map(({ start, end }) => [start, end]), [[0, 2], [5, 9]]);
  assert.ok(regions.acceptAll());

  assert.equal(regions.entries.value.length, 2);
});

test("an equal region is not made twice", () => {
  const { regions, held } = regionsOf(null, []);

  regions.add({ start: 1, end: 2, label: "PER" });
  regions.add({ start: 1, end: 2, label: "PER" });

  assert.equal(held.value?.length, 1);
});

test("nothing marked is asked once more, then an answer", () => {
  const { regions, act, said } = regionsOf(null, []);

  assert.equal(regions.answer(), null);
  assert.ok(act("accept"));
  assert.equal(said.length, 1);
  assert.equal(act("accept"), false);
  assert.deepEqual(regions.answer(), []);
});

test("Tab leaves the list behind its last suggestion", () => {
  const { act } = regionsOf();

  assert.deepEqual([1, 2, 3, 4].map(() => act("next_region")), [true, true, false, true]);
});

test("sources that mean the same are named together", () => {
  const { regions } = regionsOf(null, [SUGGESTED, [{ start: 5, end: 9, label: "LOC" }]]);

  assert.deepEqual(regions.entries.value.map(({ sources }) => sources), [["model 0"], ["model 0", "model 1"]]);
});

test("values are the same in whatever order and with whatever scores", () => {
  const rules = spanRules(CLASSES);

  assert.ok(sameRegions(SUGGESTED, [...SUGGESTED].reverse().map(({ score: _, ...span }) => span), rules));
  assert.ok(!sameRegions(SUGGESTED, SUGGESTED.slice(1), rules));
});
