/**
 * What a hand does to the shapes of one image: draw, take, move, bend, turn; without DOM.
 *
 * Points that come in are those of the screen (CSS pixels from the canvas' corner). Marks come from outside by `show`
 * and change only by what the owner makes of `add`, `edit` and `remove`: the board keeps no list of its own, so undo,
 * drafts and the list beside the canvas cannot come apart from it.
 */

import { dragged, type Grip, gripsOf, roundedPoint, withoutVertex } from "web/engines/shapes/editing";
import { actOnShape } from "web/engines/shapes/nudging";
import {
  areaWithin,
  boxBetween,
  clampPoint,
  crossesItself,
  distance,
  isPolygon,
  LEAST_SIDE,
  type Point,
  type Shape,
  type Size,
  smallestUnder,
} from "web/engines/shapes/shape";
import { View } from "web/engines/shapes/view";

export type Tool = "select" | "box" | "polygon" | "point";

/** One shape on the board. */
export interface Mark {
  readonly id: string;
  readonly shape: Shape;
  /** Somebody else's opinion, not yet taken: drawn dashed. */
  readonly isSuggested: boolean;
  /** Drawn beside the class: source and score of a suggestion. */
  readonly note: string;
  /** Another answer does not have it: drawn hatched. */
  readonly isDifferent?: boolean;
}

export type Complaint = "too_small" | "crosses" | "too_few";

export interface BoardOwner {
  /** A shape was drawn; its label is empty. */
  add(shape: Shape): void;
  edit(id: string, shape: Shape, step?: string): void;
  remove(id: string): void;
  select(id: string | null): void;
  /** The hand did something that makes no shape. */
  complain(complaint: Complaint): void;
  /** Anything on the screen has changed. */
  changed(): void;
}

/** What the pointer is in the middle of. `isHeld` is false when a click began it and the next click ends it. */
export type Gesture =
  | { readonly kind: "pan"; last: Point }
  | {
      readonly kind: "grip";
      readonly id: string;
      readonly grip: Grip;
      readonly before: Shape;
      now: Shape;
      isHeld: boolean;
      /** A click takes it until the next click; false for a shape taken by its body, whose click only selects. */
      readonly canBePickedUp: boolean;
    }
  | { readonly kind: "box"; readonly from: Point; to: Point; isHeld: boolean }
  | { readonly kind: "polygon"; readonly points: Point[]; to: Point };

export interface Press {
  readonly at: Point;
  readonly isStepped?: boolean;
  /** Middle button, or the space bar of other tools: move the view whatever the tool is. */
  readonly isPan?: boolean;
  /** A finger hits less exactly than a mouse. */
  readonly isTouch?: boolean;
}

/** Screen pixels within which a press hits a grip or an outline, and under which a drag was a click. */
const REACH = 7;
const TOUCH_REACH = 16;
const CLICK = 4;
/** Screen pixels between a box and the knob that turns it. */
export const KNOB = 26;

export class Board {
  readonly view: View;
  tool: Tool = "select";
  marks: readonly Mark[] = [];
  selectedId: string | null = null;
  hoveredId: string | null = null;
  /** The vertex of the selected polygon that keys move. */
  vertex: number | null = null;
  gesture: Gesture | null = null;
  isReadOnly = false;
  private pressedAt: Point | null = null;
  /** Where the hand was last, in pixels of the image: keys and buttons zoom around it, so that clicks reach any place. */
  private lastPlace: Point | null = null;

  constructor(
    public size: Size,
    readonly owner: BoardOwner,
  ) {
    this.view = new View(size);
  }

  /** How large the image is, where that was not known before. */
  learnSize(size: Size): void {
    if (this.size.width > 1 || this.size.height > 1) return;
    this.size = size;
    this.view.learnSize(size);
    this.owner.changed();
  }

  get selected(): Mark | null {
    return this.marks.find((mark) => mark.id === this.selectedId) ?? null;
  }

  /** Marks as they are now; a gesture whose shape is gone ends. */
  show(marks: readonly Mark[], selectedId: string | null): void {
    if (selectedId !== this.selectedId) this.vertex = null;
    this.marks = marks;
    this.selectedId = selectedId;
    const selected = this.selected?.shape;
    if (this.vertex !== null && !(selected && isPolygon(selected) && this.vertex < selected.points.length)) this.vertex = null;
    const { gesture } = this;
    if (gesture?.kind === "grip" && !marks.some((mark) => mark.id === gesture.id && mark.shape === gesture.before)) this.gesture = null;
    this.owner.changed();
  }

