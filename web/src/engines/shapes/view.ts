import type { Point, Size } from "web/engines/shapes/shape";

/** Farthest out and closest in, as pixels of the screen for one of the image. */
const CLOSEST = 40;

/** Which part of an image is on the screen: `screen = image * scale + offset`. */
export class View {
  scale = 1;
  x = 0;
  y = 0;

  constructor(
    private image: Size,
    private screen: Size = { width: 1, height: 1 },
  ) {
    this.fit();
  }

  /** Whether nobody has zoomed or moved: then the image keeps filling the screen when that changes. */
  isFitted = true;

  /** Another size of the image, all of it in sight. */
  learnSize(image: Size): void {
    this.image = image;
    this.fit();
  }

  resize(screen: Size): void {
    const [cx, cy] = this.toImage([this.screen.width / 2, this.screen.height / 2]);
    this.screen = screen;
    if (this.isFitted) this.fit();
    else this.centreOn([cx, cy]);
  }

  /** The whole image, as large as the screen allows, with a little room around for grips. */
  fit(): void {
    const room = 24;
    this.scale = Math.max(this.fitting(room), 1e-6);
    this.centreOn([this.image.width / 2, this.image.height / 2]);
    this.isFitted = true;
  }

  /** Closer by `factor`, with what is at the screen point staying there. */
  zoomAt([x, y]: Point, factor: number): void {
    const [ix, iy] = this.toImage([x, y]);
    const least = Math.min(this.fitting(0) / 2, 1);
    this.scale = Math.min(Math.max(this.scale * factor, least), CLOSEST);
    this.x = x - ix * this.scale;
    this.y = y - iy * this.scale;
    this.isFitted = false;
    this.keepInSight();
  }

  /** Closer around a place of the image while it is in sight, else around the middle of the screen. */
  zoomAround(place: Point | null, factor: number): void {
    const { width, height } = this.screen;
    const [x, y] = place ? this.toScreen(place) : [-1, -1];
    const isInSight = x >= 0 && y >= 0 && x <= width && y <= height;
    this.zoomAt(isInSight ? [x, y] : [width / 2, height / 2], factor);
  }

  /** Does an act of the key table that moves the view; `place` is where the hand was last. */
  act(act: string, place: Point | null): boolean {
    if (act === "zoom_in") this.zoomAround(place, 1.5);
    else if (act === "zoom_out") this.zoomAround(place, 1 / 1.5);
    else if (act === "zoom_fit") this.fit();
    else return false;
    return true;
  }

  panBy(dx: number, dy: number): void {
    this.x += dx;
    this.y += dy;
    this.isFitted = false;
    this.keepInSight();
  }

  centreOn([x, y]: Point): void {
    this.x = this.screen.width / 2 - x * this.scale;
    this.y = this.screen.height / 2 - y * this.scale;
    this.isFitted = false;
    this.keepInSight();
  }

  /** Moves as little as needed for the place to be on the screen; says whether it had to. */
  reveal([x, y]: Point): boolean {
    const [sx, sy] = this.toScreen([x, y]);
    const { width, height } = this.screen;
    if (sx >= 0 && sy >= 0 && sx <= width && sy <= height) return false;
    this.centreOn([x, y]);
    return true;
  }

  toImage([x, y]: Point): Point {
    return [(x - this.x) / this.scale, (y - this.y) / this.scale];
  }

  toScreen([x, y]: Point): Point {
    return [x * this.scale + this.x, y * this.scale + this.y];
  }

  /** What of the image is on the screen, in its pixels. */
  get sight(): { left: number; top: number; right: number; bottom: number } {
    const [left, top] = this.toImage([0, 0]);
    const [right, bottom] = this.toImage([this.screen.width, this.screen.height]);
    return { left, top, right, bottom };
  }

  private fitting(room: number): number {
    const { width, height } = this.screen;
    return Math.min(Math.max(width - 2 * room, 1) / this.image.width, Math.max(height - 2 * room, 1) / this.image.height);
  }

  /** The middle of the screen always shows some of the image, so that nobody gets lost. */
  private keepInSight(): void {
    const { width, height } = this.screen;
    this.x = Math.min(Math.max(this.x, width / 2 - this.image.width * this.scale), width / 2);
    this.y = Math.min(Math.max(this.y, height / 2 - this.image.height * this.scale), height / 2);
  }
}
