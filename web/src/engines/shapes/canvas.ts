/**
 * The board on the screen: two canvases, so that a hand that moves one shape of thousands repaints one shape.
 *
 * Below: the image and every shape at rest; repainted when the view or the list changes. Above: what is selected,
 * under the pointer or being drawn; repainted with every move. Both at most once a frame.
 */

import { type Palette, paletteOf } from "web/engines/palette";
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

export class ShapeCanvas {
  private readonly below = document.createElement("canvas");
  private readonly above = document.createElement("canvas");
  private readonly image = new Image();
  private readonly watcher: ResizeObserver;
  private board: Board | null = null;
  private options: CanvasOptions = { indexOf: () => 0, onBroken: () => undefined };
  private palette: Palette;
  private frame = 0;
  private hasImage = false;
  private restingKey: readonly unknown[] = [];
  private readonly leave = new AbortController();
  /** Repaints of each canvas so far, for those who measure. */
  readonly painted = { below: 0, above: 0 };

  constructor(readonly host: HTMLElement) {
    this.palette = paletteOf(host);
    for (const canvas of [this.below, this.above]) {
      canvas.setAttribute("aria-hidden", "true");
      host.append(canvas);
    }
    this.watcher = new ResizeObserver(() => this.resize());
    this.watcher.observe(host);
    this.image.addEventListener("load", () => {
      this.board?.learnSize({ width: this.image.naturalWidth, height: this.image.naturalHeight });
      // One that was fetched before is there at once and already painted.
      if (!this.hasImage) this.repaint();
    });
    this.image.addEventListener("error", () => this.options.onBroken());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.recolour(), { signal: this.leave.signal });
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
    this.resize();
  }

  /** Something has changed: paints what has, in the next frame. */
  schedule(): void {
    this.frame ||= requestAnimationFrame(() => this.paint());
  }

  dispose(): void {
    cancelAnimationFrame(this.frame);
    this.watcher.disconnect();
    this.leave.abort();
    this.host.replaceChildren();
  }

  private recolour(): void {
    this.palette = paletteOf(this.host);
    this.repaint();
  }

  private repaint(): void {
    this.restingKey = [];
    this.schedule();
  }

  private resize(): void {
    const { clientWidth: width, clientHeight: height } = this.host;
    if (!width || !height) return;
    const ratio = devicePixelRatio || 1;
    for (const canvas of [this.below, this.above]) {
      const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
      if (canvas.width !== w) canvas.width = w;
      if (canvas.height !== h) canvas.height = h;
    }
    this.board?.view.resize({ width, height });
    this.restingKey = [];
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.paint();
  }

  private paint(): void {
    this.frame = 0;
    const { board } = this;
    if (!board || !this.host.clientWidth) return;
    const { gesture, view } = board;
    const lifted = gesture?.kind === "grip" ? gesture.id : null;
    const key = [board, board.marks, lifted, view.x, view.y, view.scale];
    if (key.some((part, i) => part !== this.restingKey[i])) {
      this.restingKey = key;
      this.paintBelow(board, lifted);
    }
    const context = this.clean(this.above);
    paintAbove(context, board, this.palette, this.options.indexOf);
    this.painted.above += 1;
  }

  private paintBelow(board: Board, lifted: string | null): void {
    const context = this.clean(this.below);
    const { view, size } = board;
    this.hasImage = this.image.complete && this.image.naturalWidth > 0;
    if (this.hasImage) {
      context.imageSmoothingEnabled = view.scale < 3;
      context.drawImage(this.image, view.x, view.y, size.width * view.scale, size.height * view.scale);
    }
    paintMarks(context, board, lifted, this.palette, this.options.indexOf);
    this.painted.below += 1;
  }

  private clean(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
    const context = canvas.getContext("2d") as CanvasRenderingContext2D;
    const ratio = devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    return context;
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
