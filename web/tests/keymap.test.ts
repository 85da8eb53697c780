import assert from "node:assert/strict";
import { test } from "node:test";
import { actOfClassKey, keyShownFor } from "web/keys/class_keys";
import { chordOf, conflictsOf, isCharacterKey, Keymap, type KeyPress } from "web/keys/keymap";
import { ACTS } from "web/keys/table";
import { en } from "web/language/en";
import { zh } from "web/language/zh";
import type { Schema } from "web/tasks";

const press = (key: string, changes: Partial<KeyPress> = {}): KeyPress => ({
  key,
  code: "",
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...changes,
});

test("chords are named as in the table", () => {
  assert.equal(chordOf(press("a")), "a");
  assert.equal(chordOf(press("A", { shiftKey: true })), "Shift+a");
  assert.equal(chordOf(press("A")), "a", "Caps Lock is no Shift");
  assert.equal(chordOf(press("?", { shiftKey: true })), "?", "how a sign is typed differs by country");
  assert.equal(chordOf(press(" ")), "Space");
  assert.equal(chordOf(press("z", { metaKey: true })), "Ctrl+z");
  assert.equal(chordOf(press("ArrowLeft", { shiftKey: true })), "Shift+ArrowLeft");
  assert.equal(chordOf(press("σ", { code: "KeyS" })), "s", "on a Greek keyboard the place of the key counts");
});

test("one character without Ctrl is what can be switched off", () => {
  assert.deepEqual(["a", "Shift+u", "?", "1"].map(isCharacterKey), [true, true, true, true]);
  assert.deepEqual(["Enter", "Ctrl+z", "ArrowLeft", "Space"].map(isCharacterKey), [false, false, false, false]);
});

test("the table itself has no conflicts and no act twice", () => {
  assert.deepEqual(conflictsOf(new Keymap()), []);
  assert.equal(new Set(ACTS.map((act) => act.name)).size, ACTS.length);
});

test("every act has its words in every language", () => {
  const named = ACTS.map((act) => act.name).filter((name) => !name.startsWith("label_"));
  for (const table of [en, zh]) assert.deepEqual(named.filter((name) => !(`keys.${name}` in table)), []);
});

test("acts of the widget come before those of the page", () => {
  const keymap = new Keymap();
  assert.deepEqual(keymap.actsOf("ArrowLeft", ["label", "shapes"]), ["nudge_left", "look_back"]);
  assert.deepEqual(keymap.actsOf("ArrowLeft", ["label"]), ["look_back"]);
  assert.deepEqual(keymap.actsOf("1", ["review"]), ["take_a"]);
});

test("a key of one's own replaces the delivered one", () => {
  const keymap = new Keymap().with("skip", "q");
  assert.ok(keymap instanceof Keymap);
  assert.deepEqual(keymap.own, { skip: "q" });
  assert.deepEqual(keymap.actsOf("q", ["label"]), ["skip"]);
  assert.deepEqual(keymap.actsOf("s", ["label"]), []);
});

test("going back to the delivered key leaves nothing to store", () => {
  const keymap = new Keymap({ skip: "q" }).with("skip", "s");
  assert.ok(keymap instanceof Keymap);
  assert.deepEqual(keymap.own, {});
});

test("a key that does something else at the same place is refused and names it", () => {
  const keymap = new Keymap();
  assert.deepEqual(keymap.with("skip", "f"), { reason: "taken", by: "flag" });
  assert.deepEqual(keymap.with("skip", "b"), { reason: "taken", by: "tool_box" });
  assert.deepEqual(keymap.with("undo", "Ctrl+y"), { reason: "taken", by: "redo" });
  assert.deepEqual(keymap.with("skip", "Ctrl+w"), { reason: "reserved" });
  assert.deepEqual(keymap.with("fly", "q"), { reason: "unknown_act" });
});

test("screens that are never there together may share a key", () => {
  assert.ok(new Keymap().with("merge", "w") instanceof Keymap, "review and text spans");
  assert.ok(new Keymap().with("take_a", "s") instanceof Keymap, "review and labelling");
});

test("an act can be left without a key", () => {
  const keymap = new Keymap().with("flag", "");
  assert.ok(keymap instanceof Keymap);
  assert.equal(keymap.keyOf("flag"), "");
  assert.deepEqual(keymap.actsOf("f", ["label"]), []);
  assert.ok(keymap.with("skip", "f") instanceof Keymap, "its key is free");
});

test("a class's own key counts unless an act has it", () => {
  const classes = [{ name: "spam", key: "s" }, { name: "ham", key: "h" }];
  const schema = { classes } as unknown as Schema;
  const keymap = new Keymap();
  assert.equal(actOfClassKey("h", keymap, schema), "label_2");
  assert.equal(actOfClassKey("s", keymap, schema), null, "s skips");
  assert.equal(keyShownFor("label_1", keymap, schema), "1");
  assert.equal(keyShownFor("label_2", keymap, schema), "h");
});
