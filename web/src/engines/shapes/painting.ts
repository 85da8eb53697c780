/** How marks look: solid with a halo for a person's, dashed and thinner for a suggestion, filled when selected. */

import { colourOf, type Palette } from "web/engines/palette";
import type { Board, Mark } from "web/engines/shapes/board";
import type { Grip } from "web/engines/shapes/editing";
import { boundsOf, boxBetween, isBox, isPolygon, outlineOf, type Point, type Shape } from "web/engines/shapes/shape";

/** Names beside shapes are for few shapes; with more they would hide the image. */
const MOST_NAMES = 150;
/** Without halos from here on: they double the work, and so many lines are texture. */
const MOST_HALOS = 1500;
const DASHES = [5, 4];
const FONT = "12px system-ui, sans-serif";
const POINT_RADIUS = 5;
/** Pixels between the lines of hatching. */
const HATCH = 9;

type Context = CanvasRenderingContext2D;
type IndexOf = (label: string) => number;

/** All marks at rest but the one that is lifted. */
export function paintMarks(context: Context, board: Board, lifted: string | null, palette: Palette, indexOf: IndexOf): void {
  const { left, top, right, bottom } = board.view.sight;
  const seen = board.marks.filter(({ id, shape }) => {
    const bounds = boundsOf(shape);
    return id !== lifted && bounds.left <= right && bounds.right >= left && bounds.top <= bottom && bounds.bottom >= top;
  });
  const hasHalo = seen.length <= MOST_HALOS;
  for (const mark of seen) paintMark(context, board, mark, palette, indexOf, hasHalo);
  if (seen.length <= MOST_NAMES) for (const mark of seen) paintName(context, board, mark, mark.shape, palette, indexOf, false);
}

/** What is under the pointer, selected, held or being drawn. */
export function paintAbove(context: Context, board: Board, palette: Palette, indexOf: IndexOf): void {
  const { gesture, hoveredId, selected } = board;
  const hovered = hoveredId === null || gesture ? null : (board.marks.find((mark) => mark.id === hoveredId) ?? null);
  if (hovered && hovered !== selected) paintStrong(context, board, hovered, hovered.shape, palette, indexOf);
  if (selected) {
    const now = gesture?.kind === "grip" && gesture.id === selected.id ? gesture.now : selected.shape;
    paintStrong(context, board, selected, now, palette, indexOf);
  }
  for (const grip of board.grips()) paintGrip(context, board, grip, palette);
  paintDraft(context, board, palette);
}

function paintMark(context: Context, board: Board, mark: Mark, palette: Palette, indexOf: IndexOf, hasHalo: boolean): void {
  if (mark.isDifferent) paintHatching(context, board, mark.shape, colourOf(palette, indexOf(mark.shape.label)));
  const width = mark.isSuggested ? 1.25 : 2;
  if (hasHalo) strokeShape(context, board, mark.shape, palette.halo, width + 2);
  context.setLineDash(mark.isSuggested ? DASHES : []);
  strokeShape(context, board, mark.shape, colourOf(palette, indexOf(mark.shape.label)), width);
  context.setLineDash([]);
}

/** Slanting lines over a shape; a second ring around a point, which has no inside. */
function paintHatching(context: Context, board: Board, shape: Shape, colour: string): void {
  const { left, top, right, bottom } = boundsOf(shape);
  const [x, y] = board.view.toScreen([left, top]);
  const [width, height] = [(right - left) * board.view.scale, (bottom - top) * board.view.scale];
  context.save();
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  if (width === 0 && height === 0) {
    context.setLineDash([3, 2]);
    context.beginPath();
    context.arc(x, y, POINT_RADIUS + 5, 0, 2 * Math.PI);
    context.stroke();
  } else {
    trace(context, board, shape);
    context.clip();
    context.globalAlpha = 0.75;
    context.beginPath();
    for (let at = -height; at < width; at += HATCH) {
      context.moveTo(x + at, y + height);
      context.lineTo(x + at + height, y);
    }
    context.stroke();
  }
  context.restore();
}

function paintStrong(context: Context, board: Board, mark: Mark, shape: Shape, palette: Palette, indexOf: IndexOf): void {
  const colour = colourOf(palette, indexOf(shape.label));
  trace(context, board, shape);
  context.globalAlpha = 0.18;
  context.fillStyle = colour;
  context.fill();
  context.globalAlpha = 1;
  strokeShape(context, board, shape, palette.halo, 5);
  context.setLineDash(mark.isSuggested ? DASHES : []);
  strokeShape(context, board, shape, colour, 2.5);
  context.setLineDash([]);
  paintName(context, board, mark, shape, palette, indexOf, true);
}

function strokeShape(context: Context, board: Board, shape: Shape, colour: string, width: number): void {
  context.strokeStyle = colour;
  context.lineWidth = width;
  if (isBox(shape) && !shape.rotation) {
    const [x, y] = board.view.toScreen([shape.x, shape.y]);
    context.strokeRect(x, y, shape.width * board.view.scale, shape.height * board.view.scale);
    return;
  }
  trace(context, board, shape);
  context.stroke();
}

