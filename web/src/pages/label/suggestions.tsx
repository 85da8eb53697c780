import { t, tOf } from "web/language/language";
import type { Desk } from "web/pages/label/desk";
import { doAct } from "web/pages/label/keyboard";
import { ActButton } from "web/parts/act_button";
import type { Suggestion } from "web/tasks";

/** Suggestions of one and the same value: the best of them, and who else says so. */
interface Opinion<V> {
  readonly best: Suggestion<V>;
  readonly others: readonly Suggestion<V>[];
}

/** What others think: the best large with its keys, the rest below. Dashed, for none of it is an answer yet. */
export function Suggestions<V>({ desk }: { desk: Desk<V> }) {
  const [first, ...rest] = merge(desk.work.suggestions.value, desk.widget.same);
  if (!first) return null;
  const keymap = desk.keymap.value;
  // Once something was changed by hand, Enter sends that and no longer the suggestion.
  const isEdited = desk.work.value.value !== null;
  return (
    <section class="suggestions" aria-label={t("suggestion.title")}>
      <div class={`suggestion is-${first.best.kind}`}>
        <p class="suggestion-value">{desk.widget.summary(first.best.value, { schema: desk.project.schema, t: tOf })}</p>
        <Score opinion={first} />
        <div class="row">
          <ActButton chord={isEdited ? "" : keymap.keyOf("accept")} onAct={() => desk.work.finish(first.best.value)}>
            {t("suggestion.accept")}
          </ActButton>
          <ActButton chord={keymap.keyOf("reject")} onAct={() => doAct(desk, "reject")}>
            {t("suggestion.reject")}
          </ActButton>
        </div>
      </div>
      {rest.length > 0 && (
        <ul class="other-suggestions" aria-label={t("suggestion.others")}>
          {rest.map((opinion) => (
            <li key={opinion.best.id} class={`suggestion is-small is-${opinion.best.kind}`}>
              <span class="suggestion-value">{desk.widget.summary(opinion.best.value, { schema: desk.project.schema, t: tOf })}</span>
              <Score opinion={opinion} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Score<V>({ opinion: { best, others } }: { opinion: Opinion<V> }) {
  const percent = Math.round(best.score * 100);
  const sources = others.length > 0 ? t("suggestion.agree", { first: best.source, n: others.length }) : best.source;
  return (
    <p class="suggestion-score">
      {best.is_scored !== false && (
        <>
          <progress class="progress" max={100} value={percent} aria-label={sources} />
          <span>{t("suggestion.score", { percent })}</span>
        </>
      )}
      <span class="suggestion-source" title={[best, ...others].map((one) => `${t(`suggestion.by.${one.kind}`)}: ${one.source}`).join("\n")}>
        <span class={`source-mark is-${best.kind}`} role="img" aria-label={t(`suggestion.by.${best.kind}`)} />
        {sources}
      </span>
    </p>
  );
}

function merge<V>(suggestions: readonly Suggestion<V>[], same: (a: V, b: V) => boolean): Opinion<V>[] {
  const opinions: Opinion<V>[] = [];
  for (const suggestion of suggestions) {
    const at = opinions.findIndex((one) => same(one.best.value, suggestion.value));
    const known = opinions[at];
    if (known) opinions[at] = { ...known, others: [...known.others, suggestion] };
    else opinions.push({ best: suggestion, others: [] });
  }
  return opinions;
}
