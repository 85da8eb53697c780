/** Spectrograms come in grey, 80 decibels from black to white, and get their colours here: those of the page's scheme. */

/** Decibels from black to white. */
const RANGE = 80;

/** 256 colours of three bytes between those given, which are as `getComputedStyle` writes them. */
export function rampOf(colours: readonly string[], gain: number): Uint8ClampedArray<ArrayBuffer> {
  const stops = colours.map((colour) => (colour.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number));
  const louder = (20 * Math.log10(gain)) / RANGE;
  const ramp = new Uint8ClampedArray(256 * 3);
  for (let grey = 0; grey < 256; grey++) {
    const place = Math.min(Math.max(grey ? grey / 255 + louder : 0, 0), 1) * (stops.length - 1);
    const at = Math.min(Math.floor(place), stops.length - 2);
    for (let k = 0; k < 3; k++) {
      const [low, high] = [stops[at]?.[k] ?? 0, stops[at + 1]?.[k] ?? 0];
      ramp[3 * grey + k] = low + (high - low) * (place - at);
    }
  }
  return ramp;
}

/** Coloured tiles, each made once for a ramp. */
export class Colouring {
  private made = new WeakMap<HTMLImageElement, HTMLCanvasElement>();
  private key = "";
  private ramp = new Uint8ClampedArray(256 * 3);

  /** Other colours or another loudness: all tiles are coloured anew when they are next drawn. */
  use(colours: readonly string[], gain: number): void {
    const key = `${colours.join()} ${gain}`;
    if (key === this.key) return;
    this.key = key;
    this.ramp = rampOf(colours, gain);
    this.made = new WeakMap();
  }

  of(picture: HTMLImageElement): HTMLCanvasElement {
    let canvas = this.made.get(picture);
    if (!canvas) {
      canvas = this.coloured(picture);
      this.made.set(picture, canvas);
    }
    return canvas;
  }

  private coloured(picture: HTMLImageElement): HTMLCanvasElement {
    const canvas = document.createElement("canvas");
    canvas.width = picture.naturalWidth;
    canvas.height = picture.naturalHeight;
    const context = canvas.getContext("2d", { willReadFrequently: true }) as CanvasRenderingContext2D;
    context.drawImage(picture, 0, 0);
    const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
    const { data } = pixels;
    for (let i = 0; i < data.length; i += 4) {
      const at = 3 * (data[i] as number);
      data[i] = this.ramp[at] as number;
      data[i + 1] = this.ramp[at + 1] as number;
      data[i + 2] = this.ramp[at + 2] as number;
    }
    context.putImageData(pixels, 0, 0);
    return canvas;
  }
}
