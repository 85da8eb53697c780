import assert from "node:assert/strict";
import { test } from "node:test";
import { Board, type BoardOwner, type Complaint, type Mark, type Tool } from "web/engines/shapes/board";
import { dragged, type Grip, gripsOf, grownBy, movedBy, turnedBy, withoutVertex } from "web/engines/shapes/editing";
import { areaOf, type BoxShape, boxBetween, cornersOf, crossesItself, holds, type Point, type PolygonShape, type Shape, smallestUnder } from "web/engines/shapes/shape";
import { View } from "web/engines/shapes/view";

const SIZE = { width: 200, height: 100 };
const BOX: BoxShape = { label: "cat", x: 20, y: 10, width: 40, height: 30 };
const SQUARE: PolygonShape = { label: "cat", points: [[10, 10], [50, 10], [50, 50], [10, 50]] };

const near = (a: readonly number[], b: readonly number[]) => a.forEach((x, i) => assert.ok(Math.abs(x - (b[i] ?? NaN)) < 0.02, `${a} is not ${b}`));

test("a box between two corners lies in the image whichever corner comes first", () => {
  assert.deepEqual(boxBetween([60, 40], [20, 10], "cat", SIZE), BOX);
  assert.deepEqual(boxBetween([150, 50], [900, -8], "cat", SIZE), { label: "cat", x: 150, y: 0, width: 50, height: 50 });
});

test("of nested shapes the smallest under the pointer is meant, also a point on its rim", () => {
  const marks = [BOX, { label: "eye", x: 30, y: 20, width: 4, height: 4 }, { label: "nose", x: 50, y: 30 }].map((shape) => ({ shape }));

  assert.equal(smallestUnder(marks, [31, 22], 2), marks[1]);
  assert.equal(smallestUnder(marks, [49, 31], 2), marks[2]);
  assert.equal(smallestUnder(marks, [25, 35], 2), marks[0]);
  assert.equal(smallestUnder(marks, [150, 80], 2), null);
});

test("a turned box is hit where it stands and not where it stood", () => {
  const turned = { ...BOX, rotation: 90 };

  near(cornersOf(turned).flat(), [55, 5, 55, 45, 25, 45, 25, 5]);
  assert.ok(holds(turned, [40, 43], 1));
  assert.ok(!holds(turned, [22, 25], 1));
});

test("resizing a turned box leaves the opposite corner where it is", () => {
  for (const rotation of [0, 30, 90, 145]) {
    const box = rotation ? { ...BOX, x: 80, y: 40, rotation } : { ...BOX, x: 80, y: 40 };
    const grip = gripsOf(box, 20).find((one) => one.kind === "side" && one.name === "se") as Grip;

    const bigger = dragged(box, grip, [grip.at[0] + 7, grip.at[1] + 5], SIZE) as BoxShape;

    near(cornersOf(bigger)[0], cornersOf(box)[0]);
    near(cornersOf(bigger)[2], [grip.at[0] + 7, grip.at[1] + 5]);
  }
});

test("a box keeps its size when it is pushed against the border of the image", () => {
  assert.deepEqual(movedBy(BOX, 1000, -1000, SIZE), { ...BOX, x: 160, y: 0 });
  assert.deepEqual(movedBy(SQUARE, -1000, 20, SIZE).points, [[0, 30], [40, 30], [40, 70], [0, 70]]);
});

test("turning by 180 degrees is no turning, and the rotation stays below 180", () => {
  assert.equal(turnedBy(BOX, -5, SIZE).rotation, 175);
  assert.deepEqual(turnedBy(turnedBy(BOX, 100, SIZE), 80, SIZE), BOX);
});

test("a box grows no farther than the image and shrinks no farther than a pixel", () => {
  assert.deepEqual(grownBy(BOX, 500, 1, SIZE), { ...BOX, width: 180, height: 31 });
  assert.deepEqual(grownBy(BOX, -500, 0, SIZE), { ...BOX, width: 1 });
});

test("outlines that cross, touch or fold back are told from plain ones", () => {
  assert.ok(!crossesItself(SQUARE.points));
  assert.ok(crossesItself([[0, 0], [10, 10], [10, 0], [0, 10]]));
  assert.ok(crossesItself([[0, 0], [10, 0], [5, 0], [5, 8]]));
  assert.ok(crossesItself([[0, 0], [10, 0], [10, 10], [5, 0], [0, 10]]));
});

test("a triangle loses no corner", () => {
  const triangle = withoutVertex(SQUARE, 1);

  assert.equal(areaOf(triangle as Shape), 800);
  assert.equal(withoutVertex(triangle as PolygonShape, 0), null);
});

test("keys zoom around the place that was clicked last, while it is in sight", () => {
  const view = new View(SIZE, { width: 400, height: 400 });
  const before = view.toScreen([180, 20]);

  view.zoomAround([180, 20], 3);
  near(view.toScreen([180, 20]), before);
  const middle = view.toImage([200, 200]);
  view.zoomAround([0, 0], 2);
  near(view.toImage([200, 200]), middle);
});

test("zooming keeps what is under the pointer under the pointer", () => {
  const view = new View({ width: 2000, height: 1000 }, { width: 800, height: 600 });
  const before = view.toImage([200, 300]);

  view.zoomAt([200, 300], 3);

  near(view.toImage([200, 300]), before);
  view.zoomAt([200, 300], 1e9);
  assert.equal(view.scale, 40);
});

