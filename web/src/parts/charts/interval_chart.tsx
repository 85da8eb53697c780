import { KindMark, type MarkKind } from "web/parts/charts/kind_mark";
import { linear, percent } from "web/parts/charts/scale";

export interface IntervalRow {
  readonly name: string;
  readonly kind: MarkKind;
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
  /** At the row's end: the value, as a person reads it. */
  readonly said: string;
  /** For the ear: what the drawing says besides. */
  readonly more: string;
  readonly href?: string | undefined;
}

interface IntervalChartProps {
  readonly rows: readonly IntervalRow[];
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
  readonly format: (value: number) => string;
}

/** A point with its interval in each row; rows are HTML, so that long names wrap and everything can be zoomed. */
export function IntervalChart({ rows, low, high, ticks, format }: IntervalChartProps) {
  const place = linear(low, high, 0, 1);
  return (
    <div class="intervals">
      <ul>
        {rows.map((row) => (
          <li key={`${row.kind} ${row.name}`}>
            <Row row={row} place={place} ticks={ticks} />
          </li>
        ))}
      </ul>
      <div class="interval-axis" aria-hidden="true">
        <div class="interval-ticks">
          {ticks.map((tick) => (
            <span key={tick} class={`tick ${endOf(place(tick))}`} style={{ left: percent(place(tick)) }}>
              {format(tick)}
            </span>
          ))}
        </div>
      </div>
    </div>
  );
}

/** Labels at the ends stay inside. */
function endOf(share: number): string {
  return share < 0.02 ? "is-first" : share > 0.98 ? "is-last" : "";
}

function Row({ row, place, ticks }: { row: IntervalRow; place: (value: number) => number; ticks: readonly number[] }) {
  const inside = (
    <>
      <span class="interval-name" title={row.name}>
        {row.name}
      </span>
      <svg class="interval-track" height="24" aria-hidden="true">
        {ticks.map((tick) => (
          <line key={tick} class="grid-line" x1={percent(place(tick))} x2={percent(place(tick))} y1="0" y2="24" />
        ))}
        {row.low !== null && row.high !== null && <Interval low={place(row.low)} high={place(row.high)} kind={row.kind} />}
        <svg x={percent(place(row.value))} y="12" overflow="visible">
          <KindMark kind={row.kind} isOpen={row.low === null} />
        </svg>
      </svg>
      <span class="interval-said">{row.said}</span>
      <span class="sr-only">{row.more}</span>
    </>
  );
  return row.href ? (
    <a class="interval-row" href={row.href}>
      {inside}
    </a>
  ) : (
    <div class="interval-row">{inside}</div>
  );
}

function Interval({ low, high, kind }: { low: number; high: number; kind: MarkKind }) {
  return (
    <g class={`interval is-${kind}`}>
      <line x1={percent(low)} x2={percent(high)} y1="12" y2="12" />
      <line x1={percent(low)} x2={percent(low)} y1="8" y2="16" />
      <line x1={percent(high)} x2={percent(high)} y1="8" y2="16" />
    </g>
  );
}
