/**
 * The masks on the screen: three canvases, so that each repaints what it must and no more.
 *
 * The image below, repainted when the view changes; the masks, whole when the view, the list or the selection does and
 * in part with a stroke; names, outline and brush above, with every move. All at most once a frame.
 */

import type { MaskBoard } from "web/engines/masks/board";
import { type Look, paintMaskMarks, paintMasks } from "web/engines/masks/painting";
import type { Rect } from "web/engines/masks/sheet";
import { type Palette, paletteOf } from "web/engines/palette";
import { Hand } from "web/engines/shapes/hand";

export interface MaskCanvasOptions {
  /** Place of a label in the schema, for its colour. */
  readonly indexOf: (label: string) => number;
  /** The image cannot be shown. */
  readonly onBroken: () => void;
}

export class MaskCanvas {
  private readonly below = document.createElement("canvas");
  private readonly masks = document.createElement("canvas");
  private readonly above = document.createElement("canvas");
  private readonly image = new Image();
  private readonly watcher: ResizeObserver;
  private readonly leave = new AbortController();
  private board: MaskBoard | null = null;
  private options: MaskCanvasOptions = { indexOf: () => 0, onBroken: () => undefined };
  private palette: Palette;
  private frame = 0;
  private viewKey: readonly unknown[] = [];
  private masksKey: readonly unknown[] = [];
  private strength = 0.5;
  /** Repaints of the masks so far, whole and in part, for those who measure. */
  readonly painted = { whole: 0, part: 0 };

  constructor(readonly host: HTMLElement) {
    this.palette = paletteOf(host);
    for (const canvas of [this.below, this.masks, this.above]) {
      canvas.setAttribute("aria-hidden", "true");
      host.append(canvas);
    }
    this.watcher = new ResizeObserver(() => this.resize());
    this.watcher.observe(host);
    this.image.addEventListener("load", () => {
      this.board?.learnSize({ width: this.image.naturalWidth, height: this.image.naturalHeight });
      this.repaint();
    });
    this.image.addEventListener("error", () => this.options.onBroken());
    matchMedia("(prefers-color-scheme: dark)").addEventListener(
      "change",
      () => {
        this.palette = paletteOf(this.host);
        this.repaint();
      },
      { signal: this.leave.signal },
    );
    new Hand(this.above, () => this.board, () => cursorOf(this.board));
    this.above.addEventListener("pointerleave", () => this.board?.leave());
  }

  /** Shows another board; `address` is its image's. */
  show(board: MaskBoard, address: string, options: MaskCanvasOptions): void {
    this.board = board;
    this.options = options;
    if (this.image.getAttribute("src") !== address) this.image.src = address;
    this.resize();
  }

  /** How strongly masks cover the image, 0 to 1. */
  set opacity(opacity: number) {
    this.strength = opacity;
    this.schedule();
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

  private repaint(): void {
    [this.viewKey, this.masksKey] = [[], []];
    this.schedule();
  }

  private resize(): void {
    const { clientWidth: width, clientHeight: height } = this.host;
    if (!width || !height) return;
    const ratio = devicePixelRatio || 1;
    for (const canvas of [this.below, this.masks, this.above]) {
      const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
      if (canvas.width !== w) canvas.width = w;
      if (canvas.height !== h) canvas.height = h;
    }
    this.board?.view.resize({ width, height });
    [this.viewKey, this.masksKey] = [[], []];
    cancelAnimationFrame(this.frame);
    this.paint();
  }

  private paint(): void {
    this.frame = 0;
    const { board } = this;
    if (!board || !this.host.clientWidth) return;
    const { view } = board;
    const viewKey = [board, view.x, view.y, view.scale];
    if (differs(viewKey, this.viewKey)) {
      this.viewKey = viewKey;
      this.paintImage(board);
    }
    const look: Look = { palette: this.palette, indexOf: this.options.indexOf, opacity: this.strength, ratio: devicePixelRatio || 1 };
    this.paintSheets(board, look, [...viewKey, board.marks, board.selectedId, board.layers, this.strength]);
    paintMaskMarks(this.clean(this.above), board, look);
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
    const context = this.clean(this.below);
    const { view, size } = board;
    if (!this.image.complete || !this.image.naturalWidth) return;
    context.imageSmoothingEnabled = view.scale < 3;
    context.drawImage(this.image, view.x, view.y, size.width * view.scale, size.height * view.scale);
  }

  private clean(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
    const context = canvas.getContext("2d") as CanvasRenderingContext2D;
    const ratio = devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    return context;
  }
}

function differs(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length !== b.length || a.some((part, i) => part !== b[i]);
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
