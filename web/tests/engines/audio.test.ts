import assert from "node:assert/strict";
import { test } from "node:test";
import { AudioBoard, type AudioMark, type Stretch } from "web/engines/audio/board";
import { rampOf } from "web/engines/audio/colouring";
import { extremes, levelFor, tilesBetween } from "web/engines/audio/media";
import { lanesOf } from "web/engines/audio/painting";
import { clockOf, ticksOf, TimeWindow } from "web/engines/audio/window";

function mark(start: number, end: number): AudioMark {
  return { id: `${start}`, label: "x", index: 0, text: "", isSuggested: false, note: "", start, end };
}

const LEVELS = [10, 200].map((per_second) => ({ per_second, tile_seconds: 30, tiles: "{tile}" }));

test("the coarsest level is taken that has a step for every pixel", () => {
  assert.equal(levelFor(LEVELS, 1)?.per_second, 10);
  assert.equal(levelFor(LEVELS, 11)?.per_second, 200);
  assert.equal(levelFor(LEVELS, 5000)?.per_second, 200);
  assert.equal(levelFor([], 1), null);
});

test("only tiles that are seen are asked for, none behind the end", () => {
  assert.deepEqual(tilesBetween(LEVELS[0] as (typeof LEVELS)[0], 29, 61, 3600), [0, 1, 2]);
  assert.deepEqual(tilesBetween(LEVELS[0] as (typeof LEVELS)[0], 29, 61, 40), [0, 1]);
});

test("a pixel shows the extremes of all its steps, and silence where there are none", () => {
  const peaks = Int8Array.from([-10, 20, -127, 5, 0, 64]);

  assert.deepEqual(extremes(peaks, 0, 2), [-1, 20 / 127]);
  assert.deepEqual(extremes(peaks, 7, 9), [0, 0]);
});

test("zooming keeps the time under the pointer, and the window stays in the recording", () => {
  const window = new TimeWindow(3600);
  window.width = 1000;
  const before = window.timeAt(250);

  window.zoomAt(before, 4);
  assert.ok(Math.abs(window.timeAt(250) - before) < 1e-9);
  window.panBy(1e9);
  assert.deepEqual([window.from, window.to], [3585, 3600]);
  window.whole();
  assert.deepEqual([window.from, window.to], [0, 3600]);
});

test("ticks are round and wide enough apart; clocks carry over", () => {
  const window = new TimeWindow(10);
  window.width = 1000;

  assert.deepEqual(ticksOf(window), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.deepEqual([clockOf(59.999, 2), clockOf(3723), clockOf(1.5, 2)], ["1:00.00", "1:02:03", "0:01.50"]);
});

test("colours run from silence to full scale, a quiet recording's too, and black stays silence", () => {
  const plain = rampOf(["rgb(0, 0, 0)", "rgb(255, 255, 255)"], 1);
  const louder = rampOf(["rgb(0, 0, 0)", "rgb(100, 200, 50)"], 10);

  assert.deepEqual([...plain.slice(0, 3), ...plain.slice(-3)], [0, 0, 0, 255, 255, 255]);
  assert.deepEqual([...louder.slice(0, 3), ...louder.slice(3 * 192, 3 * 192 + 3)], [0, 0, 0, 100, 200, 50]);
});

test("a recording of unknown length learns it once", () => {
  const { board } = boardOf(0);

  board.learnDuration(NaN);
  board.learnDuration(8);
  board.learnDuration(9);

  assert.deepEqual([board.duration, board.window.to, board.window.width], [8, 8, 1000]);
});

test("regions that sound together lie on different lanes", () => {
  assert.deepEqual(lanesOf([mark(0, 2), mark(1, 3), mark(2, 4)]), [0, 1, 0]);
});

function boardOf(duration: number, marks: AudioMark[] = []) {
  const events: unknown[] = [];
  const stretch = ({ start, end }: Stretch) => [start, end];
  const board: AudioBoard = new AudioBoard(duration, {
    add: (one) => {
      events.push(["add", ...stretch(one)]);
      board.show([...board.marks, { ...mark(0, 0), ...one, id: `${one.start}` }], `${one.start}`);
    },
    edit: (id, one) => events.push([id, ...stretch(one)]),
    select: (id) => board.show(board.marks, id),
    complain: (complaint) => events.push(complaint),
    changed: () => undefined,
  });
  board.window.width = 1000;
  board.show(marks, null);
  return { board, events };
}

test("two regions one after the other take four keys and the steps between", () => {
  const { board, events } = boardOf(10);

  board.act("region_start");
  for (let i = 0; i < 5; i++) board.act("step_on");
  board.act("region_end");
  board.act("far_on");
  board.act("region_start");
  board.act("far_on");
  board.act("region_end");

  assert.deepEqual(events, [["add", 0, 0.05], ["add", 1.05, 2.05]]);
});

test("keys inside a selected region move its borders; an end without a start is refused", () => {
  const { board, events } = boardOf(10, [mark(1, 5)]);
  board.act("region_end");
  board.seek(2);
  board.show(board.marks, "1");

  board.act("region_start");
  board.act("region_end");

  assert.deepEqual(events, ["no_start", ["1", 2, 5], ["1", 1, 2]]);
});

test("a drag on the waveform draws, a click sets the playhead and selects", () => {
  const { board, events } = boardOf(10, [mark(1, 5)]);

  board.press({ x: 700, isOnBars: false });
  board.move(900);
  board.release({ x: 900, isOnBars: false });
  board.press({ x: 200, isOnBars: false });
  board.release({ x: 201, isOnBars: false });

  assert.deepEqual(events, [["add", 7, 9]]);
  assert.equal(board.selectedId, "1");
  assert.ok(Math.abs(board.playhead - 2.01) < 1e-9);
});

test("an edge is dragged, or clicked and put down; a bar is moved within the recording", () => {
  const { board, events } = boardOf(10, [mark(1, 5)]);
  board.show(board.marks, "1");

  board.press({ x: 501, isOnBars: false });
  board.release({ x: 501, isOnBars: false });
  board.move(600);
  board.press({ x: 650, isOnBars: false });
  board.release({ x: 650, isOnBars: false });
  board.press({ x: 300, isOnBars: true });
  board.move(950);
  board.release({ x: 950, isOnBars: true });

  assert.deepEqual(events, [["1", 1, 6.5], ["1", 6, 10]]);
});

test("Space plays the selected region, and pauses", () => {
  const { board } = boardOf(10, [mark(1, 5)]);
  const heard: unknown[] = [];
  const player = { isPlaying: false, play: (...all: unknown[]) => void heard.push(all), pause: () => void heard.push("pause"), seek: () => undefined };
  board.player = player;
  board.seek(3);

  board.act("play");
  board.show(board.marks, "1");
  board.act("play");
  player.isPlaying = true;
  board.act("play");

  assert.deepEqual(heard, [[3, null], [1, 5], "pause"]);
});
