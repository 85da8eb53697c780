/**
 * How masks look: a person's filled and rimmed, a suggestion hatched with a dashed rim, the selected one stronger.
 *
 * Painted pixel by pixel of the screen, each looked up on the sheet: the cost is that of the screen and not of the image,
 * and a stroke repaints the part of the screen that it touched.
 */

import { colourOf, type Palette } from "web/engines/palette";
import type { MaskBoard } from "web/engines/masks/board";
import { areaOf, edgesIn, type MaskRegion } from "web/engines/masks/rle";
import type { Rect } from "web/engines/masks/sheet";
import type { Point } from "web/engines/shapes/shape";

const MOST_NAMES = 60;
/** Screen pixels from side to side of a mask beside whose name its source stands. */
const ROOM_FOR_NOTE = 90;
const FONT = "12px system-ui, sans-serif";
/** Screen pixels from stripe to stripe of what is suggested, and of a dash and the gap after it. */
const STRIPE = 7;
const DASH = 10;

type Context = CanvasRenderingContext2D;
type IndexOf = (label: string) => number;

/** Colours of numbers as the words of an image's memory: red lowest, opacity highest. */
interface Inks {
  readonly fills: Uint32Array;
  readonly rims: Uint32Array;
  /** Over the fill, where another answer differs; 0 elsewhere. */
  readonly stripes: Uint32Array;
}

export interface Look {
  readonly palette: Palette;
  readonly indexOf: IndexOf;
  /** 0 to 1. */
  readonly opacity: number;
  /** Pixels of the canvas for one of the page. */
  readonly ratio: number;
}

/** Paints a part of the canvas, `rect` in its pixels. */
export function paintMasks(context: Context, board: MaskBoard, look: Look, rect: Rect): void {
  const width = rect.right - rect.left;
  const height = rect.bottom - rect.top;
  if (width <= 0 || height <= 0) return;
  const { sheet, hints } = board.layers;
  const image = context.createImageData(width, height);
  const out = new Uint32Array(image.data.buffer);
  const own = inksOfOwn(board, look);
  const hinted = inksOfHints(board, look);
  const columns = placesOf(rect.left - 1, rect.right + 1, board.view.x, board.view.scale, look.ratio, sheet.width);
  const rows = placesOf(rect.top - 1, rect.bottom + 1, board.view.y, board.view.scale, look.ratio, sheet.height);
  const at = (pixels: Uint16Array, i: number, j: number): number => {
    const [column, row] = [columns[i] as number, rows[j] as number];
    return column < 0 || row < 0 ? 0 : (pixels[column * sheet.height + row] as number);
  };
  const isRim = (pixels: Uint16Array, number: number, i: number, j: number) =>
    at(pixels, i - 1, j) !== number || at(pixels, i + 1, j) !== number || at(pixels, i, j - 1) !== number || at(pixels, i, j + 1) !== number;
  for (let i = 1; i <= width; i++) {
    if ((columns[i] as number) < 0) continue;
    for (let j = 1; j <= height; j++) {
      const number = at(sheet.pixels, i, j);
      const place = (j - 1) * width + i - 1;
      if (number) out[place] = inkOfOwn(own, number, isRim(sheet.pixels, number, i, j), rect.left + i + rect.top + j, look.ratio);
      else if (hints) {
        const hint = at(hints.pixels, i, j);
        if (hint) out[place] = inkOfHint(hinted, hint, isRim(hints.pixels, hint, i, j), rect.left + i + rect.top + j, look.ratio);
      }
    }
  }
  context.putImageData(image, rect.left, rect.top);
}

/** What lies above the masks: names, the outline that is being drawn, the brush. */
export function paintMaskMarks(context: Context, board: MaskBoard, { palette, indexOf }: Look): void {
  const shown = board.marks.filter(({ region }) => board.layers.fits(region) && region.counts);
  if (shown.length <= MOST_NAMES) for (const { region, note, id } of shown) paintName(context, board, region, note, id === board.selectedId, palette, indexOf);
  if (board.gesture?.kind === "polygon") paintOutline(context, board, board.gesture.points, board.gesture.to, palette);
  if (board.cursor && !board.isReadOnly && board.tool !== "select") paintBrush(context, board, board.cursor, palette);
}

function inkOfOwn({ fills, rims, stripes }: Inks, number: number, isRim: boolean, along: number, ratio: number): number {
  if (isRim) return rims[number] as number;
  const isStripe = stripes[number] && along % (STRIPE * ratio) < 2 * ratio;
  return (isStripe ? stripes : fills)[number] as number;
}

function inkOfHint({ fills, rims }: Inks, hint: number, isRim: boolean, along: number, ratio: number): number {
  if (isRim) return along % (DASH * ratio) < 6 * ratio ? (rims[hint] as number) : 0;
  return along % (STRIPE * ratio) < 2 * ratio ? (fills[hint] as number) : 0;
}

function inksOfOwn(board: MaskBoard, look: Look): Inks {
  const { labels } = board.layers;
  const most = Math.max(0, ...labels.keys());
  const inks = blankInks(most + 1);
  const { own } = board.layers.placesOf(board.selectedId);
  const different = new Set(board.marks.filter(({ isDifferent }) => isDifferent).map(({ id }) => board.layers.placesOf(id).own));
  for (const [number, label] of labels) {
    const opacity = number === own ? Math.min(look.opacity + 0.2, 1) : look.opacity;
    inks.fills[number] = inkOf(look, label, opacity);
    inks.rims[number] = number === own ? word(look.palette.ink, 1) : inkOf(look, label, 1);
    if (different.has(number)) inks.stripes[number] = inkOf(look, label, 1);
  }
  return inks;
}

