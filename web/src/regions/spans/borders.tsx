import type { SpanState } from "web/regions/spans/state";

const BORDERS = [
  { name: "start", acts: ["caret_left", "caret_right"] },
  { name: "end", acts: ["extend_left", "extend_right"] },
] as const;

/** The borders of the selected span as buttons: whoever cannot drag or use keys moves them by clicks (WCAG 2.5.7). */
export function SpanBorders({ state }: { state: SpanState }) {
  const { t } = state.context;
  return (
    <fieldset class="region-fields span-borders" disabled={state.context.isReadOnly}>
      <legend>{t("spans.borders")}</legend>
      {BORDERS.map(({ name, acts }) => (
        <div key={name} class="span-border" role="group" aria-label={t(`spans.${name}`)}>
          <span aria-hidden="true">{t(`spans.${name}`)}</span>
          {acts.map((act, i) => (
            <button
              key={act}
              type="button"
              class="button"
              aria-label={t(`spans.${name}_${i ? "on" : "back"}`)}
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => state.act(act)}
            >
              {i ? "→" : "←"}
            </button>
          ))}
        </div>
      ))}
    </fieldset>
  );
}
