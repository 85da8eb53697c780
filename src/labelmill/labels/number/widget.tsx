import { type Signal, signal } from "@preact/signals";
import { formatNumber, t } from "web/language/language";
import { AnswerField } from "web/parts/answer_field";
import type { Widget, WidgetProps } from "web/widget";

/** How often the field was asked to take the focus: once for each item. */
const wantsFocus: Signal<number> = signal(0);

/** What stands in the field while it is no number: `-`, `1.`, `abc`. */
interface State {
  readonly typed: Signal<string | null>;
}

type Props = WidgetProps<number, State>;

/** A number: the field has the focus and shows the suggestion to be edited. */
function Panel(props: Props) {
  const { context, state } = props;
  // After undo the field shows the value again, not what was typed.
  const typed = state.typed.value !== null && numberOf(state.typed.value) === context.value.value ? state.typed.value : null;
  const isFaulty = typed !== null && typed.trim() !== "" && numberOf(typed) === null && !/^[-+]?[.,]?$/.test(typed.trim());
  return (
    <AnswerField
      label={t("label.number")}
      hint="label.number_hint"
      value={typed ?? textOf(shown(props))}
      fault={isFaulty ? t("label.not_a_number") : ""}
      isReadOnly={context.isReadOnly}
      wantsFocus={wantsFocus}
      onType={(text) => {
        state.typed.value = text;
        context.change(numberOf(text), { step: "typing" });
      }}
      onSend={() => send(props)}
    />
  );
}

function shown({ context }: Props): number | null {
  return context.value.value ?? context.suggestions.value[0]?.value ?? null;
}

function textOf(value: number | null): string {
  return value === null ? "" : String(value);
}

/** A number as people write it, with a point or a comma; none for anything else. */
function numberOf(text: string): number | null {
  const written = text.trim().replace(",", ".");
  if (!/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(written)) return null;
  const value = Number(written);
  return Number.isFinite(value) ? value : null;
}

/** A field that was emptied or holds no number sends nothing, and not the suggestion behind it. */
function send(props: Props): void {
  const typed = props.state.typed.peek();
  const value = typed === null ? shown(props) : numberOf(typed);
  if (value !== null) props.context.finish(value);
  else props.context.say(t(typed?.trim() ? "label.not_a_number" : "label.nothing_to_send"));
}

const widget: Widget<number, State> = {
  kind: "number",
  start() {
    wantsFocus.value += 1;
    return { typed: signal(null) };
  },
  Panel,
  act(act, props) {
    if (act === "accept" && !props.context.isReadOnly) send(props);
    return act === "accept";
  },
  same: (a, b) => a === b,
  summary: (value) => formatNumber(value),
};

export default widget;
