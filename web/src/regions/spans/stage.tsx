import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { SpanPage } from "web/engines/spans/page";
import type { Span, SpanState } from "web/regions/spans/state";
import type { WidgetProps } from "web/widget";

type Props = WidgetProps<readonly Span[], SpanState>;

/** The text with its spans; what to do next stands below it. */
export function SpanStage({ context, state }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const page = useRef<SpanPage | null>(null);
  useLayoutEffect(() => {
    page.current ??= new SpanPage(host.current as HTMLDivElement);
    state.page = page.current;
    page.current.show(state.board);
    return () => {
      state.page = null;
    };
  }, [state]);
  useEffect(() => () => page.current?.dispose(), []);
  return (
    <div class="span-stage">
      <div ref={host} class="span-text" lang={languageOf(context.item.meta)} dir="auto" role="group" aria-label={context.t("spans.text")} />
      {!context.isReadOnly && <p class="span-hint">{context.t(hintOf(state), { label: state.armed.value })}</p>}
    </div>
  );
}

function hintOf(state: SpanState): string {
  if (state.hasSelection.value) return "spans.hint_marked";
  if (state.regions.selected.value) return "spans.hint_selected";
  return state.armed.value ? "spans.hint_armed" : "spans.hint";
}

function languageOf(meta: Readonly<Record<string, unknown>>): string | undefined {
  const { language } = meta;
  return typeof language === "string" ? language : undefined;
}
