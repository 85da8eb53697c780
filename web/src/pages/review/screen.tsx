import { useLayoutEffect } from "preact/hooks";
import { formatNumber, t } from "web/language/language";
import type { Case } from "web/api/leads";
import { type ReviewDesk, isWithSomebody } from "web/pages/review/desk";
import { ReviewDialogs } from "web/pages/review/dialogs";
import { EditingView } from "web/pages/review/editing_view";
import { doReviewAct, listenToReview } from "web/pages/review/keyboard";
import { Result } from "web/pages/review/result";
import { namesOf } from "web/pages/review/merging";
import { SideView } from "web/pages/review/side";
import { ActButton } from "web/parts/act_button";
import { DataView } from "web/parts/data_view";
import { Guideline } from "web/parts/guideline";
import { MoreAboutItem } from "web/parts/more_about_item";
import { ProjectHead } from "web/parts/navigation";
import { NothingHere } from "web/parts/nothing_here";
import { Said, SavedSign } from "web/parts/saved_sign";

/** The review page: two sides of one item beside each other, what they differ in, and the acts that settle it. */
export function ReviewScreen<V>({ desk }: { desk: ReviewDesk<V> }) {
  useLayoutEffect(() => listenToReview(desk), []);
  const found = desk.current.value;
  document.title = t("review.title", { name: desk.project.name });
  return (
    <div class={`desk review ${desk.isGuidelineOpen.value ? "has-guideline" : ""}`}>
      <div class="review-top">
        <ProjectHead me={desk.me} project={desk.project} here="review">
          <SavedSign desk={desk} />
        </ProjectHead>
        <CaseBar desk={desk} found={found} />
      </div>
      {desk.isGuidelineOpen.value && <Guideline desk={desk} />}
      <main class="work">
        <h1 class="sr-only">{t("review.title", { name: desk.project.name })}</h1>
        {found ? <OpenCase desk={desk} found={found} /> : <NoCase desk={desk} />}
      </main>
      <Acts desk={desk} found={found} />
      <Said message={desk.message.value} />
      <ReviewDialogs desk={desk} />
    </div>
  );
}

function OpenCase<V>({ desk, found }: { desk: ReviewDesk<V>; found: Case<V> }) {
  const editing = desk.editing.value;
  if (editing) return <EditingView key={`edit ${found.item}`} desk={desk} editing={editing} />;
  const pair = desk.pair.value;
  const { Stage } = desk.widget;
  // Kinds that draw nothing on the item show it once, and the answers beside it.
  const isDrawn = Stage !== undefined;
  return (
    <>
      {isDrawn && pair ? (
        <div class="sides">
          {pair.shown.map((shown, place) => (
            <SideView key={place} desk={desk} found={found} shown={shown} place={place} />
          ))}
        </div>
      ) : (
        <section class="stage is-plain" tabIndex={0} aria-label={t("label.item")}>
          <div class="stage-item" aria-live="polite">
            <DataView data={found.data} />
          </div>
          <MoreAboutItem meta={found.meta} />
        </section>
      )}
      <Result desk={desk} found={found} isDrawn={isDrawn} />
    </>
  );
}

/** Where in the list one is, why this item, and the way to the next. */
function CaseBar<V>({ desk, found }: { desk: ReviewDesk<V>; found: Case<V> | null }) {
  const keymap = desk.keymap.value;
  const total = Math.max(desk.total.value, desk.cases.value.length);
  return (
    <section class="case-bar" aria-label={t("review.where")}>
      {found && (
        <>
          <span class="case-place">{t("review.place", { n: formatNumber(desk.at.value + 1), total: formatNumber(total) })}</span>
          <span class="top-why" title={t("review.loss_why")}>
            {t("review.loss", { loss: found.loss.toFixed(2) })}
          </span>
          <span class="top-why">{whyOf(found)}</span>
          <StateOfCase desk={desk} found={found} />
        </>
      )}
      <span class="case-acts">
        <ActButton class="is-quiet" chord={keymap.keyOf("look_back")} isDisabled={desk.at.value === 0} onAct={() => desk.go(-1)}>
          {t("review.previous")}
        </ActButton>
        <ActButton class="is-quiet" chord={keymap.keyOf("look_ahead")} isDisabled={!found} onAct={() => desk.go(1)}>
          {t("review.next")}
        </ActButton>
        <ActButton class="is-quiet" onAct={() => (desk.dialog.value = "send_backs")}>
          {t("review.send_backs")}
        </ActButton>
      </span>
    </section>
  );
}

function whyOf<V>(found: Case<V>): string {
  const [a, b] = found.sides;
  if (!a) return t("review.nobody");
  return b ? t("review.differ", { a: namesOf(found, a), b: namesOf(found, b) }) : t("review.agree", { a: namesOf(found, a) });
}

function StateOfCase<V>({ desk, found }: { desk: ReviewDesk<V>; found: Case<V> }) {
  const value = desk.decided.value.get(found.item);
  if (value !== undefined) {
    return <span class="chip is-done">{t("review.decided", { value: desk.widget.summary(value, { schema: desk.project.schema, t: t as never }) })}</span>;
  }
  return isWithSomebody(found) ? <span class="chip">{t("review.with", { name: found.sent_back[0]?.name ?? "" })}</span> : null;
}

const ACTS = ["take_a", "take_b", "merge", "edit", "send_back", "undo", "guideline", "keys"] as const;

function Acts<V>({ desk, found }: { desk: ReviewDesk<V>; found: Case<V> | null }) {
  const keymap = desk.keymap.value;
  const isEditing = desk.editing.value !== null;
  const n = found?.sides.length ?? 0;
  const isPossible: Readonly<Record<string, boolean>> = { take_a: n > 0, take_b: n > 1, merge: n > 1, edit: n > 0, send_back: found !== null };
  return (
    <footer class="bottom-bar">
      {ACTS.filter((act) => !isEditing || !(act in isPossible)).map((act) => (
        <ActButton key={act} class="is-quiet" chord={keymap.keyOf(act)} isDisabled={isPossible[act] === false} onAct={() => doReviewAct(desk, act)}>
          {t(`review.act.${act}`)}
        </ActButton>
      ))}
    </footer>
  );
}

function NoCase<V>({ desk }: { desk: ReviewDesk<V> }) {
  const state = desk.state.value;
  const isAtEnd = desk.cases.value.length > 0;
  if (state === "loading") return <p class="empty quiet">{t("review.loading")}</p>;
  const [title, why] = isAtEnd ? [t("review.finished"), t("review.finished_why")] : [t("review.none"), t("review.none_why")];
  return <NothingHere isCutOff={state === "cut_off"} title={title} why={why} />;
}
