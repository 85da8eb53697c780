import type { Case, SentBack, Side } from "web/api/leads";
import { t, tOf } from "web/language/language";
import { AnswerView } from "web/pages/review/answer_view";
import type { ReviewDesk } from "web/pages/review/desk";
import type { Difference, Mark } from "web/pages/review/differences";
import { percent, Share, SideHead, Voices } from "web/pages/review/side";
import { ActButton } from "web/parts/act_button";
import { wordsOfAttributes } from "web/regions/attributes/attributes";
import { swatchOf } from "web/regions/swatch";

interface ResultProps<V> {
  readonly desk: ReviewDesk<V>;
  readonly found: Case<V>;
  /** Whether both sides are drawn on the item: then their answers need no cards of their own. */
  readonly isDrawn: boolean;
}

/** What holds now, in what the sides differ, who else says what, and what was sent back. */
export function Result<V>({ desk, found, isDrawn }: ResultProps<V>) {
  const [a, b, ...others] = found.sides;
  const pair = desk.pair.value;
  return (
    <section class="panel review-panel" aria-label={t("review.result")}>
      {a && (
        <p class="review-leads">
          <span class="panel-title">{t("review.result")}</span>
          {b ? t("review.leads", { percent: percent(a.share) }) : t("review.all_agree")}
        </p>
      )}
      {!isDrawn && [a, b].map((side, place) => side && <SideCard key={place} desk={desk} found={found} side={side} place={place} other={(place ? a : b) ?? null} />)}
      {pair?.comparison && b && <Differences desk={desk} differences={pair.comparison.differences} nAgreed={pair.comparison.agreed.length} />}
      {others.length > 0 && <Others desk={desk} found={found} sides={others} />}
      <SentBacks told={found.sent_back} />
    </section>
  );
}

interface SideCardProps<V> {
  readonly desk: ReviewDesk<V>;
  readonly found: Case<V>;
  readonly side: Side<V>;
  readonly place: number;
  readonly other: Side<V> | null;
}

function SideCard<V>({ desk, found, side, place, other }: SideCardProps<V>) {
  return (
    <article class={`side-card is-${place ? "b" : "a"}`} aria-label={t("review.side", { letter: place ? "B" : "A" })}>
      <SideHead desk={desk} found={found} side={side} place={place} />
      <AnswerView value={side.value} other={other?.value} kind={desk.project.schema.kind} summary={wordsOf(desk, side.value)} />
    </article>
  );
}

interface DifferencesProps<V> {
  readonly desk: ReviewDesk<V>;
  readonly differences: readonly Difference[];
  readonly nAgreed: number;
}

/** Differences in words; each brings its regions into sight on both sides. */
function Differences<V>({ desk, differences, nAgreed }: DifferencesProps<V>) {
  return (
    <section class="differences" aria-label={t("review.differences")}>
      <h2 class="regions-title">
        {t("review.differences")} <span class="regions-count">{differences.length}</span>
      </h2>
      <p class="quiet small">{t("review.n_agreed", { n: nAgreed })}</p>
      <ul class="difference-list">
        {differences.map((one, i) => (
          <li key={i}>
            <button type="button" class="difference" onClick={() => desk.pair.peek()?.reveal([one.a, one.b])}>
              <span class="difference-way">{t(`review.way.${one.way}`)}</span>
              {[one.a, one.b].map((mark, side) => mark && (!sameWords(desk, one) || side === 0) && <MarkWords key={side} desk={desk} mark={mark} letter={lettersOf(one, side, sameWords(desk, one))} />)}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Both drawings read the same: one line is enough. */
function sameWords<V>(desk: ReviewDesk<V>, { a, b }: Difference): boolean {
  return a !== null && b !== null && a.label === b.label && wordsOfMark(desk, a) === wordsOfMark(desk, b);
}

function lettersOf({ a, b }: Difference, side: number, isSame: boolean): string {
  if (isSame && a && b) return "A B";
  return side ? "B" : "A";
}

function MarkWords<V>({ desk, mark, letter }: { desk: ReviewDesk<V>; mark: Mark; letter: string }) {
  const index = desk.project.schema.classes.findIndex(({ name }) => name === mark.label);
  return (
    <span class={`difference-mark ${swatchOf(index)}`}>
      <span class="difference-letter">{letter}</span>
      <span class="region-swatch" aria-hidden="true" />
      <span class="region-label">{mark.label}</span>
      <span class="region-words">{wordsOfMark(desk, mark)}</span>
    </span>
  );
}

function wordsOfMark<V>(desk: ReviewDesk<V>, mark: Mark): string {
  const item = desk.pair.peek()?.shown[0]?.context.item;
  const words = (item && desk.widget.words?.(mark, { item, t: tOf })) ?? "";
  return [words, wordsOfAttributes(mark, desk.project.schema, tOf)].filter(Boolean).join(" · ");
}

/** More than two sides: the lighter ones as a list, to be taken by a press. */
function Others<V>({ desk, found, sides }: { desk: ReviewDesk<V>; found: Case<V>; sides: readonly Side<V>[] }) {
  return (
    <section class="others" aria-label={t("review.others")}>
      <h2 class="regions-title">{t("review.others")}</h2>
      <ul class="difference-list">
        {sides.map((side, i) => (
          <li key={i} class="other-side">
            <strong>{wordsOf(desk, side.value)}</strong>
            <Share share={side.share} />
            <Voices voices={side.voices.map((at) => found.voices[at]).filter((voice) => voice !== undefined)} />
            <ActButton onAct={() => desk.take(i + 2)}>{t("review.take_this")}</ActButton>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What was sent back, to whom, and where that stands. */
export function SentBacks({ told }: { told: readonly SentBack[] }) {
  if (told.length === 0) return null;
  return (
    <section class="sent-back" aria-label={t("review.send_backs")}>
      <h2 class="regions-title">{t("review.send_backs")}</h2>
      {told.map((one, i) => (
        <p key={i} class={`sent-back-line is-${one.state}`}>
          <span class="chip">{t(`review.state.${one.state}`)}</span> <strong>{one.name}</strong>
          {one.comment && <q>{one.comment}</q>}
        </p>
      ))}
    </section>
  );
}

function wordsOf<V>(desk: ReviewDesk<V>, value: V): string {
  return desk.widget.summary(value, { schema: desk.project.schema, t: tOf });
}
