import { formatDay } from "web/language/formats";
import { DAY_MS, dayTicks, linear, percent, type Scale } from "web/parts/charts/scale";
import { useWidth } from "web/parts/charts/width";

export interface SharePoint {
  readonly at: number;
  readonly share: number;
  readonly low: number;
  readonly high: number;
  readonly words: string;
}

export interface ShareLine {
  readonly name: string;
  readonly points: readonly SharePoint[];
  /** One that follows another of its source begins at an upright mark. */
  readonly isLater: boolean;
}

const HEIGHT = 220;
const EDGE = { left: 48, right: 18, top: 14, bottom: 30 };
const TICKS = [0, 0.25, 0.5, 0.75, 1] as const;

/** Shares over time with their intervals; each line has a form of its points of its own. */
export function ShareChart({ lines, words }: { readonly lines: readonly ShareLine[]; readonly words: string }) {
  const [frame, width] = useWidth<HTMLDivElement>();
  return (
    <div ref={frame}>
      {width.value > 0 && <Drawing lines={lines} words={words} width={width.value} />}
    </div>
  );
}

function Drawing({ lines, words, width }: { lines: readonly ShareLine[]; words: string; width: number }) {
  const times = lines.flatMap((line) => line.points.map((point) => point.at));
  const first = Math.min(...times);
  const last = Math.max(...times, first + DAY_MS);
  const x = linear(first, last, EDGE.left + 8, width - EDGE.right);
  const y = linear(0, 1, HEIGHT - EDGE.bottom, EDGE.top);
  return (
    <svg width={width} height={HEIGHT} role="img" aria-label={words}>
      <Axes x={x} y={y} first={first} last={last} width={width} />
      {lines.map((line, i) => (
        <Line key={line.name} line={line} place={i} x={x} y={y} />
      ))}
    </svg>
  );
}

function Axes({ x, y, first, last, width }: { x: Scale; y: Scale; first: number; last: number; width: number }) {
  return (
    <g aria-hidden="true">
      {TICKS.map((tick) => (
        <g key={tick}>
          <line class="grid-line" x1={EDGE.left} x2={width - EDGE.right} y1={y(tick)} y2={y(tick)} />
          <text class="tick-text" x={EDGE.left - 8} y={y(tick)} dy="0.35em" text-anchor="end">
            {percent(tick)}
          </text>
        </g>
      ))}
      {dayTicks(first, last, Math.max(2, Math.floor((width - EDGE.left) / 88))).map((at) => (
        <g key={at}>
          <line class="tick-line" x1={x(at)} x2={x(at)} y1={HEIGHT - EDGE.bottom} y2={HEIGHT - EDGE.bottom + 5} />
          <text class="tick-text" x={x(at)} y={HEIGHT - 8} text-anchor={x(at) > width - EDGE.right - 24 ? "end" : "middle"}>
            {formatDay(at)}
          </text>
        </g>
      ))}
    </g>
  );
}

function Line({ line, place, x, y }: { line: ShareLine; place: number; x: Scale; y: Scale }) {
  const [begin] = line.points;
  const path = line.points.map(({ at, share }, i) => `${i === 0 ? "M" : "L"}${x(at).toFixed(1)} ${y(share).toFixed(1)}`).join("");
  return (
    <g class={`share-line is-line-${place % 4}`}>
      {line.isLater && begin && <line class="target-line" x1={x(begin.at)} x2={x(begin.at)} y1={y(0)} y2={y(1)} />}
      <path d={path} />
      {line.points.map((point) => (
        <g key={point.at}>
          <title>{point.words}</title>
          <line class="share-interval" x1={x(point.at)} x2={x(point.at)} y1={y(point.low)} y2={y(point.high)} />
          <ShareMark place={place} x={x(point.at)} y={y(point.share)} />
        </g>
      ))}
    </g>
  );
}

/** Lines differ by the form of their points and not by colour alone. */
export function ShareMark({ place, x, y }: { place: number; x: number; y: number }) {
  const form = place % 4;
  if (form === 0) return <circle class="share-mark" cx={x} cy={y} r={4.5} />;
  if (form === 1) return <rect class="share-mark" x={x - 4} y={y - 4} width={8} height={8} />;
  if (form === 2) return <path class="share-mark" d={`M${x} ${y - 6}l6 6l-6 6l-6 -6z`} />;
  return <path class="share-mark" d={`M${x} ${y - 6}l6 10h-12z`} />;
}
