/**
 * What a hand does to the masks of one image: paint, erase, fill, outline, choose; without DOM.
 *
 * As the board of shapes it keeps no list of its own: masks come by `show`, and what a stroke makes of them goes out by
 * `change` when it ends. Between, the sheet is ahead of the list; `cancel` takes the stroke back.
 */

import { Layers, type Made, type MaskMark } from "web/engines/masks/layers";
import { edgesIn, type MaskRegion } from "web/engines/masks/rle";
import { fill, fillOutline, stroke } from "web/engines/masks/strokes";
import { clampPoint, distance, type Point, type Size } from "web/engines/shapes/shape";
import { View } from "web/engines/shapes/view";

export type MaskTool = "select" | "brush" | "eraser" | "fill" | "polygon";

export type MaskComplaint = "too_few" | "nothing_to_erase";

export interface MaskBoardOwner {
  change(made: Made): void;
  select(id: string | null): void;
  /** The class that is painted. */
  label(): string;
  complain(complaint: MaskComplaint): void;
  /** The pen of the keyboard was put down or lifted. */
  pen(isDown: boolean): void;
  resized(diameter: number): void;
  changed(): void;
}

export type MaskGesture =
  | { readonly kind: "pan"; last: Point; readonly isClick: boolean }
  /** `isKey`: the pen of the keyboard, which stays down until it is lifted. */
  | { readonly kind: "stroke"; last: Point; readonly number: number; readonly isKey: boolean }
  | { readonly kind: "polygon"; readonly points: Point[]; to: Point };

export interface MaskPress {
  readonly at: Point;
  readonly isPan?: boolean;
}

const CLICK = 4;
const REACH = 8;
export const LARGEST_BRUSH = 400;

const STEPS: Readonly<Record<string, Point>> = {
  nudge_left: [-1, 0],
  nudge_right: [1, 0],
  nudge_up: [0, -1],
  nudge_down: [0, 1],
  nudge_left_far: [-10, 0],
  nudge_right_far: [10, 0],
  nudge_up_far: [0, -10],
  nudge_down_far: [0, 10],
};

export class MaskBoard {
  readonly view: View;
  layers: Layers;
  tool: MaskTool = "brush";
  /** Of the brush, in pixels of the image. */
  diameter: number;
  /** Where the next dab goes, in pixels of the image; null before any. */
  cursor: Point | null = null;
  /** Whether the keyboard has put the cursor there: then it is drawn with a cross. */
  isCursorByKey = false;
  marks: readonly MaskMark[] = [];
  selectedId: string | null = null;
  gesture: MaskGesture | null = null;
  isReadOnly = false;
  /** The next stroke makes a mask of its own, whatever of its class there is. */
  wantsNew = false;
  private pressedAt: Point | null = null;

  constructor(
    public size: Size,
    readonly owner: MaskBoardOwner,
  ) {
    this.view = new View(size);
    this.layers = new Layers(size);
    this.diameter = brushFor(size);
  }

  /** How large the image is, where that was not known before. */
  learnSize(size: Size): void {
    if (this.size.width > 1 || this.size.height > 1) return;
    this.size = size;
    this.view.learnSize(size);
    this.diameter = brushFor(size);
    this.layers = new Layers(size);
    this.layers.show(this.marks);
    this.owner.changed();
  }

  get selected(): MaskMark | null {
    return this.marks.find((mark) => mark.id === this.selectedId) ?? null;
  }

  /** The masks as they are now. A stroke that was under way is over. */
  show(marks: readonly MaskMark[], selectedId: string | null): void {
    if (marks !== this.marks) {
      if (this.gesture?.kind === "stroke") this.gesture = null;
      this.marks = marks;
      this.layers.show(marks);
    }
    if (selectedId !== this.selectedId) this.wantsNew = false;
    this.selectedId = selectedId;
    this.owner.changed();
  }

  use(tool: MaskTool): void {
    this.cancel();
    this.tool = tool;
    this.owner.changed();
  }

  resizeBrush(diameter: number): void {
    this.diameter = Math.min(Math.max(Math.round(diameter), 1), LARGEST_BRUSH);
    this.owner.resized(this.diameter);
    this.owner.changed();
  }

  /** Takes back what was begun; says whether there was something. */
  cancel(): boolean {
    const { gesture } = this;
    this.gesture = null;
    if (!gesture) return false;
    if (gesture.kind === "stroke") {
      this.layers.restore();
      if (gesture.isKey) this.owner.pen(false);
    }
    this.owner.changed();
    return gesture.kind !== "pan";
  }

