import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Tool } from "web/engines/shapes/board";
import { ShapeCanvas } from "web/engines/shapes/canvas";
import type { Shape } from "web/engines/shapes/shape";
import { ActButton } from "web/parts/act_button";
import type { ShapeState } from "web/regions/shapes/state";
import type { WidgetProps } from "web/widget";

type Props = WidgetProps<readonly Shape[], ShapeState>;

/** The image with its shapes, and the tools over it. */
export function ShapeStage({ context, state }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const canvas = useRef<ShapeCanvas | null>(null);
  useLayoutEffect(() => {
    canvas.current ??= new ShapeCanvas(host.current as HTMLDivElement);
    const places = new Map(context.schema.classes.map(({ name }, index) => [name, index]));
    state.canvas = canvas.current;
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
    <div class="shape-stage">
      <ShapeTools context={context} state={state} />
      <div ref={host} class="shape-canvas" role="img" aria-label={context.t("shapes.image", { n: state.regions.entries.value.length })} />
    </div>
  );
}

function ShapeTools({ context, state }: Props) {
  const { t, keyOf } = context;
  const tool = (name: Tool) => (
    <ActButton class="is-tool" chord={keyOf(`tool_${name}`)} isPressed={state.tool.value === name} onAct={() => state.use(name)}>
      {t(`shapes.tool_${name}`)}
    </ActButton>
  );
  const zoom = (act: string, sign: string) => (
    <button type="button" class="button is-tool" aria-label={t(`keys.${act}`)} title={t(`keys.${act}`)} onMouseDown={(event) => event.preventDefault()} onClick={() => state.act(act)}>
      {sign}
    </button>
  );
  return (
    <div class="shape-tools" role="toolbar" aria-label={t("shapes.tools")}>
      {!context.isReadOnly && tool("select")}
      {!context.isReadOnly && tool(state.drawing)}
      <span class="shape-tools-gap" />
      {zoom("zoom_out", "−")}
      {zoom("zoom_fit", "⤢")}
      {zoom("zoom_in", "+")}
    </div>
  );
}
