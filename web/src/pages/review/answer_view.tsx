import { Fragment } from "preact";
import { formatNumber, t } from "web/language/language";
import { diffWords, type Run } from "web/pages/review/word_diff";

interface AnswerViewProps {
  readonly value: unknown;
  /** The answer beside this one; undefined if there is none. */
  readonly other: unknown;
  readonly kind: string;
  readonly summary: string;
}

/** An answer that is not drawn on the item, with what the other answer does not have marked. */
export function AnswerView({ value, other, kind, summary }: AnswerViewProps) {
  if (kind === "text" && typeof value === "string") return <TextAnswer text={value} other={typeof other === "string" ? other : null} />;
  if (typeof value === "number") return <NumberAnswer value={value} other={typeof other === "number" ? other : null} />;
  if (Array.isArray(value)) return <NamesAnswer names={value as string[]} other={Array.isArray(other) ? (other as string[]) : null} isOrdered={kind === "ranking"} />;
  return <p class={`answer-value ${other === undefined || other === value ? "" : "is-different"}`}>{summary}</p>;
}

function TextAnswer({ text, other }: { text: string; other: string | null }) {
  const runs: readonly Run[] = other === null ? [{ text, isShared: true }] : diffWords(text, other)[0];
  return (
    <p class="answer-text" dir="auto">
      {runs.map((run, i) => (
        <Fragment key={i}>
          {run.isShared ? run.text : <mark>{run.text.trimEnd()}</mark>}
          {run.isShared ? "" : run.text.slice(run.text.trimEnd().length)}
        </Fragment>
      ))}
    </p>
  );
}

function NumberAnswer({ value, other }: { value: number; other: number | null }) {
  const apart = other === null ? 0 : value - other;
  return (
    <p class={`answer-value ${apart ? "is-different" : ""}`}>
      {formatNumber(value)}
      {apart !== 0 && <span class="quiet small"> {t("review.apart", { n: `${apart > 0 ? "+" : "−"}${formatNumber(Math.abs(apart))}` })}</span>}
    </p>
  );
}

/** Classes, those outlined that the other answer lacks; of an order, those that stand elsewhere there. */
function NamesAnswer({ names, other, isOrdered }: { names: readonly string[]; other: readonly string[] | null; isOrdered: boolean }) {
  if (names.length === 0) return <p class="answer-value">{t("label.none_of_these")}</p>;
  const isDifferent = (name: string, at: number) => other !== null && (isOrdered ? other[at] !== name : !other.includes(name));
  const List = isOrdered ? "ol" : "ul";
  return (
    <List class={`answer-names ${isOrdered ? "is-ordered" : ""}`}>
      {names.map((name, at) => (
        <li key={name} class={isDifferent(name, at) ? "is-different" : ""}>
          {name}
          {isDifferent(name, at) && <span class="sr-only"> ({t("review.only_here")})</span>}
        </li>
      ))}
    </List>
  );
}
