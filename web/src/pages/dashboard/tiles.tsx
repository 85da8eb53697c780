import type { ComponentChildren } from "preact";
import { formatCoefficient, formatDay, formatShare } from "web/language/formats";
import { formatNumber, t } from "web/language/language";
import type { PartProps } from "web/pages/dashboard/page";
import { itemsAddress } from "web/parts/project_start";

/** The few numbers that a lead looks for first. */
export function Tiles({ project, figures }: PartProps) {
  const { items, answers, forecast, hours_left, agreement } = figures;
  return (
    <dl class="tiles">
      <Tile name={t("dashboard.items_done")} note={t("dashboard.of_items", { n: items.total })}>
        <a href={itemsAddress(project.project, { state: "done" })}>{formatNumber(items.done)}</a>
      </Tile>
      <Tile name={t("dashboard.answers_missing")} note={t("dashboard.answers_held", { n: answers.held })}>
        <a href={itemsAddress(project.project, { state: "open" })}>{formatNumber(answers.missing)}</a>
      </Tile>
      <Tile name={t("dashboard.done_by")} note={wordsOfPace(figures)}>
        {answers.missing === 0 && answers.held > 0 ? t("dashboard.now") : forecast?.done_at ? formatDay(Date.parse(forecast.done_at)) : "–"}
      </Tile>
      <Tile name={t("dashboard.work_left")} note={t("dashboard.work_left_why")}>
        {hours_left === null ? "–" : hours(hours_left)}
      </Tile>
      <Tile name={t(`dashboard.${agreement.measure}`)} note={wordsOfAgreement(figures)}>
        {agreement.value === null ? "–" : agreement.measure === "alpha" ? formatCoefficient(agreement.value) : formatShare(agreement.value)}
      </Tile>
    </dl>
  );
}

function Tile({ name, note, children }: { name: string; note: string; children: ComponentChildren }) {
  return (
    <div class="tile">
      <dt>{name}</dt>
      <dd class="tile-value">{children}</dd>
      <dd class="tile-note quiet">{note}</dd>
    </div>
  );
}

function hours(n: number): string {
  return n < 1 ? t("unit.minutes", { n: Math.max(1, Math.round(60 * n)) }) : t("unit.hours", { n: Math.round(n) });
}

function wordsOfPace({ forecast, answers }: PartProps["figures"]): string {
  if (answers.missing === 0 && answers.held > 0) return t("dashboard.all_answered");
  if (!forecast) return t("dashboard.too_early");
  const rate = Math.round(forecast.per_day);
  return t(rate > 0 ? "dashboard.a_day" : "dashboard.standstill", { n: rate, days: forecast.n_days });
}

function wordsOfAgreement({ agreement }: PartProps["figures"]): string {
  const { low, high, n_items } = agreement;
  if (agreement.value === null) return t("dashboard.no_agreement");
  if (low === null || high === null) return t("dashboard.on_items", { n: n_items });
  const words = agreement.measure === "alpha" ? formatCoefficient : formatShare;
  return t("dashboard.interval_on", { low: words(low), high: words(high), n: n_items });
}
