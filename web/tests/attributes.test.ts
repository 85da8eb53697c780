import assert from "node:assert/strict";
import { test } from "node:test";
import { computed, signal } from "@preact/signals";
import { keyShownFor } from "web/keys/class_keys";
import { Keymap } from "web/keys/keymap";
import { actOfOptionKey, freeLetters } from "web/keys/option_keys";
import { actOnRegions } from "web/regions/acts";
import { obstacleOf } from "web/regions/attributes/acts";
import { chipsOf, fitting, missingOf, numberFor, pressed, sameAttributes, withAttribute, wordsOfAttributes } from "web/regions/attributes/attributes";
import { Regions, sameRegions } from "web/regions/regions";
import { type Span, spanRules } from "web/regions/spans/state";
import type { AttributeOfSchema, Schema, Suggestion, Task } from "web/tasks";
import type { WidgetContext } from "web/widget";

const BARE = { options: [], classes: [], required: false, least: null, most: null, unit: "", sticky: false };
const DIRECTION: AttributeOfSchema = { ...BARE, name: "direction", kind: "choice", options: ["left", "right"], classes: ["car"], required: true };
const OCCLUDED: AttributeOfSchema = { ...BARE, name: "occluded", kind: "yes_no" };
const SPEED: AttributeOfSchema = { ...BARE, name: "speed", kind: "number", least: 0, most: 130, unit: "km/h", sticky: true };
const NOTE: AttributeOfSchema = { ...BARE, name: "note", kind: "text" };
const SCHEMA = { name: "traffic", kind: "span", classes: [{ name: "car" }, { name: "bus" }], attributes: [DIRECTION, OCCLUDED, SPEED, NOTE] } as unknown as Schema;
const CAR: Span = { label: "car", start: 0, end: 4 };

const t = (key: string, values: Readonly<Record<string, string | number>> = {}) => [key, ...Object.values(values)].join(" ");

function regionsOf(value: readonly Span[] | null, suggested: readonly Span[] = []) {
  const held = signal(value);
  const past: (readonly Span[] | null)[] = [];
  const suggestions: readonly Suggestion<readonly Span[]>[] = suggested.length ? [{ id: "s", source: "model", kind: "model", score: 0.8, value: suggested }] : [];
  const context: WidgetContext<readonly Span[]> = {
    item: {} as Task<readonly Span[]>,
    schema: SCHEMA,
    value: held,
    suggestions: computed(() => suggestions),
    isReadOnly: false,
    change: (next) => {
      past.push(held.value);
      held.value = next;
    },
    finish: () => undefined,
    say: () => undefined,
    t,
    keyOf: () => "",
  };
  const regions = new Regions<Span>(context, spanRules(SCHEMA.classes));
  const state = { regions, armed: signal("car") };
  return { regions, held, undo: () => (held.value = past.pop() ?? null), act: (act: string) => actOnRegions(state, act) };
}

test("attributes stand in the order of the schema, and none leaves no trace", () => {
  const late = withAttribute(CAR, "note", "old", SCHEMA);
  const both = withAttribute(late, "direction", "left", SCHEMA);
  assert.deepEqual(Object.entries(both.attributes ?? {}), [["direction", "left"], ["note", "old"]]);
  assert.deepEqual(withAttribute(withAttribute(both, "note", null, SCHEMA), "direction", null, SCHEMA), CAR);
});

test("a class keeps only its own, and what it must have is missed", () => {
  const car = { ...CAR, attributes: { direction: "left", occluded: true } };
  assert.deepEqual(fitting({ ...car, label: "bus" }, SCHEMA).attributes, { occluded: true });
  assert.deepEqual(missingOf(CAR, SCHEMA), [DIRECTION]);
  assert.deepEqual(missingOf({ ...CAR, label: "bus" }, SCHEMA), []);
});

test("a key gives an option and takes an optional one back; yes and no go round", () => {
  const [left, right, occluded] = chipsOf(SCHEMA, "car");
  assert.ok(left && right && occluded);
  assert.equal(pressed(CAR, left), "left");
  assert.equal(pressed({ ...CAR, attributes: { direction: "left" } }, left), "left", "it must be given");
  assert.equal(pressed(CAR, { ...left, attribute: { ...DIRECTION, required: false } }), "left");
  assert.equal(pressed({ ...CAR, attributes: { direction: "left" } }, { ...left, attribute: { ...DIRECTION, required: false } }), null);
  const seen = [undefined, true, false].map((value) => pressed({ ...CAR, ...(value === undefined ? {} : { attributes: { occluded: value } }) }, occluded));
  assert.deepEqual(seen, [true, false, null]);
  assert.equal(pressed({ ...CAR, attributes: { occluded: false } }, { ...occluded, attribute: { ...OCCLUDED, required: true } }), true);
});

