/**
 * Which mask each pixel belongs to: one number a pixel, 0 for none.
 *
 * Pixels lie column after column, as in the run lengths: what changes in some columns changes one stretch of memory,
 * and only that stretch is read to tell the masks' new runs. A stroke on 16 million pixels costs what it touches.
 */

import { type Edges, sameEdges } from "web/engines/masks/rle";
import type { Size } from "web/engines/shapes/shape";

/** Pixels from `left` to below `right`, from `top` to below `bottom`. */
export interface Rect {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export class Sheet {
  readonly pixels: Uint16Array;
  readonly width: number;
  readonly height: number;
  /** What is to be painted on the screen anew. */
  private toPaint: Rect | null = null;
  /** Columns that were painted on since the runs were last told. */
  private from = Infinity;
  private to = 0;
  private readonly edges = new Map<number, Edges>();

  constructor({ width, height }: Size) {
    this.width = width;
    this.height = height;
    this.pixels = new Uint16Array(width * height);
  }

  at(x: number, y: number): number {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height) return 0;
    return this.pixels[x * this.height + y] as number;
  }

  /** The runs of a number as they were when last told. */
  edgesOf(number: number): Edges {
    return this.edges.get(number) ?? NONE;
  }

  get hasChanges(): boolean {
    return this.from < this.to;
  }

  /** Gives the pixels of a column, `top` to below `bottom`, a number; cut at the border. */
  paint(x: number, top: number, bottom: number, number: number): void {
    if (x < 0 || x >= this.width) return;
    const [first, last] = [Math.max(top, 0), Math.min(bottom, this.height)];
    if (first >= last) return;
    this.pixels.fill(number, x * this.height + first, x * this.height + last);
    this.from = Math.min(this.from, x);
    this.to = Math.max(this.to, x + 1);
    this.touch({ left: x, top: first, right: x + 1, bottom: last });
  }

  /** Gives a number to those of some pixels that have none. */
  paintBelow(edges: Edges, number: number): void {
    const { pixels, height } = this;
    for (let i = 0; i < edges.length; i += 2) {
      for (let at = edges[i] as number; at < (edges[i + 1] as number); at++) if (!pixels[at]) pixels[at] = number;
    }
    if (!edges.length) return;
    this.from = Math.min(this.from, Math.floor((edges[0] as number) / height));
    this.to = Math.max(this.to, Math.ceil((edges.at(-1) as number) / height));
    this.touch({ left: this.from, top: 0, right: this.to, bottom: height });
  }

  /** The new runs of every number whose pixels have changed; what was painted is now what is told. */
  tell(): Map<number, Edges> {
    const changed = new Map<number, Edges>();
    if (!this.hasChanges) return changed;
    const [first, last] = [this.from * this.height, this.to * this.height];
    const found = this.runsWithin(first, last);
    for (const number of new Set([...this.edges.keys(), ...found.keys()])) {
      const before = this.edgesOf(number);
      const after = joined(before, found.get(number) ?? [], first, last);
      if (sameEdges(before, after)) continue;
      changed.set(number, after);
      if (after.length) this.edges.set(number, after);
      else this.edges.delete(number);
    }
    [this.from, this.to] = [Infinity, 0];
    return changed;
  }

  /** Takes back what was painted since the runs were last told. */
  restore(): void {
    if (!this.hasChanges) return;
    this.repaint(this.from * this.height, this.to * this.height);
    [this.from, this.to] = [Infinity, 0];
  }

  /** Shows these masks and no others; paints only where their runs differ from those there are. */
  show(masks: ReadonlyMap<number, Edges>): void {
    this.restore();
    let [first, last] = [Infinity, 0];
    for (const number of new Set([...this.edges.keys(), ...masks.keys()])) {
      const [before, after] = [this.edgesOf(number), masks.get(number) ?? NONE];
      const stretch = before === after ? null : difference(before, after);
      if (stretch) [first, last] = [Math.min(first, stretch[0]), Math.max(last, stretch[1])];
      if (after.length) this.edges.set(number, after);
      else this.edges.delete(number);
    }
    if (first < last) this.repaint(first, last);
  }

  /** What has to be painted on the screen since this was last asked. */
  takeDirty(): Rect | null {
    const { toPaint } = this;
    this.toPaint = null;
    return toPaint;
  }

  private repaint(first: number, last: number): void {
    const { pixels, height } = this;
    pixels.fill(0, first, last);
    for (const [number, edges] of this.edges) {
      for (let i = firstRunAfter(edges, first); i < edges.length && (edges[i] as number) < last; i += 2) {
        pixels.fill(number, Math.max(edges[i] as number, first), Math.min(edges[i + 1] as number, last));
      }
    }
    this.touch({ left: Math.floor(first / height), top: 0, right: Math.ceil(last / height), bottom: height });
  }

  private runsWithin(first: number, last: number): Map<number, number[]> {
    const { pixels } = this;
    const runs = new Map<number, number[]>();
    for (let at = first; at < last; ) {
      const number = pixels[at] as number;
      const start = at;
      while (at < last && pixels[at] === number) at++;
      if (!number) continue;
      const ofNumber = runs.get(number);
      if (ofNumber) ofNumber.push(start, at);
      else runs.set(number, [start, at]);
    }
    return runs;
  }

  private touch(rect: Rect): void {
    const { toPaint } = this;
    this.toPaint = toPaint ? around(toPaint, rect) : rect;
  }
}

const NONE: Edges = new Int32Array(0);

export function around(a: Rect, b: Rect): Rect {
  return {
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right),
    bottom: Math.max(a.bottom, b.bottom),
  };
}

/** Runs as before outside `first` to `last`, as found within; what meets at the seams is one run. */
function joined(before: Edges, found: readonly number[], first: number, last: number): Edges {
  const edges: number[] = [];
  const add = (start: number, end: number) => {
    if (start >= end) return;
    if (edges.at(-1) === start) edges[edges.length - 1] = end;
    else edges.push(start, end);
  };
  let i = 0;
  for (; i < before.length && (before[i] as number) < first; i += 2) add(before[i] as number, Math.min(before[i + 1] as number, first));
  for (let j = 0; j < found.length; j += 2) add(found[j] as number, found[j + 1] as number);
  for (i = firstRunAfter(before, last); i < before.length; i += 2) add(Math.max(before[i] as number, last), before[i + 1] as number);
  return Int32Array.from(edges);
}

/** From the first to the last pixel that two masks do not agree on; null for equal ones. */
function difference(a: Edges, b: Edges): [number, number] | null {
  if (sameEdges(a, b)) return null;
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let back = 1;
  while (back <= a.length - start && back <= b.length - start && a[a.length - back] === b[b.length - back]) back++;
  const first = Math.min(a[start] ?? Infinity, b[start] ?? Infinity);
  const last = Math.max(a[a.length - back] ?? 0, b[b.length - back] ?? 0);
  return [first, last];
}

/** Place of the first run that ends after a pixel, by halving. */
function firstRunAfter(edges: Edges, pixel: number): number {
  let [low, high] = [0, edges.length / 2];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((edges[2 * middle + 1] as number) > pixel) high = middle;
    else low = middle + 1;
  }
  return 2 * low;
}
