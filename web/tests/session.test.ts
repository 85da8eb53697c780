import assert from "node:assert/strict";
import { test } from "node:test";
import { type Handout, LOW_WATER, Session, type SessionOptions } from "web/session/session";
import { makeTask, settle } from "./fixtures";

/** A server with so many tasks, which notes what it was told. */
function serverOf(nTasks: number) {
  const asked: { n: number; have: readonly string[] }[] = [];
  let given = 0;
  const fetchNext = async (n: number, have: readonly string[]): Promise<Handout<string>> => {
    asked.push({ n, have });
    const tasks = Array.from({ length: Math.min(n, nTasks - given) }, (_, index) => makeTask(given + index + 1));
    given += tasks.length;
    return { tasks, left: nTasks - given, stale: [] };
  };
  return { asked, fetchNext };
}

async function startSession(nTasks: number, changes: Partial<SessionOptions<string>> = {}) {
  const server = serverOf(nTasks);
  const session = new Session<string>({ fetchNext: server.fetchNext, ...changes });
  await session.refill();
  return { ...server, session };
}

const answer = (value: string) => ({ value, kind: "label" as const });

test("the next tasks are here before they are wanted", async () => {
  const { session } = await startSession(100);
  assert.equal(session.current?.assignment, "a1");
  assert.ok(session.nReady >= LOW_WATER);
  session.advance(answer("x"));
  assert.equal(session.current?.assignment, "a2");
});

test("the server hears what is held and what is on its way", async () => {
  const { session, asked } = await startSession(100, { pending: () => ["a99"] });
  for (let step = 0; step < 4; step += 1) session.advance(answer("x"));
  await settle();
  const last = asked.at(-1);
  assert.ok(last?.have.includes(session.current?.assignment ?? ""));
  assert.ok(last?.have.includes("a99"));
  assert.ok(!last?.have.includes("a1"));
});

test("tasks are asked for once at a time", async () => {
  let running = 0;
  let most = 0;
  const server = serverOf(1000);
  const fetchNext = async (n: number, have: readonly string[]) => {
    most = Math.max(most, (running += 1));
    await settle();
    running -= 1;
    return server.fetchNext(n, have);
  };
  const session = new Session<string>({ fetchNext });
  await Promise.all([session.refill(), session.refill()]);
  for (let step = 0; step < 5; step += 1) session.advance(answer("x"));
  await settle();
  assert.equal(most, 1);
});

test("when all is done the session is finished", async () => {
  const { session } = await startSession(2);
  session.advance(answer("x"));
  session.advance(answer("y"));
  await session.refill();
  assert.equal(session.current, null);
  assert.equal(session.state, "finished");
});

test("without a network the queue is worked off, and filled when it is back", async () => {
  let isDown = false;
  const server = serverOf(100);
  const fetchNext = (n: number, have: readonly string[]) =>
    isDown ? Promise.reject(new Error("no network")) : server.fetchNext(n, have);
  const session = new Session<string>({ fetchNext });
  await session.refill();
  isDown = true;
  const nHeld = session.nReady + 1;
  for (let step = 0; step < nHeld; step += 1) session.advance(answer("x"));
  await settle();
  assert.equal(session.state, "cut_off");
  isDown = false;
  await session.refill();
  assert.equal(session.current?.assignment, `a${nHeld + 1}`);
});

test("stale tasks leave the queue, never the screen", async () => {
  let stale: string[] = [];
  const server = serverOf(100);
  const session = new Session<string>({ fetchNext: async (n, have) => ({ ...(await server.fetchNext(n, have)), stale }) });
  await session.refill();
  stale = ["a2", "a6"];
  const seen: (string | undefined)[] = [];
  for (let step = 0; step < 8; step += 1) {
    seen.push(session.current?.assignment);
    session.advance(answer("x"));
    await settle();
  }
  assert.deepEqual(seen, ["a1", "a2", "a3", "a4", "a5", "a7", "a8", "a9"]);
});

test("a task that is handed out again while its answer is on its way is not shown again", async () => {
  let round = 0;
  const fetchNext = async (): Promise<Handout<string>> => {
    round += 1;
    return { tasks: [makeTask(1), makeTask(round + 1)], left: 5, stale: [] };
  };
  const session = new Session<string>({ fetchNext });
  void session.refill();
  await settle();
  session.advance(answer("x"));
  await settle();
  assert.ok(session.current?.assignment !== "a1");
});

test("undo brings the last task back with its answer, redo gives it again", async () => {
  const { session } = await startSession(100);
  session.advance(answer("x"));
  session.advance(answer("y"));
  assert.deepEqual(session.back()?.value, "y");
  assert.equal(session.current?.assignment, "a2");
  assert.deepEqual(session.back()?.value, "x");
  assert.equal(session.redo()?.value, "x");
  assert.equal(session.redo()?.value, "y");
  assert.equal(session.redo(), null);
  assert.equal(session.current?.assignment, "a3");
});

test("another answer after undo forgets what could be redone", async () => {
  const { session } = await startSession(100);
  session.advance(answer("x"));
  session.advance(answer("y"));
  session.back();
  session.back();
  session.advance(answer("z"));
  assert.equal(session.redo(), null);
  assert.equal(session.current?.assignment, "a2");
});

test("any done task can be taken up again; the present one waits", async () => {
  const { session } = await startSession(100);
  for (const value of ["x", "y", "z"]) session.advance(answer(value));
  assert.equal(session.revise("a2")?.value, "y");
  assert.equal(session.current?.assignment, "a2");
  session.advance(answer("w"));
  assert.equal(session.current?.assignment, "a4");
  assert.deepEqual(session.history.map((done) => done.value), ["x", "z", "w"]);
});

test("what is held no longer leaves the queue, never the screen, and more is asked for", async () => {
  const { session } = await startSession(100);
  await session.keepOnly(["a3"]);
  assert.equal(session.current?.assignment, "a1");
  session.advance(answer("x"));
  assert.equal(session.current?.assignment, "a3");
  assert.ok(session.nReady >= LOW_WATER);
});

test("what was done before the page was opened can be undone", async () => {
  const { session } = await startSession(100);
  session.advance(answer("x"));
  session.remember([
    { task: makeTask(70), value: "old", kind: "label" },
    { task: makeTask(1), value: "known", kind: "label" },
  ]);
  assert.deepEqual(session.history.map((done) => done.value), ["old", "x"]);
  session.back();
  assert.equal(session.back()?.value, "old");
});

test("only what nobody has seen may be given back", async () => {
  const { session } = await startSession(100);
  session.advance(answer("x"));
  assert.ok(!session.unseen.includes("a1"));
  assert.ok(!session.unseen.includes("a2"));
  assert.ok(session.unseen.includes("a3"));
});

test("pictures are made ready one at a time", async () => {
  let running = 0;
  let most = 0;
  let nPrepared = 0;
  const prepare = async () => {
    most = Math.max(most, (running += 1));
    await Promise.resolve();
    running -= 1;
    nPrepared += 1;
  };
  await startSession(100, { prepare });
  await settle();
  assert.equal(most, 1);
  assert.ok(nPrepared >= LOW_WATER);
});
