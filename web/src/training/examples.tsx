import { t } from "web/language/language";
import { Markdown } from "web/parts/markdown";
import { Still } from "web/training/still";
import type { Example, Schema } from "web/tasks";
import type { Widget } from "web/widget";

interface ExamplesProps {
  readonly widget: Widget<unknown, unknown>;
  readonly schema: Schema;
  readonly examples: readonly Example[];
}

/** Items of the guideline with their answers, drawn as the labelling screen draws them. */
export function Examples({ widget, schema, examples }: ExamplesProps) {
  return (
    <ol class="examples" aria-label={t("training.examples")}>
      {examples.map((example) => (
        <li key={example.item} class="example">
          <Still widget={widget} schema={schema} item={example.item} data={example.data} value={example.answer} />
          {example.reason && <Markdown text={example.reason} />}
        </li>
      ))}
    </ol>
  );
}
