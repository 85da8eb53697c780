/** The recording on the screen: a canvas for its pictures, one above for regions and playhead, and its sound. */

import type { AudioBoard, Player, Press } from "web/engines/audio/board";
import { Colouring } from "web/engines/audio/colouring";
import { fetchManifest, fetchPeaks, fetchPicture, type Manifest, Tiles } from "web/engines/audio/media";
import { gainOf, type Layout, layoutOf, paintMarks, paintOverview, paintRuler, paintSpectrogram, paintWave } from "web/engines/audio/painting";
import { type Palette, paletteOf } from "web/engines/palette";

export interface Recording {
  readonly audio: string;
  readonly peaks?: string;
  readonly spectrogram?: string;
}

/** Coloured pictures take a few megabytes each. */
const MOST_PICTURES = 32;

export class AudioTrack implements Player {
  private readonly below = document.createElement("canvas");
  private readonly above = document.createElement("canvas");
  private readonly sound = document.createElement("audio");
  private readonly leave = new AbortController();
  private readonly watcher: ResizeObserver;
  private palette: Palette;
  private board: AudioBoard | null = null;
  private recording: Recording | null = null;
  private peaks: Manifest | null = null;
  private spectrogram: Manifest | null = null;
  private readonly peakTiles = new Tiles(fetchPeaks, () => this.repaint());
  private readonly pictureTiles = new Tiles(fetchPicture, () => this.repaint(), MOST_PICTURES);
  private readonly colouring = new Colouring();
  private stopAt: number | null = null;
  private frame = 0;
  private restingKey: readonly unknown[] = [];
  private isOnOverview = false;
  private onBroken: () => void = () => undefined;

