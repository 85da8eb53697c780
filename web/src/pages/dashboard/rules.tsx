import { useSignal } from "@preact/signals";
import type { RuleFigures } from "web/api/dashboard";
import { formatShare } from "web/language/formats";
import { t } from "web/language/language";
import type { PartProps } from "web/pages/dashboard/page";
import { Figure } from "web/parts/charts/figure";
import { percent } from "web/parts/charts/scale";

type Column = "name" | "coverage" | "overlap" | "conflict" | "accuracy";

const SHARES = ["coverage", "overlap", "conflict", "accuracy"] as const;

/** What rules and models reach, where they meet others, and how often they are right. */
export function Rules({ figures }: PartProps) {
  const order = useSignal<{ column: Column; isDown: boolean }>({ column: "coverage", isDown: true });
  const rows = [...figures.rules].sort((a, b) => compare(a, b, order.value.column) * (order.value.isDown ? -1 : 1));
  const choose = (column: Column) => {
    const isSame = order.value.column === column;
    order.value = { column, isDown: isSame ? !order.value.isDown : column !== "name" };
  };
  return (
    <Figure title={t("dashboard.rules")} says={t("dashboard.rules_why")} isWide empty={rows.length === 0 ? t("dashboard.rules_empty") : null}>
      <div class="table-frame" role="group" aria-label={t("dashboard.rules")} tabIndex={0}>
        <table class="values rules">
          <caption class="sr-only">{t("dashboard.rules")}</caption>
          <thead>
            <tr>
              {(["name", ...SHARES] as const).map((column) => (
                <Head key={column} column={column} order={order.value} onChoose={choose} />
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.name}>
                <th scope="row">{row.name}</th>
                {SHARES.map((column) => (
                  <Share key={column} share={row[column]} kind={row.kind} isLearned={column === "accuracy" && !row.is_measured} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Figure>
  );
}

interface HeadProps {
  readonly column: Column;
  readonly order: { readonly column: Column; readonly isDown: boolean };
  readonly onChoose: (column: Column) => void;
}

function Head({ column, order, onChoose }: HeadProps) {
  const isChosen = order.column === column;
  return (
    <th scope="col" aria-sort={isChosen ? (order.isDown ? "descending" : "ascending") : undefined}>
      <button type="button" class="sort" onClick={() => onChoose(column)}>
        {t(`dashboard.rule.${column}`)}
        <span aria-hidden="true">{isChosen ? (order.isDown ? " ↓" : " ↑") : ""}</span>
      </button>
    </th>
  );
}

function Share({ share, kind, isLearned }: { share: number | null; kind: string; isLearned: boolean }) {
  if (share === null) return <td>–</td>;
  return (
    <td>
      <span class="share-cell">
        <svg class="share-bar" height="8" aria-hidden="true">
          <rect class="share-track" width="100%" height="8" />
          <rect class={`share-fill is-${kind} ${isLearned ? "is-learned" : ""}`} width={percent(share)} height="8" />
        </svg>
        {formatShare(share)}
        {isLearned && <span class="quiet small">{t("dashboard.learned")}</span>}
      </span>
    </td>
  );
}

/** Where nothing is known comes last, whichever way. */
function compare(a: RuleFigures, b: RuleFigures, column: Column): number {
  if (column === "name") return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
  return (a[column] ?? -1) - (b[column] ?? -1);
}
