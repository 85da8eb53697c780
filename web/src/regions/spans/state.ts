import { effect, type Signal, signal } from "@preact/signals";
import { SpanBoard } from "web/engines/spans/board";
import type { SpanPage } from "web/engines/spans/page";
import type { SpanMark } from "web/engines/spans/segments";
import { actOnRegions, type RegionState } from "web/regions/acts";
import type { Attributes } from "web/regions/attributes/attributes";
import { wordsBeside } from "web/regions/region_list";
import { type Entry, inOrder, type RegionRules, Regions } from "web/regions/regions";
import type { ClassOfSchema } from "web/tasks";
import type { WidgetContext } from "web/widget";

/** As in `labels/span/kind.py`: code points, half-open. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly label: string;
  readonly score?: number;
  readonly attributes?: Attributes;
}

/** By start, end and class order. */
export function spanRules(classes: readonly ClassOfSchema[]): RegionRules<Span> {
  const placeOf = new Map(classes.map(({ name }, place) => [name, place]));
  const key = (span: Span) => [span.start, span.end, placeOf.get(span.label) ?? classes.length];
  return {
    isListedInOrder: true,
    compare: (a, b) => inOrder(key(a), key(b)),
    same: (a, b) => a.start === b.start && a.end === b.end && a.label === b.label,
  };
}

/** Of its attributes before the words of a span, which they push aside. */
const MOST_LETTERS = 18;

/** Snapping stays as the person left it. */
const inHand = { snapsToWords: true, label: "" };

/** One text and its spans, as both components of the widget share them. */
export class SpanState implements RegionState<Span> {
  readonly regions: Regions<Span>;
  /** The class that every marked stretch gets at once; empty: mark first, then name. */
  readonly armed: Signal<string>;
  readonly snapsToWords: Signal<boolean>;
  readonly hasSelection: Signal<boolean> = signal(false);
  readonly board: SpanBoard;
  page: SpanPage | null = null;
  private readonly stops: (() => void)[] = [];
  private readonly known = new WeakMap<Span, SpanMark>();

  constructor(readonly context: WidgetContext<readonly Span[]>) {
    const { item, schema } = context;
    const [only] = schema.classes;
    this.regions = new Regions(context, spanRules(schema.classes));
    this.armed = signal(schema.classes.length === 1 && only ? only.name : schema.classes.some(({ name }) => name === inHand.label) ? inHand.label : "");
    this.snapsToWords = signal(inHand.snapsToWords);
    this.board = new SpanBoard("text" in item.data ? item.data.text : "", {
      edit: (id, stretch) => this.edit(id, stretch),
      select: (id) => this.regions.select(id),
      marked: () => this.marked(),
      changed: () => this.changed(),
    });
    this.keepShown();
  }

  act(act: string): boolean {
    if (act === "word_snap") {
      this.snapsToWords.value = !this.snapsToWords.value;
      this.context.say(this.context.t(this.snapsToWords.value ? "spans.snaps" : "spans.snaps_not"));
      return true;
    }
    if (act === "deselect" && this.board.selection) {
      this.board.place(null);
      return true;
    }
    if (act === "deselect" && this.regions.selectedId.peek() === null && this.armed.peek() && this.context.schema.classes.length > 1) {
      this.armed.value = "";
      return true;
    }
    return this.actOnCaret(act) || actOnRegions(this, act);
  }

  /** What is marked becomes a span of this class. */
  labelMarked(label: string): boolean {
    const { board } = this;
    const [anchor, focus] = this.page?.marked() ?? [0, 0];
    const marked = board.selection ?? { start: Math.min(anchor, focus), end: Math.max(anchor, focus) };
    const stretch = board.snapped(marked);
    if (!stretch || this.context.isReadOnly) return false;
    const { offsets } = board;
    // The caret stays behind the span, for going on by keys.
    board.place(stretch.end);
    this.regions.add({ start: offsets.toPoints(stretch.start), end: offsets.toPoints(stretch.end), label });
    return true;
  }

  /** The characters that a span covers, on one line. */
  textOf(span: Span): string {
    const { offsets, text } = this.board;
    return oneLine(text.slice(offsets.toUnits(span.start), offsets.toUnits(span.end)));
  }

  dispose(): void {
    for (const stop of this.stops) stop();
  }

  private actOnCaret(act: string): boolean {
    const { board, page } = this;
    const [what, where] = act.split("_");
    if ((what !== "caret" && what !== "extend") || !where) return false;
    if (this.context.isReadOnly) return false;
    const isExtending = what === "extend";
    if (where === "left" || where === "right") board.step(where === "left" ? -1 : 1, isExtending);
    else {
      const from = board.focus ?? 0;
      if (isExtending && board.anchor === null) board.place(0);
      if (!isExtending) this.regions.select(null);
      const to = page?.lineFrom(from, where === "up" ? -1 : 1);
      if (to !== null && to !== undefined) board.goTo(to, isExtending);
      else if (board.focus === null) board.place(0);
    }
    if (board.focus !== null && board.selectedId === null) page?.reveal(board.focus);
    return true;
  }

  private edit(id: string, stretch: { start: number; end: number }): void {
    const entry = this.regions.entries.peek().find((one) => one.id === id);
    const { offsets } = this.board;
    if (!entry) return;
    const span = { ...entry.region, start: offsets.toPoints(stretch.start), end: offsets.toPoints(stretch.end) };
    this.regions.replace(id, span, `border:${id}`);
  }

  private marked(): void {
    if (this.armed.peek() && !this.context.isReadOnly) this.labelMarked(this.armed.peek());
  }

  private changed(): void {
    this.hasSelection.value = this.board.selection !== null;
    this.page?.update();
  }

  private keepShown(): void {
    const { regions, board } = this;
    let last: string | null = null;
    this.stops.push(
      effect(() => {
        const entries = regions.entries.value;
        const selected = regions.selected.value;
        board.show(entries.map((entry) => this.markOf(entry)), selected?.id ?? null);
        if (selected && selected.id !== last) this.page?.reveal(board.offsets.toUnits(selected.region.start));
        last = selected?.id ?? null;
      }),
      effect(() => {
        board.snapsToWords = this.snapsToWords.value;
        inHand.snapsToWords = this.snapsToWords.value;
        inHand.label = this.armed.value;
      }),
    );
  }

  /** The same mark for the same region, so that paragraphs without news are not looked at. */
  private markOf(entry: Entry<Span>): SpanMark {
    const { region, id, isSuggested, isDifferent = false } = entry;
    const note = wordsBeside(this.regions, entry, entry.score === null ? "" : `${Math.round(entry.score * 100)} %`, MOST_LETTERS);
    const known = this.known.get(region);
    if (known && known.id === id && known.isSuggested === isSuggested && known.note === note && known.isDifferent === isDifferent) return known;
    const { offsets } = this.board;
    const mark = {
      id,
      start: offsets.toUnits(region.start),
      end: offsets.toUnits(region.end),
      label: region.label,
      index: Math.max(this.context.schema.classes.findIndex(({ name }) => name === region.label), 0),
      isSuggested,
      note,
      isDifferent,
    };
    this.known.set(region, mark);
    return mark;
  }
}

/** The characters of a text that a span covers, on one line. */
export function wordsOfSpan({ start, end }: Span, text: string): string {
  return oneLine(Array.from(text).slice(start, end).join(""));
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ");
}