  constructor(readonly host: HTMLElement) {
    this.palette = paletteOf(host);
    this.sound.preload = "auto";
    for (const canvas of [this.below, this.above]) {
      canvas.setAttribute("aria-hidden", "true");
      host.append(canvas);
    }
    this.watcher = new ResizeObserver(() => this.resize());
    this.watcher.observe(host);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.recolour(), { signal: this.leave.signal });
    this.listen();
  }

  get isPlaying(): boolean {
    return !this.sound.paused && !this.sound.ended;
  }

  show(board: AudioBoard, recording: Recording, onBroken: () => void): void {
    this.sound.pause();
    this.board = board;
    this.recording = recording;
    this.onBroken = onBroken;
    board.player = this;
    this.peaks = null;
    this.spectrogram = null;
    this.stopAt = null;
    this.sound.src = recording.audio;
    void this.fetchManifests(recording);
    this.resize();
  }

  play(from: number, to: number | null): void {
    this.stopAt = to;
    this.sound.currentTime = from;
    // A browser that wants a gesture first refuses; the next press of the key is one.
    void this.sound.play().catch(() => undefined);
    this.schedule();
  }

  pause(): void {
    this.sound.pause();
    this.stopAt = null;
  }

  seek(time: number): void {
    this.sound.currentTime = time;
  }

  schedule(): void {
    this.frame ||= requestAnimationFrame(() => this.paint());
  }

  dispose(): void {
    this.sound.pause();
    this.sound.removeAttribute("src");
    this.sound.load();
    cancelAnimationFrame(this.frame);
    this.watcher.disconnect();
    this.leave.abort();
    this.host.replaceChildren();
  }

  private async fetchManifests(recording: Recording): Promise<void> {
    const ask = (address: string | undefined) => (address ? fetchManifest(address).catch(() => null) : null);
    const [peaks, spectrogram] = await Promise.all([ask(recording.peaks), ask(recording.spectrogram)]);
    if (this.recording !== recording) return;
    this.peaks = peaks;
    this.spectrogram = spectrogram;
    this.board?.learnDuration(peaks?.duration ?? spectrogram?.duration ?? 0);
    this.repaint();
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
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    if (this.board) this.board.window.width = width;
    this.restingKey = [];
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.paint();
  }

  private paint(): void {
    this.frame = 0;
    const { board } = this;
    if (!board || !this.host.clientWidth) return;
    this.followSound(board);
    const layout = this.layout(board);
    const { window } = board;
    const key = [board, window.from, window.to, layout.spectrogram.height, layout.wave.height];
    if (key.some((part, i) => part !== this.restingKey[i])) {
      this.restingKey = key;
      this.paintBelow(board, layout);
    }
    paintMarks(this.clean(this.above), board, layout, this.palette);
  }

  private paintBelow(board: AudioBoard, layout: Layout): void {
    const context = this.clean(this.below);
    paintRuler(context, board, layout, this.palette);
    if (this.peaks) {
      paintWave(context, board, layout, this.peaks, this.peakTiles, this.palette);
      paintOverview(context, board, layout, this.peaks, this.peakTiles, this.palette);
    }
    if (this.spectrogram) {
      const gain = this.peaks ? gainOf(this.peaks, this.peakTiles, board.duration, layout.width) : 1;
      this.colouring.use(this.palette.spectrum, gain);
      paintSpectrogram(context, board, layout, this.spectrogram, this.pictureTiles, this.colouring, this.palette);
    }
  }

  private followSound(board: AudioBoard): void {
    if (!this.isPlaying) return;
    const time = this.sound.currentTime;
    if (this.stopAt !== null && time >= this.stopAt) {
      const end = this.stopAt;
      this.pause();
      board.seek(end);
      return;
    }
    board.played(time);
    this.schedule();
  }

  private layout(board: AudioBoard): Layout {
    return layoutOf(board, this.host.clientWidth, this.host.clientHeight, this.spectrogram !== null || this.recording?.spectrogram !== undefined);
  }

  private clean(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
    const context = canvas.getContext("2d") as CanvasRenderingContext2D;
    const ratio = devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    return context;
  }

  private listen(): void {
    const { above, sound } = this;
    above.addEventListener("pointerdown", (event) => this.down(event));
    above.addEventListener("pointermove", (event) => this.moved(event));
    above.addEventListener("pointerup", (event) => this.up(event));
    above.addEventListener("pointercancel", () => this.board?.cancel());
    above.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    sound.addEventListener("loadedmetadata", () => this.board?.learnDuration(sound.duration));
    sound.addEventListener("error", () => this.recording && this.onBroken());
    for (const name of ["play", "pause", "ended", "seeked"]) sound.addEventListener(name, () => this.schedule());
  }

  private down(event: PointerEvent): void {
    const { board } = this;
    if (event.button !== 0 || !board) return;
    this.above.setPointerCapture(event.pointerId);
    const { overview } = this.layout(board);
    this.isOnOverview = event.offsetY >= overview.top;
    if (this.isOnOverview) this.jump(event, board);
    else board.press(this.pressOf(event, board));
  }

  private moved(event: PointerEvent): void {
    const { board } = this;
    if (!board) return;
    if (this.isOnOverview && event.buttons & 1) this.jump(event, board);
    else board.move(event.offsetX);
    this.above.style.cursor = board.gesture?.kind === "edge" || board.edgeAt(event.offsetX) ? "ew-resize" : "text";
  }

  private up(event: PointerEvent): void {
    const { board } = this;
    if (!this.isOnOverview && board) board.release(this.pressOf(event, board));
    this.isOnOverview = false;
  }

  /** The overview shows all: a press there brings that place to the middle. */
  private jump(event: PointerEvent, board: AudioBoard): void {
    const time = (event.offsetX / this.host.clientWidth) * board.duration;
    board.window.panBy(time - (board.window.from + board.window.to) / 2);
    board.owner.changed();
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const sideways = event.shiftKey ? event.deltaX || event.deltaY : event.deltaX;
    if (Math.abs(sideways) > Math.abs(event.deltaY) || event.shiftKey) this.board?.pan(sideways * unit);
    else this.board?.zoom(event.offsetX, Math.exp(-event.deltaY * unit * (event.ctrlKey ? 0.01 : 0.002)));
  }

  private pressOf(event: PointerEvent, board: AudioBoard): Press {
    return { x: event.offsetX, isOnBars: event.offsetY >= this.layout(board).bars.top };
  }
}
