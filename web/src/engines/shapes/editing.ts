/** How shapes change: moved, resized, turned, bent. Every function gives a new shape that lies in the image. */

import {
  type BoxShape,
  type Bounds,
  boundsOf,
  centreOf,
  clampPoint,
  cornersOf,
  isBox,
  isPolygon,
  LEAST_SIDE,
  type Point,
  type PolygonShape,
  rounded,
  type Shape,
  type Size,
  turned,
} from "web/engines/shapes/shape";

/**
 * A place on a shape that a hand can take: corners and edges of a box by compass, its centre, the knob that turns it,
 * the vertices of a polygon, the middles of its edges.
 */
export type Grip =
  | { readonly kind: "side"; readonly name: Side; readonly at: Point }
  | { readonly kind: "centre" | "turn"; readonly at: Point }
  | { readonly kind: "vertex" | "middle"; readonly index: number; readonly at: Point };

export type Side = "nw" | "n" | "ne" | "e" | "se" | "s" | "sw" | "w";

/** Where each side's grip sits, in halves of width and height from the centre. */
const SIDES: Readonly<Record<Side, Point>> = {
  nw: [-1, -1],
  n: [0, -1],
  ne: [1, -1],
  e: [1, 0],
  se: [1, 1],
  s: [0, 1],
  sw: [-1, 1],
  w: [-1, 0],
};

/** All grips of a shape; `away` is how far the turning knob stands off its box. The most important ones come last. */
export function gripsOf(shape: Shape, away: number): Grip[] {
  const centre = centreOf(shape);
  if (isPolygon(shape)) {
    const { points } = shape;
    const middles = points.map((a, index): Grip => {
      const b = points[(index + 1) % points.length] as Point;
      return { kind: "middle", index, at: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2] };
    });
    const vertices = points.map((at, index): Grip => ({ kind: "vertex", index, at }));
    return [{ kind: "centre", at: centre }, ...middles, ...vertices];
  }
  if (!isBox(shape)) return [{ kind: "centre", at: centre }];
  const place = ([i, j]: Point, off = 0): Point =>
    turned([centre[0] + (i * shape.width) / 2, centre[1] + (j * shape.height) / 2 + off], centre, shape.rotation ?? 0);
  const sides = (Object.keys(SIDES) as Side[]).map((name): Grip => ({ kind: "side", name, at: place(SIDES[name]) }));
  return [{ kind: "centre", at: centre }, { kind: "turn", at: place([0, -1], -away) }, ...sides];
}

/** The shape when its grip is at `to`. */
export function dragged(shape: Shape, grip: Grip, to: Point, size: Size, isStepped = false): Shape {
  if (grip.kind === "centre") return movedBy(shape, to[0] - grip.at[0], to[1] - grip.at[1], size);
  if (isBox(shape)) {
    if (grip.kind === "turn") return turnedTo(shape, to, isStepped ? 15 : 0);
    if (grip.kind === "side") return resized(shape, grip.name, to, size);
  }
  if (isPolygon(shape) && grip.kind === "vertex") return withVertex(shape, grip.index, to, size);
  if (isPolygon(shape) && grip.kind === "middle") return withVertexAfter(shape, grip.index, to, size);
  return shape;
}

/** As far as the image allows. A turned box only needs its centre on the image, as in `kind.py`. */
export function movedBy<S extends Shape>(shape: S, dx: number, dy: number, size: Size): S {
  const isTurned = isBox(shape) && shape.rotation;
  const [cx, cy] = centreOf(shape);
  const bounds: Bounds = isTurned ? { left: cx, right: cx, top: cy, bottom: cy } : boundsOf(shape);
  const x = limited(dx, -bounds.left, size.width - bounds.right);
  const y = limited(dy, -bounds.top, size.height - bounds.bottom);
  if (isPolygon(shape)) return { ...shape, points: shape.points.map(([px, py]) => [rounded(px + x), rounded(py + y)]) };
  return { ...shape, x: rounded(shape.x + x), y: rounded(shape.y + y) };
}

function limited(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, Math.min(least, 0)), Math.max(most, 0));
}

