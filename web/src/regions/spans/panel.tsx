import { ActButton } from "web/parts/act_button";
import { ClassList } from "web/parts/class_list";
import { chooseLabel } from "web/regions/acts";
import { RegionList } from "web/regions/region_list";
import { SpanBorders } from "web/regions/spans/borders";
import type { Span, SpanState } from "web/regions/spans/state";
import type { WidgetProps } from "web/widget";

/** Classes, word snapping, the list of spans. */
export function SpanPanel({ context, state }: WidgetProps<readonly Span[], SpanState>) {
  const { t, keyOf } = context;
  const selected = state.regions.selected.value;
  const chosen = selected?.region.label ?? state.armed.value;
  return (
    <div class="regions-panel">
      <ClassList context={context} chosen={chosen ? [chosen] : []} suggested={[]} onChoose={(label) => chooseLabel(state, label)} />
      {!context.isReadOnly && (
        <ActButton class="is-quiet" chord={keyOf("word_snap")} isPressed={state.snapsToWords.value} onAct={() => state.act("word_snap")}>
          {t("spans.whole_words")}
        </ActButton>
      )}
      <RegionList regions={state.regions} words={(span) => state.textOf(span)} detail={selected && <SpanBorders state={state} />} />
    </div>
  );
}
