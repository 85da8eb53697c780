import assert from "node:assert/strict";
import { test } from "node:test";
import { DAY_MS, dayTicks, linear, percent, roundAbove, ticksOf } from "web/parts/charts/scale";

test("a scale maps both ends, and one value alone to the middle", () => {
  const place = linear(10, 20, 100, 300);
  assert.deepEqual([place(10), place(15), place(20)], [100, 200, 300]);
  assert.equal(linear(5, 5, 0, 1)(5), 0.5);
});

test("ticks are steps of 1, 2 or 5 that a person would choose", () => {
  assert.deepEqual(ticksOf(0, 1000, 5), [0, 200, 400, 600, 800, 1000]);
  assert.deepEqual(ticksOf(0.5, 1, 5), [0.5, 0.6, 0.7, 0.8, 0.9, 1]);
  assert.deepEqual(ticksOf(0, 7, 3), [0, 5]);
  assert.deepEqual(ticksOf(3, 3, 4), [3]);
});

test("axes that start at nought end at a round value", () => {
  assert.deepEqual([0, 4.2, 97, 1216].map(roundAbove), [1, 5, 100, 1500]);
});

test("ticks of time are days, Mondays or first days of months", () => {
  const march = Date.UTC(2026, 2, 9);
  const words = (ticks: readonly number[]) => ticks.map((at) => new Date(at).toISOString().slice(0, 10));
  assert.deepEqual(words(dayTicks(march, march + 3 * DAY_MS, 5)), ["2026-03-09", "2026-03-10", "2026-03-11", "2026-03-12"]);
  assert.deepEqual(words(dayTicks(march, march + 25 * DAY_MS, 5)), ["2026-03-09", "2026-03-16", "2026-03-23", "2026-03-30"]);
  assert.deepEqual(words(dayTicks(march, march + 120 * DAY_MS, 5)), ["2026-04-01", "2026-05-01", "2026-06-01", "2026-07-01"]);
  assert.ok(dayTicks(march, march + 9000 * DAY_MS, 5).length <= 6);
});

test("shares stay on the line", () => {
  assert.deepEqual([percent(0.12345), percent(-1), percent(2)], ["12.345%", "0%", "100%"]);
});
