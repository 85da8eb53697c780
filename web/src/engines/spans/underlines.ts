import { N_COLOURS } from "web/engines/palette";
import type { Layer } from "web/engines/spans/segments";

/** Pixels from one line to the next, and how thick they are. */
const STEP = 5;

/**
 * Lines below a piece of text, one lane under the other, as a CSS background: solid for a person's span, thin and
 * dashed for a suggested one. Colours are variables, so that they follow the scheme.
 */
export function linesOf(layers: readonly Layer[]): string {
  const lines = layers.map(({ mark, lane }) => {
    const colour = `var(--class-${(mark.index % N_COLOURS) + 1})`;
    const picture = mark.isSuggested
      ? `repeating-linear-gradient(90deg, ${colour} 0 5px, transparent 5px 9px)`
      : `linear-gradient(${colour}, ${colour})`;
    const thick = mark.isSuggested ? 1.5 : 3;
    return `${picture} 0 calc(100% - var(--lanes) * ${STEP}px + ${(lane + 1) * STEP}px) / 100% ${thick}px no-repeat`;
  });
  return [...lines, ...layers.filter(({ mark }) => mark.isDifferent).map(({ mark }) => hatchingOf(mark.index))].join(", ");
}

/** Slanting lines behind the letters, faint enough to read them. */
function hatchingOf(index: number): string {
  const colour = `color-mix(in oklab, var(--class-${(index % N_COLOURS) + 1}) 32%, transparent)`;
  return `repeating-linear-gradient(-45deg, ${colour} 0 2px, transparent 2px 7px)`;
}
