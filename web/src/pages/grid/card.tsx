import type { Card } from "web/api/leads";
import { t } from "web/language/language";
import { WaveCard } from "web/pages/grid/wave";

/** Characters of a text on a card; the rest is a look into the single queue away. */
const EXCERPT = 280;

interface CardViewProps<V> {
  readonly card: Card<V>;
  readonly label: string;
  readonly isChosen: boolean;
  readonly isActive: boolean;
  readonly onToggle: () => void;
  readonly onFocus: () => void;
}

/** One item: a check box with the item as its name. Arrows walk over them, so only one is a stop of Tab. */
export function CardView<V>({ card, label, isChosen, isActive, onToggle, onFocus }: CardViewProps<V>) {
  const { score, is_scored, source } = card.suggestion;
  return (
    <li class={`card-item ${isChosen ? "is-chosen" : "is-dropped"} ${isActive ? "is-active" : ""}`}>
      <label class="card-body">
        <input type="checkbox" class="card-check" checked={isChosen} tabIndex={isActive ? 0 : -1} onChange={onToggle} onFocus={onFocus} />
        <CardData card={card} />
        <span class="card-foot">
          <span class="card-label">{isChosen ? label : t("grid.dropped")}</span>
          <span title={source}>{score === null || is_scored === false ? source : `${Math.round(score * 100)} %`}</span>
        </span>
      </label>
      {"audio" in card.data && <WaveCard item={card.item} audio={card.data.audio} peaks={card.data.peaks ?? null} />}
    </li>
  );
}

function CardData<V>({ card }: { card: Card<V> }) {
  const { data } = card;
  if ("text" in data) {
    const isLong = data.text.length > EXCERPT;
    return (
      <span class="card-text" dir="auto" title={isLong ? data.text.slice(0, 2000) : undefined}>
        {isLong ? `${data.text.slice(0, EXCERPT)}…` : data.text}
      </span>
    );
  }
  if ("image" in data) return <img class="card-image" src={card.thumbnail ?? data.image} alt={card.item} loading="lazy" decoding="async" draggable={false} />;
  return <span class="card-name">{card.item}</span>;
}
