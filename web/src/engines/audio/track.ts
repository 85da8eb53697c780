/** The recording on the screen: a canvas for its pictures, one above for regions and playhead, and its sound. */

import type { AudioBoard, Player, Press } from "web/engines/audio/board";
import { Colouring } from "web/engines/audio/colouring";
import { fetchManifest, fetchPeaks, fetchPicture, type Manifest, Tiles } from "web/engines/audio/media";
import { gainOf, type Layout, layoutOf, paintMarks, paintOverview, paintRuler, paintSpectrogram, paintWave } from "web/engines/audio/painting";
import { differs, Layers, type Painter } from "web/engines/layers";

export interface Recording {
  readonly audio: string;
  readonly peaks?: string;
  readonly spectrogram?: string;
}

/** Coloured pictures take a few megabytes each. */
const MOST_PICTURES = 32;

export class AudioTrack implements Painter, Player {
  private readonly layers: Layers;
  private readonly sound = document.createElement("audio");
  private board: AudioBoard | null = null;
  private recording: Recording | null = null;
  private peaks: Manifest | null = null;
  private spectrogram: Manifest | null = null;
  private readonly peakTiles = new Tiles(fetchPeaks, () => this.layers.repaint());
  private readonly pictureTiles = new Tiles(fetchPicture, () => this.layers.repaint(), MOST_PICTURES);
  private readonly colouring = new Colouring();
  private stopAt: number | null = null;
  private restingKey: readonly unknown[] = [];
  private isOnOverview = false;
  private onBroken: () => void = () => undefined;

  constructor(readonly host: HTMLElement) {
    this.sound.preload = "auto";
    this.layers = new Layers(host, 2, this);
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
    this.layers.resize();
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
    this.layers.schedule();
  }

  dispose(): void {
    this.sound.pause();
    this.sound.removeAttribute("src");
    this.sound.load();
    this.layers.dispose();
  }

  private async fetchManifests(recording: Recording): Promise<void> {
    const ask = (address: string | undefined) => (address ? fetchManifest(address).catch(() => null) : null);
    const [peaks, spectrogram] = await Promise.all([ask(recording.peaks), ask(recording.spectrogram)]);
    if (this.recording !== recording) return;
    this.peaks = peaks;
    this.spectrogram = spectrogram;
    this.board?.learnDuration(peaks?.duration ?? spectrogram?.duration ?? 0);
    this.layers.repaint();
  }

  forget(): void {
    this.restingKey = [];
  }

  resized(width: number): void {
    if (this.board) this.board.window.width = width;
  }

  paint(): void {
    const { board } = this;
    if (!board) return;
    this.followSound(board);
    const layout = this.layout(board);
    const { window } = board;
    const key = [board, window.from, window.to, layout.spectrogram.height, layout.wave.height];
    if (differs(key, this.restingKey)) {
      this.restingKey = key;
      this.paintBelow(board, layout);
    }
    paintMarks(this.layers.clean(this.above), board, layout, this.layers.palette);
  }

  private paintBelow(board: AudioBoard, layout: Layout): void {
    const context = this.layers.clean(this.below);
    paintRuler(context, board, layout, this.layers.palette);
    if (this.peaks) {
      paintWave(context, board, layout, this.peaks, this.peakTiles, this.layers.palette);
      paintOverview(context, board, layout, this.peaks, this.peakTiles, this.layers.palette);
    }
    if (this.spectrogram) {
      const gain = this.peaks ? gainOf(this.peaks, this.peakTiles, board.duration, layout.width) : 1;
      this.colouring.use(this.layers.palette.spectrum, gain);
      paintSpectrogram(context, board, layout, this.spectrogram, this.pictureTiles, this.colouring, this.layers.palette);
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

  private get below(): HTMLCanvasElement {
    return this.layers.canvases[0] as HTMLCanvasElement;
  }

  private get above(): HTMLCanvasElement {
    return this.layers.canvases[1] as HTMLCanvasElement;
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
