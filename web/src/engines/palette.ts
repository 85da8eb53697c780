/** Colours of the stylesheet as canvases need them: resolved for the scheme that the page is in. */

export interface Palette {
  /** One for each class, in turn. */
  readonly marks: readonly string[];
  /** Around lines, so that they show on every image. */
  readonly halo: string;
  readonly paper: string;
  readonly ink: string;
  readonly quiet: string;
  readonly line: string;
  readonly edge: string;
  readonly accent: string;
  /** From silence to full scale. */
  readonly spectrum: readonly string[];
}

/** How many colours there are; classes beyond share them and differ by their names. */
export const N_COLOURS = 8;

export function paletteOf(host: HTMLElement): Palette {
  const probe = document.createElement("span");
  host.append(probe);
  const resolved = (name: string): string => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const palette: Palette = {
    marks: Array.from({ length: N_COLOURS }, (_, i) => resolved(`class-${i + 1}`)),
    halo: resolved("mark-halo"),
    paper: resolved("raised"),
    ink: resolved("ink"),
    quiet: resolved("soft"),
    line: resolved("line"),
    edge: resolved("edge"),
    accent: resolved("accent"),
    spectrum: [0, 1, 2, 3, 4].map((i) => resolved(`spectrum-${i}`)),
  };
  probe.remove();
  return palette;
}

export function colourOf(palette: Palette, index: number): string {
  return palette.marks[((index % N_COLOURS) + N_COLOURS) % N_COLOURS] ?? "gray";
}
