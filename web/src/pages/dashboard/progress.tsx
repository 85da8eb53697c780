import { formatDay } from "web/language/formats";
import { formatNumber, t } from "web/language/language";
import type { PartProps } from "web/pages/dashboard/page";
import { Figure } from "web/parts/charts/figure";
import { type Ahead, ProgressChart } from "web/parts/charts/progress_chart";
import { itemsAddress } from "web/parts/project_start";

/** Answers over time, and when none will be missing. */
export function Progress({ project, figures }: PartProps) {
  const { answers, progress } = figures;
  const points = progress.map(({ at, done }) => ({ at: Date.parse(at), n: done }));
  const rows = progress.map(({ at, done }, i) => {
    const onDay = done - (progress[i - 1]?.done ?? 0);
    return [formatDay(Date.parse(at)), formatNumber(onDay), formatNumber(done)];
  });
  return (
    <Figure
      title={t("dashboard.progress")}
      says={wordsOf(figures)}
      isWide
      values={{ columns: [t("dashboard.day"), t("dashboard.answers"), t("dashboard.answers_so_far")], rows }}
      empty={points.length === 0 ? t("dashboard.progress_empty") : null}
    >
      <ProgressChart
        points={points}
        now={Date.parse(figures.at)}
        target={answers.held + answers.missing}
        ahead={aheadOf(figures)}
        href={itemsAddress(project.project, { state: "done" })}
        words={t("dashboard.progress_words", { n: answers.held, total: answers.held + answers.missing })}
      />
    </Figure>
  );
}

function aheadOf({ forecast }: PartProps["figures"]): Ahead | null {
  if (!forecast?.done_at || !forecast.soonest) return null;
  const latest = forecast.latest === null ? null : Date.parse(forecast.latest);
  return { doneAt: Date.parse(forecast.done_at), soonest: Date.parse(forecast.soonest), latest };
}

function wordsOf({ forecast, answers }: PartProps["figures"]): string {
  if (answers.missing === 0) return t("dashboard.all_answered");
  if (!forecast) return t("dashboard.too_early");
  if (!forecast.done_at || !forecast.soonest) return t("dashboard.not_at_this_pace", { days: forecast.n_days });
  const values = {
    n: Math.round(forecast.per_day),
    days: forecast.n_days,
    soonest: formatDay(Date.parse(forecast.soonest)),
    latest: forecast.latest ? formatDay(Date.parse(forecast.latest)) : "",
  };
  return t(forecast.latest ? "dashboard.forecast" : "dashboard.forecast_open", values);
}
