/**
 * Unicode code points, in which the API and Python count, and UTF-16 units, in which the browser does.
 *
 * Only characters beyond the Basic Multilingual Plane differ (two units, one code point), so their places are all that
 * is kept. A lone surrogate is one unit and one code point, as in Python.
 */
export class Offsets {
  /** Where the first unit of each pair stands. */
  private readonly pairs: readonly number[];

  constructor(readonly text: string) {
    this.pairs = [...text.matchAll(/[\uD800-\uDBFF][\uDC00-\uDFFF]/g)].map((match) => match.index);
  }

  /** Code points in the text. */
  get length(): number {
    return this.text.length - this.pairs.length;
  }

  /** UTF-16 offset of a code point offset. */
  toUnits(point: number): number {
    return point + this.count((pair, k) => pair - k < point);
  }

  /** Code point offset of a UTF-16 offset; one inside a pair counts as behind it. */
  toPoints(unit: number): number {
    return unit - this.count((pair) => pair + 1 < unit);
  }

  /** How many pairs, from the first on, fulfil what holds for all up to some place and for none behind it. */
  private count(holds: (pair: number, k: number) => boolean): number {
    let low = 0;
    let high = this.pairs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (holds(this.pairs[middle] as number, middle)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
