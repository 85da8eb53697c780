import { N_COLOURS } from "web/engines/palette";

/** The style class that gives the colour of a class of the schema, by its place. */
export function swatchOf(index: number): string {
  return index < 0 ? "is-no-class" : `is-class-${(index % N_COLOURS) + 1}`;
}
