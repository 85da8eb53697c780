import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { listenToActs } from "web/keys/listening";
import { formatNumber, t } from "web/language/language";
import { CardView } from "web/pages/grid/card";
import { type GridDesk, SIZES } from "web/pages/grid/desk";
import { ActButton } from "web/parts/act_button";
import { Guideline } from "web/parts/guideline";
import { KeysDialog } from "web/parts/keys_dialog";
import { ProjectHead } from "web/parts/navigation";
import { NothingHere } from "web/parts/nothing_here";
import { Problems, SignInAgain } from "web/parts/office_dialogs";
import { Said, SavedSign } from "web/parts/saved_sign";

/** The grid page: classes with their counts above, cards below, one act for all that are chosen. */
export function GridScreen<V>({ desk }: { desk: GridDesk<V> }) {
  const list = useRef<HTMLUListElement>(null);
  useLayoutEffect(() => listen(desk, list), []);
  document.title = t("grid.title", { name: desk.project.name });
  return (
    <div class={`desk grid-page ${desk.isGuidelineOpen.value ? "has-guideline" : ""}`}>
      <div class="review-top">
        <ProjectHead me={desk.me} project={desk.project} here="grid">
          <SavedSign desk={desk} />
        </ProjectHead>
        <Classes desk={desk} />
      </div>
      {desk.isGuidelineOpen.value && <Guideline desk={desk} />}
      <main class="work">
        <h1 class="sr-only">{t("grid.title", { name: desk.project.name })}</h1>
        {desk.cards.value.length > 0 ? <Cards desk={desk} list={list} /> : <NoCards desk={desk} />}
      </main>
      <Acts desk={desk} list={list} />
      <Said message={desk.message.value} />
      <Dialogs desk={desk} />
    </div>
  );
}

/** Classes that are suggested for open items; one is shown at a time. */
function Classes<V>({ desk }: { desk: GridDesk<V> }) {
  return (
    <section class="grid-bar" aria-label={t("grid.classes")}>
      <div class="grid-classes">
        {desk.classes.value.map((one) => (
          <button
            key={one.class}
            type="button"
            class="grid-class"
            aria-pressed={one.class === desk.label.value}
            disabled={one.count === 0 && one.class !== desk.label.value}
            onClick={() => desk.choose(one.class)}
          >
            {one.class} <span class="regions-count">{formatNumber(one.count)}</span>
          </button>
        ))}
      </div>
      <label class="grid-size">
        {t("grid.size")}
        <select class="field" value={String(desk.size.value)} onChange={(event) => desk.resize(Number(event.currentTarget.value))}>
          {SIZES.map((size) => (
            <option key={size} value={String(size)}>
              {size}
            </option>
          ))}
        </select>
      </label>
    </section>
  );
}

type ListRef = { readonly current: HTMLUListElement | null };

function Cards<V>({ desk, list }: { desk: GridDesk<V>; list: { current: HTMLUListElement | null } }) {
  const cards = desk.cards.value;
  const dropped = desk.dropped.value;
  const first = cards[0]?.item;
  // New cards: keys act on them at once, without a press of Tab.
  useEffect(() => focusOn(list, desk.active.peek()), [first]);
  return (
    <section class="grid-cards-area" aria-label={t("grid.cards")}>
      {desk.near.value !== null && <p class="grid-near">{t("grid.near", { item: desk.near.value })}</p>}
      <ul ref={list} class={`grid-cards is-${desk.project.schema.modality}`}>
        {cards.map((card, at) => (
          <CardView
            key={card.item}
            card={card}
            label={desk.label.value}
            isChosen={!dropped.has(card.item)}
            isActive={at === desk.active.value}
            onToggle={() => desk.toggle(at)}
            onFocus={() => (desk.active.value = at)}
          />
        ))}
      </ul>
    </section>
  );
}

function NoCards<V>({ desk }: { desk: GridDesk<V> }) {
  const state = desk.state.value;
  if (state === "loading") return <p class="empty quiet">{t("label.loading")}</p>;
  return <NothingHere isCutOff={state === "cut_off"} title={t("grid.none")} why={t("grid.none_why")} />;
}

