import { ClassList } from "web/parts/class_list";
import { chooseLabel } from "web/regions/acts";
import { type AudioState, type Segment, wordsOfSegment } from "web/regions/audio/state";
import { NumberField } from "web/regions/number_field";
import { RegionList } from "web/regions/region_list";
import type { Entry } from "web/regions/regions";
import type { WidgetProps } from "web/widget";

/** Classes, the list of regions, and the selected one with its times and words. */
export function AudioPanel({ context, state }: WidgetProps<readonly Segment[], AudioState>) {
  const selected = state.regions.selected.value;
  return (
    <div class="regions-panel">
      <ClassList context={context} chosen={[selected?.region.label ?? state.armed.value]} suggested={[]} onChoose={(label) => chooseLabel(state, label)} />
      <RegionList regions={state.regions} words={wordsOfSegment} detail={selected && <SegmentFields key={selected.id} state={state} entry={selected} />} />
    </div>
  );
}

function SegmentFields({ state, entry }: { state: AudioState; entry: Entry<Segment> }) {
  const { t } = state.context;
  const { start, end, text = "" } = entry.region;
  return (
    <fieldset class="region-fields" disabled={state.context.isReadOnly}>
      <legend>{t("audio.region")}</legend>
      <NumberField label={t("audio.start")} value={start} onType={(time) => state.type(entry, "start", time)} />
      <NumberField label={t("audio.end")} value={end} onType={(time) => state.type(entry, "end", time)} />
      <label class="number-field is-wide">
        <span>{t("audio.text")}</span>
        <input class="field" value={text} dir="auto" onChange={(event) => state.write(entry, event.currentTarget.value)} onKeyDown={leaveOnEnter} />
      </label>
    </fieldset>
  );
}

/** Enter or Escape ends the writing: the keys of the screen act again. */
function leaveOnEnter(event: KeyboardEvent): void {
  if (event.isComposing || (event.key !== "Enter" && event.key !== "Escape")) return;
  event.preventDefault();
  event.stopPropagation();
  (event.currentTarget as HTMLElement).blur();
}
