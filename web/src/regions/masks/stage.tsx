import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { LARGEST_BRUSH, type MaskTool } from "web/engines/masks/board";
import { MaskCanvas } from "web/engines/masks/canvas";
import type { MaskRegion } from "web/engines/masks/rle";
import { ActButton } from "web/parts/act_button";
import { MASK_TOOLS, type MaskState } from "web/regions/masks/state";
import type { WidgetProps } from "web/widget";

type Props = WidgetProps<readonly MaskRegion[], MaskState>;

/** The image with its masks, and the tools over it. */
export function MaskStage({ context, state }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const canvas = useRef<MaskCanvas | null>(null);
  useLayoutEffect(() => {
    canvas.current ??= new MaskCanvas(host.current as HTMLDivElement);
    const places = new Map(context.schema.classes.map(({ name }, index) => [name, index]));
    state.canvas = canvas.current;
    canvas.current.opacity = state.opacity.peek();
    canvas.current.show(state.board, state.address, {
      indexOf: (label) => places.get(label) ?? 0,
      onBroken: () => context.say(context.t("shapes.broken")),
    });
    return () => {
      state.canvas = null;
    };
  }, [state]);
  useEffect(() => () => canvas.current?.dispose(), []);
  return (
    <div class="shape-stage mask-stage">
      <MaskTools context={context} state={state} />
      <div ref={host} class="shape-canvas" role="img" aria-label={context.t("masks.image", { n: state.regions.entries.value.length })} />
    </div>
  );
}

function MaskTools({ context, state }: Props) {
  const { t, keyOf } = context;
  const tool = (name: MaskTool) => (
    <ActButton key={name} class="is-tool" chord={keyOf(`tool_${name}`)} isPressed={state.tool.value === name} onAct={() => state.use(name)}>
      {t(`masks.tool_${name}`)}
    </ActButton>
  );
  const sign = (act: string, words: string) => (
    <button type="button" class="button is-tool" aria-label={t(`keys.${act}`)} title={t(`keys.${act}`)} onMouseDown={(event) => event.preventDefault()} onClick={() => state.act(act, false)}>
      {words}
    </button>
  );
  return (
    <div class="shape-tools" role="toolbar" aria-label={t("shapes.tools")}>
      {!context.isReadOnly && MASK_TOOLS.map(tool)}
      {!context.isReadOnly && (
        <Slider
          words={t("masks.brush")}
          value={state.diameter.value}
          least={1}
          most={LARGEST_BRUSH}
          title={`${keyOf("smaller_brush")} ${keyOf("larger_brush")}`}
          onMove={(value) => state.resizeBrush(value)}
        />
      )}
      <Slider words={t("masks.opacity")} value={Math.round(state.opacity.value * 100)} least={0} most={100} onMove={(value) => (state.opacity.value = value / 100)} />
      <span class="shape-tools-gap" />
      {sign("zoom_out", "−")}
      {sign("zoom_fit", "⤢")}
      {sign("zoom_in", "+")}
    </div>
  );
}

interface SliderProps {
  readonly words: string;
  readonly value: number;
  readonly least: number;
  readonly most: number;
  readonly title?: string;
  readonly onMove: (value: number) => void;
}

/** With the focus in it, arrows move it and not what is on the stage. */
function Slider({ words, value, least, most, title, onMove }: SliderProps) {
  return (
    <span class="mask-slider" title={title}>
      <label>
        <span>{words}</span>
        <input
          type="range"
          min={least}
          max={most}
          value={String(value)}
          onKeyDown={(event) => event.key.startsWith("Arrow") && event.stopPropagation()}
          onInput={(event) => onMove(event.currentTarget.valueAsNumber)}
        />
      </label>
      <span class="mask-slider-value" aria-hidden="true">
        {value}
      </span>
    </span>
  );
}
