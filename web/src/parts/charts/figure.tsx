import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { t } from "web/language/language";
import { ValueTable, type Values } from "web/parts/charts/value_table";
import { Words } from "web/parts/words";

interface FigureProps {
  readonly title: string;
  /** What it says in a sentence, below the title. */
  readonly says?: string | undefined;
  readonly isWide?: boolean;
  /** The same in numbers, one click away. */
  readonly values?: Values;
  /** What to do where there is nothing to draw yet; the chart is not drawn then. */
  readonly empty?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** A chart with its title and the table of its values. */
export function Figure({ title, says, isWide = false, values, empty, children }: FigureProps) {
  const isTable = useSignal(false);
  const id = useId();
  const hasValues = values !== undefined && values.rows.length > 0 && !empty;
  return (
    <section class={`chart ${isWide ? "is-wide" : ""}`} aria-labelledby={id}>
      <header class="chart-head">
        <h2 id={id}>{title}</h2>
        {hasValues && (
          <button type="button" class="button is-quiet chart-toggle" aria-pressed={isTable.value} onClick={() => (isTable.value = !isTable.value)}>
            {t("chart.values")}
            <span class="sr-only">: {title}</span>
          </button>
        )}
      </header>
      {says && !empty && <p class="chart-says quiet">{says}</p>}
      {empty ? <div class="chart-empty quiet">{typeof empty === "string" ? <Words text={empty} /> : empty}</div> : isTable.value && values ? <ValueTable {...values} caption={title} /> : children}
    </section>
  );
}
