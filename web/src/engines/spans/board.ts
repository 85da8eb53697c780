/**
 * What a hand does to the spans of one text: select, extend, walk with the caret; without DOM.
 *
 * All offsets here are UTF-16 units of the text; `offsets` translates at the border.
 */

import { Offsets } from "web/engines/spans/offsets";
import { inReadingOrder, paragraphsOf, type SpanMark } from "web/engines/spans/segments";
import { type Borders, nextStop, type Stretch, wholeCharacters, wholeWords } from "web/engines/spans/words";

export interface SpanOwner {
  /** A span's borders were moved. */
  edit(id: string, stretch: Stretch): void;
  select(id: string | null): void;
  /** A stretch was marked and let go of; it is in `selection`. */
  marked(): void;
  changed(): void;
}

export class SpanBoard {
  readonly offsets: Offsets;
  readonly paragraphs: readonly (readonly [number, number])[];
  marks: readonly SpanMark[] = [];
  selectedId: string | null = null;
  /** Where marking began and where it is now; equal for a mere caret, null before the text was touched. */
  anchor: number | null = null;
  focus: number | null = null;
  snapsToWords = true;

  constructor(
    readonly text: string,
    readonly owner: SpanOwner,
  ) {
    this.offsets = new Offsets(text);
    this.paragraphs = paragraphsOf(text);
  }

  /** What is marked, if it is more than a place. */
  get selection(): Stretch | null {
    const { anchor, focus } = this;
    if (anchor === null || focus === null || anchor === focus) return null;
    return { start: Math.min(anchor, focus), end: Math.max(anchor, focus) };
  }

  show(marks: readonly SpanMark[], selectedId: string | null): void {
    this.marks = [...marks].sort(inReadingOrder);
    this.selectedId = selectedId;
    this.owner.changed();
  }

  /** The pointer has marked from `anchor` to `focus`: grown to whole words, or a click where nothing was. */
  mark(anchor: number, focus: number): void {
    const stretch = this.snapped({ start: Math.min(anchor, focus), end: Math.max(anchor, focus) });
    if (!stretch) {
      this.place(focus);
      return;
    }
    [this.anchor, this.focus] = anchor <= focus ? [stretch.start, stretch.end] : [stretch.end, stretch.start];
    this.owner.select(null);
    this.owner.marked();
    this.owner.changed();
  }

  /** A click that extends: what is marked, or the caret, and from there to the character at `at`, that included. */
  extendTo(at: number): void {
    const place = this.anchor ?? at;
    const { start, end } = this.selection ?? { start: place, end: place };
    if (at < start) this.mark(end, at);
    else this.mark(start, at + 1);
  }

  /** A click: on a span it selects it, each further click the next larger one there; else it places the caret. */
  click(at: number): void {
    const here = this.spansAt(at);
    const next = here[here.findIndex((mark) => mark.id === this.selectedId) + 1] ?? here[0];
    this.place(at);
    this.owner.select(next?.id ?? null);
  }

  place(at: number | null): void {
    this.anchor = at;
    this.focus = at;
    this.owner.changed();
  }

  /** Spans that cover the character at `at`, the shortest first. */
  spansAt(at: number): SpanMark[] {
    return this.marks.filter((mark) => mark.start <= at && at < mark.end).sort((a, b) => a.end - a.start - (b.end - b.start));
  }

  /**
   * Moves the caret by a word or character; with a span selected, its start (or with `extends`, its end).
   *
   * Without a span, `extends` marks text from where the caret was.
   */
  step(by: 1 | -1, isExtending: boolean): void {
    const span = this.marks.find((mark) => mark.id === this.selectedId);
    if (span) this.moveBorder(span, isExtending ? "end" : "start", by);
    else if (this.focus === null || this.anchor === null) this.place(0);
    else this.goTo(this.stop(this.focus, by), isExtending);
  }

  /** The caret goes to a place; marking on the way if `isExtending`. */
  goTo(at: number, isExtending: boolean): void {
    this.focus = at;
    if (!isExtending) this.anchor = at;
    this.owner.changed();
  }

  /** The next place for the caret in that direction. */
  stop(from: number, by: 1 | -1, borders?: Borders): number {
    const [start, end] = this.paragraphAt(by > 0 ? from : from - 1);
    if (by > 0 && from >= end) return from;
    if (by < 0 && from <= 0) return 0;
    return start + nextStop(this.text.slice(start, end), from - start, by, this.snapsToWords, borders);
  }

  /** The stretch as whole words (or characters); null for nothing but space. */
  snapped({ start, end }: Stretch): Stretch | null {
    const grow = this.snapsToWords ? wholeWords : wholeCharacters;
    const [head] = this.paragraphAt(start);
    const [, tail] = this.paragraphAt(Math.max(end - 1, start));
    const found = grow(this.text.slice(head, tail), { start: start - head, end: end - head });
    return found && { start: found.start + head, end: found.end + head };
  }

  paragraphAt(at: number): readonly [number, number] {
    return this.paragraphs[this.paragraphIndexAt(at)] as readonly [number, number];
  }

  paragraphIndexAt(at: number): number {
    let low = 0;
    let high = this.paragraphs.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.paragraphs[middle] as readonly [number, number])[0] <= at) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  private moveBorder(span: SpanMark, border: "start" | "end", by: 1 | -1): void {
    const moved = { start: span.start, end: span.end, [border]: this.stop(span[border], by, border === "end" ? "ends" : "begins") };
    if (moved.start < moved.end) this.owner.edit(span.id, moved);
  }
}
