import { formatDay } from "web/language/formats";
import { formatNumber, t } from "web/language/language";
import { DAY_MS, dayTicks, linear, roundAbove, type Scale, ticksOf } from "web/parts/charts/scale";
import { useWidth } from "web/parts/charts/width";

export interface Point {
  readonly at: number;
  readonly n: number;
}

export interface Ahead {
  readonly doneAt: number;
  readonly soonest: number;
  readonly latest: number | null;
}

interface ProgressChartProps {
  readonly points: readonly Point[];
  readonly now: number;
  /** How many there shall be. */
  readonly target: number;
  readonly ahead: Ahead | null;
  readonly href: string;
  readonly words: string;
}

const HEIGHT = 250;
const HOUR_MS = 3_600_000;
const EDGE = { left: 58, right: 18, top: 26, bottom: 30 };

/** How the work grew, the way to its end at the pace of the last days, and the band that this may end in. */
export function ProgressChart(props: ProgressChartProps) {
  const [frame, width] = useWidth<HTMLDivElement>();
  return (
    <div ref={frame} class="progress-chart">
      {width.value > 0 && <Drawing {...props} width={width.value} />}
    </div>
  );
}

function Drawing({ points, now, target, ahead, href, words, width }: ProgressChartProps & { width: number }) {
  const first = points[0] ?? { at: now, n: 0 };
  const start = Math.min(first.at, now - HOUR_MS);
  const last = lastMoment(start, now, ahead);
  const high = roundAbove(Math.max(target, points.at(-1)?.n ?? 0));
  const x = linear(start, last, EDGE.left, width - EDGE.right);
  const y = linear(0, high, HEIGHT - EDGE.bottom, EDGE.top);
  const line = [{ at: start, n: 0 }, ...points.map(({ at, n }) => ({ at: Math.min(at + DAY_MS, now), n }))];
  const end = line.at(-1) ?? { at: now, n: 0 };
  return (
    <svg width={width} height={HEIGHT} role="group" aria-label={words}>
      <Axes x={x} y={y} start={start} last={last} high={high} width={width} />
      {target > 0 && <Target x={x} y={y} target={target} start={start} last={last} />}
      {ahead && <Band x={x} y={y} from={end} ahead={ahead} target={target} last={last} />}
      <path class="progress-area" d={`${pathOf(line, x, y)}L${x(end.at)} ${y(0)}L${x(start)} ${y(0)}z`} />
      <path class="progress-line" d={pathOf(line, x, y)} />
      <a href={href} aria-label={words}>
        <circle class="progress-now" cx={x(end.at)} cy={y(end.n)} r={5} />
        <circle class="hit" cx={x(end.at)} cy={y(end.n)} r={13} />
      </a>
    </svg>
  );
}

/** The band's late end may lie far: the drawing gives the past at least a third. */
function lastMoment(start: number, now: number, ahead: Ahead | null): number {
  if (!ahead) return now;
  const past = Math.max(now - start, 3 * DAY_MS);
  return Math.max(now + DAY_MS, Math.min(ahead.latest ?? Number.POSITIVE_INFINITY, now + Math.max(2 * past, 1.3 * (ahead.doneAt - now))));
}

function Axes({ x, y, start, last, high, width }: { x: Scale; y: Scale; start: number; last: number; high: number; width: number }) {
  return (
    <g aria-hidden="true">
      {ticksOf(0, high, 4).map((tick) => (
        <g key={tick}>
          <line class="grid-line" x1={EDGE.left} x2={width - EDGE.right} y1={y(tick)} y2={y(tick)} />
          <text class="tick-text" x={EDGE.left - 8} y={y(tick)} dy="0.35em" text-anchor="end">
            {formatNumber(tick)}
          </text>
        </g>
      ))}
      {dayTicks(start, last, Math.max(2, Math.floor((width - EDGE.left) / 88))).map((at) => (
        <g key={at}>
          <line class="tick-line" x1={x(at)} x2={x(at)} y1={HEIGHT - EDGE.bottom} y2={HEIGHT - EDGE.bottom + 5} />
          <text class="tick-text" x={x(at)} y={HEIGHT - 8} text-anchor={anchorOf(x(at), width)}>
            {formatDay(at)}
          </text>
        </g>
      ))}
    </g>
  );
}

function anchorOf(place: number, width: number): "start" | "middle" | "end" {
  if (place > width - EDGE.right - 24) return "end";
  return "middle";
}

function Target({ x, y, target, start, last }: { x: Scale; y: Scale; target: number; start: number; last: number }) {
  return (
    <g aria-hidden="true">
      <line class="target-line" x1={x(start)} x2={x(last)} y1={y(target)} y2={y(target)} />
      <text class="target-text" x={x(start) + 4} y={y(target) - 6}>
        {t("dashboard.asked_for", { n: target })}
      </text>
    </g>
  );
}

interface BandProps {
  readonly x: Scale;
  readonly y: Scale;
  readonly from: Point;
  readonly ahead: Ahead;
  readonly target: number;
  readonly last: number;
}

function Band({ x, y, from, ahead, target, last }: BandProps) {
  const early = cut(from, { at: ahead.soonest, n: target }, last);
  const middle = cut(from, { at: ahead.doneAt, n: target }, last);
  // Without a latest day the lower edge runs flat.
  const late = cut(from, ahead.latest === null ? { at: last, n: from.n } : { at: ahead.latest, n: target }, last);
  const corner = early.at < last && late.at >= last - 1 ? `L${x(last)} ${y(target)}` : "";
  const start = `${x(from.at)} ${y(from.n)}`;
  return (
    <g aria-hidden="true">
      <path class="forecast-band" d={`M${start}L${x(early.at)} ${y(early.n)}${corner}L${x(late.at)} ${y(late.n)}z`} />
      <path class="forecast-line" d={`M${start}L${x(middle.at)} ${y(middle.n)}`} />
    </g>
  );
}

/** The line from one point to another, ended where the drawing ends. */
function cut(from: Point, to: Point, last: number): Point {
  if (to.at <= last) return to;
  const share = (last - from.at) / (to.at - from.at);
  return { at: last, n: from.n + share * (to.n - from.n) };
}

function pathOf(points: readonly Point[], x: Scale, y: Scale): string {
  return points.map(({ at, n }, i) => `${i === 0 ? "M" : "L"}${x(at).toFixed(1)} ${y(n).toFixed(1)}`).join("");
}
