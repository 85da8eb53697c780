/**
 * The masks on the screen: three canvases, so that each repaints what it must and no more.
 *
 * The image below, repainted when the view changes; the masks, whole when the view, the list or the selection does and
 * in part with a stroke; names, outline and brush above, with every move. All at most once a frame.
 */

import { differs, Layers, type Painter } from "web/engines/layers";
import type { MaskBoard } from "web/engines/masks/board";
import { type Look, paintMaskMarks, paintMasks } from "web/engines/masks/painting";
import type { Rect } from "web/engines/masks/sheet";
import { Hand } from "web/engines/shapes/hand";

export interface MaskCanvasOptions {
  /** Place of a label in the schema, for its colour. */
  readonly indexOf: (label: string) => number;
  /** The image cannot be shown. */
  readonly onBroken: () => void;
}

export class MaskCanvas implements Painter {
  private readonly layers: Layers;
  private readonly image = new Image();
  private board: MaskBoard | null = null;
  private options: MaskCanvasOptions = { indexOf: () => 0, onBroken: () => undefined };
  private viewKey: readonly unknown[] = [];
  private masksKey: readonly unknown[] = [];
  private strength = 0.5;
  /** Repaints of the masks so far, whole and in part, for those who measure. */
  readonly painted = { whole: 0, part: 0 };

  constructor(readonly host: HTMLElement) {
    this.layers = new Layers(host, 3, this);
    this.image.addEventListener("load", () => {
      this.board?.learnSize({ width: this.image.naturalWidth, height: this.image.naturalHeight });
      this.layers.repaint();
    });
    this.image.addEventListener("error", () => this.options.onBroken());
    new Hand(this.above, () => this.board, () => cursorOf(this.board));
    this.above.addEventListener("pointerleave", () => this.board?.leave());
  }

  /** Shows another board; `address` is its image's. */
  show(board: MaskBoard, address: string, options: MaskCanvasOptions): void {
    this.board = board;
    this.options = options;
    if (this.image.getAttribute("src") !== address) this.image.src = address;
    this.layers.resize();
  }

  /** How strongly masks cover the image, 0 to 1. */
  set opacity(opacity: number) {
    this.strength = opacity;
    this.schedule();
  }

  /** Something has changed: paints what has, in the next frame. */
  schedule(): void {
    this.layers.schedule();
  }

  dispose(): void {
    this.layers.dispose();
  }

  forget(): void {
    [this.viewKey, this.masksKey] = [[], []];
  }

  resized(width: number, height: number): void {
    this.board?.view.resize({ width, height });
  }

  paint(): void {
    const { board } = this;
    if (!board) return;
    const { view } = board;
    const viewKey = [board, view.x, view.y, view.scale];
    if (differs(viewKey, this.viewKey)) {
      this.viewKey = viewKey;
      this.paintImage(board);
    }
    const look: Look = { palette: this.layers.palette, indexOf: this.options.indexOf, opacity: this.strength, ratio: devicePixelRatio || 1 };
    this.paintSheets(board, look, [...viewKey, board.marks, board.selectedId, board.layers, this.strength]);
    paintMaskMarks(this.layers.clean(this.above), board, look);
  }

  private paintSheets(board: MaskBoard, look: Look, key: readonly unknown[]): void {
    const dirty = board.layers.sheet.takeDirty();
    const isWhole = differs(key, this.masksKey);
    if (!isWhole && !dirty) return;
    const { width, height } = this.masks;
    const whole = { left: 0, top: 0, right: width, bottom: height };
    const part = isWhole || !dirty ? whole : onScreen(dirty, board, look.ratio, whole);
    this.masksKey = key;
    this.painted[isWhole ? "whole" : "part"] += 1;
    paintMasks(this.masks.getContext("2d") as CanvasRenderingContext2D, board, look, part);
  }

  private paintImage(board: MaskBoard): void {
    const context = this.layers.clean(this.below);
    const { view, size } = board;
    if (!this.image.complete || !this.image.naturalWidth) return;
    context.imageSmoothingEnabled = view.scale < 3;
    context.drawImage(this.image, view.x, view.y, size.width * view.scale, size.height * view.scale);
  }

  private get below(): HTMLCanvasElement {
    return this.layers.canvases[0] as HTMLCanvasElement;
  }

  private get masks(): HTMLCanvasElement {
    return this.layers.canvases[1] as HTMLCanvasElement;
  }

  private get above(): HTMLCanvasElement {
    return this.layers.canvases[2] as HTMLCanvasElement;
  }
}

/** A part of the image in pixels of the canvas, with its rim. */
function onScreen(rect: Rect, board: MaskBoard, ratio: number, whole: Rect): Rect {
  const [left, top] = board.view.toScreen([rect.left, rect.top]);
  const [right, bottom] = board.view.toScreen([rect.right, rect.bottom]);
  return {
    left: Math.max(Math.floor(left * ratio) - 2, whole.left),
    top: Math.max(Math.floor(top * ratio) - 2, whole.top),
    right: Math.min(Math.ceil(right * ratio) + 2, whole.right),
    bottom: Math.min(Math.ceil(bottom * ratio) + 2, whole.bottom),
  };
}

function cursorOf(board: MaskBoard | null): string {
  if (board?.gesture?.kind === "pan") return "grabbing";
  if (!board || board.tool === "select" || board.isReadOnly) return "grab";
  return board.tool === "brush" || board.tool === "eraser" ? "none" : "crosshair";
}
