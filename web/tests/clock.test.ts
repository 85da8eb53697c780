import assert from "node:assert/strict";
import { test } from "node:test";
import { Clock } from "web/clock";

function clockAt(): { clock: Clock; pass: (ms: number) => void } {
  let now = 1000;
  const clock = new Clock(() => now, 30_000);
  return { clock, pass: (ms) => (now += ms) };
}

test("steady work is active all the time", () => {
  const { clock, pass } = clockAt();
  for (let step = 0; step < 4; step += 1) {
    pass(10_000);
    clock.input();
  }
  assert.deepEqual(clock.read(), { active: 40_000, total: 40_000 });
});

test("a pause of over half a minute is no work", () => {
  const { clock, pass } = clockAt();
  pass(5000);
  clock.input();
  pass(31_000);
  clock.input();
  pass(2000);
  assert.deepEqual(clock.read(), { active: 7000, total: 38_000 });
});

test("a hidden page is no work", () => {
  const { clock, pass } = clockAt();
  pass(3000);
  clock.hide();
  pass(20_000);
  clock.input();
  clock.show();
  pass(1000);
  assert.deepEqual(clock.read(), { active: 4000, total: 24_000 });
});

test("time spent before a reload is added", () => {
  const { clock, pass } = clockAt();
  clock.restart({ active: 2000, total: 9000 });
  pass(500);
  assert.deepEqual(clock.read(), { active: 2500, total: 9500 });
});
