/** Pointers, two fingers and the wheel on a canvas, told to a board: the same for shapes and for masks. */

import type { Press } from "web/engines/shapes/board";
import type { Point } from "web/engines/shapes/shape";

/** What a hand can do to a board. */
export interface Handled {
  press(press: Press): void;
  move(press: Press): void;
  release(press: Press): void;
  cancel(): boolean;
  doubleClick(at: Point): void;
  zoom(at: Point, factor: number): void;
  pan(dx: number, dy: number): void;
}

export class Hand {
  private readonly fingers = new Map<number, Point>();

  /** @param cursorOf The pointer's look over a place. */
  constructor(
    private readonly surface: HTMLElement,
    private readonly board: () => Handled | null,
    private readonly cursorOf: (at: Point) => string,
  ) {
    surface.addEventListener("pointerdown", (event) => this.down(event));
    surface.addEventListener("pointermove", (event) => this.moved(event));
    surface.addEventListener("pointerup", (event) => this.up(event));
    surface.addEventListener("pointercancel", (event) => {
      this.fingers.delete(event.pointerId);
      this.board()?.cancel();
    });
    surface.addEventListener("dblclick", (event) => this.board()?.doubleClick(this.placeOf(event)));
    surface.addEventListener("contextmenu", (event) => event.preventDefault());
    surface.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  private down(event: PointerEvent): void {
    const board = this.board();
    if (event.button > 1 || !board) return;
    this.surface.setPointerCapture(event.pointerId);
    this.fingers.set(event.pointerId, this.placeOf(event));
    // A second finger zooms: what the first began was no drawing.
    if (this.fingers.size === 2) board.cancel();
    if (this.fingers.size === 1) board.press(this.pressOf(event));
  }

  private moved(event: PointerEvent): void {
    const board = this.board();
    if (!board) return;
    if (this.fingers.size === 2 && this.fingers.has(event.pointerId)) this.pinch(event, board);
    else {
      board.move(this.pressOf(event));
      this.surface.style.cursor = this.cursorOf(this.placeOf(event));
    }
  }

  private up(event: PointerEvent): void {
    const wasPinch = this.fingers.size > 1;
    this.fingers.delete(event.pointerId);
    if (!wasPinch) this.board()?.release(this.pressOf(event));
  }

  private pinch(event: PointerEvent, board: Handled): void {
    const spread = () => {
      const [a, b] = [...this.fingers.values()] as [Point, Point];
      return { middle: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2] as Point, width: Math.hypot(a[0] - b[0], a[1] - b[1]) || 1 };
    };
    const before = spread();
    this.fingers.set(event.pointerId, this.placeOf(event));
    const now = spread();
    board.pan(now.middle[0] - before.middle[0], now.middle[1] - before.middle[1]);
    board.zoom(now.middle, now.width / before.width);
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    const board = this.board();
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    if (event.shiftKey) board?.pan(-(event.deltaX || event.deltaY) * unit, 0);
    else board?.zoom(this.placeOf(event), Math.exp(-event.deltaY * unit * (event.ctrlKey ? 0.01 : 0.0015)));
  }

  private pressOf(event: PointerEvent): Press {
    return {
      at: this.placeOf(event),
      isStepped: event.shiftKey,
      isPan: event.button === 1 || (event.buttons & 4) !== 0,
      isTouch: event.pointerType === "touch",
    };
  }

  private placeOf(event: MouseEvent): Point {
    const { left, top } = this.surface.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  }
}
