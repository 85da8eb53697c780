/** How a recording looks: ruler, waveform, spectrogram, bars of regions, overview of the whole. */

import type { AudioBoard, AudioMark } from "web/engines/audio/board";
import type { Colouring } from "web/engines/audio/colouring";
import { extremes, type Level, levelFor, type Manifest, type Tiles, tilesBetween } from "web/engines/audio/media";
import { clockOf, ticksOf } from "web/engines/audio/window";
import { colourOf, type Palette } from "web/engines/palette";

interface Band {
  readonly top: number;
  readonly height: number;
}

/** From top to bottom, in CSS pixels. */
export interface Layout {
  readonly width: number;
  readonly ruler: Band;
  readonly wave: Band;
  readonly spectrogram: Band;
  readonly bars: Band;
  readonly overview: Band;
}

const RULER = 22;
const BAR = 24;
const OVERVIEW = 30;
const MOST_LANES = 4;
const MOST_GAIN = 20;
const FONT = "12px system-ui, sans-serif";
/** Pixels between the lines of hatching. */
const HATCH = 9;
const DASHES = [5, 4];

type Context = CanvasRenderingContext2D;

export function layoutOf(board: AudioBoard, width: number, height: number, hasSpectrogram: boolean): Layout {
  const lanes = Math.min(Math.max(...lanesOf(board.marks).map((lane) => lane + 1), 1), MOST_LANES);
  const rest = Math.max(height - RULER - lanes * BAR - 8 - OVERVIEW, 60);
  const wave = { top: RULER, height: hasSpectrogram ? Math.round(rest * 0.42) : rest };
  const spectrogram = { top: wave.top + wave.height, height: rest - wave.height };
  const bars = { top: RULER + rest, height: lanes * BAR + 8 };
  return { width, ruler: { top: 0, height: RULER }, wave, spectrogram, bars, overview: { top: bars.top + bars.height, height: OVERVIEW } };
}

/** For each mark, in order of time, the first lane that is free where it begins. */
export function lanesOf(marks: readonly AudioMark[]): number[] {
  const freeFrom: number[] = [];
  return marks.map((mark) => {
    const free = freeFrom.findIndex((end) => end <= mark.start);
    const lane = free < 0 ? freeFrom.length : free;
    freeFrom[lane] = mark.end;
    return lane;
  });
}

export function paintRuler(context: Context, board: AudioBoard, { ruler, width }: Layout, palette: Palette): void {
  context.font = FONT;
  context.textBaseline = "middle";
  const ticks = ticksOf(board.window);
  const step = (ticks[1] ?? 1) - (ticks[0] ?? 0);
  const digits = step >= 1 ? 0 : step >= 0.1 ? 1 : 2;
  for (const time of ticks) {
    const x = Math.round(board.window.xAt(time)) + 0.5;
    context.strokeStyle = palette.line;
    context.beginPath();
    context.moveTo(x, ruler.height - 6);
    context.lineTo(x, ruler.height);
    context.stroke();
    const words = clockOf(time, digits);
    const at = Math.min(Math.max(x, 2), width - context.measureText(words).width - 8);
    context.fillStyle = palette.quiet;
    context.fillText(words, at + 4, ruler.height / 2);
  }
}

export function paintWave(context: Context, board: AudioBoard, { wave, width }: Layout, peaks: Manifest, tiles: Tiles<Int8Array>, palette: Palette): void {
  const { window } = board;
  context.strokeStyle = palette.line;
  context.strokeRect(-1, wave.top + 0.5, width + 2, wave.height - 1);
  const level = levelFor([...peaks.levels], window.pixelsPerSecond);
  const gain = gainOf(peaks, tiles, board.duration, width);
  if (level) paintPeaks(context, level, tiles, { ...wave, gain, from: window.from, to: window.to, width, duration: board.duration }, palette.quiet);
}

/** The whole recording small below, with what is seen above framed. */
export function paintOverview(context: Context, board: AudioBoard, { overview, width }: Layout, peaks: Manifest, tiles: Tiles<Int8Array>, palette: Palette): void {
  const gain = gainOf(peaks, tiles, board.duration, width);
  const band = { top: overview.top + 4, height: overview.height - 8, gain, from: 0, to: board.duration, width, duration: board.duration };
  const level = levelFor([...peaks.levels], width / board.duration);
  if (level) paintPeaks(context, level, tiles, band, palette.edge);
}

