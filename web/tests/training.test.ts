import assert from "node:assert/strict";
import { test } from "node:test";
import type { Sending } from "web/outbox/outbox";
import type { Lesson, Standing, Task, Vote } from "web/tasks";
import { Training } from "web/training/training";
import { makeTask, makeVote } from "./fixtures";

const FRESH: Standing = { state: "training", attempt: 1, attempts: 2, n: 2, done: 0, right: 0, pass_mark: 0.5, last: null };

function lessonOf(changes: Partial<Lesson<string>["score"]> = {}): Lesson<string> {
  return { right: true, answer: "known", reason: "why", score: { right: 1, done: 1, n: 2, state: "training", ...changes } };
}

/** Somebody in training, a server that answers so, and what the page was told to do. */
function classroom(standing: Standing | null, ...answers: Sending[]) {
  const did: string[] = [];
  const sent: Vote[] = [];
  const training = new Training<string>({
    standing,
    send: async (vote) => {
      sent.push(vote);
      return answers.shift() ?? { outcome: "later" };
    },
    show: (_, value) => did.push(`show ${value}`),
    advance: (value) => did.push(`advance ${value}`),
    begin: () => did.push("begin"),
    reload: () => did.push("reload"),
    signedOut: () => did.push("signed out"),
    say: (what, detail) => did.push(`say ${what}${detail ? `: ${detail}` : ""}`),
  });
  return { training, did, sent };
}

function answered(lesson: Lesson<string> | undefined): Sending {
  return { outcome: "answered", results: [{ key: "k", status: "stored", ...(lesson ? { lesson } : {}) }] };
}

const TASK: Task<string> = makeTask(1);

test("a newcomer begins with a screen, and items come after it", () => {
  const { training, did } = classroom(FRESH);
  assert.equal(training.screen.value, "start");
  assert.equal(training.isOpen, false);
  assert.equal(training.goOn(), true);
  assert.deepEqual([training.screen.value, did], [null, ["begin"]]);
});

test("whoever has begun goes on without it, and others never see it", () => {
  assert.equal(classroom({ ...FRESH, done: 1 }).training.screen.value, null);
  assert.equal(classroom(null).training.screen.value, null);
  assert.equal(classroom({ ...FRESH, state: "paused" }).training.screen.value, "paused");
});

test("an answer shows its lesson, Enter the next item", async () => {
  const { training, did } = classroom({ ...FRESH, done: 0 }, answered(lessonOf()));
  training.goOn();
  await training.answer(TASK, makeVote("1"), "mine");
  assert.equal(training.taught.value?.lesson.answer, "known");
  assert.deepEqual(training.progress.value, { done: 1, total: 2 });
  assert.equal(training.intercepts("accept"), true);
  assert.equal(training.taught.value, null);
  assert.deepEqual(did, ["begin", "show known", "advance mine"]);
});

test("a lesson shows one's own answer and the known one in turn", async () => {
  const { training, did } = classroom({ ...FRESH, done: 1 }, answered(lessonOf()));
  await training.answer(TASK, makeVote("1"), "mine");
  assert.equal(training.intercepts("look_back"), true);
  assert.equal(training.intercepts("nudge_right"), true);
  assert.deepEqual(did, ["show known", "show mine", "show known"]);
});

test("during a lesson nothing is answered, and the guideline opens", async () => {
  const { training } = classroom({ ...FRESH, done: 1 }, answered(lessonOf()));
  assert.equal(training.intercepts("label_1"), false);
  await training.answer(TASK, makeVote("1"), "mine");
  assert.equal(training.intercepts("label_1"), true);
  assert.equal(training.intercepts("guideline"), false);
});

test("after the last lesson comes the result, and then the page begins anew", async () => {
  const { training, did } = classroom({ ...FRESH, done: 1 }, answered(lessonOf({ done: 2, state: "qualified" })));
  await training.answer(TASK, makeVote("1"), "mine");
  training.goOn();
  assert.equal(training.screen.value, "result");
  assert.equal(training.standing.value?.state, "qualified");
  training.goOn();
  assert.equal(did.at(-1), "reload");
});

test("without the server there is no lesson, and the same answer again is the same act", async () => {
  const { training, did, sent } = classroom({ ...FRESH, done: 1 }, { outcome: "later" }, answered(lessonOf()));
  await training.answer(TASK, makeVote("1"), "mine");
  assert.deepEqual(did, ["say needs_connection"]);
  await training.answer(TASK, { ...makeVote("1"), key: "another" }, "mine");
  assert.equal(sent[0]?.key, sent[1]?.key);
  assert.ok(training.taught.value);
});

test("another answer is another act", async () => {
  const { training, sent } = classroom({ ...FRESH, done: 1 }, { outcome: "later" }, answered(lessonOf()));
  await training.answer(TASK, { ...makeVote("1"), key: "one", value: "a" }, "a");
  await training.answer(TASK, { ...makeVote("1"), key: "two", value: "b" }, "b");
  assert.deepEqual(sent.map((vote) => vote.key), ["one", "two"]);
});

test("a refusal and an ended session are said", async () => {
  const refused: Sending = { outcome: "answered", results: [{ key: "k", status: "refused", detail: "no span" }] };
  const { training, did } = classroom({ ...FRESH, done: 1 }, refused, { outcome: "signed_out" });
  await training.answer(TASK, makeVote("1"), "mine");
  await training.answer(TASK, { ...makeVote("2"), value: "other" }, "other");
  assert.deepEqual(did, ["say refused: no span", "signed out"]);
});

test("whoever is paused while working hears of it at the next items", () => {
  const { training, did } = classroom({ ...FRESH, state: "qualified" });
  training.heard({ ...FRESH, state: "paused" }, false);
  assert.equal(training.screen.value, "paused");
  assert.deepEqual(did, []);
});

test("whoever is let in again begins anew", () => {
  const { training, did } = classroom({ ...FRESH, state: "paused" });
  assert.equal(training.isHeldBack, true);
  training.heard({ ...FRESH, state: "paused" }, false);
  assert.deepEqual(did, []);
  training.heard({ ...FRESH, state: "qualified" }, false);
  assert.deepEqual(did, ["reload"]);
});

test("whoever is sent to training while working begins anew", () => {
  const { training, did } = classroom({ ...FRESH, state: "qualified" });
  training.heard(FRESH, false);
  assert.deepEqual(did, ["reload"]);
});
