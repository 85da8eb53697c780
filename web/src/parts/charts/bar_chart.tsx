import { useId } from "preact/hooks";
import { percent } from "web/parts/charts/scale";

export interface Bar {
  readonly name: string;
  /** One after the other on one line; their forms differ by their place: full, hatched, empty. */
  readonly parts: readonly { readonly n: number; readonly words: string; readonly href?: string }[];
  readonly said: string;
}

/** Bars on one scale from nought; each part leads to its items. */
export function BarChart({ bars, high }: { bars: readonly Bar[]; high: number }) {
  const hatch = useId();
  return (
    <>
      <svg width="0" height="0" class="defs" aria-hidden="true">
        <pattern id={hatch} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <line class="hatch" x1="0" x2="0" y1="0" y2="6" />
        </pattern>
      </svg>
      <ul class="bars">
        {bars.map((bar) => (
          <li key={bar.name} class="bar-row">
            <span class="bar-name" title={bar.name}>
              {bar.name}
            </span>
            <svg class="bar-track" height="22" role="group" aria-label={bar.name}>
              <line class="grid-line" x1="0" x2="0" y1="0" y2="22" />
              {bar.parts.map((part, i) => (
                <Part key={i} {...part} hatch={hatch} index={i} start={sumTo(bar, i) / high} size={part.n / high} />
              ))}
            </svg>
            <span class="bar-said">{bar.said}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

function sumTo(bar: Bar, index: number): number {
  return bar.parts.slice(0, index).reduce((sum, part) => sum + part.n, 0);
}

interface PartProps {
  readonly hatch: string;
  readonly words: string;
  readonly href?: string;
  readonly index: number;
  readonly start: number;
  readonly size: number;
}

function Part({ hatch, words, href, index, start, size }: PartProps) {
  if (size <= 0) return null;
  const drawn = (
    <>
      <title>{words}</title>
      <rect class={`bar-part is-part-${index + 1}`} x={percent(start)} y="3" width={percent(size)} height="16" />
      {index === 1 && <rect fill={`url(#${hatch})`} x={percent(start)} y="3" width={percent(size)} height="16" />}
    </>
  );
  return href ? (
    <a href={href} aria-label={words}>
      {drawn}
    </a>
  ) : (
    <g>{drawn}</g>
  );
}
