import { effect, type Signal, signal } from "@preact/signals";
import { AudioBoard, type AudioMark, type Stretch } from "web/engines/audio/board";
import type { AudioTrack, Recording } from "web/engines/audio/track";
import { clockOf } from "web/engines/audio/window";
import { actOnRegions, type RegionState } from "web/regions/acts";
import type { Attributes } from "web/regions/attributes/attributes";
import { wordsBeside } from "web/regions/region_list";
import { type Entry, inOrder, type RegionRules, Regions } from "web/regions/regions";
import type { Linked, WidgetContext } from "web/widget";

/** As in `labels/segment/kind.py`: seconds. */
export interface Segment {
  readonly label: string;
  readonly start: number;
  readonly end: number;
  readonly text?: string;
  readonly score?: number;
  readonly attributes?: Attributes;
}

/** In order of time. */
export const SEGMENT_RULES: RegionRules<Segment> = {
  isListedInOrder: true,
  compare: (a, b) => inOrder(keyOf(a), keyOf(b)),
  same: (a, b) => inOrder(keyOf(a), keyOf(b)) === 0,
  agrees: (a, b) => a.label === b.label && Math.min(a.end, b.end) - Math.max(a.start, b.start) > 0.7 * (Math.max(a.end, b.end) - Math.min(a.start, b.start)),
};

function keyOf({ start, end, label, text = "" }: Segment): (number | string)[] {
  return [start, end, label, text];
}

/** The keys of the audio screen, as the board knows them. */
const ACTS: Readonly<Record<string, string>> = { audio_closer: "closer", audio_wider: "wider", audio_whole: "whole" };

/** The class stays in hand from item to item. */
const inHand = { label: "" };

/** One recording and its regions, as both components of the widget share them. */
export class AudioState implements RegionState<Segment>, Linked {
  readonly regions: Regions<Segment>;
  readonly armed: Signal<string>;
  readonly playhead: Signal<number> = signal(0);
  readonly isPlaying: Signal<boolean> = signal(false);
  readonly board: AudioBoard;
  readonly recording: Recording;
  track: AudioTrack | null = null;
  onSight: (() => void) | null = null;
  private readonly stops: (() => void)[] = [];

  constructor(readonly context: WidgetContext<readonly Segment[]>) {
    const { item, schema } = context;
    const { data } = item;
    this.regions = new Regions(context, SEGMENT_RULES);
    this.armed = signal(schema.classes.some(({ name }) => name === inHand.label) ? inHand.label : (schema.classes[0]?.name ?? ""));
    this.recording = "audio" in data ? data : { audio: "" };
    this.board = new AudioBoard("audio" in data ? data.duration : 0, {
      add: (stretch) => this.regions.add({ label: this.armed.peek(), ...stretch }),
      edit: (id, stretch, step) => this.edit(id, stretch, step),
      select: (id) => this.regions.select(id),
      complain: (complaint) => context.say(context.t(`audio.${complaint}`)),
      changed: () => this.changed(),
    });
    this.board.isReadOnly = context.isReadOnly;
    this.keepShown();
  }

  act(act: string): boolean {
    return this.board.act(ACTS[act] ?? act) || actOnRegions(this, act);
  }

  /** The seconds on the screen. */
  sight(): readonly [number, number] {
    return [this.board.window.from, this.board.window.to];
  }

  showSight(sight: unknown): void {
    const { window } = this.board;
    [window.from, window.to] = sight as readonly [number, number];
    this.track?.schedule();
  }

  /** What is said in the region; empty takes it away. */
  write(entry: Entry<Segment>, text: string): void {
    const { text: _, ...bare } = entry.region;
    const words = text.trim();
    if (words !== (entry.region.text ?? "")) this.regions.replace(entry.id, words ? { ...bare, text: words } : bare);
  }

  /** A border as typed, in seconds. */
  type(entry: Entry<Segment>, border: "start" | "end", time: number): void {
    const stretch = { start: entry.region.start, end: entry.region.end, [border]: Math.round(time * 1000) / 1000 };
    const isThere = stretch.start >= 0 && stretch.end <= this.board.duration && stretch.start < stretch.end;
    if (isThere) this.regions.replace(entry.id, { ...entry.region, ...stretch });
    else this.context.say(this.context.t("audio.too_short"));
  }

  dispose(): void {
    this.board.player?.pause();
    for (const stop of this.stops) stop();
  }

  private edit(id: string, stretch: Stretch, step?: string): void {
    const entry = this.regions.entries.peek().find((one) => one.id === id);
    if (entry) this.regions.replace(id, { ...entry.region, start: stretch.start, end: stretch.end }, step);
  }

  private changed(): void {
    this.playhead.value = this.board.playhead;
    this.isPlaying.value = this.board.player?.isPlaying ?? false;
    this.track?.schedule();
    this.onSight?.();
  }

  private keepShown(): void {
    const { regions, board } = this;
    let last: string | null = null;
    this.stops.push(
      effect(() => {
        const selected = regions.selected.value;
        board.show(regions.entries.value.map((entry) => this.markOf(entry)), selected?.id ?? null);
        if (selected && selected.id !== last && !board.gesture) board.window.reveal(selected.region.start, selected.region.end);
        last = selected?.id ?? null;
      }),
      effect(() => {
        inHand.label = this.armed.value;
      }),
    );
  }

  private markOf(entry: Entry<Segment>): AudioMark {
    const { label, start, end, text = "" } = entry.region;
    const index = Math.max(this.context.schema.classes.findIndex(({ name }) => name === label), 0);
    const { id, isSuggested, isDifferent = false } = entry;
    return { id, label, start, end, text, index, isSuggested, note: wordsBeside(this.regions, entry), isDifferent };
  }
}

/** Times, and what is said. */
export function wordsOfSegment({ start, end, text }: Segment): string {
  const times = `${clockOf(start, 2)} – ${clockOf(end, 2)}`;
  return text ? `${times} “${text}”` : times;
}
