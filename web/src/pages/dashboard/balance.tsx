import { formatShare } from "web/language/formats";
import { formatNumber, t } from "web/language/language";
import type { PartProps } from "web/pages/dashboard/page";
import { BarChart } from "web/parts/charts/bar_chart";
import { Figure } from "web/parts/charts/figure";
import { itemsAddress } from "web/parts/project_start";

/** How often each class was named. */
export function Balance({ project, figures }: PartProps) {
  const { balance } = figures;
  const total = balance.reduce((sum, one) => sum + one.count, 0);
  const high = Math.max(1, ...balance.map((one) => one.count));
  const shareOf = (n: number) => formatShare(total > 0 ? n / total : 0);
  const bars = balance.map((one) => {
    const words = t("dashboard.named", { name: one.class, n: one.count, share: shareOf(one.count) });
    const part = { n: one.count, words, href: itemsAddress(project.project, { said: one.class }) };
    return { name: one.class, parts: [part], said: formatNumber(one.count) };
  });
  const isOfWhole = figures.agreement.measure === "alpha";
  const why = balance.length === 0 ? "dashboard.balance_none" : total === 0 ? "dashboard.balance_empty" : null;
  return (
    <Figure
      title={t("dashboard.balance")}
      says={t(isOfWhole ? "dashboard.balance_why" : "dashboard.balance_sample")}
      values={{
        columns: [t("dashboard.class"), t("dashboard.answers"), t("dashboard.share")],
        rows: balance.map((one) => [one.class, formatNumber(one.count), shareOf(one.count)]),
      }}
      empty={why ? t(why) : null}
    >
      <BarChart bars={bars} high={high} />
    </Figure>
  );
}
