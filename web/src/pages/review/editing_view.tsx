import { t } from "web/language/language";
import type { ReviewDesk } from "web/pages/review/desk";
import type { Editing } from "web/pages/review/editing";
import { ActButton } from "web/parts/act_button";
import { DataView } from "web/parts/data_view";
import { wordsOfChord } from "web/parts/key_cap";

/** The kind's own widget over the whole page, as when somebody labels; what to do stands above the answer. */
export function EditingView<V>({ desk, editing }: { desk: ReviewDesk<V>; editing: Editing<V> }) {
  const { Stage, Panel } = desk.widget;
  const { context, state } = editing;
  const keymap = desk.keymap.value;
  const [suggestion] = editing.beginning.suggestions;
  const hint = !suggestion ? "review.editing_hint" : suggestion.isMerged ? "review.merging_hint" : "review.merging_names_hint";
  return (
    <>
      <section class={`stage ${Stage ? "is-drawn" : "is-plain"}`} tabIndex={0} aria-label={t("label.item")}>
        <div class="stage-item">{Stage ? <Stage context={context} state={state} /> : <DataView data={editing.found.data} />}</div>
      </section>
      <section class="panel" aria-label={t("label.work")}>
        <div class="editing-head">
          <h2>{t(suggestion ? "review.merging" : "review.editing")}</h2>
          <p class="quiet small">
            {t(hint, {
              next: wordsOfChord(keymap.keyOf("next_region")),
              take: wordsOfChord(keymap.keyOf("accept_region")),
              drop: wordsOfChord(keymap.keyOf("reject")),
              send: wordsOfChord(keymap.keyOf("accept")),
            })}
          </p>
          <div class="row">
            {/* Widgets of whole answers send by a button of their own. */}
            {Stage && (
              <ActButton class="is-main" chord={keymap.keyOf("accept")} onAct={() => desk.accept()}>
                {t("review.done")}
              </ActButton>
            )}
            <ActButton chord="Escape" onAct={() => desk.leaveEditing()}>
              {t("act.cancel")}
            </ActButton>
          </div>
        </div>
        <Panel context={context} state={state} />
      </section>
    </>
  );
}
