import { formatShare } from "web/language/formats";
import { formatNumber, t } from "web/language/language";
import type { PartProps } from "web/pages/dashboard/page";
import { Figure } from "web/parts/charts/figure";
import { type HeatCell, HeatMap } from "web/parts/charts/heat_map";
import { addressOf } from "web/parts/navigation";
import { itemsAddress, reviewAddress } from "web/parts/project_start";

/** Where people differ: which classes are taken for which, or, for shapes, spans, numbers and texts, who from whom. */
export function Differences(props: PartProps) {
  return props.figures.agreement.measure === "nearness" ? <WhoFromWhom {...props} /> : <WhichForWhich {...props} />;
}

function WhichForWhich({ project, figures }: PartProps) {
  const { classes, matrix } = figures.confusion;
  const totals = matrix.map((row) => row.reduce((sum, n) => sum + n, 0));
  const isEmpty = totals.every((n) => n === 0);
  const cells = matrix.map((row, i) =>
    row.map((n, j): HeatCell => {
      const total = totals[i] ?? 0;
      const share = total > 0 ? n / total : 0;
      const [one, other] = [classes[i] ?? "", classes[j] ?? ""];
      const words = t(i === j ? "dashboard.cell_same" : "dashboard.cell", { one, other, share: formatShare(share), n });
      const href = n > 0 ? itemsAddress(project.project, { said: one, confused: other }) : undefined;
      return { share: i === j ? null : share, said: n > 0 ? formatShare(share) : "", words, href };
    }),
  );
  const isMulti = figures.kind === "multi_choice";
  return (
    <Figure
      title={t("dashboard.differences")}
      says={t("dashboard.differences_why")}
      values={{
        columns: [t("dashboard.class"), ...classes],
        rows: matrix.map((row, i) => [classes[i] ?? "", ...row.map(formatNumber)]),
      }}
      empty={isEmpty ? <Empty project={project} says={isMulti ? "dashboard.differences_multi" : "dashboard.differences_empty"} /> : null}
    >
      <HeatMap caption={t("dashboard.differences")} rows={classes} columns={classes} corner={t("dashboard.corner")} cells={cells} />
    </Figure>
  );
}

function WhoFromWhom({ project, figures }: PartProps) {
  const { names, matrix } = figures.pairs;
  const highest = Math.max(0.01, ...matrix.flat().map((distance) => distance ?? 0));
  const cells = matrix.map((row, i) =>
    row.map((distance, j): HeatCell => {
      const [one, other] = [names[i] ?? "", names[j] ?? ""];
      if (i === j || distance === null) return { share: null, said: "", words: t("dashboard.cell_none", { one, other }) };
      const words = t("dashboard.cell_apart", { one, other, distance: formatShare(distance) });
      return { share: distance / highest, said: formatShare(distance), words, href: reviewAddress(project.project) };
    }),
  );
  return (
    <Figure
      title={t("dashboard.apart")}
      says={t("dashboard.apart_why")}
      values={{
        columns: [t("dashboard.annotator"), ...names],
        rows: matrix.map((row, i) => [names[i] ?? "", ...row.map((one) => (one === null ? null : formatShare(one)))]),
      }}
      empty={names.length === 0 ? <Empty project={project} says="dashboard.differences_empty" /> : null}
    >
      <HeatMap caption={t("dashboard.apart")} rows={names} columns={names} corner="" cells={cells} />
    </Figure>
  );
}

function Empty({ project, says }: Pick<PartProps, "project"> & { says: "dashboard.differences_multi" | "dashboard.differences_empty" }) {
  return (
    <>
      {t(says)} <a href={`${addressOf(project.project, "settings")}#quality`}>{t("settings.step.quality")}</a>
    </>
  );
}