/** How much louder the waveform is drawn, so that a quiet recording is seen too: its loudest sample fills the band. */
export function gainOf(peaks: Manifest, tiles: Tiles<Int8Array>, duration: number, width: number): number {
  const level = levelFor([...peaks.levels], width / duration);
  if (!level) return 1;
  let loudest = 0;
  for (const tile of tilesBetween(level, 0, duration, duration)) {
    for (const sample of tiles.get(level, tile) ?? []) loudest = Math.max(loudest, Math.abs(sample));
  }
  return loudest ? Math.min(127 / loudest, MOST_GAIN) : 1;
}

interface Stretch extends Band {
  readonly gain: number;
  readonly from: number;
  readonly to: number;
  readonly width: number;
  readonly duration: number;
}

function paintPeaks(context: Context, level: Level, tiles: Tiles<Int8Array>, { top, height, gain, from, to, width, duration }: Stretch, colour: string): void {
  const here = new Map(tilesBetween(level, from, to, duration).map((tile) => [tile, tiles.get(level, tile)]));
  const perTile = level.per_second * level.tile_seconds;
  const middle = top + height / 2;
  const reach = (height / 2 - 3) * gain;
  context.fillStyle = colour;
  for (let x = 0; x < width; x++) {
    const first = Math.floor((from + (x / width) * (to - from)) * level.per_second);
    const last = Math.max(Math.ceil((from + ((x + 1) / width) * (to - from)) * level.per_second), first + 1);
    const tile = Math.floor(first / perTile);
    const peaks = here.get(tile);
    if (!peaks) continue;
    const [low, high] = extremes(peaks, first - tile * perTile, last - tile * perTile);
    context.fillRect(x, middle - high * reach, 1, Math.max((high - low) * reach, 1));
  }
}

export function paintSpectrogram(context: Context, board: AudioBoard, { spectrogram: band }: Layout, manifest: Manifest, tiles: Tiles<HTMLImageElement>, colouring: Colouring, palette: Palette): void {
  const { window } = board;
  const level = levelFor([...manifest.levels], window.pixelsPerSecond);
  // So many tiles that none could be told from the next: the waveform says more.
  if (!level || window.seconds / level.tile_seconds > 24) return;
  context.imageSmoothingEnabled = window.pixelsPerSecond < level.per_second * 3;
  for (const tile of tilesBetween(level, window.from, window.to, board.duration)) {
    const picture = tiles.get(level, tile);
    if (!picture) continue;
    const left = window.xAt(tile * level.tile_seconds);
    context.drawImage(colouring.of(picture), left, band.top, (picture.naturalWidth / level.per_second) * window.pixelsPerSecond, band.height);
  }
  paintHertz(context, band, manifest.max_hz ?? 0, palette);
}

function paintHertz(context: Context, band: Band, max: number, palette: Palette): void {
  context.font = "11px system-ui, sans-serif";
  context.textBaseline = "middle";
  for (let hertz = 2000; hertz < max; hertz += 2000) {
    const y = band.top + band.height * (1 - hertz / max);
    const words = `${hertz / 1000} kHz`;
    context.fillStyle = palette.paper;
    context.globalAlpha = 0.75;
    context.fillRect(0, y - 7, context.measureText(words).width + 8, 14);
    context.globalAlpha = 1;
    context.fillStyle = palette.ink;
    context.fillText(words, 4, y + 0.5);
  }
}

/** Everything that moves: regions, what is drawn, the playhead, the frame of the overview. */
export function paintMarks(context: Context, board: AudioBoard, layout: Layout, palette: Palette): void {
  const lanes = lanesOf(board.marks);
  board.marks.forEach((mark, i) => paintMark(context, board, layout, mark, Math.min(lanes[i] ?? 0, MOST_LANES - 1), palette));
  paintDraft(context, board, layout, palette);
  paintPlayhead(context, board, layout, palette);
  paintFrame(context, board, layout, palette);
}

