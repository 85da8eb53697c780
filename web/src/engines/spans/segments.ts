/** Overlapping spans as flat segments: the text is cut at every border, and each segment knows who covers it. */

/** A span in UTF-16 units of the whole text, as the engine keeps it. */
export interface SpanMark {
  readonly id: string;
  readonly start: number;
  readonly end: number;
  readonly label: string;
  /** Place of the class in the schema, for its colour. */
  readonly index: number;
  readonly isSuggested: boolean;
  /** Source and score of a suggestion. */
  readonly note: string;
  /** Another answer does not have it: drawn hatched. */
  readonly isDifferent?: boolean;
}

export interface Layer {
  readonly mark: SpanMark;
  /** Which line below the text is the mark's, from 0. */
  readonly lane: number;
}

export interface Segment {
  readonly start: number;
  readonly end: number;
  readonly layers: readonly Layer[];
  /** Marks that begin here: their names stand before the segment. */
  readonly begins: readonly SpanMark[];
}

/** Longest first at one start, so that what is nested gets a later lane. */
export function inReadingOrder(a: SpanMark, b: SpanMark): number {
  return a.start - b.start || b.end - a.end || a.index - b.index || (a.id < b.id ? -1 : 1);
}

/** Each mark on the first lane that is free where it begins. Marks must be in reading order. */
export function inLanes(marks: readonly SpanMark[]): Layer[] {
  const freeFrom: number[] = [];
  return marks.map((mark) => {
    const free = freeFrom.findIndex((end) => end <= mark.start);
    const lane = free < 0 ? freeFrom.length : free;
    freeFrom[lane] = mark.end;
    return { mark, lane };
  });
}

/** The stretch [start, end) cut at every border of the marks, which must be in reading order. */
export function segmentsOf(marks: readonly SpanMark[], start: number, end: number): Segment[] {
  const layers = inLanes(marks);
  const borders = new Set([start, end]);
  for (const { start: from, end: to } of marks) {
    if (from > start && from < end) borders.add(from);
    if (to > start && to < end) borders.add(to);
  }
  const cuts = [...borders].sort((a, b) => a - b);
  const segments: Segment[] = [];
  let next = 0;
  let open: Layer[] = [];
  for (let i = 0; i + 1 < cuts.length; i++) {
    const [from, to] = [cuts[i] as number, cuts[i + 1] as number];
    open = open.filter(({ mark }) => mark.end > from);
    for (; next < layers.length && (layers[next] as Layer).mark.start <= from; next++) {
      const layer = layers[next] as Layer;
      if (layer.mark.end > from) open.push(layer);
    }
    const begins = open.filter(({ mark }) => mark.start === from).map(({ mark }) => mark);
    segments.push({ start: from, end: to, layers: [...open], begins });
  }
  return segments;
}

/** Whether a segment looks the same as another, so that what is on the screen can stay. */
export function looksAlike(a: Segment, b: Segment): boolean {
  return (
    a.start === b.start &&
    a.end === b.end &&
    a.layers.length === b.layers.length &&
    a.layers.every((layer, i) => {
      const other = b.layers[i] as Layer;
      return layer.lane === other.lane && looksTheSame(layer.mark, other.mark);
    })
  );
}

function looksTheSame(a: SpanMark, b: SpanMark): boolean {
  return (
    a === b ||
    (a.id === b.id && a.start === b.start && a.end === b.end && a.label === b.label && a.isSuggested === b.isSuggested && a.note === b.note)
  );
}

/** The text's paragraphs as [start, end), each with the line break that ends it. */
export function paragraphsOf(text: string): [number, number][] {
  const paragraphs: [number, number][] = [];
  let start = 0;
  while (start < text.length) {
    const at = text.indexOf("\n", start);
    const end = at < 0 ? text.length : at + 1;
    paragraphs.push([start, end]);
    start = end;
  }
  return paragraphs.length ? paragraphs : [[0, 0]];
}
