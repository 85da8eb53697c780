import { signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { tOf } from "web/language/language";
import { DataView } from "web/parts/data_view";
import type { Data, Schema, Task } from "web/tasks";
import type { Widget, WidgetContext } from "web/widget";

interface StillProps<V> {
  readonly widget: Widget<V, unknown>;
  readonly schema: Schema;
  readonly item: string;
  readonly data: Data;
  readonly value: V;
}

/** An item with an answer that takes no edits: by the kind's own drawing where it has one, else in words. */
export function Still<V>({ widget, schema, item, data, value }: StillProps<V>) {
  const { Stage } = widget;
  const words = <p class="answer-tag still-answer">{widget.summary(value, { schema, t: tOf })}</p>;
  const made = useMemo(() => (Stage ? drawn(widget, contextOf(schema, item, data, value)) : null), [widget, schema, item, data, value]);
  useEffect(() => () => made?.dispose(), [made]);
  if (!Stage || !made) {
    return (
      <div class="still">
        <DataView data={data} />
        {words}
      </div>
    );
  }
  return (
    <div class="still">
      {/* A recording is to be heard; a picture only to be looked at: the wheel scrolls the page. */}
      <div class="still-stage" inert={!("audio" in data)}>
        <Stage context={made.context} state={made.state} />
      </div>
      {words}
    </div>
  );
}

function drawn<V>(widget: Widget<V, unknown>, context: WidgetContext<V>) {
  const state = widget.start(context);
  const dispose = () => (state as { dispose?: () => void } | null | undefined)?.dispose?.();
  return { context, state, dispose };
}

function contextOf<V>(schema: Schema, item: string, data: Data, value: V): WidgetContext<V> {
  return {
    item: taskOf(item, data),
    schema,
    value: signal(value),
    suggestions: signal([]),
    isReadOnly: true,
    change: () => undefined,
    finish: () => undefined,
    say: () => undefined,
    t: tOf,
    keyOf: () => "",
  };
}

function taskOf<V>(item: string, data: Data): Task<V> {
  const nothing = { meta: {}, why: "", suggestions: [], blind: true, lease_until: "", draft: null };
  return { assignment: "", item, purpose: "label", data, ...nothing };
}