  use(tool: Tool): void {
    this.cancel();
    this.tool = tool;
    this.owner.changed();
  }

  /** Ends what was begun, without a shape; says whether there was something. */
  cancel(): boolean {
    const had = this.gesture !== null;
    this.gesture = null;
    if (had) this.owner.changed();
    return had;
  }

  press(press: Press): void {
    const { at } = press;
    this.pressedAt = at;
    this.lastPlace = this.view.toImage(at);
    if (press.isPan || (this.isReadOnly && this.tool !== "select")) {
      this.gesture = { kind: "pan", last: at };
      return;
    }
    if (this.gesture?.kind === "polygon") this.addVertex(at);
    else if (this.gesture && "isHeld" in this.gesture) this.follow(at, press.isStepped);
    else this.begin(press);
    this.owner.changed();
  }

  move(press: Press): void {
    if (this.gesture) this.follow(press.at, press.isStepped);
    else this.hover(press);
  }

  release(press: Press): void {
    const { gesture, pressedAt } = this;
    this.pressedAt = null;
    if (!gesture) return;
    const isClick = pressedAt !== null && distance(pressedAt, press.at) < CLICK;
    if (gesture.kind === "pan") this.endPan(isClick);
    else if (gesture.kind !== "polygon") {
      const there = isClick && gesture.kind === "box" && gesture.isHeld ? this.under(press.at, REACH) : null;
      // A click on a grip, or with the box tool on nothing, picks up; the next click puts down: no drag is ever needed.
      if (there) this.selectInstead(there);
      else if (isClick && gesture.isHeld && (gesture.kind === "box" || gesture.canBePickedUp)) gesture.isHeld = false;
      else this.finish();
    }
    this.owner.changed();
  }

  /** Closes a polygon, puts down what was picked up; says whether there was something to finish. */
  finish(): boolean {
    const { gesture } = this;
    if (!gesture || gesture.kind === "pan") return false;
    if (gesture.kind === "polygon") return this.closePolygon(gesture.points);
    this.gesture = null;
    if (gesture.kind === "box") this.endBox(gesture.from, gesture.to);
    else this.endGrip(gesture);
    this.owner.changed();
    return true;
  }

  zoom(at: Point, factor: number): void {
    this.view.zoomAt(at, factor);
    this.owner.changed();
  }

  pan(dx: number, dy: number): void {
    this.view.panBy(dx, dy);
    this.owner.changed();
  }

  /** A double click: ends a polygon; on nothing, brings the place to the middle. */
  doubleClick(at: Point): void {
    if (this.gesture?.kind === "polygon") {
      // The second click of one that just closed a polygon has begun another.
      if (this.gesture.points.length === 1) this.cancel();
      else this.closePolygon(this.gesture.points);
    } else if (this.tool === "select" && !this.under(at, REACH)) {
      this.view.centreOn(this.view.toImage(at));
      this.owner.changed();
    }
  }

  /** An act of the key table; false where it means nothing here. */
  act(act: string): boolean {
    if (this.actOnGesture(act) || this.actOnView(act)) return true;
    return !this.isReadOnly && actOnShape(this, act);
  }

  /** Takes the vertex out that keys are on; false if there is none or too few would be left. */
  removeVertex(): boolean {
    const mark = this.selected;
    if (this.vertex === null || !mark || !isPolygon(mark.shape)) return false;
    const fewer = withoutVertex(mark.shape, this.vertex);
    if (!fewer || crossesItself(fewer.points)) {
      this.owner.complain(fewer ? "crosses" : "too_few");
      return true;
    }
    this.vertex = Math.min(this.vertex, fewer.points.length - 1);
    this.owner.edit(mark.id, fewer);
    return true;
  }

  /** Grips of the selected shape, where it may be edited. */
  grips(): Grip[] {
    const mark = this.selected;
    return mark && !this.isReadOnly && !(this.gesture && this.gesture.kind !== "pan") ? gripsOf(mark.shape, KNOB / this.view.scale) : [];
  }

  gripUnder(at: Point, reach: number): Grip | null {
    const near = this.grips().filter((grip) => distance(this.view.toScreen(grip.at), at) <= reach);
    const away = (grip: Grip) => distance(this.view.toScreen(grip.at), at);
    return near.reduce<Grip | null>((best, grip) => (best && away(best) < away(grip) ? best : grip), null);
  }

  under(at: Point, reach: number): Mark | null {
    return smallestUnder(this.marks, this.view.toImage(at), reach / this.view.scale);
  }

