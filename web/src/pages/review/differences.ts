/**
 * What two answers have in common and in what they differ; without DOM, for every kind of label.
 *
 * Regions (boxes, spans, sounds, masks) are paired one to one, the most alike first. A pair of the same class, in the
 * same place, with the same words and attributes is agreed; everything else is a difference.
 */

/** A part of an item, as any kind of label has it: a class, and a place that `likeness` knows how to read. */
export type Mark = Readonly<Record<string, unknown>> & { readonly label: string };

export type Way = "only_a" | "only_b" | "label" | "place" | "details";

export interface Difference {
  readonly way: Way;
  readonly a: Mark | null;
  readonly b: Mark | null;
}

export interface Comparison {
  /** Pairs that mean the same; A's is the one that is kept. */
  readonly agreed: readonly (readonly [Mark, Mark])[];
  readonly differences: readonly Difference[];
}

/** From here on two regions are meant for the same thing. */
const PARTNERS = 0.3;
/** From here on nobody would draw the second again. */
const SAME_PLACE = 0.7;
/** Pixels within which two points are the same, and beyond which they are none. */
const NEAR = 5;
const FAR = 16;

export function isMarks(value: unknown): value is readonly Mark[] {
  return Array.isArray(value) && value.every((one) => typeof one === "object" && one !== null && "label" in one);
}

export function compareMarks(a: readonly Mark[], b: readonly Mark[]): Comparison {
  const partner = partners(a, b);
  const agreed: [Mark, Mark][] = [];
  const differences: Difference[] = [];
  for (const mark of a) {
    const other = partner.get(mark) ?? null;
    const way = other ? wayOf(mark, other) : "only_a";
    if (other && way === null) agreed.push([mark, other]);
    else differences.push({ way: way ?? "only_a", a: mark, b: other });
  }
  const taken = new Set(partner.values());
  differences.push(...b.filter((mark) => !taken.has(mark)).map((mark): Difference => ({ way: "only_b", a: null, b: mark })));
  return { agreed, differences: differences.sort((x, y) => inPlace(x, y)) };
}

/** In what two regions for the same thing differ; null in nothing. */
function wayOf(a: Mark, b: Mark): Way | null {
  if (a.label !== b.label) return "label";
  if (!isSamePlace(a, b)) return "place";
  return sameDetails(a, b) ? null : "details";
}

interface Pairing {
  readonly mark: Mark;
  readonly other: Mark;
  readonly like: number;
}

/** The most alike first; of those equally alike, the ones of the same class, then the earlier ones. */
function partners(a: readonly Mark[], b: readonly Mark[]): Map<Mark, Mark> {
  const pairs: Pairing[] = [];
  const [p, q] = [a.map(placed), b.map(placed)];
  for (const one of p) {
    for (const two of q) {
      const like = likenessOf(one, two);
      if (like >= PARTNERS) pairs.push({ mark: one.mark, other: two.mark, like: like + (one.mark.label === two.mark.label ? 0.001 : 0) });
    }
  }
  pairs.sort((x, y) => y.like - x.like);
  const found = new Map<Mark, Mark>();
  const taken = new Set<Mark>();
  for (const { mark, other } of pairs) {
    if (found.has(mark) || taken.has(other)) continue;
    found.set(mark, other);
    taken.add(other);
  }
  return found;
}

/** How much of their place two regions share, 0 to 1. */
export function likeness(a: Mark, b: Mark): number {
  return likenessOf(placed(a), placed(b));
}

/** A region with its place read once: thousands are compared with thousands. */
interface Placed {
  readonly mark: Mark;
  readonly bounds: Bounds | null;
  /** What it is, where no place can be read. */
  readonly plain: string;
}

function placed(mark: Mark): Placed {
  const bounds = isStretch(mark) ? { left: mark.start, top: 0, right: mark.end, bottom: 0 } : boundsOf(mark);
  return { mark, bounds, plain: bounds ? "" : plainOf(mark) };
}

function likenessOf({ mark: a, bounds: p, plain: x }: Placed, { mark: b, bounds: q, plain: y }: Placed): number {
  if (p && q) {
    if (p.left > q.right + FAR || q.left > p.right + FAR || p.top > q.bottom + FAR || q.top > p.bottom + FAR) return 0;
    if (isStretch(a) && isStretch(b)) return overlap(p.left, p.right, q.left, q.right);
    return isPoint(a) && isPoint(b) ? nearness(p, q) : overlapOfBounds(p, q);
  }
  // Of a place that cannot be read here (a mask) only equality is known; the same class is the same thing.
  if (x === y) return 1;
  return a.label === b.label ? (PARTNERS + SAME_PLACE) / 2 : 0;
}

/** Borders of words count to the letter; lines of boxes and sounds are drawn by hand. */
function isSamePlace(a: Mark, b: Mark): boolean {
  const isText = isStretch(a) && Number.isInteger(a.start) && Number.isInteger(a.end) && !("text" in a);
  return isText ? likeness(a, b) === 1 : likeness(a, b) >= SAME_PLACE;
}

function sameDetails(a: Mark, b: Mark): boolean {
  return ["text", "attributes"].every((name) => JSON.stringify(a[name] ?? null) === JSON.stringify(b[name] ?? null));
}

function plainOf({ score: _, ...rest }: Mark): string {
  return JSON.stringify(rest);
}

interface Bounds {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

function isStretch(mark: Mark): mark is Mark & { start: number; end: number } {
  return typeof mark["start"] === "number" && typeof mark["end"] === "number";
}

function isPoint(mark: Mark): boolean {
  return typeof mark["x"] === "number" && mark["width"] === undefined;
}

function boundsOf(mark: Mark): Bounds | null {
  const points = mark["points"];
  if (Array.isArray(points)) {
    const [xs, ys] = [0, 1].map((k) => (points as number[][]).map((point) => point[k] ?? 0)) as [number[], number[]];
    return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) };
  }
  const { x, y, width = 0, height = 0 } = mark as unknown as Record<string, number>;
  if (typeof x !== "number" || typeof y !== "number") return null;
  return { left: x, top: y, right: x + width, bottom: y + height };
}

function overlap(from: number, to: number, start: number, end: number): number {
  const both = Math.min(to, end) - Math.max(from, start);
  const all = Math.max(to, end) - Math.min(from, start);
  return all > 0 ? Math.max(both, 0) / all : Number(from === start);
}

function overlapOfBounds(p: Bounds, q: Bounds): number {
  const width = Math.max(Math.min(p.right, q.right) - Math.max(p.left, q.left), 0);
  const height = Math.max(Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top), 0);
  const all = areaOf(p) + areaOf(q) - width * height;
  return all > 0 ? (width * height) / all : 0;
}

function areaOf({ left, top, right, bottom }: Bounds): number {
  return (right - left) * (bottom - top);
}

function nearness(p: Bounds, q: Bounds): number {
  const apart = Math.hypot(p.left - q.left, p.top - q.top);
  if (apart <= NEAR) return 1;
  return apart >= FAR ? 0 : PARTNERS + ((SAME_PLACE - PARTNERS) * (FAR - apart)) / (FAR - NEAR);
}

/** Differences in the order of the item: from its start, from its top left. */
function inPlace(x: Difference, y: Difference): number {
  const [p, q] = [placeOf(x), placeOf(y)];
  return p[0] - q[0] || p[1] - q[1];
}

function placeOf({ a, b }: Difference): [number, number] {
  const mark = (a ?? b) as Mark;
  if (isStretch(mark)) return [mark.start, mark.end];
  const bounds = boundsOf(mark);
  return bounds ? [bounds.top, bounds.left] : [0, 0];
}
