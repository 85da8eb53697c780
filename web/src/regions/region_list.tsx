import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { ActButton } from "web/parts/act_button";
import { missingOf, wordsOfAttributes } from "web/regions/attributes/attributes";
import { AttributeForm } from "web/regions/attributes/form";
import type { Entry, Region, Regions } from "web/regions/regions";
import { swatchOf } from "web/regions/swatch";

/** Rows in the document at a time; the selected one is always among them. */
const MOST_ROWS = 80;

interface RegionListProps<R extends Region> {
  readonly regions: Regions<R>;
  /** What of the region is read in a row: its words, its times, its place. */
  readonly words: (region: R) => string;
  /** Fields for the selected region. */
  readonly detail?: ComponentChildren;
}

/** The same regions as on the stage, as a list that needs no pointer: choose by arrows, edit below. */
export function RegionList<R extends Region>({ regions, words, detail }: RegionListProps<R>) {
  const { context } = regions;
  const entries = regions.entries.value;
  const selected = regions.selected.value;
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    if (list.current) bringIntoSight(list.current);
  }, [selected?.id]);
  const first = Math.max(Math.min((selected ? entries.indexOf(selected) : 0) - MOST_ROWS / 2, entries.length - MOST_ROWS), 0);
  return (
    <section class="regions" aria-label={context.t("regions.title")}>
      <h2 class="regions-title">
        {context.t("regions.title")} <span class="regions-count">{entries.length}</span>
      </h2>
      <SuggestionSwitch regions={regions} />
      {entries.length === 0 ? (
        <p class="quiet">{context.t("regions.none")}</p>
      ) : (
        <ul
          ref={list}
          class="region-list"
          role="listbox"
          tabIndex={0}
          aria-label={context.t("regions.list")}
          aria-activedescendant={selected ? rowId(selected) : undefined}
          onKeyDown={(event) => walk(event, regions)}
        >
          {entries.slice(first, first + MOST_ROWS).map((entry) => (
            <RegionRow key={entry.id} entry={entry} regions={regions} words={words} />
          ))}
        </ul>
      )}
      {entries.length > MOST_ROWS && (
        <p class="region-part">{context.t("regions.part", { first: first + 1, last: first + MOST_ROWS, n: entries.length })}</p>
      )}
      {selected && !context.isReadOnly && <RegionActs entry={selected} regions={regions} />}
      {selected && <AttributeForm key={selected.id} regions={regions} entry={selected} />}
      {selected && detail}
    </section>
  );
}

interface RowProps<R extends Region> {
  readonly entry: Entry<R>;
  readonly regions: Regions<R>;
  readonly words: (region: R) => string;
}

function RegionRow<R extends Region>({ entry, regions, words }: RowProps<R>) {
  const { schema } = regions.context;
  const index = schema.classes.findIndex(({ name }) => name === entry.region.label);
  const chosen = regions.selectedId.value === entry.id;
  const told = wordsOfAttributes(entry.region, schema, regions.context.t);
  const missing = missingOf(entry.region, schema).map(({ name }) => name).join(", ");
  return (
    <li
      id={rowId(entry)}
      role="option"
      aria-selected={chosen}
      class={`region-row ${swatchOf(index)} ${entry.isSuggested ? "is-suggested" : ""}`}
      onMouseDown={(event) => event.preventDefault()}
      onClick={() => regions.select(chosen ? null : entry.id)}
    >
      <span class="region-swatch" aria-hidden="true" />
      <span class="region-label">{entry.region.label}</span>
      <span class="region-words">{words(entry.region)}</span>
      {(told || missing) && (
        <span class="region-attributes">
          {told} {missing && <span class="region-lacks">{regions.context.t("attributes.lacks", { names: missing })}</span>}
        </span>
      )}
      {entry.isSuggested && <span class="region-note">{noteOf(entry)}</span>}
    </li>
  );
}