  press({ at, isPan }: MaskPress): void {
    if (this.gesture?.kind === "stroke") this.finish();
    this.pressedAt = at;
    this.point(at);
    const place = this.view.toImage(at);
    if (isPan || this.isReadOnly || this.tool === "select") this.gesture = { kind: "pan", last: at, isClick: !isPan };
    else if (this.gesture?.kind === "polygon") this.addCorner(at);
    else this.begin(place, false);
    this.owner.changed();
  }

  move({ at }: MaskPress): void {
    const { gesture } = this;
    if (gesture?.kind === "pan") {
      this.view.panBy(at[0] - gesture.last[0], at[1] - gesture.last[1]);
      gesture.last = at;
    } else if (gesture?.kind === "stroke" && !gesture.isKey) this.extend(this.view.toImage(at));
    else if (gesture?.kind === "polygon") gesture.to = clampPoint(this.view.toImage(at), this.size);
    if (gesture?.kind !== "stroke" || !gesture.isKey) this.point(at);
    this.owner.changed();
  }

  release({ at }: MaskPress): void {
    const { gesture, pressedAt } = this;
    this.pressedAt = null;
    if (gesture?.kind === "pan") {
      this.gesture = null;
      if (gesture.isClick && pressedAt && distance(pressedAt, at) < CLICK) this.choose(this.view.toImage(at));
    } else if (gesture?.kind === "stroke" && !gesture.isKey) this.finish();
    this.owner.changed();
  }

  /** The pointer is elsewhere: no brush is shown. */
  leave(): void {
    if (this.gesture || this.isCursorByKey) return;
    this.cursor = null;
    this.owner.changed();
  }

  doubleClick(at: Point): void {
    if (this.gesture?.kind === "polygon") {
      // The second click of one that has just closed a polygon has begun another.
      if (this.gesture.points.length === 1) this.cancel();
      else this.finish();
    } else if (this.tool === "select" && !this.layers.markAt(this.view.toImage(at))) {
      this.view.centreOn(this.view.toImage(at));
      this.owner.changed();
    }
  }

  zoom(at: Point, factor: number): void {
    this.view.zoomAt(at, factor);
    this.owner.changed();
  }

  pan(dx: number, dy: number): void {
    this.view.panBy(dx, dy);
    this.owner.changed();
  }

  /** Ends what was begun and hands out what it made; says whether there was something. */
  finish(): boolean {
    const { gesture } = this;
    if (!gesture || gesture.kind === "pan") return false;
    if (gesture.kind === "polygon") {
      if (gesture.points.length < 3) {
        this.owner.complain("too_few");
        return true;
      }
      fillOutline(this.layers.sheet, gesture.points, this.target());
    }
    this.gesture = null;
    if (gesture.kind === "stroke" && gesture.isKey) this.owner.pen(false);
    this.handOut();
    this.owner.changed();
    return true;
  }

  /** An act of the key table; false where it means nothing here. */
  act(act: string): boolean {
    if (this.actOnGesture(act) || this.actOnView(act)) return true;
    if (this.isReadOnly) return false;
    if (act === "smaller_brush") this.resizeBrush(Math.min(this.diameter - 1, this.diameter / 1.25));
    else if (act === "larger_brush") this.resizeBrush(Math.max(this.diameter + 1, this.diameter * 1.25));
    else if (this.tool === "select") return false;
    else if (act in STEPS) this.step(STEPS[act] as Point);
    else if (act === "paint_here") this.paintHere();
    else return false;
    return true;
  }

  private point(at: Point): void {
    this.cursor = this.view.toImage(at);
    this.isCursorByKey = false;
  }

  private begin(place: Point, isKey: boolean): void {
    if (this.tool === "polygon") {
      const corner = clampPoint(place, this.size);
      this.gesture = { kind: "polygon", points: [corner], to: corner };
    } else if (this.tool === "fill") {
      fill(this.layers.sheet, Math.floor(place[0]), Math.floor(place[1]), this.target());
      this.handOut();
    } else {
      this.takeSelectedHint();
      this.gesture = { kind: "stroke", last: place, number: this.tool === "eraser" ? 0 : this.target(), isKey };
      this.extend(place);
      if (isKey) this.owner.pen(true);
    }
  }

  private extend(to: Point): void {
    const { gesture, layers } = this;
    if (gesture?.kind !== "stroke") return;
    // Rubbing at a suggestion is editing it.
    const isErasing = gesture.number === 0;
    stroke(layers.sheet, gesture.last, to, this.diameter, gesture.number, isErasing ? (x, top, bottom) => layers.takeOverIn(x, top, bottom) : undefined);
    gesture.last = to;
  }

