/** Canvases one above the other that fill an element, and when they are painted: at most once a frame. */

import { type Palette, paletteOf } from "web/engines/palette";

/** Whose pictures they show. */
export interface Painter {
  /** Paints what has changed since the last time. */
  paint(): void;
  /** Nothing on the canvases holds any more: their size or the colours are others. */
  forget(): void;
  /** The element has this size now. */
  resized(width: number, height: number): void;
}

export class Layers {
  /** From the lowest to the highest. */
  readonly canvases: readonly HTMLCanvasElement[];
  palette: Palette;
  private readonly watcher: ResizeObserver;
  private readonly leave = new AbortController();
  private frame = 0;

  constructor(
    readonly host: HTMLElement,
    n: number,
    private readonly painter: Painter,
  ) {
    this.palette = paletteOf(host);
    this.canvases = Array.from({ length: n }, () => document.createElement("canvas"));
    for (const canvas of this.canvases) {
      canvas.setAttribute("aria-hidden", "true");
      host.append(canvas);
    }
    this.watcher = new ResizeObserver(() => this.resize());
    this.watcher.observe(host);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.recolour(), { signal: this.leave.signal });
  }

  /** Something has changed: paints what has, in the next frame. */
  schedule(): void {
    this.frame ||= requestAnimationFrame(() => this.paint());
  }

  /** Paints everything, in the next frame. */
  repaint(): void {
    this.painter.forget();
    this.schedule();
  }

  /** Takes on the element's size, and paints everything at once: an empty canvas would be seen. */
  resize(): void {
    const { clientWidth: width, clientHeight: height } = this.host;
    if (!width || !height) return;
    const ratio = devicePixelRatio || 1;
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    for (const canvas of this.canvases) {
      if (canvas.width !== w) canvas.width = w;
      if (canvas.height !== h) canvas.height = h;
    }
    this.painter.resized(width, height);
    this.painter.forget();
    cancelAnimationFrame(this.frame);
    this.paint();
  }

  /** A canvas with nothing on it, to be painted in pixels of the page. */
  clean(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
    const context = canvas.getContext("2d") as CanvasRenderingContext2D;
    const ratio = devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    return context;
  }

  dispose(): void {
    cancelAnimationFrame(this.frame);
    this.watcher.disconnect();
    this.leave.abort();
    this.host.replaceChildren();
  }

  private paint(): void {
    this.frame = 0;
    if (this.host.clientWidth) this.painter.paint();
  }

  private recolour(): void {
    this.palette = paletteOf(this.host);
    this.repaint();
  }
}

export function differs(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length !== b.length || a.some((part, i) => part !== b[i]);
}
