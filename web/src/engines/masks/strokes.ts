/** What tools paint on a sheet: the way of a round brush, what hangs together, the inside of a polygon. */

import type { Sheet } from "web/engines/masks/sheet";
import type { Point } from "web/engines/shapes/shape";

/** Where the middle of a brush may lie: in the middle of a pixel, or where four meet, so that it is round. */
export function snapped([x, y]: Point, diameter: number): Point {
  return diameter % 2 ? [Math.floor(x) + 0.5, Math.floor(y) + 0.5] : [Math.round(x), Math.round(y)];
}

/** Paints every pixel whose middle a round brush passes over on its way, and calls `onRun` for each column before. */
export function stroke(
  sheet: Sheet,
  from: Point,
  to: Point,
  diameter: number,
  number: number,
  onRun?: (x: number, top: number, bottom: number) => void,
): void {
  const [p, q] = [snapped(from, diameter), snapped(to, diameter)];
  // Half a pixel's hundredth more: what lies exactly on the rim belongs to it, whatever the rounding.
  const radius = diameter / 2 + 0.005;
  const first = Math.max(Math.floor(Math.min(p[0], q[0]) - radius), 0);
  const last = Math.min(Math.ceil(Math.max(p[0], q[0]) + radius), sheet.width);
  for (let x = first; x < last; x++) {
    const reach = reachOf(p, q, radius, x + 0.5);
    if (!reach) continue;
    const [top, bottom] = [Math.ceil(reach[0] - 0.5), Math.floor(reach[1] - 0.5) + 1];
    onRun?.(x, Math.max(top, 0), Math.min(bottom, sheet.height));
    sheet.paint(x, top, bottom, number);
  }
}

/** From where to where the brush's way crosses a vertical line. The way is convex, so this is one stretch. */
function reachOf(p: Point, q: Point, radius: number, x: number): [number, number] | null {
  let [low, high] = [Infinity, -Infinity];
  for (const [cx, cy] of [p, q]) {
    const half = radius ** 2 - (x - cx) ** 2;
    if (half < 0) continue;
    low = Math.min(low, cy - Math.sqrt(half));
    high = Math.max(high, cy + Math.sqrt(half));
  }
  const length = Math.hypot(q[0] - p[0], q[1] - p[1]);
  const [ux, uy] = length ? [(q[0] - p[0]) / length, (q[1] - p[1]) / length] : [0, 0];
  if (ux) {
    const side = Math.sign(ux);
    for (const way of [1, -1]) {
      // The straight border of the way on this side, where it crosses the line.
      const [nx, ny] = [-uy * side * way * radius, ux * side * way * radius];
      const along = (x - nx - p[0]) / ux;
      if (along < 0 || along > length) continue;
      const y = p[1] + along * uy + ny;
      low = Math.min(low, y);
      high = Math.max(high, y);
    }
  }
  return low <= high ? [low, high] : null;
}

/** Gives a number to all pixels that hang together with one and have its number so far. */
export function fill(sheet: Sheet, x: number, y: number, number: number): void {
  const old = sheet.at(x, y);
  if (old === number || x < 0 || y < 0 || x >= sheet.width || y >= sheet.height) return;
  const { pixels, height, width } = sheet;
  const waiting: number[] = [x * height + y];
  while (waiting.length) {
    const at = waiting.pop() as number;
    if (pixels[at] !== old) continue;
    const column = Math.floor(at / height);
    const [start, end] = [column * height, (column + 1) * height];
    let [top, bottom] = [at, at + 1];
    while (top > start && pixels[top - 1] === old) top--;
    while (bottom < end && pixels[bottom] === old) bottom++;
    sheet.paint(column, top - start, bottom - start, number);
    for (const side of [-1, 1]) {
      if (column + side < 0 || column + side >= width) continue;
      let isIn = false;
      for (let next = top + side * height; next < bottom + side * height; next++) {
        const isOld = pixels[next] === old;
        if (isOld && !isIn) waiting.push(next);
        isIn = isOld;
      }
    }
  }
}

/** Paints the pixels whose middles lie within a closed outline, by the even-odd rule. */
export function fillOutline(sheet: Sheet, outline: readonly Point[], number: number): void {
  const xs = outline.map(([x]) => x);
  const first = Math.max(Math.floor(Math.min(...xs)), 0);
  const last = Math.min(Math.ceil(Math.max(...xs)), sheet.width);
  for (let x = first; x < last; x++) {
    const crossings = crossingsAt(outline, x + 0.5);
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const [top, bottom] = [crossings[i] as number, crossings[i + 1] as number];
      sheet.paint(x, Math.ceil(top - 0.5), Math.ceil(bottom - 0.5), number);
    }
  }
}

function crossingsAt(outline: readonly Point[], x: number): number[] {
  const crossings: number[] = [];
  outline.forEach(([ax, ay], i) => {
    const [bx, by] = outline[(i + 1) % outline.length] as Point;
    if (ax > x !== bx > x) crossings.push(ay + ((x - ax) / (bx - ax)) * (by - ay));
  });
  return crossings.sort((a, b) => a - b);
}
