/**
 * Pictures of a recording, made by the server in tiles: peaks of the waveform and the spectrogram.
 *
 * `data.peaks` and `data.spectrogram` of a task are addresses of manifests:
 *
 *     {"duration": 3600.0, "levels": [{"per_second": 10, "tile_seconds": 3600, "tiles": "/media/.../peaks/10/{tile}"},
 *                                     {"per_second": 200, "tile_seconds": 60, "tiles": "..."}]}
 *
 * A tile of peaks is `per_second * tile_seconds` pairs of signed bytes, the least and greatest sample of each step,
 * 127 for full scale. A tile of a spectrogram is a grey image, 80 decibels from black to white, `per_second *
 * tile_seconds` pixels wide, the highest frequency (`max_hz`) at the top. The last tile may be shorter. `{tile}` stands for the tile's number, from 0.
 */
export interface Level {
  readonly per_second: number;
  readonly tile_seconds: number;
  readonly tiles: string;
}

export interface Manifest {
  readonly duration: number;
  readonly levels: readonly Level[];
  /** Spectrograms only. */
  readonly max_hz?: number;
}

/** Seconds before a tile that failed is asked for again. */
const RETRY_MS = 5000;

/** The coarsest level that still has a step for every pixel; the finest where none has. */
export function levelFor(levels: readonly Level[], pixelsPerSecond: number): Level | null {
  const fine = levels.filter((level) => level.per_second >= pixelsPerSecond);
  const [first] = fine.length
    ? fine.sort((a, b) => a.per_second - b.per_second)
    : [...levels].sort((a, b) => b.per_second - a.per_second);
  return first ?? null;
}

/** Numbers of the tiles that [from, to) seconds need. */
export function tilesBetween(level: Level, from: number, to: number, duration: number): number[] {
  const first = Math.max(Math.floor(from / level.tile_seconds), 0);
  const end = Math.min(to, duration);
  const tiles: number[] = [];
  for (let tile = first; tile * level.tile_seconds < end; tile++) tiles.push(tile);
  return tiles;
}

/** Least and greatest of the steps [from, to) of a tile of peaks, -1 to 1. */
export function extremes(peaks: Int8Array, from: number, to: number): [number, number] {
  let [low, high] = [127, -128];
  for (let i = Math.max(from, 0); i < Math.min(to, peaks.length / 2); i++) {
    low = Math.min(low, peaks[2 * i] as number);
    high = Math.max(high, peaks[2 * i + 1] as number);
  }
  return low > high ? [0, 0] : [low / 127, high / 127];
}

export async function fetchManifest(address: string): Promise<Manifest> {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address} answered ${answer.status}`);
  return (await answer.json()) as Manifest;
}

export async function fetchPeaks(address: string): Promise<Int8Array> {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address} answered ${answer.status}`);
  return new Int8Array(await answer.arrayBuffer());
}

export async function fetchPicture(address: string): Promise<HTMLImageElement> {
  const picture = new Image();
  picture.src = address;
  await picture.decode();
  return picture;
}

/** Tiles by their addresses: asked for when first wanted, kept while they are. */
export class Tiles<T> {
  private readonly kept = new Map<string, T>();
  private readonly asked = new Set<string>();

  constructor(
    private readonly fetchTile: (address: string) => Promise<T>,
    private readonly onTile: () => void,
    /** Tiles kept at a time; those not drawn for longest go first. */
    private readonly most = 80,
  ) {}

  /** The tile, or null until it is here; `onTile` is called then. */
  get(level: Level, tile: number): T | null {
    const address = level.tiles.replace("{tile}", String(tile));
    const found = this.kept.get(address);
    if (found !== undefined) {
      this.kept.delete(address);
      this.kept.set(address, found);
      return found;
    }
    if (!this.asked.has(address)) void this.ask(address);
    return null;
  }

  private async ask(address: string): Promise<void> {
    this.asked.add(address);
    try {
      this.kept.set(address, await this.fetchTile(address));
      this.asked.delete(address);
      const [oldest] = this.kept.keys();
      if (this.kept.size > this.most && oldest !== undefined) this.kept.delete(oldest);
      this.onTile();
    } catch {
      setTimeout(() => this.asked.delete(address), RETRY_MS);
    }
  }
}
