import { useEffect, useRef } from "preact/hooks";
import { t } from "web/language/language";
import type { Desk } from "web/pages/label/desk";
import { ActButton } from "web/parts/act_button";
import { Markdown } from "web/parts/markdown";
import { Examples } from "web/training/examples";
import type { TrainingScreen } from "web/training/training";
import type { Standing } from "web/tasks";

/** The screen that stands in place of an item, read from its top. */
export function ScreenOfTraining<V>({ desk, screen }: { desk: Desk<V>; screen: TrainingScreen }) {
  const place = useRef<HTMLElement>(null);
  useEffect(() => {
    if (place.current) place.current.scrollTop = 0;
  }, [screen]);
  const standing = desk.training.standing.value;
  if (!standing) return null;
  const Words = { start: Start, result: Result, failed: HeldBack, paused: HeldBack }[screen];
  return (
    <section class="training" ref={place} tabIndex={0} aria-label={t("label.purpose.training")}>
      <div class="training-page">
        <Words desk={desk as Desk<unknown>} standing={standing} />
      </div>
    </section>
  );
}

interface WordsProps {
  readonly desk: Desk<unknown>;
  readonly standing: Standing;
}

/** What is asked, by which mark, and what to know before. */
function Start({ desk, standing }: WordsProps) {
  const { n, pass_mark, attempt, attempts, last } = standing;
  const { guidelines } = desk.project.schema;
  const examples = desk.project.examples ?? [];
  return (
    <>
      <h2>{t("training.title")}</h2>
      <p>{t("training.what", { n, needed: neededOf(standing) })}</p>
      <ul class="training-rules">
        <li>{t("training.rule_lesson")}</li>
        <li>{t("training.rule_first")}</li>
        <li>{t("training.rule_connection")}</li>
        <li>{t("training.rule_attempts", { attempt, attempts })}</li>
      </ul>
      {last && <p class="training-last">{t("training.last", { right: last.right, n: last.n, percent: Math.round(pass_mark * 100) })}</p>}
      <div class="row">
        <Begin desk={desk}>{t("training.begin")}</Begin>
      </div>
      {guidelines.trim() && (
        <section class="training-part">
          <h3>{t("act.guideline")}</h3>
          <Markdown text={guidelines} />
        </section>
      )}
      {examples.length > 0 && (
        <section class="training-part">
          <h3>{t("training.examples")}</h3>
          <Examples widget={desk.widget} schema={desk.project.schema} examples={examples} />
        </section>
      )}
      {(guidelines.trim() || examples.length > 0) && (
        <div class="row training-again">
          <Begin desk={desk}>{t("training.begin")}</Begin>
        </div>
      )}
    </>
  );
}

/** Passed; or not yet; or not. */
function Result({ desk, standing }: WordsProps) {
  const { right, n, state } = standing;
  const score = t("training.result", { right, n, needed: neededOf(standing) });
  if (state === "failed") return <HeldBack desk={desk} standing={standing} />;
  const hasPassed = state === "qualified";
  return (
    <div class="training-result">
      <span class={`empty-sign ${hasPassed ? "is-finished" : "is-cut_off"}`} aria-hidden="true" />
      <h2>{t(hasPassed ? "training.passed" : "training.not_yet")}</h2>
      <p>{score}</p>
      <p class="quiet">{t(hasPassed ? "training.passed_why" : "training.not_yet_why")}</p>
      <div class="row is-centred">
        <Begin desk={desk}>{t(hasPassed ? "training.to_work" : "training.try_again")}</Begin>
      </div>
    </div>
  );
}

/** A lead must decide. */
function HeldBack({ standing }: WordsProps) {
  const isPaused = standing.state === "paused";
  const score = standing.n > 0 && standing.done >= standing.n ? standing : standing.last;
  return (
    <div class="training-result">
      <span class="empty-sign is-cut_off" aria-hidden="true" />
      <h2>{t(isPaused ? "training.paused" : "training.failed")}</h2>
      {!isPaused && score && <p>{t("training.result", { right: score.right, n: score.n, needed: Math.ceil(standing.pass_mark * score.n - 1e-9) })}</p>}
      <p class="quiet">{t(isPaused ? "training.paused_why" : "training.failed_why")}</p>
      <div class="row is-centred">
        <a class="button" href="/">
          {t("projects.title")}
        </a>
      </div>
    </div>
  );
}

function Begin({ desk, children }: { desk: Desk<unknown>; children: string }) {
  return (
    <ActButton class="is-main" chord={desk.keymap.value.keyOf("accept")} onAct={() => desk.training.goOn()}>
      {children}
    </ActButton>
  );
}

/** Right answers that pass; as the server counts, 0.8 of 10 is 8. */
function neededOf({ n, pass_mark }: Standing): number {
  return Math.ceil(pass_mark * n - 1e-9);
}
