import type { AnnotatorFigures } from "web/api/dashboard";
import { formatShare, formatTaken } from "web/language/formats";
import { formatNumber, t } from "web/language/language";
import type { PartProps } from "web/pages/dashboard/page";
import { Figure } from "web/parts/charts/figure";
import { IntervalChart, type IntervalRow } from "web/parts/charts/interval_chart";
import { KindMark, type MarkKind } from "web/parts/charts/kind_mark";
import { roundAbove, ticksOf } from "web/parts/charts/scale";
import { addressOf } from "web/parts/navigation";
import { itemsAddress, reviewAddress } from "web/parts/project_start";
import { Words } from "web/parts/words";

/** More rows are a list and no picture: the table has them all. */
const MOST_ROWS = 30;

/** How far each annotator can be trusted, people, rules and models on one scale. */
export function Reliability({ project, figures }: PartProps) {
  const known = figures.annotators.filter((one) => one.reliability !== null);
  const rows = [...known].sort(byReliability).slice(0, MOST_ROWS).map((one) => rowOf(project.project, one, one.reliability ?? 0));
  const low = Math.min(0.5, ...known.map((one) => one.low ?? one.reliability ?? 0));
  const from = Math.floor(low * 10) / 10;
  const isNear = figures.agreement.measure === "nearness";
  return (
    <Figure
      title={t("dashboard.reliability")}
      says={t(isNear ? "dashboard.reliability_near" : "dashboard.reliability_why")}
      values={{
        columns: [t("dashboard.annotator"), t("dashboard.kind"), t("dashboard.votes"), t("dashboard.value"), t("dashboard.from"), t("dashboard.to")],
        rows: figures.annotators.map((one) => [one.name, t(`suggestion.by.${one.kind}`), formatNumber(one.votes), share(one.reliability), share(one.low), share(one.high)]),
      }}
      empty={rows.length === 0 ? t("dashboard.reliability_empty") : null}
    >
      <Legend kinds={kindsOf(known)} />
      <IntervalChart rows={rows} low={from} high={1} ticks={ticksOf(from, 1, 5)} format={formatShare} />
    </Figure>
  );
}

/** How long people take for an answer: the middle half of each one's answers, and their median. */
export function Speed({ project, figures }: PartProps) {
  const timed = figures.annotators.filter((one) => one.kind === "person" && one.ms_median !== null);
  const high = roundAbove(Math.max(1, ...timed.map((one) => (one.ms_high ?? one.ms_median ?? 0) / 1000)));
  const rows = [...timed]
    .sort((a, b) => (a.ms_median ?? 0) - (b.ms_median ?? 0))
    .slice(0, MOST_ROWS)
    .map((one): IntervalRow => {
      const said = formatTaken(one.ms_median ?? 0);
      const href = itemsAddress(project.project, { annotator: one.annotator });
      const ends = { low: (one.ms_low ?? 0) / 1000, high: (one.ms_high ?? 0) / 1000 };
      const more = t("dashboard.between", { low: formatTaken(one.ms_low ?? 0), high: formatTaken(one.ms_high ?? 0) });
      return { name: one.name, kind: "person", value: (one.ms_median ?? 0) / 1000, ...ends, said, more, href };
    });
  return (
    <Figure
      title={t("dashboard.speed")}
      says={t("dashboard.speed_why")}
      values={{
        columns: [t("dashboard.annotator"), t("dashboard.answers"), t("dashboard.median"), t("dashboard.quarter"), t("dashboard.three_quarters")],
        rows: timed.map((one) => [one.name, formatNumber(one.votes), taken(one.ms_median), taken(one.ms_low), taken(one.ms_high)]),
      }}
      empty={rows.length === 0 ? t("dashboard.speed_empty") : null}
    >
      <IntervalChart rows={rows} low={0} high={high} ticks={ticksOf(0, high, 5)} format={(seconds) => formatTaken(1000 * seconds)} />
    </Figure>
  );
}

/** How people do on items whose answer is known. */
export function GoldResults({ project, figures }: PartProps) {
  const asked = figures.annotators.flatMap((one) => (one.gold ? [{ ...one, gold: one.gold }] : []));
  const rows = asked.slice(0, MOST_ROWS).map(({ annotator, name, gold }): IntervalRow => {
    const said = t("dashboard.right_of", { right: gold.right, n: gold.n });
    const href = itemsAddress(project.project, { annotator, purpose: "gold" });
    return { name, kind: "person", value: gold.right / gold.n, low: gold.low, high: gold.high, said, more: between(gold), href };
  });
  return (
    <Figure
      title={t("dashboard.gold")}
      says={t("dashboard.gold_why")}
      values={{
        columns: [t("dashboard.annotator"), t("dashboard.gold_right"), t("dashboard.gold_asked"), t("dashboard.from"), t("dashboard.to")],
        rows: asked.map(({ name, gold }) => [name, formatNumber(gold.right), formatNumber(gold.n), share(gold.low), share(gold.high)]),
      }}
      empty={
        rows.length === 0 ? (
          <>
            <Words text={t("dashboard.gold_empty")} />{" "}
            <a href={`${addressOf(project.project, "settings")}#quality`}>{t("settings.step.quality")}</a>
          </>
        ) : null
      }
    >
      <IntervalChart rows={rows} low={0} high={1} ticks={[0, 0.25, 0.5, 0.75, 1]} format={formatShare} />
    </Figure>
  );
}

function rowOf(project: string, one: AnnotatorFigures, value: number): IntervalRow {
  const said = formatShare(value);
  const more = `${t(`suggestion.by.${one.kind}`)} ${between(one)}`.trim();
  const href = one.kind === "person" ? itemsAddress(project, { annotator: one.annotator }) : reviewAddress(project);
  return { name: one.name, kind: one.kind, value, low: one.low, high: one.high, said, more, href };
}

function between({ low, high }: { low: number | null; high: number | null }): string {
  return low === null || high === null ? "" : t("dashboard.between", { low: formatShare(low), high: formatShare(high) });
}

function byReliability(a: AnnotatorFigures, b: AnnotatorFigures): number {
  return (b.reliability ?? 0) - (a.reliability ?? 0) || (a.name < b.name ? -1 : 1);
}

function kindsOf(annotators: readonly AnnotatorFigures[]): readonly MarkKind[] {
  return (["person", "rule", "model"] as const).filter((kind) => annotators.some((one) => one.kind === kind));
}

/** What the forms mean. */
function Legend({ kinds }: { kinds: readonly MarkKind[] }) {
  return (
    <ul class="legend quiet">
      {kinds.map((kind) => (
        <li key={kind}>
          <svg width="18" height="18" viewBox="-9 -9 18 18" aria-hidden="true">
            <KindMark kind={kind} />
          </svg>
          {t(`suggestion.by.${kind}`)}
        </li>
      ))}
      <li>
        <svg width="26" height="18" viewBox="-13 -9 26 18" aria-hidden="true">
          <g class="interval">
            <line x1="-11" x2="11" y1="0" y2="0" />
            <line x1="-11" x2="-11" y1="-4" y2="4" />
            <line x1="11" x2="11" y1="-4" y2="4" />
          </g>
        </svg>
        {t("dashboard.interval")}
      </li>
    </ul>
  );
}

function share(value: number | null): string | null {
  return value === null ? null : formatShare(value);
}

function taken(ms: number | null): string | null {
  return ms === null ? null : formatTaken(ms);
}