  private begin({ at, isTouch }: Press): void {
    const reach = isTouch ? TOUCH_REACH : REACH;
    const place = clampPoint(this.view.toImage(at), this.size);
    const grip = this.gripUnder(at, reach);
    if (grip && grip.kind !== "centre") this.take(grip);
    else if (this.tool === "box") this.gesture = { kind: "box", from: place, to: place, isHeld: true };
    else if (this.tool === "polygon") this.gesture = { kind: "polygon", points: [roundedPoint(place)], to: place };
    else if (this.tool === "point") this.owner.add({ label: "", x: roundedPoint(place)[0], y: roundedPoint(place)[1] });
    else this.beginSelecting(at, grip, reach);
  }

  private beginSelecting(at: Point, grip: Grip | null, reach: number): void {
    const mark = this.under(at, reach);
    const isMine = mark?.id === this.selectedId;
    if (grip && (isMine || !mark)) this.take(grip);
    else if (!mark) this.gesture = { kind: "pan", last: at };
    else {
      this.owner.select(mark.id);
      const held = this.marks.find((one) => one.id === mark.id) ?? mark;
      if (!this.isReadOnly) this.take({ kind: "centre", at: this.view.toImage(at) }, held, false);
    }
  }

  private take(grip: Grip, mark = this.selected, canBePickedUp = true): void {
    if (!mark) return;
    this.vertex = grip.kind === "vertex" ? grip.index : grip.kind === "middle" ? grip.index + 1 : this.vertex;
    this.gesture = { kind: "grip", id: mark.id, grip, before: mark.shape, now: mark.shape, isHeld: true, canBePickedUp };
  }

  private follow(at: Point, isStepped = false): void {
    const { gesture } = this;
    if (!gesture) return;
    if (gesture.kind === "pan") {
      this.view.panBy(at[0] - gesture.last[0], at[1] - gesture.last[1]);
      gesture.last = at;
    } else if (gesture.kind === "grip") {
      gesture.now = dragged(gesture.before, gesture.grip, this.view.toImage(at), this.size, isStepped);
    } else {
      gesture.to = clampPoint(this.view.toImage(at), this.size);
    }
    this.owner.changed();
  }

  private hover({ at, isTouch }: Press): void {
    const id = this.tool === "select" && !isTouch ? (this.under(at, REACH)?.id ?? null) : null;
    if (id === this.hoveredId) return;
    this.hoveredId = id;
    this.owner.changed();
  }

  private endPan(isClick: boolean): void {
    this.gesture = null;
    if (isClick && this.tool === "select") this.owner.select(null);
  }

  /** A click with the box tool on a shape means that shape. */
  private selectInstead(mark: Mark): void {
    this.gesture = null;
    this.owner.select(mark.id);
  }

  private endBox(from: Point, to: Point): void {
    const box = boxBetween(from, to, "", this.size);
    if (Math.min(box.width, box.height) < LEAST_SIDE) this.owner.complain("too_small");
    else this.owner.add(box);
  }

  private endGrip({ id, now, before }: { id: string; now: Shape; before: Shape }): void {
    if (now === before || same(now, before)) return;
    if (isPolygon(now) && crossesItself(now.points)) this.owner.complain("crosses");
    else this.owner.edit(id, now);
  }

  private addVertex(at: Point): void {
    const { gesture } = this;
    if (gesture?.kind !== "polygon") return;
    const [first] = gesture.points as [Point];
    const place = roundedPoint(clampPoint(this.view.toImage(at), this.size));
    if (gesture.points.length >= 3 && distance(this.view.toScreen(first), at) <= REACH) this.closePolygon(gesture.points);
    else if (distance(this.view.toScreen(gesture.points.at(-1) as Point), at) >= CLICK) gesture.points.push(place);
    gesture.to = place;
  }

  private closePolygon(points: Point[]): boolean {
    const complaint = complaintAbout(points);
    if (complaint) this.owner.complain(complaint);
    else {
      this.gesture = null;
      this.owner.add({ label: "", points });
    }
    this.owner.changed();
    return true;
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
    if (!this.view.act(act, this.lastPlace)) return false;
    this.owner.changed();
    return true;
  }
}

/** Why these corners are no polygon. A bow tie has no area by the formula, so crossing is looked at first. */
export function complaintAbout(points: readonly Point[]): Complaint | null {
  if (points.length < 3) return "too_few";
  if (crossesItself(points)) return "crosses";
  return areaWithin(points) < LEAST_SIDE ? "too_few" : null;
}

function same(a: Shape, b: Shape): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
