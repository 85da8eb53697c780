import assert from "node:assert/strict";
import { test } from "node:test";
import { MaskBoard, type MaskComplaint, type MaskTool } from "web/engines/masks/board";
import type { MaskMark } from "web/engines/masks/layers";
import { areaOf, besides, countsOf, edgesIn, edgesOf, iouOf, type MaskRegion, maskOf, pack, sharedBy, unpack, without } from "web/engines/masks/rle";
import { Sheet } from "web/engines/masks/sheet";
import { fill, fillOutline, stroke } from "web/engines/masks/strokes";
import type { Point } from "web/engines/shapes/shape";
import vectors from "./rle_vectors.json";

const SIZE = { width: 20, height: 10 };

function fails(act: () => unknown): boolean {
  try {
    act();
  } catch {
    return true;
  }
  return false;
}

const edges = (...numbers: number[]) => Int32Array.from(numbers);

/** Rows of a sheet, a figure for each pixel. */
const picture = ({ width, height, pixels }: Sheet) =>
  Array.from({ length: height }, (_, y) => Array.from({ length: width }, (_, x) => pixels[x * height + y] || ".").join(""));

/** A mask of a rectangle. */
function rectangle(label: string, left: number, top: number, right: number, bottom: number): MaskRegion {
  const sheet = new Sheet(SIZE);
  for (let x = left; x < right; x++) sheet.paint(x, top, bottom, 1);
  return maskOf(label, [SIZE.height, SIZE.width], sheet.tell().get(1) ?? edges());
}

/** A board whose owner keeps the list as the page does, ids and all. */
function boardWith(marks: MaskMark[] = [], tool: MaskTool = "brush") {
  const said: (MaskComplaint | boolean)[] = [];
  const state = { marks, label: "cat", selected: null as string | null, nMade: 0, nChanges: 0 };
  const board: MaskBoard = new MaskBoard(SIZE, {
    change: ({ changed, added }) => {
      state.nChanges += 1;
      const kept = state.marks.flatMap((mark): MaskMark[] => {
        const region = changed.get(mark.id);
        if (region === undefined) return [mark];
        return region ? [{ ...mark, region, isSuggested: false }] : [];
      });
      state.marks = [...kept, ...added.map((region) => ({ id: `own-${state.nMade++}`, region, isSuggested: false, note: "" }))];
      board.show(state.marks, state.selected);
    },
    select: (id) => {
      state.selected = id;
      board.show(state.marks, id);
    },
    label: () => state.label,
    complain: (complaint) => said.push(complaint),
    pen: (isDown) => said.push(isDown),
    resized: () => undefined,
    changed: () => undefined,
  });
  board.view.resize({ width: 200 + 48, height: 100 + 48 });
  board.tool = tool;
  board.diameter = 2;
  board.show(state.marks, null);
  const at = (x: number, y: number): Point => board.view.toScreen([x, y]);
  const drag = (...places: [number, number][]) => {
    const [first, ...rest] = places as [[number, number], ...[number, number][]];
    board.press({ at: at(...first) });
    for (const place of rest) board.move({ at: at(...place) });
    board.release({ at: at(...(places.at(-1) as [number, number])) });
  };
  const areas = () => state.marks.map(({ region }) => `${region.label} ${areaOf(edgesIn(region))}`);
  return { board, state, said, drag, at, areas };
}

const suggested = (id: string, region: MaskRegion): MaskMark => ({ id, region, isSuggested: true, note: "model" });
const own = (id: string, region: MaskRegion): MaskMark => ({ id, region, isSuggested: false, note: "" });

test("COCO packs the same", () => {
  for (const { name, counts, packed } of vectors) {
    assert.equal(pack(counts), packed, name);
    assert.deepEqual(unpack(packed), counts, name);
    const n = counts.reduce((sum, count) => sum + count, 0);
    assert.deepEqual(countsOf(edgesOf(counts), n), counts, name);
  }
  assert.ok(fails(() => unpack("5~")));
});

test("masks are compared and cut by their runs", () => {
  const [a, b] = [edges(2, 6, 10, 14), edges(4, 11)];

  assert.equal(sharedBy(a, b), 3);
  assert.equal(iouOf(a, b), 3 / 12);
  assert.deepEqual([...without(a, b)], [2, 4, 11, 14]);
  assert.deepEqual([...without(b, a)], [6, 10]);
  assert.deepEqual([...without(a, edges(0, 20))], []);
  const mask = maskOf("cat", [10, 2], a);
  assert.equal(besides(mask, [maskOf("dog", [10, 2], edges(6, 10))]), mask);
  assert.equal(besides(mask, [maskOf("dog", [10, 2], edges(0, 20))]), null);
});

