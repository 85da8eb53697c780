/** What a hand does to the regions of one recording: draw, take, play, step; without DOM. Times are seconds. */

import { TimeWindow } from "web/engines/audio/window";

export interface Stretch {
  readonly start: number;
  readonly end: number;
}

export interface AudioMark extends Stretch {
  readonly id: string;
  readonly label: string;
  /** Place of the class in the schema, for its colour. */
  readonly index: number;
  readonly text: string;
  readonly isSuggested: boolean;
  readonly note: string;
  /** Another answer does not have it: drawn hatched. */
  readonly isDifferent?: boolean;
}

/** What makes the sound. */
export interface Player {
  readonly isPlaying: boolean;
  /** From `from` until `to`, or the end. */
  play(from: number, to: number | null): void;
  pause(): void;
  seek(time: number): void;
}

export interface AudioOwner {
  add(stretch: Stretch): void;
  edit(id: string, stretch: Stretch, step?: string): void;
  select(id: string | null): void;
  complain(complaint: "too_short" | "no_start"): void;
  changed(): void;
}

export type Edge = "start" | "end";

type Gesture =
  | { readonly kind: "draw"; readonly from: number; to: number }
  | { readonly kind: "edge"; readonly id: string; readonly edge: Edge; now: Stretch; isHeld: boolean }
  | { readonly kind: "move"; readonly id: string; readonly grabbed: number; readonly before: Stretch; now: Stretch };

/** A press: seconds, where it was, and whether on the bars below the waveform. */
export interface Press {
  readonly x: number;
  readonly isOnBars: boolean;
}

const REACH = 6;
const CLICK = 4;
/** Shorter is a slip of the hand: two steps of 10 ms would still be heard as one. */
export const LEAST_SECONDS = 0.005;
const STEP = 0.01;
const FAR_STEP = 1;

export class AudioBoard {
  window: TimeWindow;
  marks: readonly AudioMark[] = [];
  selectedId: string | null = null;
  /** Where the next sound comes from, and where keys set borders. */
  playhead = 0;
  /** A region that was begun by key and has no end yet. */
  begunAt: number | null = null;
  gesture: Gesture | null = null;
  isReadOnly = false;
  player: Player | null = null;
  private pressedX: number | null = null;

  constructor(
    public duration: number,
    readonly owner: AudioOwner,
  ) {
    this.window = new TimeWindow(duration);
  }

  /** How long the recording is, where that was not known before. */
  learnDuration(duration: number): void {
    if (this.duration > 0 || !(duration > 0) || !Number.isFinite(duration)) return;
    const { width } = this.window;
    this.duration = duration;
    this.window = new TimeWindow(duration);
    this.window.width = width;
    this.owner.changed();
  }

  get selected(): AudioMark | null {
    return this.marks.find((mark) => mark.id === this.selectedId) ?? null;
  }

  show(marks: readonly AudioMark[], selectedId: string | null): void {
    this.marks = [...marks].sort((a, b) => a.start - b.start || b.end - a.end);
    this.selectedId = selectedId;
    const { gesture } = this;
    if (gesture && gesture.kind !== "draw" && !marks.some(({ id }) => id === gesture.id)) this.gesture = null;
    this.owner.changed();
  }

  /** A mark as it is on the screen, with what a hand is doing to it. */
  stretchOf(mark: AudioMark): Stretch {
    const { gesture } = this;
    return gesture && gesture.kind !== "draw" && gesture.id === mark.id ? gesture.now : mark;
  }

  press({ x, isOnBars }: Press): void {
    this.pressedX = x;
    if (this.gesture?.kind === "edge") this.follow(x);
    else if (!this.isReadOnly) this.begin(x, isOnBars);
    this.owner.changed();
  }

  move(x: number): void {
    if (this.gesture) this.follow(x);
  }

  release({ x, isOnBars }: Press): void {
    const { gesture, pressedX } = this;
    this.pressedX = null;
    if (pressedX === null) return;
    const isClick = Math.abs(x - pressedX) < CLICK;
    if (isClick && gesture?.kind === "edge" && gesture.isHeld) {
      // A click on an edge picks it up, the next click puts it down: no drag is ever needed.
      gesture.isHeld = false;
      return;
    }
    if (isClick && gesture?.kind !== "edge") this.click(x, isOnBars);
    else this.finish();
    this.owner.changed();
  }

  /** Puts down what was picked up; says whether there was something. */
  finish(): boolean {
    const { gesture } = this;
    this.gesture = null;
    if (!gesture) return false;
    if (gesture.kind === "draw") this.addBetween(gesture.from, gesture.to);
    else if (isLongEnough(gesture.now)) this.owner.edit(gesture.id, gesture.now);
    else this.owner.complain("too_short");
    this.owner.changed();
    return true;
  }

  cancel(): boolean {
    const had = this.gesture !== null || this.begunAt !== null;
    this.gesture = null;
    this.begunAt = null;
    if (had) this.owner.changed();
    return had;
  }

  /** An edge of the selected region near a place. */
  edgeAt(x: number): Edge | null {
    const mark = this.selected;
    if (!mark || this.isReadOnly) return null;
    const away = (time: number) => Math.abs(this.window.xAt(time) - x);
    if (away(mark.start) <= REACH && away(mark.start) < away(mark.end)) return "start";
    return away(mark.end) <= REACH ? "end" : null;
  }

  /** Regions that sound at a time, the shortest first. */
  marksAt(time: number): AudioMark[] {
    return this.marks.filter((mark) => mark.start <= time && time < mark.end).sort((a, b) => a.end - a.start - (b.end - b.start));
  }

