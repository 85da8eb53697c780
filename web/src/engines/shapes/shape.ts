/** Shapes in pixels of the original image, as in `labels/{box,polygon,point}/kind.py`, and what can be asked of them. */

export type Point = readonly [number, number];

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface BoxShape {
  readonly label: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Degrees clockwise about the centre, 0 to below 180. */
  readonly rotation?: number;
  readonly score?: number;
}

export interface PolygonShape {
  readonly label: string;
  readonly points: readonly Point[];
  readonly score?: number;
}

export interface PointShape {
  readonly label: string;
  readonly x: number;
  readonly y: number;
  readonly score?: number;
}

export type Shape = BoxShape | PolygonShape | PointShape;

export interface Bounds {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** A box with a shorter side is a slip of the hand; as in `kind.py`, with room for rounding. */
export const LEAST_SIDE = 1;

export function isPolygon(shape: Shape): shape is PolygonShape {
  return "points" in shape;
}

export function isBox(shape: Shape): shape is BoxShape {
  return "width" in shape;
}

/** Hundredths of a pixel are finer than any hand and keep values short. */
export function rounded(value: number): number {
  return Math.round(value * 100) / 100 + 0;
}

/** The box between two opposite corners, within the image. */
export function boxBetween(a: Point, b: Point, label: string, size: Size): BoxShape {
  const [ax, ay] = clampPoint(a, size);
  const [bx, by] = clampPoint(b, size);
  const x = rounded(Math.min(ax, bx));
  const y = rounded(Math.min(ay, by));
  return { label, x, y, width: rounded(Math.max(ax, bx) - x), height: rounded(Math.max(ay, by) - y) };
}

export function clampPoint([x, y]: Point, size: Size): Point {
  return [Math.min(Math.max(x, 0), size.width), Math.min(Math.max(y, 0), size.height)];
}

export function centreOf(shape: Shape): Point {
  if (isBox(shape)) return [shape.x + shape.width / 2, shape.y + shape.height / 2];
  if (!isPolygon(shape)) return [shape.x, shape.y];
  const { left, top, right, bottom } = boundsOf(shape);
  return [(left + right) / 2, (top + bottom) / 2];
}

/** `point` turned clockwise (y grows downwards) about `centre`. */
export function turned([x, y]: Point, [cx, cy]: Point, degrees: number): Point {
  const angle = (degrees * Math.PI) / 180;
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  return [cx + (x - cx) * cos - (y - cy) * sin, cy + (x - cx) * sin + (y - cy) * cos];
}

/** Corners of a box as it stands: top left, top right, bottom right, bottom left before it was turned. */
export function cornersOf(box: BoxShape): [Point, Point, Point, Point] {
  const { x, y, width, height, rotation = 0 } = box;
  const flat: [Point, Point, Point, Point] = [
    [x, y],
    [x + width, y],
    [x + width, y + height],
    [x, y + height],
  ];
  if (!rotation) return flat;
  const centre = centreOf(box);
  return flat.map((corner) => turned(corner, centre, rotation)) as typeof flat;
}

/** The outline's corners: one for a point. */
export function outlineOf(shape: Shape): readonly Point[] {
  if (isPolygon(shape)) return shape.points;
  return isBox(shape) ? cornersOf(shape) : [[shape.x, shape.y]];
}

const knownBounds = new WeakMap<Shape, Bounds>();

export function boundsOf(shape: Shape): Bounds {
  let bounds = knownBounds.get(shape);
  if (!bounds) {
    const outline = outlineOf(shape);
    bounds = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
    for (const [x, y] of outline) {
      bounds = {
        left: Math.min(bounds.left, x),
        top: Math.min(bounds.top, y),
        right: Math.max(bounds.right, x),
        bottom: Math.max(bounds.bottom, y),
      };
    }
    knownBounds.set(shape, bounds);
  }
  return bounds;
}

/** Square pixels; by the shoelace formula for a polygon. */
export function areaOf(shape: Shape): number {
  if (isBox(shape)) return shape.width * shape.height;
  return isPolygon(shape) ? areaWithin(shape.points) : 0;
}

export function areaWithin(points: readonly Point[]): number {
  let twice = 0;
  points.forEach(([x, y], i) => {
    const [nextX, nextY] = points[(i + 1) % points.length] as Point;
    twice += x * nextY - nextX * y;
  });
  return Math.abs(twice) / 2;
}

/** Whether `point` lies in the shape or within `reach` of its outline. */
export function holds(shape: Shape, [x, y]: Point, reach: number): boolean {
  const { left, top, right, bottom } = boundsOf(shape);
  if (x < left - reach || x > right + reach || y < top - reach || y > bottom + reach) return false;
  const outline = outlineOf(shape);
  if (outline.length === 1) return distance(outline[0] as Point, [x, y]) <= reach;
  return liesWithin(outline, [x, y]) || nearestEdge(outline, [x, y]).distance <= reach;
}

/** Even-odd rule. */
export function liesWithin(outline: readonly Point[], [x, y]: Point): boolean {
  let isWithin = false;
  outline.forEach(([ax, ay], i) => {
    const [bx, by] = outline[(i + 1) % outline.length] as Point;
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) isWithin = !isWithin;
  });
  return isWithin;
}