test("a brush is round and its way has no gaps, whichever way it goes", () => {
  const sheet = new Sheet(SIZE);
  stroke(sheet, [3.2, 3.9], [3.2, 3.9], 4, 1);
  assert.deepEqual(picture(sheet).slice(1, 7), [".".repeat(20), "..11................", ".1111...............", ".1111...............", "..11................", ".".repeat(20)]);

  for (const [from, to] of [[[1.5, 8.5], [18.5, 1.5]], [[18.5, 1.5], [1.5, 8.5]], [[9.5, 1.5], [9.5, 8.5]]] as [Point, Point][]) {
    const one = new Sheet(SIZE);
    stroke(one, from, to, 3, 1);
    for (let k = 0; k <= 100; k++) {
      const [x, y] = [from[0] + (k / 100) * (to[0] - from[0]), from[1] + (k / 100) * (to[1] - from[1])];
      assert.equal(one.at(Math.floor(x), Math.floor(y)), 1, `${x} ${y}`);
    }
  }
});

test("a stroke paints the pixels whose middles are near its line", () => {
  const [from, to]: [Point, Point] = [[3, 2], [16, 7]];
  const sheet = new Sheet(SIZE);

  stroke(sheet, from, to, 4, 1);

  for (let x = 0; x < 20; x++) {
    for (let y = 0; y < 10; y++) {
      const along = Math.min(Math.max(((x + 0.5 - 3) * 13 + (y + 0.5 - 2) * 5) / (13 ** 2 + 5 ** 2), 0), 1);
      const away = Math.hypot(x + 0.5 - 3 - 13 * along, y + 0.5 - 2 - 5 * along);
      if (Math.abs(away - 2) > 0.01) assert.equal(sheet.at(x, y), away < 2 ? 1 : 0, `${x} ${y} ${away}`);
    }
  }
});

test("filling stays within what hangs together, and passes no corner", () => {
  const sheet = new Sheet({ width: 6, height: 5 });
  for (let x = 0; x < 4; x++) sheet.paint(x, 3 - x, 4 - x, 1);

  fill(sheet, 0, 0, 2);

  assert.deepEqual(picture(sheet), ["2221..", "221...", "21....", "1.....", "......"]);
});

test("an outline is filled where the middles of pixels lie within", () => {
  const sheet = new Sheet({ width: 6, height: 5 });

  fillOutline(sheet, [[1, 1], [5, 1], [5, 4], [3, 2], [1, 4]], 1);

  assert.deepEqual(picture(sheet), ["......", ".1111.", ".1..1.", "......", "......"]);
});

test("runs told after strokes are those of the pixels, wherever the strokes were", () => {
  const sheet = new Sheet(SIZE);
  const told = new Map<number, Int32Array>();
  let seed = 7;
  const random = (n: number) => (seed = (seed * 16807) % 2147483647) % n;
  for (let k = 0; k < 60; k++) {
    stroke(sheet, [random(22) - 1, random(12) - 1], [random(22) - 1, random(12) - 1], 1 + random(4), random(4));
    if (k % 3) continue;
    for (const [number, runs] of sheet.tell()) told.set(number, runs);
    const again = new Sheet(SIZE);
    again.show(told);
    assert.deepEqual(picture(again), picture(sheet));
  }
});

test("a stroke makes a mask of the armed class, a second one goes on with it", () => {
  const { drag, areas, state } = boardWith();

  drag([3, 3], [9, 3]);
  drag([3, 6], [9, 6]);
  state.label = "dog";
  drag([15, 3], [15, 6]);

  assert.deepEqual(areas(), ["cat 32", "dog 10"]);
  assert.equal(state.nChanges, 3);
});

test("what is painted over belongs to the one who came last, and one covered whole is gone", () => {
  const { drag, areas, state, board } = boardWith();
  drag([3, 3], [3, 3]);
  state.label = "dog";
  board.diameter = 8;

  drag([4, 4], [5, 4]);

  assert.equal(areas().length, 1);
  assert.ok(areas()[0]?.startsWith("dog"));
});

test("another mask of the same class is begun on demand", () => {
  const { drag, areas, board } = boardWith();
  drag([3, 3], [9, 3]);
  board.wantsNew = true;

  drag([3, 7], [9, 7]);
  drag([3, 8], [9, 8]);

  assert.equal(areas().length, 2);
});

test("the eraser takes from whatever is there; rubbing at a suggestion edits it and leaves the others", () => {
  const { drag, areas, state } = boardWith([own("a", rectangle("cat", 0, 0, 4, 10)), suggested("b", rectangle("dog", 6, 0, 10, 10)), suggested("c", rectangle("dog", 14, 0, 18, 10))], "eraser");

  drag([0, 5], [8, 5]);

  assert.deepEqual(areas(), ["cat 32", "dog 34", "dog 40"]);
  assert.deepEqual(state.marks.map((mark) => mark.isSuggested), [false, false, true]);
});

test("a suggestion that is rubbed out is dropped", () => {
  const { drag, state, board } = boardWith([suggested("b", rectangle("dog", 6, 0, 10, 10))], "eraser");
  board.diameter = 40;

  drag([8, 5], [9, 5]);

  assert.deepEqual(state.marks, []);
});

