import { useLayoutEffect } from "preact/hooks";
import { t, tOf } from "web/language/language";
import type { Desk } from "web/pages/label/desk";
import { ActButton } from "web/parts/act_button";
import { Markdown } from "web/parts/markdown";
import type { Taught } from "web/training/training";

/** What follows an answer in training: right or wrong, what is right, and why. */
export function LessonCard<V>({ desk, taught }: { desk: Desk<V>; taught: Taught<V> }) {
  const { lesson, mine } = taught;
  const { right, done, n } = lesson.score;
  // The field of the answer lets go: Enter goes on now.
  useLayoutEffect(() => {
    if (document.activeElement instanceof HTMLElement && document.activeElement.matches("input, textarea")) document.activeElement.blur();
  }, [taught]);
  const inWords = (value: V | null) => (value === null ? t("back.skipped") : desk.widget.summary(value, { schema: desk.project.schema, t: tOf }));
  return (
    <section class={`lesson ${lesson.right ? "is-right" : "is-wrong"}`} role="alert" aria-label={t("training.lesson")}>
      <h2>
        <span class="lesson-sign" aria-hidden="true">
          {lesson.right ? "✓" : "✗"}
        </span>
        {t(lesson.right ? "training.right" : "training.wrong")}
      </h2>
      <dl class="lesson-answers">
        <dt>{t("training.mine")}</dt>
        <dd>{inWords(mine)}</dd>
        <dt>{t("training.known")}</dt>
        <dd class="lesson-known">{inWords(lesson.answer)}</dd>
      </dl>
      {lesson.reason && (
        <div class="lesson-reason">
          <h3>{t("training.reason")}</h3>
          <Markdown text={lesson.reason} />
        </div>
      )}
      {desk.widget.Stage && mine !== null && <WhichAnswer desk={desk} />}
      <p class="quiet small">{t("training.score", { right, done, n })}</p>
      <ActButton class="is-main is-wide" chord={desk.keymap.value.keyOf("accept")} onAct={() => desk.training.goOn()}>
        {t(done >= n ? "training.to_result" : "training.next")}
      </ActButton>
    </section>
  );
}

/** Of what was drawn only one fits on the item at a time. */
function WhichAnswer<V>({ desk }: { desk: Desk<V> }) {
  const { training } = desk;
  const showsMine = training.showsMine.value;
  const keymap = desk.keymap.value;
  return (
    <div class="row lesson-which" role="group" aria-label={t("training.drawn")}>
      <ActButton chord={keymap.keyOf("look_back")} isPressed={showsMine} onAct={() => training.turnTo(true)}>
        {t("training.mine")}
      </ActButton>
      <ActButton chord={keymap.keyOf("look_ahead")} isPressed={!showsMine} onAct={() => training.turnTo(false)}>
        {t("training.known")}
      </ActButton>
    </div>
  );
}