/** The acts of the row as buttons, for those who do not know the keys. */
function RegionActs<R extends Region>({ entry, regions }: { entry: Entry<R>; regions: Regions<R> }) {
  const { t, keyOf } = regions.context;
  const button = (words: string, act: string, run: () => void) => (
    <ActButton chord={keyOf(act)} onAct={run}>
      {words}
    </ActButton>
  );
  return (
    <div class="region-acts">
      {entry.isSuggested && button(t("regions.accept"), "accept_region", () => regions.accept(entry.id))}
      {entry.isSuggested
        ? button(t("regions.drop"), "reject", () => regions.remove(entry.id))
        : button(t("regions.delete"), "delete_region", () => regions.remove(entry.id))}
    </div>
  );
}

/** Where suggested regions come from. Several suggestions: one is drawn, the others wait here. */
function SuggestionSwitch<R extends Region>({ regions }: { regions: Regions<R> }) {
  const { context } = regions;
  const all = context.suggestions.value;
  const shown = regions.suggestion.value;
  if (context.isReadOnly || !shown || shown.isMerged) return null;
  const words = (index: number) => {
    const one = all[index];
    if (!one) return "";
    return one.is_scored === false ? one.source : `${one.source} ${Math.round(one.score * 100)} %`;
  };
  if (regions.isPutAway.value) {
    return (
      <ActButton class="is-quiet" onAct={() => regions.show(all.indexOf(shown))}>
        {context.t("regions.show_again", { source: words(all.indexOf(shown)) })}
      </ActButton>
    );
  }
  if (all.length === 1) return <p class="region-source">{context.t("regions.suggested_by", { source: words(0) })}</p>;
  return (
    <label class="region-source">
      {context.t("regions.shown_suggestion")}
      <select class="field" value={String(all.indexOf(shown))} onChange={(event) => regions.show(Number(event.currentTarget.value))}>
        {all.map((one, i) => (
          <option key={one.id} value={String(i)}>
            {words(i)}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Scrolls the list and nothing around it: the stage stays where the person looks. */
function bringIntoSight(list: HTMLElement): void {
  const row = list.querySelector<HTMLElement>("[aria-selected=true]");
  if (!row) return;
  const top = row.offsetTop - list.offsetTop;
  const bottom = top + row.offsetHeight;
  if (top < list.scrollTop) list.scrollTop = top;
  else if (bottom > list.scrollTop + list.clientHeight) list.scrollTop = bottom - list.clientHeight;
}

function walk<R extends Region>(event: KeyboardEvent, regions: Regions<R>): void {
  const entries = regions.entries.value;
  const at = entries.findIndex((entry) => entry.id === regions.selectedId.value);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: entries.length - 1 }[event.key];
  if (to === undefined || event.ctrlKey || event.shiftKey || event.altKey) return;
  const entry = entries[Math.min(Math.max(to, 0), entries.length - 1)];
  if (entry) regions.select(entry.id);
  event.preventDefault();
  event.stopPropagation();
}

function rowId(entry: { readonly id: string }): string {
  return `region-${entry.id.replace(/[^\w-]/g, "_")}`;
}

/** What stands beside a region's class where it is drawn: its attributes; source and score of a suggested one. */
export function wordsBeside<R extends Region>(regions: Regions<R>, entry: Entry<R>, note = noteOf(entry), nLetters = 60): string {
  const letters = [...wordsOfAttributes(entry.region, regions.context.schema, regions.context.t)];
  const told = letters.length > nLetters ? `${letters.slice(0, nLetters).join("")}…` : letters.join("");
  return [told, entry.isSuggested ? note : ""].filter(Boolean).join(" · ");
}

/** Source and score of a suggested region, in few words. */
export function noteOf(entry: Entry<Region>): string {
  const [first = "", ...others] = entry.sources;
  const who = others.length ? `${first} +${others.length}` : first;
  return entry.score === null ? who : `${who} ${Math.round(entry.score * 100)} %`;
}