test("numbers within their limits are taken, an empty field takes away", () => {
  assert.deepEqual(["30", " ", "131", "-1", "x"].map((text) => numberFor(SPEED, text)), [30, null, undefined, undefined, undefined]);
});

test("few words tell them", () => {
  const attributes = { direction: "left", occluded: false, speed: 30, note: "a very long note about this car" };
  assert.equal(wordsOfAttributes({ ...CAR, attributes }, SCHEMA, t), "left · attributes.is_not occluded · 30 km/h · “a very long note about t…”");
  assert.equal(wordsOfAttributes({ ...CAR, attributes: { occluded: true } }, SCHEMA, t), "occluded");
});

test("values that differ in an attribute alone are edited, not accepted", () => {
  const rules = spanRules(SCHEMA.classes);
  const told: Span = { ...CAR, attributes: { occluded: true } };
  assert.ok(sameAttributes(told, { ...told }));
  assert.ok(!sameRegions([told], [CAR], rules));
  assert.ok(sameRegions([told], [{ ...told, attributes: { occluded: true } }], rules));
});

test("what is not given stands in the way of sending, and the region is selected", () => {
  const { regions, act } = regionsOf([{ ...CAR, label: "bus" }, CAR, { ...CAR, start: 5, end: 9 }]);

  assert.equal(obstacleOf(regions), "attributes.missing_more car direction 1");
  assert.deepEqual(regions.selected.value?.region, CAR);
  assert.ok(act("option_2"));
  assert.equal(obstacleOf(regions), "attributes.missing car direction 0");
  act("option_1");
  assert.equal(obstacleOf(regions), null);
  assert.deepEqual(regions.answer()?.map(({ attributes }) => attributes?.direction), ["right", undefined, "left"]);
});

test("an attribute of a suggested region makes it one's own, and undo gives it back", () => {
  const { regions, act, undo } = regionsOf(null, [{ ...CAR, score: 0.9, attributes: { direction: "left" } }]);
  act("next_region");

  act("option_3");
  assert.deepEqual(regions.answer(), [{ ...CAR, attributes: { direction: "left", occluded: true } }]);
  assert.ok(!regions.entries.value[0]?.isSuggested);
  undo();
  assert.ok(regions.entries.value[0]?.isSuggested);
});

test("moving and renaming keep attributes, and only sticky ones are proposed to the next of the class", () => {
  const { regions } = regionsOf([]);
  regions.add(CAR);
  const id = regions.selectedId.value ?? "";
  regions.setAttribute(id, "speed", 30);
  regions.setAttribute(id, "direction", "left");
  regions.replace(id, { ...CAR, end: 6 });
  assert.deepEqual(regions.selected.value?.region, { ...CAR, end: 6, attributes: { direction: "left", speed: 30 } });

  regions.add({ ...CAR, start: 8, end: 9 });
  assert.deepEqual(regions.selected.value?.region.attributes, { speed: 30 });
  regions.relabel(id, "bus");
  assert.deepEqual(regions.entries.value.find((one) => one.id === id)?.region.attributes, { speed: 30 });
  regions.add({ ...CAR, label: "bus", start: 10, end: 11 });
  assert.equal(regions.selected.value?.region.attributes, undefined, "no bus was given a speed");
  regions.add({ ...CAR, start: 12, end: 13 });
  regions.relabel(regions.selectedId.value ?? "", "bus");
  assert.equal(regions.selected.value?.region.attributes, undefined, "what was only proposed to a car is no bus's");
});

test("the same stretch is not marked twice for its attributes", () => {
  const { regions, held } = regionsOf([{ ...CAR, attributes: { direction: "left" } }]);
  regions.add(CAR);
  assert.equal(held.value?.length, 1);
});

test("options have the letters that nothing else uses", () => {
  const keymap = new Keymap({ skip: "q" });
  const schema = { ...SCHEMA, classes: [{ name: "car", key: "r" }] };
  const letters = freeLetters(keymap, schema);
  assert.ok(!letters.includes("q") && !letters.includes("r") && !letters.includes("x"));
  assert.ok(letters.length >= 3);
  assert.equal(actOfOptionKey(letters[1] ?? "", keymap, schema), "option_2");
  assert.equal(keyShownFor("option_2", keymap, schema), letters[1]);
  assert.deepEqual(freeLetters(keymap, { classes: [] }), []);
});