/** The side or corner follows the hand, the opposite one stays where it is, turned or not. */
function resized(box: BoxShape, name: Side, to: Point, size: Size): BoxShape {
  const rotation = box.rotation ?? 0;
  const [i, j] = SIDES[name];
  const centre = centreOf(box);
  const [tx, ty] = turned(rotation ? to : clampPoint(to, size), centre, -rotation);
  const edges = { left: box.x, right: box.x + box.width, top: box.y, bottom: box.y + box.height };
  if (i < 0) edges.left = Math.min(tx, edges.right - LEAST_SIDE);
  if (i > 0) edges.right = Math.max(tx, edges.left + LEAST_SIDE);
  if (j < 0) edges.top = Math.min(ty, edges.bottom - LEAST_SIDE);
  if (j > 0) edges.bottom = Math.max(ty, edges.top + LEAST_SIDE);
  const width = edges.right - edges.left;
  const height = edges.bottom - edges.top;
  const middle = turned([(edges.left + edges.right) / 2, (edges.top + edges.bottom) / 2], centre, rotation);
  const [cx, cy] = rotation ? clampPoint(middle, size) : middle;
  return {
    ...box,
    x: rounded(cx - width / 2),
    y: rounded(cy - height / 2),
    width: rounded(width),
    height: rounded(height),
  };
}

/** Turned so that its knob points to `to`, in whole degrees or steps of `step`. */
function turnedTo(box: BoxShape, to: Point, step: number): BoxShape {
  const [cx, cy] = centreOf(box);
  const degrees = (Math.atan2(to[0] - cx, cy - to[1]) * 180) / Math.PI;
  const whole = step ? Math.round(degrees / step) * step : Math.round(degrees);
  return withRotation(box, whole);
}

export function turnedBy(box: BoxShape, degrees: number, size: Size): BoxShape {
  return withRotation(box, (box.rotation ?? 0) + degrees, size);
}

/** A box has no front, so 180 degrees are none; a box that stands straight again must lie in the image. */
function withRotation(box: BoxShape, degrees: number, size?: Size): BoxShape {
  const { rotation: _, ...flat } = box;
  const rotation = rounded(((degrees % 180) + 180) % 180);
  if (rotation) return { ...flat, rotation };
  return size ? withinImage(flat, size) : flat;
}

/** A straight box cut at the image's border. */
export function withinImage(box: BoxShape, size: Size): BoxShape {
  if (box.rotation) return box;
  const [left, top] = clampPoint([box.x, box.y], size);
  const [right, bottom] = clampPoint([box.x + box.width, box.y + box.height], size);
  return { ...box, x: rounded(left), y: rounded(top), width: rounded(right - left), height: rounded(bottom - top) };
}

/** Wider and taller by so many pixels, the top left corner staying. */
export function grownBy(box: BoxShape, width: number, height: number, size: Size): BoxShape {
  const [, , corner] = cornersOf(box);
  const rotation = box.rotation ?? 0;
  const [dx, dy] = turned([width, height], [0, 0], rotation);
  return resized(box, "se", [corner[0] + dx, corner[1] + dy], size);
}

export function withVertex(polygon: PolygonShape, index: number, to: Point, size: Size): PolygonShape {
  const at = roundedPoint(clampPoint(to, size));
  return { ...polygon, points: polygon.points.map((point, i) => (i === index ? at : point)) };
}

/** A new vertex on the edge that starts at vertex `index`. */
export function withVertexAfter(polygon: PolygonShape, index: number, to: Point, size: Size): PolygonShape {
  const at = roundedPoint(clampPoint(to, size));
  return { ...polygon, points: [...polygon.points.slice(0, index + 1), at, ...polygon.points.slice(index + 1)] };
}

/** Without one vertex; null if fewer than three would be left. */
export function withoutVertex(polygon: PolygonShape, index: number): PolygonShape | null {
  if (polygon.points.length <= 3) return null;
  return { ...polygon, points: polygon.points.filter((_, i) => i !== index) };
}

export function roundedPoint([x, y]: Point): Point {
  return [rounded(x), rounded(y)];
}
