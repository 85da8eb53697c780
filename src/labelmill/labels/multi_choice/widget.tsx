import { signal, type Signal } from "@preact/signals";
import { t } from "web/language/language";
import { ActButton } from "web/parts/act_button";
import { ClassList, classOfAct } from "web/parts/class_list";
import type { Schema } from "web/tasks";
import type { Widget, WidgetContext, WidgetProps } from "web/widget";

type Names = readonly string[];

/** Whether "none of these" was asked for once: the second time it is meant. */
interface State {
  readonly isAsked: Signal<boolean>;
}

type Props = WidgetProps<Names, State>;

/** Any number of classes: keys switch them on and off, Enter goes on. */
function Panel(props: Props) {
  const { context } = props;
  const [best] = context.suggestions.value;
  return (
    <>
      <ClassList
        context={context}
        chosen={context.value.value ?? []}
        suggested={best?.value ?? []}
        onChoose={(name) => toggle(context, name)}
      />
      {!context.isReadOnly && (
        <div class="row">
          <ActButton class="is-main" chord={context.keyOf("accept")} onAct={() => send(props)}>
            {t("label.send")}
          </ActButton>
          <ActButton onAct={() => context.finish([])}>{t("label.none_of_these")}</ActButton>
        </div>
      )}
    </>
  );
}

/** The first touch starts from the suggestion: what is shown is what is edited. */
function toggle(context: WidgetContext<Names>, name: string): void {
  const shown = context.value.peek() ?? context.suggestions.peek()[0]?.value ?? [];
  const chosen = shown.includes(name) ? shown.filter((one) => one !== name) : [...shown, name];
  context.change(inOrder(context.schema, chosen));
}

function inOrder(schema: Schema, names: Names): Names {
  return schema.classes.map(({ name }) => name).filter((name) => names.includes(name));
}

/** Nothing chosen and nothing suggested says "none of these" only when it is said twice. */
function send({ context, state }: Props): void {
  const shown = context.value.peek() ?? context.suggestions.peek()[0]?.value;
  if (shown?.length || state.isAsked.peek()) return context.finish(shown ?? []);
  state.isAsked.value = true;
  context.say(t("label.none_chosen"));
}

const widget: Widget<Names, State> = {
  kind: "multi_choice",
  start: () => ({ isAsked: signal(false) }),
  Panel,
  act(act, props) {
    const name = classOfAct(props.context.schema, act);
    if (name !== null) toggle(props.context, name);
    else if (act === "accept" && !props.context.isReadOnly) send(props);
    else return false;
    return true;
  },
  same: (a, b) => a.length === b.length && a.every((name) => b.includes(name)),
  summary: (value, { t }) => (value.length > 0 ? value.join(", ") : t("label.none_of_these")),
};

export default widget;
