/** What keys do to the selected shape: every drag has its form without a pointer. */

import type { Board, Mark } from "web/engines/shapes/board";
import { grownBy, movedBy, turnedBy, withVertex, withVertexAfter } from "web/engines/shapes/editing";
import { crossesItself, isBox, isPolygon, type Point, type PolygonShape, type Shape } from "web/engines/shapes/shape";

const MOVES: Readonly<Record<string, Point>> = {
  nudge_left: [-1, 0],
  nudge_right: [1, 0],
  nudge_up: [0, -1],
  nudge_down: [0, 1],
  nudge_left_far: [-10, 0],
  nudge_right_far: [10, 0],
  nudge_up_far: [0, -10],
  nudge_down_far: [0, 10],
};

const GROWTHS: Readonly<Record<string, Point>> = { narrower: [-1, 0], wider: [1, 0], shorter: [0, -1], taller: [0, 1] };

const TURNS: Readonly<Record<string, number>> = { turn_left: -5, turn_right: 5 };

/** Moves, resizes or turns the selected shape, or the vertex of a polygon that keys are on. */
export function actOnShape(board: Board, act: string): boolean {
  const mark = board.selected;
  if (!mark) return false;
  if (act === "delete_region") return board.removeVertex();
  if (isPolygon(mark.shape) && act in GROWTHS) return actOnVertex(board, mark, mark.shape, act);
  const now = changed(board, mark.shape, act);
  if (!now) return false;
  if (isPolygon(now) && crossesItself(now.points)) board.owner.complain("crosses");
  else board.owner.edit(mark.id, now, `${act.replace("_far", "")}:${mark.id}`);
  return true;
}

function changed(board: Board, shape: Shape, act: string): Shape | null {
  const { size, vertex } = board;
  const move = MOVES[act];
  if (move && isPolygon(shape) && vertex !== null) {
    const [x, y] = shape.points[vertex] as Point;
    return withVertex(shape, vertex, [x + move[0], y + move[1]], size);
  }
  if (move) return movedBy(shape, move[0], move[1], size);
  const growth = GROWTHS[act];
  if (growth && isBox(shape)) return grownBy(shape, growth[0], growth[1], size);
  const turn = TURNS[act];
  return turn !== undefined && isBox(shape) ? turnedBy(shape, turn, size) : null;
}

/** The keys that resize a box walk along a polygon's vertices, and put one in or take one out. */
function actOnVertex(board: Board, mark: Mark, polygon: PolygonShape, act: string): boolean {
  const n = polygon.points.length;
  const at = board.vertex;
  if (act === "narrower" || act === "wider") {
    board.vertex = at === null ? 0 : (at + (act === "wider" ? 1 : n - 1)) % n;
    board.owner.changed();
  } else if (act === "shorter") {
    return board.removeVertex();
  } else {
    const from = polygon.points[at ?? 0] as Point;
    const to = polygon.points[((at ?? 0) + 1) % n] as Point;
    const middle: Point = [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2];
    board.vertex = (at ?? 0) + 1;
    board.owner.edit(mark.id, withVertexAfter(polygon, at ?? 0, middle, board.size));
  }
  return true;
}
