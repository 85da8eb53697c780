import { t } from "web/language/language";
import { ActButton } from "web/parts/act_button";
import { ClassList, classOfAct } from "web/parts/class_list";
import type { Schema } from "web/tasks";
import type { Widget, WidgetContext, WidgetProps } from "web/widget";

type Names = readonly string[];
type Props = WidgetProps<Names, undefined>;

/** Classes in order: keys in the order of preference, the best first; Enter goes on. */
function Panel({ context }: Props) {
  const ranking = context.value.value ?? [];
  return (
    <>
      <ClassList
        context={context}
        chosen={ranking}
        suggested={[]}
        markOf={(name) => String(ranking.indexOf(name) + 1)}
        onChoose={(name) => place(context, name)}
      />
      {!context.isReadOnly && (
        <div class="row">
          <ActButton class="is-main" chord={context.keyOf("accept")} onAct={() => context.finish()}>
            {t("label.send")}
          </ActButton>
        </div>
      )}
    </>
  );
}

/** A class takes the next place; one that has a place leaves it. The last class that is left needs no key. */
function place(context: WidgetContext<Names>, name: string): void {
  const ranking = context.value.peek() ?? [];
  const placed = ranking.includes(name) ? ranking.filter((one) => one !== name) : [...ranking, name];
  context.change(placed.length > 0 ? completed(placed, context.schema) : null);
}

/** A ranking that leaves out one class says the same as with it at the end: the canonical form has it. */
function completed(names: Names, schema: Schema): Names {
  const missing = schema.classes.map((one) => one.name).filter((name) => !names.includes(name));
  return missing.length === 1 ? [...names, ...missing] : names;
}

const widget: Widget<Names> = {
  kind: "ranking",
  start: () => undefined,
  Panel,
  act(act, { context }) {
    const name = classOfAct(context.schema, act);
    if (name !== null) place(context, name);
    return name !== null;
  },
  same: (a, b) => a.length === b.length && a.every((name, index) => name === b[index]),
  summary: (value) => value.join(" › "),
};

export default widget;
