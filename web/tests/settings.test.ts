import assert from "node:assert/strict";
import { test } from "node:test";
import type { SetUp } from "web/api/settings";
import { classesOf, Draft } from "web/pages/settings/draft";

function setUp(settings: object): SetUp {
  return { version: "1", settings: { name: "mails", classes: ["ham", "spam"], overlap: 1, ...settings } } as unknown as SetUp;
}

test("classes are read from lines, or from one line with separators", () => {
  assert.deepEqual(classesOf("ham\r\n spam \n\nham\n"), ["ham", "spam"]);
  assert.deepEqual(classesOf('"ham", spam;other'), ["ham", "spam", "other"]);
  assert.deepEqual(classesOf("好，坏"), ["好", "坏"]);
  assert.deepEqual(classesOf("yes, of course\nno, never"), ["yes, of course", "no, never"]);
});

test("only what differs is sent", () => {
  const draft = new Draft(setUp({}));
  draft.set("overlap", 2);
  draft.set("classes", ["ham", "spam"]);
  assert.deepEqual(draft.changes.value, { overlap: 2 });
  draft.discard();
  assert.equal(draft.nChanges, 0);
});

test("what somebody else changed meanwhile comes in under one's own changes", () => {
  const draft = new Draft(setUp({}));
  draft.set("overlap", 3);
  draft.rebase(setUp({ overlap: 2, name: "letters" }));
  assert.deepEqual(draft.changes.value, { overlap: 3 });
  assert.equal(draft.settings.value.name, "letters");
});
