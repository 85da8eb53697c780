/** What is particular about boxes, polygons and points as regions: order, sameness, words. */

import { areaOf, type BoxShape, boundsOf, distance, isBox, isPolygon, type Shape } from "web/engines/shapes/shape";
import { inOrder, type RegionRules } from "web/regions/regions";

/** Two boxes with this much in common are called by both sources' names. */
const AGREED = 0.7;
/** Pixels within which two points are. */
const NEAR = 5;

export const SHAPE_RULES: RegionRules<Shape> = {
  compare: (a, b) => inOrder(placeOf(a), placeOf(b)) || inOrder([a.label], [b.label]),
  same: (a, b) => a.label === b.label && inOrder(placeOf(a), placeOf(b)) === 0,
  agrees: (a, b) => a.label === b.label && haveInCommon(a, b),
};

function placeOf(shape: Shape): number[] {
  if (isPolygon(shape)) return shape.points.flat();
  return isBox(shape) ? [shape.x, shape.y, shape.width, shape.height, shape.rotation ?? 0] : [shape.x, shape.y];
}

function haveInCommon(a: Shape, b: Shape): boolean {
  if (areaOf(a) === 0 || areaOf(b) === 0) return distance(pointOf(a), pointOf(b)) <= NEAR;
  const [p, q] = [boundsOf(a), boundsOf(b)];
  const width = Math.min(p.right, q.right) - Math.max(p.left, q.left);
  const height = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
  const both = Math.max(width, 0) * Math.max(height, 0);
  const all = (p.right - p.left) * (p.bottom - p.top) + (q.right - q.left) * (q.bottom - q.top) - both;
  return both / all >= AGREED;
}

function pointOf(shape: Shape): [number, number] {
  const { left, top } = boundsOf(shape);
  return [left, top];
}

/** Size of a box, corners of a polygon, place of a point. */
export function wordsOfShape(shape: Shape, t: (key: string, values: { n: number }) => string): string {
  if (isPolygon(shape)) return t("shapes.n_corners", { n: shape.points.length });
  if (!isBox(shape)) return `${Math.round(shape.x)}, ${Math.round(shape.y)}`;
  const turn = shape.rotation ? ` ${Math.round(shape.rotation)}°` : "";
  return `${Math.round(shape.width)} × ${Math.round(shape.height)}${turn}`;
}

export type BoxField = "x" | "y" | "width" | "height" | "rotation";

/** The box with one number typed anew; null for what is no box. */
export function withField(box: BoxShape, field: BoxField, value: number): BoxShape | null {
  if (!Number.isFinite(value)) return null;
  if (field !== "rotation") return value > 0 || field === "x" || field === "y" ? { ...box, [field]: value } : null;
  const { rotation: _, ...flat } = box;
  const rotation = ((value % 180) + 180) % 180;
  return rotation ? { ...flat, rotation } : flat;
}
