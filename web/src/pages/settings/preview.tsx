import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { WIDGETS } from "virtual:widgets";
import type { SetUp } from "web/api/settings";
import { t } from "web/language/language";
import { Suggestions } from "web/pages/label/suggestions";
import type { Draft } from "web/pages/settings/draft";
import { TryOut } from "web/pages/settings/try_out";
import { WITHOUT_CLASSES } from "web/pages/settings/question_step";
import { DataView } from "web/parts/data_view";
import { Markdown } from "web/parts/markdown";
import type { Schema, Task } from "web/tasks";
import type { Widget } from "web/widget";

type AnyWidget = Widget<unknown, unknown>;

/** The screen that people will have, on the first item; what is answered here is thrown away. */
export function Preview({ draft, asked }: { draft: Draft; asked: Schema }) {
  const { settings } = draft;
  const { kind, classes, guidelines, threshold } = settings.value;
  const kept = draft.kept.value;
  const widget = useSignal<AnyWidget | null>(null);
  useEffect(() => {
    widget.value = null;
    void WIDGETS[kind]?.().then((loaded) => {
      widget.value = loaded.default as unknown as AnyWidget;
    });
  }, [kind]);
  const loaded = widget.value?.kind === kind ? widget.value : null;
  const schema = useMemo(
    (): Schema => ({ ...asked, kind, classes: classes.map((name) => ({ name, key: null })), guidelines }),
    [asked, kind, classes, guidelines],
  );
  const isComplete = WITHOUT_CLASSES.includes(kind) || classes.length > 0;
  return (
    <section class="preview" aria-labelledby="preview">
      <header class="preview-head">
        <h2 id="preview">{t("preview.title")}</h2>
        <p class="quiet small">{t("preview.why")}</p>
      </header>
      {guidelines.trim() && (
        <details class="preview-guideline">
          <summary>{t("act.guideline")}</summary>
          <Markdown text={guidelines} />
        </details>
      )}
      {!kept.sample && <p class="chart-empty quiet">{t("preview.no_item")}</p>}
      {kept.sample && !isComplete && <p class="chart-empty quiet">{t("preview.no_classes")}</p>}
      {kept.sample && isComplete && !WIDGETS[kind] && <p class="chart-empty quiet">{t("label.no_widget", { kind })}</p>}
      {kept.sample && isComplete && loaded && <Screen widget={loaded} schema={schema} sample={fitting(kept, schema)} threshold={threshold} />}
    </section>
  );
}

interface ScreenProps {
  readonly widget: AnyWidget;
  readonly schema: Schema;
  readonly sample: Task;
  readonly threshold: number;
}

/** The parts of the labelling page, wired to nothing. */
function Screen({ widget, schema, sample, threshold }: ScreenProps) {
  const tryOut = useMemo(() => new TryOut(widget, schema, sample, threshold), [widget, schema, sample, threshold]);
  useEffect(() => () => tryOut.leave(), [tryOut]);
  const opened = tryOut.work.opened.value;
  if (!opened) return null;
  const { Stage, Panel } = widget;
  return (
    <div class="preview-screen" onKeyDown={(event) => tryOut.press(event)}>
      <div class="work">
        <section class={`stage ${Stage ? "is-drawn" : "is-plain"}`} tabIndex={0} aria-label={t("label.item")}>
          <div class="stage-item">{Stage ? <Stage context={opened.context} state={opened.state} /> : <DataView data={opened.task.data} />}</div>
        </section>
        <section class="panel" aria-label={t("label.work")}>
          {widget.hasSuggestionCards !== false && <Suggestions desk={tryOut.desk} />}
          <Panel context={opened.context} state={opened.state} />
        </section>
      </div>
      <p class="preview-said" role="status">
        {tryOut.message.value}
      </p>
    </div>
  );
}

/** The item without suggestions that are no answers to this question. */
function fitting({ sample, settings }: SetUp, schema: Schema): Task {
  const { suggestions, ...task } = sample as Task;
  const isSameKind = settings.kind === schema.kind;
  const names = new Set(schema.classes.map(({ name }) => name));
  const fits = (value: unknown) => typeof value !== "string" || WITHOUT_CLASSES.includes(schema.kind) || names.has(value);
  return { ...task, suggestions: isSameKind ? suggestions.filter((one) => fits(one.value)) : [] };
}
