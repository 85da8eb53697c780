import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { fetchItem, type ItemHistory, type Remark } from "web/api/items";
import { formatAgo } from "web/language/formats";
import { t, tOf } from "web/language/language";
import { DataView } from "web/parts/data_view";
import { wordsOfError } from "web/parts/page";
import type { Project } from "web/tasks";
import type { Widget } from "web/widget";

interface ItemDetailsProps {
  readonly project: Project;
  readonly item: string;
  readonly widget: Widget<unknown, unknown> | null;
}

/** An item as it is, and what everybody said about it, in order. */
export function ItemDetails({ project, item, widget }: ItemDetailsProps) {
  const history = useSignal<ItemHistory | null>(null);
  const fault = useSignal("");
  useEffect(() => {
    fetchItem(project.project, item)
      .then((found) => (history.value = found))
      .catch((error: unknown) => (fault.value = wordsOfError(error)));
  }, [item]);
  if (fault.value) {
    return (
      <p class="fault" role="alert">
        {fault.value}
      </p>
    );
  }
  if (!history.value) return <p class="quiet">{t("label.loading")}</p>;
  return (
    <div class="item-details">
      <DataView data={history.value.data} />
      {history.value.votes.length === 0 && <p class="quiet">{t("items.nothing_said")}</p>}
      <ul class="remarks">
        {history.value.votes.map((remark, i) => (
          <li key={i}>
            <span class="remark-who">{remark.name}</span>
            <span class={remark.kind === "label" ? "remark-value" : "quiet"}>{wordsOf(remark, project, widget)}</span>
            {remark.outcome && <span class="chip">{tOf(`items.outcome.${remark.outcome}`)}</span>}
            <span class="quiet small">{formatAgo(Date.parse(remark.at))}</span>
            {remark.note && <p class="remark-note">{remark.note}</p>}
          </li>
        ))}
      </ul>
    </div>
  );
}

function wordsOf(remark: Remark, project: Project, widget: Widget<unknown, unknown> | null): string {
  if (remark.kind !== "label") return tOf(`items.kind.${remark.kind}`);
  if (remark.value === null) return t("items.declined");
  try {
    return widget?.summary(remark.value, { schema: project.schema, t: tOf }) || t("label.none_of_these");
  } catch {
    // An answer to an earlier form of the question.
    return JSON.stringify(remark.value);
  }
}