export function distance([ax, ay]: Point, [bx, by]: Point): number {
  return Math.hypot(ax - bx, ay - by);
}

/** The edge nearest to `point`, by the index of its first corner. */
export function nearestEdge(outline: readonly Point[], point: Point): { index: number; distance: number; at: Point } {
  let best: { index: number; distance: number; at: Point } = { index: 0, distance: Infinity, at: point };
  outline.forEach((a, index) => {
    const at = nearestOnEdge(a, outline[(index + 1) % outline.length] as Point, point);
    const away = distance(at, point);
    if (away < best.distance) best = { index, distance: away, at };
  });
  return best;
}

function nearestOnEdge([ax, ay]: Point, [bx, by]: Point, [x, y]: Point): Point {
  const length = (bx - ax) ** 2 + (by - ay) ** 2;
  const along = length ? Math.min(Math.max(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length, 0), 1) : 0;
  return [ax + along * (bx - ax), ay + along * (by - ay)];
}

/** Whether two edges of a closed outline meet anywhere but at the corner that neighbours share. */
export function crossesItself(points: readonly Point[]): boolean {
  const n = points.length;
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      const isNext = j === i + 1 || (i === 0 && j === n - 1);
      const [a, b] = [points[i], points[(i + 1) % n]] as [Point, Point];
      const [c, d] = [points[j], points[(j + 1) % n]] as [Point, Point];
      if (isNext ? foldsBack(i === 0 && j === n - 1 ? [c, d, b] : [a, b, d]) : edgesMeet(a, b, c, d)) return true;
    }
  }
  return false;
}

/** Whether b -> c runs back over a -> b. */
function foldsBack([a, b, c]: [Point, Point, Point]): boolean {
  const dot = (b[0] - a[0]) * (c[0] - b[0]) + (b[1] - a[1]) * (c[1] - b[1]);
  return side(a, b, c) === 0 && dot < 0;
}

function edgesMeet(a: Point, b: Point, c: Point, d: Point): boolean {
  const [abc, abd, cda, cdb] = [side(a, b, c), side(a, b, d), side(c, d, a), side(c, d, b)];
  if (abc * abd < 0 && cda * cdb < 0) return true;
  return (
    (abc === 0 && isOn(a, b, c)) || (abd === 0 && isOn(a, b, d)) || (cda === 0 && isOn(c, d, a)) || (cdb === 0 && isOn(c, d, b))
  );
}

function side(a: Point, b: Point, c: Point): number {
  return Math.sign((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]));
}

function isOn(a: Point, b: Point, c: Point): boolean {
  return (
    Math.min(a[0], b[0]) <= c[0] && c[0] <= Math.max(a[0], b[0]) && Math.min(a[1], b[1]) <= c[1] && c[1] <= Math.max(a[1], b[1])
  );
}

/** The smallest shape under a point, so that what is nested stays within reach; the later one of equals. */
export function smallestUnder<M extends { readonly shape: Shape }>(marks: readonly M[], point: Point, reach: number): M | null {
  let found: M | null = null;
  let least = Infinity;
  for (const mark of marks) {
    if (!holds(mark.shape, point, reach)) continue;
    const area = areaOf(mark.shape);
    if (area <= least) [found, least] = [mark, area];
  }
  return found;
}