  private takeSelectedHint(): void {
    const { selected, layers } = this;
    if (selected?.isSuggested && layers.fits(selected.region)) layers.takeOver(selected);
  }

  /** Whose pixels the next stroke makes: the selected mask, else one of the class that is there, else a new one. */
  private target(): number {
    const label = this.owner.label();
    const { selected, layers } = this;
    if (this.wantsNew) return layers.newNumber(label);
    if (selected && selected.region.label === label && layers.fits(selected.region)) return layers.numberOf(selected);
    return layers.numberOfClass(label) ?? layers.newNumber(label);
  }

  private handOut(): void {
    const made = this.layers.tell();
    if (made.changed.size || made.added.length) {
      this.wantsNew = false;
      this.owner.change(made);
    } else if (this.tool === "eraser") this.owner.complain("nothing_to_erase");
    this.layers.forgetUnfinished();
  }

  private choose(place: Point): void {
    this.owner.select(this.layers.markAt(place)?.id ?? null);
  }

  private addCorner(at: Point): void {
    const { gesture } = this;
    if (gesture?.kind !== "polygon") return;
    const [first] = gesture.points as [Point];
    const place = clampPoint(this.view.toImage(at), this.size);
    if (gesture.points.length >= 3 && distance(this.view.toScreen(first), at) <= REACH) this.finish();
    else if (distance(this.view.toScreen(gesture.points.at(-1) as Point), at) >= CLICK) gesture.points.push(place);
    gesture.to = place;
  }

  /** The keyboard's cursor goes on; with the pen down it paints its way. */
  private step([dx, dy]: Point): void {
    const { width, height } = this.size;
    const [x, y] = this.cursor ?? this.middleOfSight();
    this.cursor = [Math.min(Math.max(Math.floor(x) + dx, 0), width - 1) + 0.5, Math.min(Math.max(Math.floor(y) + dy, 0), height - 1) + 0.5];
    this.isCursorByKey = true;
    this.view.reveal(this.cursor);
    if (this.gesture?.kind === "stroke") this.extend(this.cursor);
    if (this.gesture?.kind === "polygon") this.gesture.to = this.cursor;
    this.owner.changed();
  }

  private paintHere(): void {
    const { gesture } = this;
    this.cursor = clampPoint(this.cursor ?? this.middleOfSight(), this.size);
    this.isCursorByKey = true;
    if (gesture?.kind === "stroke") this.finish();
    else if (gesture?.kind === "polygon") this.addCorner(this.view.toScreen(this.cursor));
    else this.begin(this.cursor, true);
    this.owner.changed();
  }

  private middleOfSight(): Point {
    const { left, top, right, bottom } = this.view.sight;
    const { width, height } = this.size;
    return [(Math.max(left, 0) + Math.min(right, width)) / 2, (Math.max(top, 0) + Math.min(bottom, height)) / 2];
  }

  private actOnGesture(act: string): boolean {
    const { gesture } = this;
    if (!gesture || gesture.kind === "pan") return false;
    if (act === "accept") return this.finish();
    if (act === "deselect") return this.cancel();
    if (gesture.kind === "polygon" && (act === "undo" || act === "delete_region")) {
      gesture.points.pop();
      if (!gesture.points.length) this.gesture = null;
      this.owner.changed();
      return true;
    }
    return act === "undo" ? this.cancel() : false;
  }

  private actOnView(act: string): boolean {
    if (!this.view.act(act, this.cursor)) return false;
    this.owner.changed();
    return true;
  }
}

/** A fortieth of the image's shorter side is a hand's first guess. */
function brushFor({ width, height }: Size): number {
  return Math.min(Math.max(Math.round(Math.min(width, height) / 40), 3), 60);
}

/** Where a mask's name stands: in the middle of its longest run. */
export function anchorOf(mask: MaskRegion): Point {
  const edges = edgesIn(mask);
  let [best, longest] = [0, 0];
  for (let i = 0; i < edges.length; i += 2) {
    const length = (edges[i + 1] as number) - (edges[i] as number);
    if (length > longest) [best, longest] = [i, length];
  }
  const middle = Math.floor(((edges[best] ?? 0) + (edges[best + 1] ?? 0)) / 2);
  const [height] = mask.size;
  return [Math.floor(middle / height) + 0.5, (middle % height) + 0.5];
}