test("the middle of the screen never leaves the image", () => {
  const view = new View({ width: 2000, height: 1000 }, { width: 800, height: 600 });

  view.panBy(1e6, -1e6);

  assert.deepEqual(view.toImage([400, 300]), [0, 1000]);
});

/** A board whose owner does as it is told; one pixel of the screen is one of the image. */
function boardWith(shapes: readonly Shape[], tool: Tool = "select") {
  const said: Complaint[] = [];
  let marks: Mark[] = shapes.map((shape, i) => ({ id: `m${i}`, shape, isSuggested: false, note: "" }));
  const show = (id: string | null) => board.show(marks, id);
  const owner: BoardOwner = {
    add: (shape) => {
      marks = [...marks, { id: `m${marks.length}`, shape, isSuggested: false, note: "" }];
      show(`m${marks.length - 1}`);
    },
    edit: (id, shape) => {
      marks = marks.map((mark) => (mark.id === id ? { ...mark, shape } : mark));
      show(board.selectedId);
    },
    remove: () => undefined,
    select: show,
    complain: (complaint) => said.push(complaint),
    changed: () => undefined,
  };
  const board: Board = new Board(SIZE, owner);
  board.view.resize({ width: 200, height: 100 });
  board.view.zoomAt([0, 0], 1 / board.view.scale);
  [board.view.x, board.view.y] = [0, 0];
  board.tool = tool;
  board.show(marks, null);
  const drag = (...path: Point[]) => {
    board.press({ at: path[0] as Point });
    for (const at of path) board.move({ at });
    board.release({ at: path.at(-1) as Point });
  };
  return { board, said, drag, shapes: () => marks.map(({ shape }) => shape) };
}

test("a box is dragged, or clicked at two corners", () => {
  for (const how of ["drag", "click"]) {
    const { board, drag, shapes } = boardWith([], "box");

    if (how === "drag") drag([20, 10], [60, 40]);
    else {
      drag([20, 10]);
      board.move({ at: [33, 33] });
      drag([60, 40]);
    }

    assert.deepEqual(shapes(), [{ ...BOX, label: "" }]);
  }
});

test("a click with the box tool on a shape selects it", () => {
  const { board, drag, shapes } = boardWith([BOX], "box");

  drag([30, 20]);

  assert.equal(board.selectedId, "m0");
  assert.equal(shapes().length, 1);
});

test("a click on a shape selects it, a drag moves it, a click on a corner takes it until the next click", () => {
  const { board, drag, shapes } = boardWith([BOX]);

  drag([30, 20]);
  assert.deepEqual([board.selectedId, board.gesture], ["m0", null]);
  drag([30, 20], [35, 26]);
  assert.deepEqual(shapes(), [{ ...BOX, x: 25, y: 16 }]);
  drag([65, 46]);
  board.move({ at: [100, 90] });
  drag([85, 66]);
  assert.deepEqual(shapes(), [{ ...BOX, x: 25, y: 16, width: 60, height: 50 }]);
});

test("a polygon grows by clicks, loses its last corner by undo, and closes on its first", () => {
  const { board, drag, shapes } = boardWith([], "polygon");

  for (const at of [[10, 10], [50, 10], [90, 90], [50, 50], [10, 50]] as Point[]) {
    drag(at);
    if (at[0] === 90) assert.ok(board.act("undo"));
  }
  drag([12, 11]);

  assert.deepEqual(shapes(), [{ ...SQUARE, label: "" }]);
});

test("a polygon that crosses itself is not closed, and a bend that makes one cross is not kept", () => {
  const { board, drag, shapes, said } = boardWith([SQUARE], "polygon");

  for (const at of [[100, 10], [140, 50], [140, 10], [100, 50]] as Point[]) drag(at);
  assert.ok(board.act("accept"));
  assert.equal(board.gesture?.kind, "polygon");
  board.cancel();
  board.tool = "select";
  board.show(board.marks, "m0");
  drag([10, 10], [90, 30]);

  assert.deepEqual(said, ["crosses", "crosses"]);
  assert.deepEqual(shapes(), [SQUARE]);
});

test("a vertex is put into an edge by its middle, chosen and moved by keys, and taken out", () => {
  const { board, drag, shapes } = boardWith([SQUARE]);
  board.show(board.marks, "m0");

  drag([30, 10], [30, 4]);
  assert.deepEqual((shapes()[0] as PolygonShape).points, [[10, 10], [30, 4], [50, 10], [50, 50], [10, 50]]);
  assert.equal(board.vertex, 1);
  board.act("nudge_up");
  board.act("wider");
  board.act("nudge_right_far");
  assert.deepEqual((shapes()[0] as PolygonShape).points.slice(1, 3), [[30, 3], [60, 10]]);
  board.act("delete_region");
  assert.equal((shapes()[0] as PolygonShape).points.length, 4);
});

test("what is looked back at cannot be drawn on", () => {
  const { board, drag, shapes } = boardWith([BOX], "box");
  board.isReadOnly = true;

  drag([100, 10], [150, 60]);
  board.act("nudge_left");

  assert.deepEqual(shapes(), [BOX]);
});