  /** Moves the playhead, and the sound with it. */
  seek(time: number): void {
    this.playhead = milliseconds(Math.min(Math.max(time, 0), this.duration));
    this.player?.seek(this.playhead);
    this.owner.changed();
  }

  /** The sound has come this far. */
  played(time: number): void {
    this.playhead = milliseconds(Math.min(time, this.duration));
    if (this.player?.isPlaying && (time > this.window.to || time < this.window.from)) this.window.reveal(time, Math.min(time + this.window.seconds * 0.8, this.duration));
    this.owner.changed();
  }

  act(act: string): boolean {
    if (act === "play") this.play();
    else if (act === "step_back" || act === "step_on") this.step(act === "step_on" ? STEP : -STEP);
    else if (act === "far_back" || act === "far_on") this.step(act === "far_on" ? FAR_STEP : -FAR_STEP);
    else if (act === "closer") this.window.zoomAt(this.zoomCentre(), 2);
    else if (act === "wider") this.window.zoomAt(this.zoomCentre(), 0.5);
    else if (act === "whole") this.window.whole();
    else if (act === "deselect" || act === "undo") return this.cancel();
    else if (act === "accept" && this.gesture) return this.finish();
    else return !this.isReadOnly && this.actOnBorders(act);
    this.owner.changed();
    return true;
  }

  zoom(x: number, factor: number): void {
    this.window.zoomAt(this.window.timeAt(x), factor);
    this.owner.changed();
  }

  pan(pixels: number): void {
    this.window.panBy(pixels / this.window.pixelsPerSecond);
    this.owner.changed();
  }

  private play(): void {
    const { player, selected } = this;
    if (!player) return;
    if (player.isPlaying) player.pause();
    else if (selected) player.play(selected.start, selected.end);
    else player.play(this.playhead >= this.duration - LEAST_SECONDS ? 0 : this.playhead, null);
  }

  private step(seconds: number): void {
    this.player?.pause();
    this.seek(this.playhead + seconds);
    this.window.reveal(this.playhead);
  }

  /** Borders at the playhead: of the selected region, else of a new one. */
  private actOnBorders(act: string): boolean {
    const { selected, playhead } = this;
    if (act === "region_start") {
      // At or behind its end, the selected region is done with: the next one begins.
      if (selected && playhead < selected.end) this.setEdge(selected, "start");
      else {
        this.owner.select(null);
        this.begunAt = playhead;
      }
    } else if (act === "region_end") {
      if (this.begunAt !== null) {
        this.addBetween(this.begunAt, playhead);
        this.begunAt = null;
      } else if (selected) this.setEdge(selected, "end");
      else this.owner.complain("no_start");
    } else return false;
    this.owner.changed();
    return true;
  }

  private setEdge(mark: AudioMark, edge: Edge): void {
    const stretch = { start: mark.start, end: mark.end, [edge]: this.playhead };
    if (isLongEnough(stretch)) this.owner.edit(mark.id, stretch, `${edge}:${mark.id}`);
    else this.owner.complain("too_short");
  }

  private begin(x: number, isOnBars: boolean): void {
    const time = this.window.timeAt(x);
    const edge = this.edgeAt(x);
    const { selected } = this;
    const [bar] = isOnBars ? this.marksAt(time) : [];
    if (edge && selected) this.gesture = { kind: "edge", id: selected.id, edge, now: selected, isHeld: true };
    else if (bar) this.gesture = { kind: "move", id: bar.id, grabbed: time, before: bar, now: bar };
    else if (!isOnBars) this.gesture = { kind: "draw", from: this.limited(time), to: this.limited(time) };
  }

  private follow(x: number): void {
    const { gesture } = this;
    const time = this.limited(this.window.timeAt(x));
    if (gesture?.kind === "draw") gesture.to = time;
    else if (gesture?.kind === "edge") gesture.now = { ...gesture.now, [gesture.edge]: milliseconds(time) };
    else if (gesture?.kind === "move") gesture.now = this.moved(gesture.before, this.window.timeAt(x) - gesture.grabbed);
    this.owner.changed();
  }

  private moved({ start, end }: Stretch, by: number): Stretch {
    const within = Math.min(Math.max(by, -start), this.duration - end);
    return { start: milliseconds(start + within), end: milliseconds(end + within) };
  }

  /** Sets the playhead; selects the region there, each further click the next larger one. */
  private click(x: number, isOnBars: boolean): void {
    this.gesture = null;
    const time = this.limited(this.window.timeAt(x));
    const here = this.marksAt(time);
    const next = here[here.findIndex((mark) => mark.id === this.selectedId) + 1] ?? here[0];
    this.owner.select(next?.id ?? null);
    if (!isOnBars) {
      this.player?.pause();
      this.seek(time);
    }
  }

  private addBetween(a: number, b: number): void {
    const stretch = { start: milliseconds(Math.min(a, b)), end: milliseconds(Math.max(a, b)) };
    if (isLongEnough(stretch)) this.owner.add(stretch);
    else this.owner.complain("too_short");
  }

  private zoomCentre(): number {
    const { selected, playhead, window } = this;
    if (selected && selected.end > window.from && selected.start < window.to) return (selected.start + selected.end) / 2;
    return playhead >= window.from && playhead <= window.to ? playhead : (window.from + window.to) / 2;
  }

  private limited(time: number): number {
    return Math.min(Math.max(time, 0), this.duration);
  }
}

function isLongEnough({ start, end }: Stretch): boolean {
  return end - start >= LEAST_SECONDS;
}

/** Whole milliseconds are finer than any ear and keep values short. */
function milliseconds(time: number): number {
  return Math.round(time * 1000) / 1000;
}
