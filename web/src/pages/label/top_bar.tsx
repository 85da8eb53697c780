import { formatNumber, t, tOf } from "web/language/language";
import type { Desk } from "web/pages/label/desk";
import { doAct } from "web/pages/label/keyboard";
import { ActButton } from "web/parts/act_button";
import { isLeadOf, Navigation } from "web/parts/navigation";
import { SavedSign } from "web/parts/saved_sign";

/** Where one is, why this item, how far, and whether everything has arrived. */
export function TopBar<V>({ desk }: { desk: Desk<V> }) {
  const { name, progress } = desk.project;
  const training = desk.training.progress.value;
  const done = training ? training.done : progress.done + desk.work.nAnswered.value;
  const total = training ? training.total : Math.max(progress.total, done, 1);
  const task = desk.work.opened.value?.task;
  const keymap = desk.keymap.value;
  return (
    <header class="top-bar">
      <a class="top-home" href="/" aria-label={t("projects.title")}>
        <span class="wordmark-sign" aria-hidden="true" />
      </a>
      <span class="top-name">{name}</span>
      {isLeadOf(desk.me, desk.project.project) && <Navigation project={desk.project} here="label" />}
      {task && task.purpose !== "label" && ["review", "training"].includes(task.purpose) && (
        <span class="chip">{tOf(`label.purpose.${task.purpose}`)}</span>
      )}
      {task?.why && (
        <span class="top-why" title={task.why}>
          <span class="sr-only">{t("label.why")}: </span>
          {task.why}
        </span>
      )}
      <span class="top-progress">
        <span class="small">{t("label.progress", { done: formatNumber(done), total: formatNumber(total) })}</span>
        <progress class="progress" max={total} value={done} aria-label={t("label.progress", { done, total })} />
      </span>
      <SavedSign desk={desk} />
      <span class="top-acts">
        <ActButton class="is-quiet" chord={keymap.keyOf("guideline")} isPressed={desk.isGuidelineOpen.value} onAct={() => doAct(desk, "guideline")}>
          {t("act.guideline")}
        </ActButton>
        <ActButton class="is-quiet" chord={keymap.keyOf("keys")} onAct={() => doAct(desk, "keys")}>
          {t("act.keys")}
        </ActButton>
      </span>
    </header>
  );
}