function Acts<V>({ desk, list }: { desk: GridDesk<V>; list: ListRef }) {
  const keymap = desk.keymap.value;
  const n = desk.chosen.value.length;
  const act = (name: string, words: string, isDisabled = false) => (
    <ActButton key={name} class="is-quiet" chord={keymap.keyOf(name)} isDisabled={isDisabled} onAct={() => doGridAct(desk, list, name)}>
      {words}
    </ActButton>
  );
  return (
    <footer class="bottom-bar">
      <ActButton class="is-main" chord={keymap.keyOf("accept")} isDisabled={n === 0} onAct={() => desk.labelChosen()}>
        {t("grid.label", { n, label: desk.label.value })}
      </ActButton>
      {act("take", t("grid.take"), n === 0 && desk.dropped.value.size === 0)}
      {act("all_or_none", t("grid.all_or_none"))}
      {desk.knowsNeighbours.value && act("neighbours", t(desk.near.value === null ? "grid.neighbours" : "grid.neighbours_off"))}
      {desk.project.schema.modality === "audio" && act("play_card", t("grid.play"))}
      {act("undo", t("act.undo"))}
      {act("guideline", t("act.guideline"))}
      {act("keys", t("act.keys"))}
      <span class="bottom-ready small quiet">{t("grid.answered", { n: desk.nAnswered.value })}</span>
    </footer>
  );
}

function Dialogs<V>({ desk }: { desk: GridDesk<V> }) {
  const close = () => {
    desk.dialog.value = null;
  };
  if (desk.isSignedOut.value) return <SignInAgain desk={desk} />;
  if (desk.dialog.value === "keys") return <KeysDialog desk={desk} scopes={["grid"]} onClose={close} />;
  return desk.dialog.value === "problems" ? <Problems desk={desk} onClose={close} /> : null;
}

function listen<V>(desk: GridDesk<V>, list: ListRef): () => void {
  return listenToActs({
    isCovered: () => desk.dialog.peek() !== null || desk.isSignedOut.peek(),
    actsOf: (chord) => desk.keymap.peek().actsOf(chord, ["grid"]),
    does: (act, event) => (event.repeat && act === "accept" ? true : doGridAct(desk, list, act)),
  });
}

/** Does an act of the page by its name, as its key would. */
function doGridAct<V>(desk: GridDesk<V>, list: ListRef, act: string): boolean {
  const run = ACTS[act];
  if (!run) return false;
  run(desk as GridDesk<unknown>, list);
  return true;
}

const ACTS: Readonly<Record<string, (desk: GridDesk<unknown>, list: ListRef) => void>> = {
  take: (desk) => desk.toggle(desk.active.peek()),
  card_left: (desk, list) => move(desk, list, -1),
  card_right: (desk, list) => move(desk, list, 1),
  card_up: (desk, list) => move(desk, list, -columnsOf(list)),
  card_down: (desk, list) => move(desk, list, columnsOf(list)),
  all_or_none: (desk) => desk.toggleAll(),
  neighbours: (desk) => desk.showNear(),
  play_card: (desk, list) => list.current?.children[desk.active.peek()]?.querySelector<HTMLElement>(".card-play")?.click(),
  accept: (desk) => desk.labelChosen(),
  undo: (desk) => desk.undo(),
  guideline: (desk) => void (desk.isGuidelineOpen.value = !desk.isGuidelineOpen.peek()),
  keys: (desk) => void (desk.dialog.value = "keys"),
};

function move(desk: GridDesk<unknown>, list: ListRef, by: number): void {
  const to = desk.active.peek() + by;
  if (to < 0 || to >= desk.cards.peek().length) return;
  desk.active.value = to;
  focusOn(list, to);
}

function focusOn(list: ListRef, at: number): void {
  list.current?.children[at]?.querySelector<HTMLElement>(".card-check")?.focus();
}

/** How many cards lie in a row now. */
function columnsOf(list: ListRef): number {
  const cards = [...(list.current?.children ?? [])] as HTMLElement[];
  const next = cards.findIndex((card) => card.offsetTop > (cards[0]?.offsetTop ?? 0));
  return next < 0 ? Math.max(cards.length, 1) : next;
}
