/**
 * The board on the screen: two canvases, so that a hand that moves one shape of thousands repaints one shape.
 *
 * Below: the image and every shape at rest; repainted when the view or the list changes. Above: what is selected,
 * under the pointer or being drawn; repainted with every move. Both at most once a frame.
 */

import { differs, Layers, type Painter } from "web/engines/layers";
import type { Board } from "web/engines/shapes/board";
import { Hand } from "web/engines/shapes/hand";
import { paintAbove, paintMarks } from "web/engines/shapes/painting";
import type { Point } from "web/engines/shapes/shape";

export interface CanvasOptions {
  /** Place of a label in the schema, for its colour. */
  readonly indexOf: (label: string) => number;
  /** The image cannot be shown. */
  readonly onBroken: () => void;
}

export class ShapeCanvas implements Painter {
  private readonly layers: Layers;
  private readonly image = new Image();
  private board: Board | null = null;
  private options: CanvasOptions = { indexOf: () => 0, onBroken: () => undefined };
  private hasImage = false;
  private restingKey: readonly unknown[] = [];
  /** Repaints of each canvas so far, for those who measure. */
  readonly painted = { below: 0, above: 0 };

  constructor(readonly host: HTMLElement) {
    this.layers = new Layers(host, 2, this);
    this.image.addEventListener("load", () => {
      this.board?.learnSize({ width: this.image.naturalWidth, height: this.image.naturalHeight });
      // One that was fetched before is there at once and already painted.
      if (!this.hasImage) this.layers.repaint();
    });
    this.image.addEventListener("error", () => this.options.onBroken());
    new Hand(this.above, () => this.board, (at) => (this.board ? cursorOf(this.board, at) : ""));
  }

  /** Shows another board; `address` is its image's. */
  show(board: Board, address: string, options: CanvasOptions): void {
    this.board = board;
    this.options = options;
    if (this.image.getAttribute("src") !== address) {
      this.hasImage = false;
      this.image.src = address;
    }
    this.layers.resize();
  }

  schedule(): void {
    this.layers.schedule();
  }

  dispose(): void {
    this.layers.dispose();
  }

  forget(): void {
    this.restingKey = [];
  }

  resized(width: number, height: number): void {
    this.board?.view.resize({ width, height });
  }

  paint(): void {
    const { board } = this;
    if (!board) return;
    const { gesture, view } = board;
    const lifted = gesture?.kind === "grip" ? gesture.id : null;
    const key = [board, board.marks, lifted, view.x, view.y, view.scale];
    if (differs(key, this.restingKey)) {
      this.restingKey = key;
      this.paintBelow(board, lifted);
    }
    paintAbove(this.layers.clean(this.above), board, this.layers.palette, this.options.indexOf);
    this.painted.above += 1;
  }

  private get above(): HTMLCanvasElement {
    return this.layers.canvases[1] as HTMLCanvasElement;
  }

  private paintBelow(board: Board, lifted: string | null): void {
    const context = this.layers.clean(this.layers.canvases[0] as HTMLCanvasElement);
    const { view, size } = board;
    this.hasImage = this.image.complete && this.image.naturalWidth > 0;
    if (this.hasImage) {
      context.imageSmoothingEnabled = view.scale < 3;
      context.drawImage(this.image, view.x, view.y, size.width * view.scale, size.height * view.scale);
    }
    paintMarks(context, board, lifted, this.layers.palette, this.options.indexOf);
    this.painted.below += 1;
  }
}

const CURSORS: Readonly<Record<string, string>> = { n: "ns-resize", s: "ns-resize", e: "ew-resize", w: "ew-resize", nw: "nwse-resize", se: "nwse-resize", ne: "nesw-resize", sw: "nesw-resize" };

function cursorOf(board: Board, at: Point): string {
  if (board.gesture?.kind === "pan") return "grabbing";
  const grip = board.gripUnder(at, 7);
  if (grip?.kind === "side" && board.selected && !("rotation" in board.selected.shape)) return CURSORS[grip.name] ?? "pointer";
  if (grip && grip.kind !== "centre") return "pointer";
  if (board.tool !== "select") return "crosshair";
  return board.hoveredId ? "move" : "grab";
}
