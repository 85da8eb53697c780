import { t } from "web/language/language";
import type { Office } from "web/pages/office";

/** A message for the ear, in a place that stays, and for the eye, made anew each time so that it fades anew. */
export function Said({ message: { text, number } }: { message: { text: string; number: number } }) {
  return (
    <>
      <p class="sr-only" role="status">
        <span key={number}>{text}</span>
      </p>
      {text && (
        <p key={number} class="said" aria-hidden="true">
          {text}
        </p>
      )}
    </>
  );
}

/** Whether the answers have arrived; a button once some were refused. */
export function SavedSign({ desk }: { desk: Office }) {
  const { nWaiting, nKept, problems, isStuck } = desk.outboxState.value;
  if (problems.length > 0) {
    return (
      <button type="button" class="saved is-problem" onClick={() => (desk.dialog.value = "problems")}>
        {t("outbox.problems", { n: problems.length })}
      </button>
    );
  }
  const isOut = desk.isSignedOut.value;
  const isOffline = isStuck || !desk.isOnline.value;
  const state = isOffline || isOut ? "is-stuck" : nWaiting > 0 ? "is-sending" : "is-saved";
  return (
    <span class={`saved ${state}`} role="status">
      {isOut ? t(nWaiting > 0 ? "outbox.kept" : "outbox.signed_out", { n: nKept }) : wordsOf(nWaiting, nKept, isOffline)}
      {nWaiting > 0 && !desk.isLasting.value && <span class="fault"> {t("outbox.fragile")}</span>}
    </span>
  );
}

function wordsOf(nWaiting: number, nKept: number, isOffline: boolean): string {
  if (nWaiting === 0) return t(isOffline ? "outbox.offline" : "outbox.saved");
  return isOffline ? t("outbox.stuck", { n: nKept }) : t("outbox.to_send", { n: nWaiting });
}
