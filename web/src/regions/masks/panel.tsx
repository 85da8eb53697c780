import type { MaskRegion } from "web/engines/masks/rle";
import { ActButton } from "web/parts/act_button";
import { ClassList } from "web/parts/class_list";
import { wordsOfMask } from "web/regions/masks/rules";
import type { MaskState } from "web/regions/masks/state";
import { RegionList } from "web/regions/region_list";
import type { WidgetProps } from "web/widget";

/** Classes, the list of masks, and the class of the selected one. */
export function MaskPanel({ context, state }: WidgetProps<readonly MaskRegion[], MaskState>) {
  const { regions } = state;
  const selected = regions.selected.value;
  const words = (mask: MaskRegion) => wordsOfMask(mask, context.t);
  return (
    <div class="regions-panel">
      <ClassList context={context} chosen={[state.armed.value]} suggested={[]} onChoose={(label) => state.choose(label)} />
      <RegionList regions={regions} words={words} detail={selected && !context.isReadOnly && <ClassOfMask key={selected.id} state={state} id={selected.id} label={selected.region.label} />} />
      {!context.isReadOnly && (
        <ActButton class="is-quiet" chord={context.keyOf("new_region")} onAct={() => state.act("new_region", false)}>
          {context.t("masks.new")}
        </ActButton>
      )}
    </div>
  );
}

/** The keys of classes choose what is painted; what was painted gets another class here. */
function ClassOfMask({ state, id, label }: { state: MaskState; id: string; label: string }) {
  const { schema, t } = state.context;
  const relabel = (name: string) => {
    state.regions.relabel(id, name);
    state.armed.value = name;
  };
  return (
    <label class="region-fields is-tall">
      {t("masks.class")}
      <select class="field" value={label} onChange={(event) => relabel(event.currentTarget.value)}>
        {schema.classes.map(({ name }) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