function inksOfHints(board: MaskBoard, look: Look): Inks {
  const { hinted } = board.layers;
  const inks = blankInks(hinted.length + 1);
  const { hint } = board.layers.placesOf(board.selectedId);
  hinted.forEach(({ region }, i) => {
    inks.fills[i + 1] = inkOf(look, region.label, hint === i + 1 ? 1 : 0.75);
    inks.rims[i + 1] = hint === i + 1 ? word(look.palette.ink, 1) : inkOf(look, region.label, 1);
  });
  return inks;
}

function blankInks(n: number): Inks {
  return { fills: new Uint32Array(n), rims: new Uint32Array(n), stripes: new Uint32Array(n) };
}

function inkOf({ palette, indexOf }: Look, label: string, opacity: number): number {
  return word(colourOf(palette, indexOf(label)), opacity);
}

const parts = new Map<string, readonly [number, number, number]>();

function word(colour: string, opacity: number): number {
  let rgb = parts.get(colour);
  if (!rgb) {
    rgb = partsOf(colour);
    parts.set(colour, rgb);
  }
  return ((Math.round(opacity * 255) << 24) | (rgb[2] << 16) | (rgb[1] << 8) | rgb[0]) >>> 0;
}

/** Red, green and blue of any colour that a canvas knows. */
function partsOf(colour: string): readonly [number, number, number] {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [1, 1];
  const context = canvas.getContext("2d") as Context;
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0] = context.getImageData(0, 0, 1, 1).data;
  return [red, green, blue];
}

/** For each pixel of the canvas from `first` to below `last` the image's column or row; -1 beside the image. */
function placesOf(first: number, last: number, offset: number, scale: number, ratio: number, size: number): Int32Array {
  const places = new Int32Array(last - first);
  for (let i = 0; i < places.length; i++) {
    const place = Math.floor(((first + i + 0.5) / ratio - offset) / scale);
    places[i] = place >= 0 && place < size ? place : -1;
  }
  return places;
}

const anchors = new WeakMap<MaskRegion, Point>();

/** Where a mask's name stands: in the middle of its longest run. */
function anchorOf(mask: MaskRegion): Point {
  let anchor = anchors.get(mask);
  if (!anchor) {
    const edges = edgesIn(mask);
    let [best, longest] = [0, 0];
    for (let i = 0; i < edges.length; i += 2) {
      const length = (edges[i + 1] as number) - (edges[i] as number);
      if (length > longest) [best, longest] = [i, length];
    }
    const middle = Math.floor(((edges[best] ?? 0) + (edges[best + 1] ?? 0)) / 2);
    anchor = [Math.floor(middle / mask.size[0]) + 0.5, (middle % mask.size[0]) + 0.5];
    anchors.set(mask, anchor);
  }
  return anchor;
}

function paintName(context: Context, board: MaskBoard, region: MaskRegion, note: string, isSelected: boolean, palette: Palette, indexOf: IndexOf): void {
  const [x, y] = board.view.toScreen(anchorOf(region));
  const isLarge = Math.sqrt(areaOf(edgesIn(region))) * board.view.scale >= ROOM_FOR_NOTE;
  const text = note && (isSelected || isLarge) ? `${region.label} · ${note}` : region.label;
  context.font = FONT;
  const width = context.measureText(text).width + 8;
  const [left, top] = [Math.max(Math.round(x - width / 2), 0), Math.round(y - 8)];
  context.globalAlpha = isSelected ? 1 : 0.86;
  context.fillStyle = palette.paper;
  context.fillRect(left, top, width, 16);
  context.globalAlpha = 1;
  context.fillStyle = colourOf(palette, indexOf(region.label));
  context.fillRect(left, top, 3, 16);
  context.fillStyle = palette.ink;
  context.textBaseline = "middle";
  context.fillText(text, left + 6, top + 8.5);
}

function paintOutline(context: Context, board: MaskBoard, points: readonly Point[], to: Point, palette: Palette): void {
  const path = [...points, to].map((point) => board.view.toScreen(point));
  twice(context, palette, () => {
    context.beginPath();
    for (const point of path) context.lineTo(...point);
    context.stroke();
  });
  for (const point of path.slice(0, -1)) {
    twice(context, palette, () => {
      context.beginPath();
      context.arc(...point, 4, 0, 2 * Math.PI);
      context.stroke();
    });
  }
}

/** The brush as a ring of its size; a cross where there is none, or where keys move it. */
function paintBrush(context: Context, board: MaskBoard, cursor: Point, palette: Palette): void {
  const [x, y] = board.view.toScreen(cursor);
  const isRound = board.tool === "brush" || board.tool === "eraser";
  const radius = Math.max((board.diameter * board.view.scale) / 2, 1.5);
  twice(context, palette, () => {
    context.beginPath();
    if (isRound) context.arc(x, y, radius, 0, 2 * Math.PI);
    if (!isRound || board.isCursorByKey) {
      for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]] as const) {
        context.moveTo(x + 3 * dx, y + 3 * dy);
        context.lineTo(x + 11 * dx, y + 11 * dy);
      }
    }
    context.stroke();
  });
}

/** Dark in light: seen on every image. */
function twice(context: Context, palette: Palette, draw: () => void): void {
  for (const [colour, width] of [[palette.halo, 4], [palette.accent, 1.75]] as const) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    draw();
  }
}
