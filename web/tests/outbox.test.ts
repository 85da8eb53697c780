import assert from "node:assert/strict";
import { test } from "node:test";
import { backoffMs } from "web/outbox/backoff";
import { newKey } from "web/outbox/new_key";
import { Outbox, type Sending } from "web/outbox/outbox";
import { memoryShelf, type Shelf } from "web/outbox/store";
import type { StatusOfVote, Vote } from "web/tasks";
import { makeVote, settle } from "./fixtures";

/** A server that stores by key and misbehaves on demand; timers run when the test says so. */
function makeWorld(shelf: Shelf = memoryShelf()) {
  const stored = new Map<string, Vote>();
  const arrivals: string[] = [];
  const batches: { project: string; keys: string[]; keepalive: boolean }[] = [];
  const timers: { act: () => void; ms: number }[] = [];
  const world = {
    stored,
    arrivals,
    batches,
    timers,
    shelf,
    /** What the next sendings come to; afterwards the server works. */
    faults: [] as (Sending | "lost")[],
    statusOf: (_: Vote): StatusOfVote => "stored",
    async runTimers() {
      for (const { act } of timers.splice(0)) act();
      await settle();
    },
    makeOutbox: (person = "ana") =>
      new Outbox({
        shelf,
        person,
        random: () => 0,
        setTimer: (act, ms) => timers.push({ act, ms }),
        send: async (project, votes, keepalive) => {
          batches.push({ project, keys: votes.map((vote) => vote.key), keepalive });
          await Promise.resolve();
          const fault = world.faults.shift();
          if (fault && fault !== "lost") return fault;
          const results = votes.map((vote) => {
            const status = stored.has(vote.key) ? "repeated" : world.statusOf(vote);
            if (status === "stored") {
              stored.set(vote.key, vote);
              arrivals.push(vote.key);
            }
            return { key: vote.key, status };
          });
          return fault === "lost" ? { outcome: "later" } : { outcome: "answered", results };
        },
      }),
  };
  return world;
}

test("votes arrive in order, and several in one request when they wait", async () => {
  const world = makeWorld();
  const outbox = world.makeOutbox();
  for (const key of ["1", "2", "3", "4"]) await outbox.add("p", makeVote(key));
  await outbox.flush();
  assert.deepEqual(world.arrivals, ["1", "2", "3", "4"]);
  assert.ok(world.batches.length < 4);
  assert.deepEqual(await world.shelf.votesOf("ana"), []);
});

test("a vote is on the shelf before it is sent", async () => {
  const world = makeWorld();
  const outbox = world.makeOutbox();
  const adding = outbox.add("p", makeVote("1"));
  assert.equal(outbox.state.isFragile, true);
  assert.equal(outbox.state.nKept, 0, "what is not on the shelf is not called kept");
  assert.equal(world.batches.length, 0);
  await adding;
  assert.equal(outbox.state.isFragile, false);
});

test("failures back off from half a second to half a minute", async () => {
  const world = makeWorld();
  world.faults = Array.from({ length: 9 }, () => ({ outcome: "later" as const }));
  const outbox = world.makeOutbox();
  await outbox.add("p", makeVote("1"));
  const waits: number[] = [];
  for (let turn = 0; turn < 9; turn += 1) {
    await settle();
    waits.push(world.timers[0]?.ms ?? 0);
    await world.runTimers();
  }
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  assert.deepEqual(world.arrivals, ["1"]);
  assert.equal(outbox.state.isStuck, false);
});

test("chance makes waits shorter, never longer", () => {
  assert.equal(backoffMs(1, () => 0.999_999) > 374, true);
  assert.equal(backoffMs(20, () => 0), 30_000);
});

test("the server says how long to wait, and is obeyed", async () => {
  const world = makeWorld();
  world.faults = [{ outcome: "later", afterMs: 7000 }];
  await world.makeOutbox().add("p", makeVote("1"));
  await settle();
  assert.equal(world.timers[0]?.ms, 7000);
});

test("a lost acknowledgement sends again and stores once", async () => {
  const world = makeWorld();
  world.faults = ["lost"];
  const outbox = world.makeOutbox();
  await outbox.add("p", makeVote("1"));
  await settle();
  assert.equal(outbox.state.nWaiting, 1);
  await world.runTimers();
  assert.equal(outbox.state.nWaiting, 0);
  assert.deepEqual(world.arrivals, ["1"]);
});

test("what a closed page left behind is sent by the next one", async () => {
  const world = makeWorld();
  world.faults = [{ outcome: "later" }];
  const first = world.makeOutbox();
  await first.add("p", makeVote("1"));
  await settle();
  const second = world.makeOutbox();
  await second.open();
  await settle();
  assert.deepEqual(world.arrivals, ["1"]);
  assert.equal(second.state.nWaiting, 0);
});

