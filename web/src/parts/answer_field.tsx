import type { Signal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { t } from "web/language/language";
import { ActButton } from "web/parts/act_button";
import { wordsOfChord } from "web/parts/key_cap";

interface AnswerFieldProps {
  readonly label: string;
  readonly value: string;
  readonly hint: "label.text_hint" | "label.number_hint";
  /** What the widget finds wrong with the content. */
  readonly fault?: string;
  readonly isMultiline?: boolean;
  readonly isReadOnly: boolean;
  readonly onType: (text: string) => void;
  readonly onSend: () => void;
  /** Counts up when the field shall have the focus. */
  readonly wantsFocus: Signal<number>;
}

/** A field that is the answer: it has the focus when the item comes, Enter sends, Escape gives the keys back. */
export function AnswerField(props: AnswerFieldProps) {
  const { label, value, hint, fault, isMultiline = false, isReadOnly, onType, onSend, wantsFocus } = props;
  const field = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  // Before the next key: the first letter belongs into the field too.
  useLayoutEffect(() => {
    if (!isReadOnly) field.current?.focus({ preventScroll: true });
  }, [wantsFocus.value, isReadOnly]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    if (event.key === "Escape") field.current?.blur();
    else if (event.key === "Enter" && !event.shiftKey) onSend();
    else return;
    event.preventDefault();
  };
  const common = {
    ref: field,
    class: "field",
    value,
    readOnly: isReadOnly,
    "aria-invalid": fault ? true : undefined,
    "aria-describedby": "answer-hint",
    autocomplete: "off",
    onKeyDown,
    onInput: (event: { currentTarget: HTMLInputElement | HTMLTextAreaElement }) => onType(event.currentTarget.value),
  };
  return (
    <section class="answer">
      <label class="stacked">
        <span class="panel-title">{label}</span>
        {isMultiline ? <textarea rows={4} dir="auto" {...common} /> : <input inputMode="decimal" {...common} />}
      </label>
      <p id="answer-hint" class={fault ? "fault" : "quiet small"}>
        {fault || t(hint, { send: wordsOfChord("Enter") })}
      </p>
      {!isReadOnly && (
        <div class="row">
          <ActButton class="is-main" chord="Enter" onAct={onSend}>
            {t("label.send")}
          </ActButton>
        </div>
      )}
    </section>
  );
}