/** The outline as the context's path; a ring with a dot for a point. */
function trace(context: Context, board: Board, shape: Shape): void {
  context.beginPath();
  if (!isBox(shape) && !isPolygon(shape)) {
    const [x, y] = board.view.toScreen([shape.x, shape.y]);
    context.arc(x, y, POINT_RADIUS, 0, 2 * Math.PI);
    context.moveTo(x + 1, y);
    context.arc(x, y, 1, 0, 2 * Math.PI);
    return;
  }
  for (const corner of outlineOf(shape)) context.lineTo(...board.view.toScreen(corner));
  context.closePath();
}

function paintName(context: Context, board: Board, mark: Mark, shape: Shape, palette: Palette, indexOf: IndexOf, isStrong: boolean): void {
  const { left, top, right } = boundsOf(shape);
  const [x, y] = board.view.toScreen([left, top]);
  const room = (right - left) * board.view.scale;
  const isPoint = room === 0;
  context.font = FONT;
  const fitting = namesOf(shape.label, mark.note).find(
    (text) => text && (isStrong || context.measureText(text).width + 8 <= (isPoint ? 60 : room + 24)),
  );
  if (!fitting) return;
  const width = context.measureText(fitting).width + 8;
  const [at, up] = isPoint ? [x + 9, y - 8] : [x - 1, Math.max(y - 17, 1)];
  context.fillStyle = palette.paper;
  context.globalAlpha = isStrong ? 1 : 0.86;
  context.fillRect(at, up, width, 16);
  context.globalAlpha = 1;
  context.fillStyle = colourOf(palette, indexOf(shape.label));
  context.fillRect(at, up, 3, 16);
  context.fillStyle = palette.ink;
  context.textBaseline = "middle";
  context.fillText(fitting, at + 6, up + 8.5);
}

/** The class with all that stands beside it, then with less and less of it. */
function namesOf(label: string, note: string): string[] {
  const parts = [label, ...(note ? note.split(" · ") : [])];
  return parts.map((_, i) => parts.slice(0, parts.length - i).join(" · "));
}

function paintGrip(context: Context, board: Board, grip: Grip, palette: Palette): void {
  const [x, y] = board.view.toScreen(grip.at);
  const isOn = grip.kind === "vertex" && grip.index === board.vertex;
  context.fillStyle = isOn ? palette.accent : palette.paper;
  context.strokeStyle = palette.accent;
  context.lineWidth = 1.5;
  context.beginPath();
  if (grip.kind === "centre") {
    context.moveTo(x - 5, y);
    context.lineTo(x + 5, y);
    context.moveTo(x, y - 5);
    context.lineTo(x, y + 5);
  } else if (grip.kind === "side") context.rect(x - 4, y - 4, 8, 8);
  else context.arc(x, y, grip.kind === "middle" ? 3 : 5, 0, 2 * Math.PI);
  if (grip.kind !== "centre") context.fill();
  context.stroke();
}

function paintDraft(context: Context, board: Board, palette: Palette): void {
  const { gesture } = board;
  if (gesture?.kind === "box") {
    const box = boxBetween(gesture.from, gesture.to, "", board.size);
    for (const [colour, width] of [[palette.halo, 4], [palette.accent, 2]] as const) strokeShape(context, board, box, colour, width);
  } else if (gesture?.kind === "polygon") {
    const path = [...gesture.points, gesture.to].map((point) => board.view.toScreen(point));
    for (const [colour, width] of [[palette.halo, 4], [palette.accent, 2]] as const) strokePath(context, path, colour, width);
    for (const point of gesture.points) paintGrip(context, board, { kind: "vertex", index: -1, at: point }, palette);
  } else if (gesture?.kind === "grip" && gesture.grip.kind !== "centre") {
    paintHeld(context, board, gesture.now, gesture.grip, palette);
  }
}

/** The vertex in hand, or how far a box is turned. */
function paintHeld(context: Context, board: Board, now: Shape, grip: Grip, palette: Palette): void {
  if (isPolygon(now) && (grip.kind === "vertex" || grip.kind === "middle")) {
    const index = grip.kind === "vertex" ? grip.index : grip.index + 1;
    const at = now.points[index];
    if (at) paintGrip(context, board, { kind: "vertex", index, at }, palette);
  } else if (isBox(now) && grip.kind === "turn") {
    context.fillStyle = palette.ink;
    context.font = FONT;
    const { right, top } = boundsOf(now);
    const [x, y] = board.view.toScreen([right, top]);
    context.fillText(`${now.rotation ?? 0}°`, x + 8, y);
  }
}

function strokePath(context: Context, path: readonly Point[], colour: string, width: number): void {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.beginPath();
  for (const point of path) context.lineTo(...point);
  context.stroke();
}
