import type { SuggestionFigures } from "web/api/dashboard";
import { formatShare } from "web/language/formats";
import { formatNumber, t } from "web/language/language";
import type { PartProps } from "web/pages/dashboard/page";
import { type Bar, BarChart } from "web/parts/charts/bar_chart";
import { Figure } from "web/parts/charts/figure";
import { itemsAddress } from "web/parts/project_start";

const OUTCOMES = ["accepted", "edited", "rejected"] as const;

/** What becomes of suggestions, where they are seen and where they are withheld. */
export function Suggestions({ project, figures }: PartProps) {
  const bars = figures.suggestions.flatMap((one) => [shownBar(project.project, one), blindBar(project.project, one)]);
  const drawn = bars.filter((bar) => bar.parts.some((part) => part.n > 0));
  return (
    <Figure
      title={t("dashboard.suggestions")}
      says={wordsOf(figures.suggestions)}
      values={{
        columns: [t("dashboard.source"), ...OUTCOMES.map((one) => t(`dashboard.outcome.${one}`)), t("dashboard.outcome.agreed"), t("dashboard.outcome.differed")],
        rows: figures.suggestions.map(({ source, shown, blind }) => [
          source,
          ...OUTCOMES.map((one) => formatNumber(shown[one])),
          formatNumber(blind.agreed),
          formatNumber(blind.differed),
        ]),
      }}
      empty={drawn.length === 0 ? t("dashboard.suggestions_empty") : null}
    >
      <ul class="legend quiet">
        <LegendPart index={1} words={`${t("dashboard.outcome.accepted")}, ${t("dashboard.outcome.agreed")}`} />
        <LegendPart index={2} words={t("dashboard.outcome.edited")} />
        <LegendPart index={3} words={`${t("dashboard.outcome.rejected")}, ${t("dashboard.outcome.differed")}`} />
      </ul>
      <BarChart bars={drawn} high={1} />
    </Figure>
  );
}

function LegendPart({ index, words }: { index: number; words: string }) {
  return (
    <li>
      <svg width="18" height="12" aria-hidden="true">
        <rect class={`bar-part is-part-${index}`} x="0.5" y="0.5" width="17" height="11" />
        {index === 2 && <path class="hatch" d="M1 11 11 1M7 11 17 1" />}
      </svg>
      {words}
    </li>
  );
}

function shownBar(project: string, { source, shown }: SuggestionFigures): Bar {
  const total = OUTCOMES.reduce((sum, one) => sum + shown[one], 0);
  const parts = OUTCOMES.map((outcome) => {
    const words = t("dashboard.part", { what: t(`dashboard.outcome.${outcome}`), n: shown[outcome], total });
    return { n: shown[outcome] / Math.max(1, total), words, href: itemsAddress(project, { source, outcome }) };
  });
  const said = total > 0 ? formatShare(shown.accepted / total) : "";
  return { name: t("dashboard.seen", { source }), parts, said };
}

function blindBar(project: string, { source, blind }: SuggestionFigures): Bar {
  const total = blind.agreed + blind.differed;
  const href = itemsAddress(project, { source, outcome: "blind" });
  const part = (what: "agreed" | "differed") => ({
    n: blind[what] / Math.max(1, total),
    words: t("dashboard.part", { what: t(`dashboard.outcome.${what}`), n: blind[what], total }),
    href,
  });
  const nothing = { n: 0, words: "" };
  const said = total > 0 ? formatShare(blind.agreed / total) : "";
  return { name: t("dashboard.withheld", { source }), parts: [part("agreed"), nothing, part("differed")], said };
}

/** People who only follow accept more of what they see than they would have said themselves. */
function wordsOf(suggestions: readonly SuggestionFigures[]): string {
  let [seen, taken, blind, agreed] = [0, 0, 0, 0];
  for (const one of suggestions) {
    seen += OUTCOMES.reduce((sum, outcome) => sum + one.shown[outcome], 0);
    taken += one.shown.accepted;
    blind += one.blind.agreed + one.blind.differed;
    agreed += one.blind.agreed;
  }
  if (seen === 0 || blind === 0) return t("dashboard.suggestions_why");
  return t("dashboard.suggestions_compared", { seen: formatShare(taken / seen), blind: formatShare(agreed / blind) });
}