function paintMark(context: Context, board: AudioBoard, layout: Layout, mark: AudioMark, lane: number, palette: Palette): void {
  const { start, end } = board.stretchOf(mark);
  const { window } = board;
  if (end < window.from || start > window.to) return;
  const [left, right] = [window.xAt(start), window.xAt(end)];
  const colour = colourOf(palette, mark.index);
  const isSelected = mark.id === board.selectedId;
  const { top } = layout.wave;
  const height = layout.bars.top - top;
  context.fillStyle = colour;
  context.globalAlpha = isSelected ? 0.3 : mark.isSuggested ? 0.08 : 0.16;
  context.fillRect(left, top, right - left, height);
  context.globalAlpha = 1;
  if (mark.isDifferent) paintHatching(context, { left, right, top }, height, colour);
  context.strokeStyle = colour;
  context.lineWidth = isSelected ? 2 : 1;
  context.setLineDash(mark.isSuggested ? DASHES : []);
  context.beginPath();
  for (const x of [left, right]) {
    context.moveTo(x, top);
    context.lineTo(x, layout.bars.top);
  }
  context.stroke();
  paintBar(context, mark, { left, right, top: layout.bars.top + 4 + lane * BAR }, isSelected, colour, palette);
  context.setLineDash([]);
}

interface Bar {
  readonly left: number;
  readonly right: number;
  readonly top: number;
}

/** Slanting lines over a region's time. */
function paintHatching(context: Context, { left, right, top }: Bar, height: number, colour: string): void {
  context.save();
  context.beginPath();
  context.rect(left, top, right - left, height);
  context.clip();
  context.strokeStyle = colour;
  context.globalAlpha = 0.7;
  context.lineWidth = 1.5;
  context.beginPath();
  for (let x = left - height; x < right; x += HATCH) {
    context.moveTo(x, top + height);
    context.lineTo(x + height, top);
  }
  context.stroke();
  context.restore();
}

function paintBar(context: Context, mark: AudioMark, { left, right, top }: Bar, isSelected: boolean, colour: string, palette: Palette): void {
  const width = Math.max(right - left, 3);
  context.fillStyle = palette.paper;
  context.fillRect(left, top, width, BAR - 4);
  context.globalAlpha = isSelected ? 0.4 : 0.18;
  context.fillStyle = colour;
  context.fillRect(left, top, width, BAR - 4);
  context.globalAlpha = 1;
  context.lineWidth = isSelected ? 2 : mark.isSuggested ? 1 : 1.5;
  context.strokeRect(left + 0.5, top + 0.5, width - 1, BAR - 5);
  const words = [mark.label, mark.text && `“${mark.text}”`, mark.note].filter(Boolean).join(" ");
  if (width < 14) return;
  context.save();
  context.beginPath();
  context.rect(left, top, width - 2, BAR);
  context.clip();
  context.fillStyle = palette.ink;
  context.font = FONT;
  context.textBaseline = "middle";
  context.fillText(words, Math.max(left, 0) + 5, top + (BAR - 4) / 2 + 0.5);
  context.restore();
}

function paintDraft(context: Context, board: AudioBoard, { wave, bars }: Layout, palette: Palette): void {
  const { gesture, begunAt, window, playhead } = board;
  const stretch = gesture?.kind === "draw" ? [gesture.from, gesture.to] : begunAt === null ? null : [begunAt, playhead];
  if (!stretch) return;
  const [a, b] = stretch.map((time) => window.xAt(time)) as [number, number];
  context.fillStyle = palette.accent;
  context.globalAlpha = 0.25;
  context.fillRect(Math.min(a, b), wave.top, Math.max(Math.abs(b - a), 2), bars.top - wave.top);
  context.globalAlpha = 1;
}

function paintPlayhead(context: Context, board: AudioBoard, { bars, ruler }: Layout, palette: Palette): void {
  const x = board.window.xAt(board.playhead);
  context.fillStyle = palette.accent;
  context.fillRect(x - 0.75, ruler.height - 8, 1.5, bars.top - ruler.height + 8);
  context.beginPath();
  context.moveTo(x - 6, ruler.height - 10);
  context.lineTo(x + 6, ruler.height - 10);
  context.lineTo(x, ruler.height - 1);
  context.fill();
}

function paintFrame(context: Context, board: AudioBoard, { overview, width }: Layout, palette: Palette): void {
  const { from, to } = board.window;
  const scale = width / Math.max(board.duration, 1e-9);
  for (const mark of board.marks) {
    context.fillStyle = colourOf(palette, mark.index);
    context.fillRect(mark.start * scale, overview.top + overview.height - 5, Math.max((mark.end - mark.start) * scale, 1.5), 4);
  }
  context.strokeStyle = palette.accent;
  context.lineWidth = 1.5;
  context.strokeRect(from * scale + 1, overview.top + 2, Math.max((to - from) * scale - 2, 3), overview.height - 4);
}