test("two pages of one person store each vote once", async () => {
  const world = makeWorld();
  world.faults = [{ outcome: "later" }];
  const first = world.makeOutbox();
  await first.add("p", makeVote("1"));
  await settle();
  const second = world.makeOutbox();
  await Promise.all([second.open(), first.resume()]);
  await settle();
  assert.deepEqual(world.arrivals, ["1"]);
});

test("another person at the same computer sends nobody else's votes", async () => {
  const world = makeWorld();
  world.faults = [{ outcome: "signed_out" }];
  await world.makeOutbox("ana").add("p", makeVote("1"));
  await settle();
  const bens = world.makeOutbox("ben");
  await bens.open();
  await settle();
  assert.deepEqual(world.arrivals, []);
  assert.equal((await world.shelf.votesOf("ana")).length, 1);
});

test("an ended session keeps everything until signing in", async () => {
  const world = makeWorld();
  world.faults = [{ outcome: "signed_out" }];
  const outbox = world.makeOutbox();
  await outbox.add("p", makeVote("1"));
  await settle();
  await outbox.add("p", makeVote("2"));
  await settle();
  assert.equal(outbox.state.isSignedOut, true);
  assert.equal(world.batches.length, 1);
  assert.equal(outbox.state.nWaiting, 2);
  await outbox.resume();
  assert.deepEqual(world.arrivals, ["1", "2"]);
});

test("conflicts are kept and shown, the others leave", async () => {
  const world = makeWorld();
  world.statusOf = (vote) => (vote.key === "2" ? "conflict" : "stored");
  const outbox = world.makeOutbox();
  for (const key of ["1", "2", "3"]) await outbox.add("p", makeVote(key));
  await settle();
  assert.deepEqual(world.arrivals, ["1", "3"]);
  assert.deepEqual(outbox.state.problems.map((entry) => entry.vote.key), ["2"]);
  assert.equal((await world.shelf.votesOf("ana")).length, 1);
  world.statusOf = () => "stored";
  await outbox.retry(outbox.state.problems[0]!);
  await settle();
  assert.deepEqual(world.arrivals, ["1", "3", "2"]);
});

test("a late answer is an answer", async () => {
  const world = makeWorld();
  world.statusOf = () => "late";
  const outbox = world.makeOutbox();
  await outbox.add("p", makeVote("1"));
  await settle();
  assert.equal(outbox.state.nWaiting, 0);
});

test("one vote that breaks a request does not hold up the others", async () => {
  const world = makeWorld();
  const outbox = world.makeOutbox();
  world.faults = [{ outcome: "later" }];
  await outbox.add("p", makeVote("0"));
  await settle();
  for (const key of ["1", "2", "3"]) await outbox.add("p", makeVote(key));
  await settle();
  const refused: Sending = { outcome: "refused", detail: "value: too long" };
  world.faults = [refused, refused, refused];
  await outbox.resume();
  await settle();
  assert.deepEqual(outbox.state.problems.map((entry) => [entry.vote.key, entry.problem]), [["0", "value: too long"]]);
  assert.deepEqual(world.arrivals, ["1", "2", "3"]);
});

test("an answer that leaves a vote out is no acknowledgement of it", async () => {
  const world = makeWorld();
  world.faults = [{ outcome: "answered", results: [] }];
  const outbox = world.makeOutbox();
  await outbox.add("p", makeVote("1"));
  await settle();
  assert.equal(outbox.state.nWaiting, 1);
  await world.runTimers();
  assert.deepEqual(world.arrivals, ["1"]);
});

test("keepalive carries small requests only", async () => {
  const world = makeWorld();
  const outbox = world.makeOutbox();
  await outbox.add("p", makeVote("small"));
  await settle();
  await outbox.add("p", makeVote("large", { value: "多".repeat(30_000) }));
  await settle();
  assert.deepEqual(world.batches.map((batch) => batch.keepalive), [true, false]);
});

test("a request holds votes of one project, fifty at most", async () => {
  const world = makeWorld();
  world.faults = [{ outcome: "later" }];
  const outbox = world.makeOutbox();
  for (let key = 0; key < 60; key += 1) await outbox.add("p", makeVote(`p${key}`));
  await outbox.add("q", makeVote("q"));
  await settle();
  world.batches.length = 0;
  await outbox.resume();
  assert.deepEqual(world.batches.map((batch) => [batch.project, batch.keys.length]), [["p", 50], ["p", 10], ["q", 1]]);
});

test("what waits is named so that it is not handed out again", async () => {
  const world = makeWorld();
  world.faults = [{ outcome: "later" }];
  const outbox = world.makeOutbox();
  await outbox.add("p", makeVote("1"));
  await outbox.add("q", makeVote("2"));
  assert.deepEqual(outbox.assignmentsOf("p"), ["a-1"]);
});

test("keys are UUIDs of version 4 and differ", () => {
  const keys = Array.from({ length: 1000 }, newKey);
  assert.equal(new Set(keys).size, 1000);
  assert.ok(keys.every((key) => /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(key)));
});
