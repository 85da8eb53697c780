import { type Signal, signal } from "@preact/signals";
import { t } from "web/language/language";
import { AnswerField } from "web/parts/answer_field";
import type { Widget, WidgetProps } from "web/widget";

/** How often the field was asked to take the focus: once for each item. */
const wantsFocus: Signal<number> = signal(0);

type Props = WidgetProps<string, undefined>;

/** A text: the field has the focus and shows the suggestion to be edited. */
function Panel(props: Props) {
  const { context } = props;
  return (
    <AnswerField
      isMultiline
      label={t("label.text")}
      hint="label.text_hint"
      value={shown(props) ?? ""}
      isReadOnly={context.isReadOnly}
      wantsFocus={wantsFocus}
      onType={(text) => context.change(text, { step: "typing" })}
      onSend={() => send(props)}
    />
  );
}

function shown({ context }: Props): string | null {
  return context.value.value ?? context.suggestions.value[0]?.value ?? null;
}

function send(props: Props): void {
  const text = shown(props)?.trim();
  if (text) props.context.finish(text);
  else props.context.say(t("label.nothing_to_send"));
}

const widget: Widget<string> = {
  kind: "text",
  start() {
    wantsFocus.value += 1;
    return undefined;
  },
  Panel,
  act(act, props) {
    if (act === "accept" && !props.context.isReadOnly) send(props);
    return act === "accept";
  },
  same: (a, b) => a.trim() === b.trim(),
  summary: (value) => (value.length > 60 ? `${value.slice(0, 57)}…` : value),
};

export default widget;
