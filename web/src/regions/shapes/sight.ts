import type { Point } from "web/engines/shapes/shape";
import type { View } from "web/engines/shapes/view";

interface Sight {
  readonly scale: number;
  readonly middle: Point;
}

/** The place of the image in the middle of the screen, and how close; null for all of it. */
export function sightOf(view: View): Sight | null {
  const { left, top, right, bottom } = view.sight;
  return view.isFitted ? null : { scale: view.scale, middle: [(left + right) / 2, (top + bottom) / 2] };
}

/** Shows what `sightOf` told of another view. */
export function showSight(view: View, sight: unknown): void {
  if (sight === null) return view.fit();
  const { scale, middle } = sight as Sight;
  view.scale = scale;
  view.centreOn(middle);
}
