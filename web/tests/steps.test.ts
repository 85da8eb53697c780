import assert from "node:assert/strict";
import { test } from "node:test";
import { Steps } from "web/session/steps";

test("steps are taken back and taken again", () => {
  const steps = new Steps<string>("");
  steps.change("a");
  steps.change("ab");
  assert.equal(steps.undo(), true);
  assert.equal(steps.value, "a");
  assert.equal(steps.undo(), true);
  assert.equal(steps.undo(), false);
  assert.equal(steps.value, "");
  assert.equal(steps.redo(), true);
  assert.equal(steps.redo(), true);
  assert.equal(steps.redo(), false);
  assert.equal(steps.value, "ab");
});

test("changes of one gesture are one step", () => {
  const steps = new Steps<number>(0);
  for (let x = 1; x < 50; x += 1) steps.change(x, "drag 1");
  steps.change(100, "drag 2");
  steps.undo();
  assert.equal(steps.value, 49);
  steps.undo();
  assert.equal(steps.value, 0);
});

test("a change after undo forgets what could be redone, and starts a step of its own", () => {
  const steps = new Steps<number>(0);
  steps.change(1, "drag");
  steps.change(2);
  steps.undo();
  steps.change(3, "drag");
  assert.equal(steps.redo(), false);
  steps.undo();
  assert.equal(steps.value, 1);
});
