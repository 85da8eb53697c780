import type { Feedback, FeedbackVersion, Share } from "web/api/dashboard";
import { formatDay, formatShare } from "web/language/formats";
import { formatNumber, t } from "web/language/language";
import type { PartProps } from "web/pages/dashboard/page";
import { Figure } from "web/parts/charts/figure";
import { ShareChart, type ShareLine, ShareMark } from "web/parts/charts/share_chart";

/** Suggestions accepted over time by source and version, and whether seeing them leads people. */
export function Acceptance({ figures }: PartProps) {
  const { feedback } = figures;
  const lines = linesOf(feedback);
  return (
    <Figure
      title={t("dashboard.acceptance")}
      says={`${t(feedback.span === "week" ? "dashboard.acceptance_by_week" : "dashboard.acceptance_by_day")} ${anchoringWords(feedback)} ${gapWords(feedback)}`.trim()}
      isWide
      values={{ columns: COLUMNS.map((name) => t(name)), rows: feedback.versions.map(rowOf) }}
      empty={lines.length === 0 ? t("dashboard.suggestions_empty") : null}
    >
      <ul class="legend quiet">
        {lines.map((line, i) => (
          <li key={line.name} class={`share-line is-line-${i % 4}`}>
            <svg width="14" height="14" aria-hidden="true">
              <ShareMark place={i} x={7} y={7} />
            </svg>
            {line.name}
          </li>
        ))}
      </ul>
      <ShareChart lines={lines} words={wordsOf(feedback)} />
    </Figure>
  );
}

const COLUMNS = [
  "dashboard.source",
  "dashboard.version",
  "dashboard.since",
  "dashboard.seen_count",
  "dashboard.outcome.accepted",
  "dashboard.outcome.edited",
  "dashboard.edited_by",
  "dashboard.outcome.rejected",
  "dashboard.outcome.ignored",
  "dashboard.outcome.agreed",
  "dashboard.right_on_gold",
] as const;

function rowOf(one: FeedbackVersion): readonly string[] {
  return [
    one.source,
    one.version,
    formatDay(Date.parse(one.first_at)),
    formatNumber(one.acceptance.of),
    shareOf(one.acceptance),
    formatNumber(one.edited),
    one.distance === null ? "" : formatShare(one.distance),
    formatNumber(one.rejected),
    formatNumber(one.ignored),
    shareOf(one.blind),
    shareOf(one.gold),
  ];
}

function shareOf({ share, of }: Share): string {
  return share === null ? "" : t("dashboard.share_of", { share: formatShare(share), n: of });
}

function linesOf({ periods }: Feedback): readonly ShareLine[] {
  const found = new Map<string, { source: string; points: ShareLine["points"][number][] }>();
  for (const { source, version, at, share, low, high, of } of periods) {
    if (share === null || low === null || high === null) continue;
    const name = nameOf({ source, version });
    const words = t("dashboard.accepted_of", { name, day: formatDay(Date.parse(at)), share: formatShare(share), n: of });
    const line = found.get(name) ?? { source, points: [] };
    line.points.push({ at: Date.parse(at), share, low, high, words });
    found.set(name, line);
  }
  const lines = [...found];
  return lines.map(([name, { source, points }], i) => ({
    name,
    points,
    isLater: lines.slice(0, i).some(([, before]) => before.source === source),
  }));
}

function nameOf({ source, version }: { source: string; version: string }): string {
  return version === "" ? source : `${source} ${version}`;
}

function wordsOf({ versions }: Feedback): string {
  const told = versions.filter((one) => one.acceptance.share !== null);
  return told.map((one) => `${nameOf(one)}: ${shareOf(one.acceptance)}`).join("; ");
}

/** Nothing is claimed where the interval holds nought. */
function anchoringWords({ anchoring }: Feedback): string {
  const { difference, low, high, shown, blind } = anchoring;
  if (difference === null || low === null || high === null || shown.share === null || blind.share === null) return t("dashboard.anchoring_unknown");
  const both = { shown: formatShare(shown.share), blind: formatShare(blind.share), n: shown.of, m: blind.of };
  if (!anchoring.is_found) return t("dashboard.anchoring_none", both);
  const points = (share: number) => Math.round(100 * Math.abs(share));
  const ends = [points(low), points(high)].sort((a, b) => a - b);
  const values = { ...both, points: points(difference), low: ends[0] ?? 0, high: ends[1] ?? 0 };
  return t(difference > 0 ? "dashboard.anchoring_leads" : "dashboard.anchoring_repels", values);
}

function gapWords({ calibration }: Feedback): string {
  return calibration.gap === null ? "" : t("dashboard.suggestion_gap", { gap: formatShare(calibration.gap), n: calibration.n });
}