test("a stroke on a selected suggestion makes it the person's own, without the pixels that are taken", () => {
  const { drag, areas, state, board } = boardWith([own("a", rectangle("cat", 0, 0, 8, 10)), suggested("b", rectangle("dog", 6, 0, 10, 10))]);
  state.label = "dog";
  state.selected = "b";
  board.show(state.marks, "b");

  drag([12, 5], [12, 5]);

  assert.deepEqual(areas(), ["cat 80", "dog 24"]);
  assert.equal(state.marks[1]?.isSuggested, false);
});

test("a stroke that is cancelled leaves no trace, and neither does one that an older value ends", () => {
  const { board, at, state } = boardWith([own("a", rectangle("dog", 0, 0, 4, 10))]);
  const before = picture(board.layers.sheet);
  board.press({ at: at(2, 5) });
  board.move({ at: at(12, 5) });
  assert.ok(picture(board.layers.sheet).join() !== before.join());

  assert.ok(board.act("undo"));
  assert.deepEqual(picture(board.layers.sheet), before);
  board.press({ at: at(2, 5) });
  board.show([...state.marks], null);

  assert.deepEqual(picture(board.layers.sheet), before);
  assert.equal(state.nChanges, 0);
});

test("an earlier value shows the earlier pixels", () => {
  const { board, drag, state } = boardWith();
  drag([3, 3], [9, 3]);
  const [first, marks] = [picture(board.layers.sheet), state.marks];
  drag([3, 6], [15, 6]);

  board.show([...marks], null);

  assert.deepEqual(picture(board.layers.sheet), first);
});

test("filling a hole and a polygon make masks; two corners are too few", () => {
  const { board, drag, areas, said } = boardWith([own("a", rectangle("cat", 2, 2, 10, 8))], "eraser");
  board.diameter = 2;
  drag([6, 5], [6, 5]);
  assert.deepEqual(areas(), ["cat 44"]);
  board.use("fill");
  drag([6, 5], [6, 5]);
  assert.deepEqual(areas(), ["cat 48"]);

  board.use("polygon");
  for (const place of [[12, 2], [18, 2]] as [number, number][]) drag(place, place);
  assert.ok(board.act("accept"));
  assert.deepEqual(said, ["too_few"]);
  drag([18, 6], [18, 6]);
  drag([12, 6], [12, 6]);
  assert.ok(board.act("accept"));

  assert.deepEqual(areas(), ["cat 72"]);
});

test("the keyboard alone paints: the cursor goes by arrows, Space puts the pen down and lifts it", () => {
  const { board, areas, said, state } = boardWith();
  board.diameter = 1;

  for (const act of ["paint_here", "nudge_right", "nudge_right", "nudge_down", "paint_here", "nudge_right_far", "paint_here", "paint_here"]) assert.ok(board.act(act), act);

  assert.deepEqual(areas(), ["cat 5"]);
  assert.deepEqual(said, [true, false, true, false]);
  assert.equal(state.nChanges, 2);
  board.tool = "select";
  assert.ok(!board.act("nudge_right"));
});

test("brushes grow and shrink by a step at least, between one pixel and the largest", () => {
  const { board } = boardWith();
  const sizes = ["larger_brush", "larger_brush", "smaller_brush"].map((act) => (board.act(act), board.diameter));

  assert.deepEqual(sizes, [3, 4, 3]);
  for (let k = 0; k < 60; k++) board.act("larger_brush");
  assert.equal(board.diameter, 400);
  for (let k = 0; k < 60; k++) board.act("smaller_brush");
  assert.equal(board.diameter, 1);
});

test("a click with the select tool chooses the mask there, the person's own before a suggested one", () => {
  const { board, drag, state } = boardWith([own("a", rectangle("cat", 0, 0, 8, 10)), suggested("b", rectangle("dog", 6, 0, 12, 10))], "select");

  const chosen = [[7, 5], [10, 5], [16, 5]].map(([x = 0, y = 0]) => (drag([x, y], [x, y]), state.selected));

  assert.deepEqual(chosen, ["a", "b", null]);
  assert.equal(board.gesture, null);
});

test("a mask of another size than the image is not drawn and does no harm", () => {
  const wrong = maskOf("cat", [5, 5], edges(0, 25));
  const { board, drag, areas } = boardWith([suggested("w", wrong)], "eraser");

  drag([2, 2], [4, 4]);

  assert.deepEqual(areas(), ["cat 25"]);
  assert.ok(picture(board.layers.sheet).every((row) => row === ".".repeat(20)));
});

test("painting on 16 million pixels touches only what is painted", () => {
  const size = { width: 4096, height: 4096 };
  const sheet = new Sheet(size);
  sheet.show(new Map([[1, edges(0, 4096 * 4096)]]));
  const started = performance.now();

  for (let k = 0; k < 50; k++) {
    stroke(sheet, [100 + 60 * k, 500], [160 + 60 * k, 560], 60, 2);
    sheet.tell();
  }

  // Strokes with their runs told take a few milliseconds each; a pass over all pixels would take several times that.
  assert.ok(performance.now() - started < 50 * 60, `${performance.now() - started} ms`);
  assert.equal(sheet.edgesOf(2).length > 0, true);
});
