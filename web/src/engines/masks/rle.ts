/**
 * Masks as run lengths, as in `labels/mask/kind.py`: COCO's packed text, pixels counted down the columns.
 *
 * `Edges` are where runs inside start and end, `[start, end, start, end, ...]`, strictly increasing.
 */

export interface MaskRegion {
  readonly label: string;
  /** Height and width of the image. */
  readonly size: readonly [number, number];
  readonly counts: string;
  readonly score?: number;
}

export type Edges = Int32Array;

/** Code of the character that stands for 0. */
const FIRST = 48;

/** Run lengths of a packed text, the first outside. */
export function unpack(text: string): number[] {
  const counts: number[] = [];
  for (let at = 0; at < text.length; ) {
    let value = 0;
    let shift = 0;
    let code: number;
    do {
      code = text.charCodeAt(at++) - FIRST;
      if (!(code >= 0 && code < 64)) throw new RangeError("no packed run lengths");
      if (shift < 32) value |= (code & 31) << shift;
      shift += 5;
    } while (code & 32);
    if (code & 16 && shift < 32) value |= -1 << shift;
    const n = counts.length;
    counts.push(n > 2 ? value + (counts[n - 2] as number) : value);
  }
  return counts;
}

export function pack(counts: readonly number[]): string {
  const codes: number[] = [];
  counts.forEach((count, i) => {
    let left = i > 2 ? count - (counts[i - 2] as number) : count;
    for (let follows = true; follows; ) {
      const low = left & 31;
      left >>= 5;
      follows = low & 16 ? left !== -1 : left !== 0;
      codes.push((follows ? low | 32 : low) + FIRST);
    }
  });
  // In parts: a call takes only so many arguments.
  let text = "";
  for (let at = 0; at < codes.length; at += 4096) text += String.fromCharCode(...codes.slice(at, at + 4096));
  return text;
}

/** Where runs inside start and end; runs of no pixels are left out. */
export function edgesOf(counts: readonly number[]): Edges {
  const edges: number[] = [];
  let at = 0;
  counts.forEach((count, i) => {
    if (i % 2 && count) {
      if (edges.at(-1) === at) edges[edges.length - 1] = at + count;
      else edges.push(at, at + count);
    }
    at += count;
  });
  return Int32Array.from(edges);
}

export function countsOf(edges: Edges, nPixels: number): number[] {
  const counts: number[] = [];
  let at = 0;
  for (const edge of edges) {
    counts.push(edge - at);
    at = edge;
  }
  if (at < nPixels) counts.push(nPixels - at);
  return counts;
}

const known = new WeakMap<MaskRegion, Edges>();

/** Those of a mask; masks are immutable, so each is read once. */
export function edgesIn(mask: MaskRegion): Edges {
  let edges = known.get(mask);
  if (!edges) {
    edges = edgesOf(unpack(mask.counts));
    known.set(mask, edges);
  }
  return edges;
}

/** The mask of these edges. */
export function maskOf(label: string, size: readonly [number, number], edges: Edges): MaskRegion {
  const mask: MaskRegion = { label, size, counts: pack(countsOf(edges, size[0] * size[1])) };
  known.set(mask, edges);
  return mask;
}

export function areaOf(edges: Edges): number {
  let area = 0;
  for (let i = 0; i < edges.length; i += 2) area += (edges[i + 1] as number) - (edges[i] as number);
  return area;
}

/** Pixels that two masks have in common. */
export function sharedBy(a: Edges, b: Edges): number {
  let shared = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const end = Math.min(a[i + 1] as number, b[j + 1] as number);
    shared += Math.max(end - Math.max(a[i] as number, b[j] as number), 0);
    if (a[i + 1] === end) i += 2;
    else j += 2;
  }
  return shared;
}

/** What of `a` is not in `b`. */
export function without(a: Edges, b: Edges): Edges {
  const left: number[] = [];
  let j = 0;
  for (let i = 0; i < a.length; i += 2) {
    let start = a[i] as number;
    const end = a[i + 1] as number;
    while (j < b.length && (b[j + 1] as number) <= start) j += 2;
    for (let k = j; k < b.length && (b[k] as number) < end; k += 2) {
      if ((b[k] as number) > start) left.push(start, b[k] as number);
      start = b[k + 1] as number;
    }
    if (start < end) left.push(start, end);
  }
  return Int32Array.from(left);
}

/** Intersection over union, 0 to 1. */
export function iouOf(a: Edges, b: Edges): number {
  const shared = sharedBy(a, b);
  const union = areaOf(a) + areaOf(b) - shared;
  return union ? shared / union : 0;
}

export function sameEdges(a: Edges, b: Edges): boolean {
  return a.length === b.length && a.every((edge, i) => edge === b[i]);
}

/** The mask without the pixels of others; itself where it has none of them, null where nothing is left. */
export function besides(mask: MaskRegion, others: readonly MaskRegion[]): MaskRegion | null {
  const before = edgesIn(mask);
  let left = before;
  for (const other of others) if (sharedBy(left, edgesIn(other))) left = without(left, edgesIn(other));
  if (!left.length) return null;
  if (left === before) return mask;
  const cut = { ...mask, counts: pack(countsOf(left, mask.size[0] * mask.size[1])) };
  known.set(cut, left);
  return cut;
}
