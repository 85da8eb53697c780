import { ClassList, classOfAct } from "web/parts/class_list";
import type { Widget, WidgetProps } from "web/widget";

/** One class: its key is the whole answer. */
function Panel({ context }: WidgetProps<string, undefined>) {
  const value = context.value.value;
  return (
    <ClassList
      context={context}
      chosen={value === null ? [] : [value]}
      suggested={context.suggestions.value.slice(0, 1).map((one) => one.value)}
      onChoose={(name) => context.finish(name)}
    />
  );
}

const widget: Widget<string> = {
  kind: "choice",
  start: () => undefined,
  Panel,
  act(act, { context }) {
    const name = classOfAct(context.schema, act);
    if (name !== null && !context.isReadOnly) context.finish(name);
    return name !== null;
  },
  same: (a, b) => a === b,
  summary: (value) => value,
};

export default widget;
