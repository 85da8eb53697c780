import { useEffect, useRef } from "preact/hooks";
import type { Case, Side, Voice } from "web/api/leads";
import { formatNumber, t } from "web/language/language";
import type { ReviewDesk } from "web/pages/review/desk";
import type { ShownSide } from "web/pages/review/pair";
import { ActButton } from "web/parts/act_button";

const LETTERS = ["A", "B"] as const;
const ACTS = ["take_a", "take_b"] as const;

interface SideViewProps<V> {
  readonly desk: ReviewDesk<V>;
  readonly found: Case<V>;
  readonly shown: ShownSide<V>;
  readonly place: number;
}

/** The item with one side's marks on it. */
export function SideView<V>({ desk, found, shown, place }: SideViewProps<V>) {
  const { Stage } = desk.widget;
  const host = useRef<HTMLElement>(null);
  useEffect(() => linkScrolling(host.current), []);
  return (
    <section ref={host} class={`side is-${LETTERS[place]?.toLowerCase()}`} aria-label={t("review.side", { letter: LETTERS[place] ?? "" })}>
      <SideHead desk={desk} found={found} side={shown.side} place={place} />
      <div class="side-stage">{Stage && <Stage context={shown.context} state={shown.state} />}</div>
    </section>
  );
}

interface SideHeadProps<V> {
  readonly desk: ReviewDesk<V>;
  readonly found: Case<V>;
  readonly side: Side<V>;
  readonly place: number;
}

/** Whose side it is, how much is believed of it, and the key that takes it. */
export function SideHead<V>({ desk, found, side, place }: SideHeadProps<V>) {
  const act = ACTS[place];
  const letter = LETTERS[place] ?? "";
  return (
    <header class="side-head">
      <span class="side-letter" aria-hidden="true">
        {letter}
      </span>
      <Voices voices={side.voices.map((at) => found.voices[at]).filter((voice) => voice !== undefined)} />
      <Share share={side.share} />
      {act && (
        <ActButton class="side-take" chord={desk.keymap.value.keyOf(act)} onAct={() => desk.take(place)}>
          {t("review.take", { letter })}
        </ActButton>
      )}
    </header>
  );
}

/** Names, each with the chance that they are right. */
export function Voices({ voices }: { voices: readonly Voice[] }) {
  return (
    <span class="side-voices">
      {voices.map((voice, i) => (
        <span key={i} class={`side-voice suggestion-mark is-${voice.kind}`} title={t("review.reliability", { percent: percent(voice.reliability) })}>
          <span class={`source-mark is-${voice.kind}`} role="img" aria-label={t(`suggestion.by.${voice.kind}`)} />
          {voice.name}{"\u00a0"}
          <span class="quiet">{percent(voice.reliability)}</span>
        </span>
      ))}
    </span>
  );
}

/** How much of the belief an answer has. */
export function Share({ share }: { share: number }) {
  return (
    <span class="side-share">
      <progress class="progress" max={1} value={share} aria-label={t("review.share")} />
      <span title={t("review.share")}>{percent(share)}</span>
    </span>
  );
}

export function percent(share: number): string {
  return `${formatNumber(Math.round(share * 100))}\u00a0%`;
}

/** What scrolls on one side scrolls on the other: long texts stay side by side. */
function linkScrolling(side: HTMLElement | null): (() => void) | undefined {
  if (!side) return undefined;
  const follow = (event: Event) => {
    const from = event.target as HTMLElement;
    const [name] = from.classList;
    const others = [...(side.parentElement?.querySelectorAll<HTMLElement>(`.side .${CSS.escape(name ?? "")}`) ?? [])];
    for (const other of others) {
      if (other !== from && Math.abs(other.scrollTop - from.scrollTop) > 1) other.scrollTop = from.scrollTop;
    }
  };
  side.addEventListener("scroll", follow, { capture: true, passive: true });
  return () => side.removeEventListener("scroll", follow, { capture: true });
}
