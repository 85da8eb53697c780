import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { type Attributes, type AttributeValue, fitting, sameAttributes, withAttribute, withoutProposed } from "web/regions/attributes/attributes";
import { proposedFor, remember } from "web/regions/attributes/sticky";
import type { Suggestion } from "web/tasks";
import type { WidgetContext } from "web/widget";

/** A part of an item with a class: a box, a span, a stretch of time. */
export interface Region {
  readonly label: string;
  readonly score?: number;
  /** What it tells besides its class. */
  readonly attributes?: Attributes;
}

/** What is particular about the regions of one kind of label. */
export interface RegionRules<R extends Region> {
  /** Canonical order of a value, as in `kind.py`. */
  compare(a: R, b: R): number;
  /** Whether two regions are equal, scores and attributes aside. */
  same(a: R, b: R): boolean;
  /** Whether the list follows this order (that of the text, of time), and not the order of making. */
  readonly isListedInOrder?: boolean;
  /** Whether two sources mean the same thing by them; without it, whether they are equal. */
  agrees?(a: R, b: R): boolean;
  /** What is left of a suggested region beside the person's own, where regions may not overlap; null for nothing. */
  beside?(region: R, own: readonly R[]): R | null;
}

/** A region on the screen: the person's own, or one of the suggestion that was neither taken nor dropped. */
export interface Entry<R extends Region> {
  /** Stays the same while the region is edited, and over undo and redo. */
  readonly id: string;
  readonly region: R;
  readonly isSuggested: boolean;
  /** Who suggests it, the shown suggestion's source first; empty for the person's own. */
  readonly sources: readonly string[];
  /** 0 to 1; null for the person's own and where the source gives none. */
  readonly score: number | null;
  /** Another answer beside this one does not have it. */
  readonly isDifferent?: boolean;
}

interface Origin {
  readonly id: string;
  /** The suggested region that this one was. */
  readonly suggested: string | null;
}

/**
 * The regions of one item: the value that is there, and what is left of a suggestion.
 *
 * The value lives with the page, which undoes and redoes by giving an earlier one back. What a value alone does not
 * tell (which suggested regions it holds, which were dropped by then) hangs on the very objects, so that it comes back
 * with them. A value of unknown making (a draft from before a reload) has dealt with the whole suggestion.
 */
export class Regions<R extends Region> {
  /** Which suggestion is drawn, by its place. */
  readonly shown: Signal<number> = signal(0);
  readonly selectedId: Signal<string | null> = signal(null);
  readonly suggestion: ReadonlySignal<Suggestion<readonly R[]> | null>;
  readonly entries: ReadonlySignal<readonly Entry<R>[]>;
  readonly selected: ReadonlySignal<Entry<R> | null>;
  /** Whether all that was suggested is dealt with, and not all of it was taken. */
  readonly isPutAway: ReadonlySignal<boolean>;
  private readonly origins = new WeakMap<R, Origin>();
  private readonly dropped = new WeakMap<readonly R[], ReadonlySet<string>>();
  /** Values that a region was given without anybody's choosing them: those of the last one of its class. */
  private readonly proposed = new Map<string, Attributes>();
  private nMade = 0;

  constructor(
    readonly context: WidgetContext<readonly R[]>,
    private readonly rules: RegionRules<R>,
  ) {
    this.suggestion = computed(() => context.suggestions.value[this.shown.value] ?? context.suggestions.value[0] ?? null);
    this.entries = computed(() => {
      const entries = [...this.ownEntries(), ...this.suggestedEntries()];
      return rules.isListedInOrder ? entries.sort((a, b) => rules.compare(a.region, b.region)) : entries;
    });
    this.isPutAway = computed(() => {
      const nTaken = this.entries.value.filter((entry) => this.origins.get(entry.region)?.suggested).length;
      return !this.entries.value.some((entry) => entry.isSuggested) && (this.suggestion.value?.value.length ?? 0) > nTaken;
    });
    this.selected = computed(() => this.entries.value.find((entry) => entry.id === this.selectedId.value) ?? null);
  }

  select(id: string | null): void {
    this.selectedId.value = id;
  }

  /** A new region, selected; an equal one that is there is selected instead. */
  add(region: R): void {
    const there = this.entries.value.find((entry) => this.rules.same(entry.region, region));
    if (there) {
      if (there.isSuggested) this.accept(there.id);
      this.select(there.id);
      return;
    }
    const id = `own-${this.nMade++}`;
    const made = this.fitted(id, region);
    this.origins.set(made, { id, suggested: null });
    this.set([...this.value, made]);
    this.select(this.idOf(made));
  }

  /**
   * The region as edited; a suggested one becomes the person's own. Changes with the same `step` are one undo. Attributes
   * stay: whoever moves a shape knows nothing of them.
   */
  replace(id: string, region: R, step?: string): void {
    const { attributes } = this.find(id)?.region ?? {};
    this.put(id, attributes ? { ...region, attributes } : region, step);
  }

  /** Gives a region an attribute; null takes it away. */
  setAttribute(id: string, name: string, value: AttributeValue | null): void {
    const entry = this.find(id);
    const { schema } = this.context;
    if (!entry || (entry.region.attributes?.[name] ?? null) === value) return;
    const region = withAttribute(entry.region, name, value, schema);
    remember(schema, region);
    const { [name]: _, ...proposed } = this.proposed.get(id) ?? {};
    this.proposed.set(id, proposed);
    this.put(id, region);
  }

  private put(id: string, region: R, step?: string): void {
    const entry = this.find(id);
    if (!entry) return;
    const edited = withoutScore(region);
    this.origins.set(edited, this.originOf(entry));
    const value = entry.isSuggested ? [...this.value, edited] : this.value.map((one) => (one === entry.region ? edited : one));
    this.set(value, step);
  }

  /**
   * What one act did to several regions: edited ones by id, null for those that are gone; and new ones, the first of
   * which is selected. All are new objects without a score; attributes stay.
   */
  update(changed: ReadonlyMap<string, R | null>, added: readonly R[]): void {
    let value = this.value;
    let dropped = this.droppedSoFar;
    for (const [id, region] of changed) {
      const entry = this.find(id);
      if (!entry) continue;
      const origin = this.originOf(entry).suggested;
      if (region === null) {
        value = value.filter((one) => one !== entry.region);
        if (origin) dropped = new Set([...dropped, origin]);
      } else {
        const { attributes } = entry.region;
        const edited = attributes ? { ...region, attributes } : region;
        this.origins.set(edited, this.originOf(entry));
        value = entry.isSuggested ? [...value, edited] : value.map((one) => (one === entry.region ? edited : one));
      }
    }
    const made = added.map((region) => {
      const id = `own-${this.nMade++}`;
      const fitted = this.fitted(id, region);
      this.origins.set(fitted, { id, suggested: null });
      return fitted;
    });
    this.set([...value, ...made], undefined, dropped);
    const [first] = made;
    if (first) this.select(this.idOf(first));
  }

  relabel(id: string, label: string): void {
    const entry = this.find(id);
    if (!entry || (!entry.isSuggested && entry.region.label === label)) return;
    const region = this.beside(entry);
    if (region) this.put(id, region.label === label ? region : this.fitted(id, { ...region, label }));
  }

  accept(id: string): void {
    const entry = this.find(id);
    if (!entry?.isSuggested) return;
    const region = this.beside(entry);
    if (region) this.replace(id, region);
    else this.remove(id);
  }

  acceptAll(): boolean {
    const left = this.entries.value.filter((entry) => entry.isSuggested);
    if (!left.length) return false;
    const gone = left.filter((entry) => !this.beside(entry)).map(({ id }) => id);
    this.set([...this.value, ...left.flatMap((entry) => this.taken(entry) ?? [])], undefined, new Set([...this.droppedSoFar, ...gone]));
    return true;
  }

  /** Deletes the person's own region, drops a suggested one; the next one is selected. */
  remove(id: string): void {
    const entry = this.find(id);
    if (!entry) return;
    const before = this.entries.value;
    const at = before.indexOf(entry);
    if (entry.isSuggested) this.set([...this.value], undefined, new Set([...this.droppedSoFar, id]));
    else {
      const origin = this.origins.get(entry.region)?.suggested;
      const dropped = new Set([...this.droppedSoFar, ...(origin ? [origin] : [])]);
      this.set(this.value.filter((one) => one !== entry.region), undefined, dropped);
    }
    this.select(before[at + 1]?.id ?? before[at - 1]?.id ?? null);
  }

  /** Draws another suggestion, with all its regions. */
  show(index: number): void {
    const value = this.context.value.value;
    if (value) this.set([...value], undefined, new Set());
    this.shown.value = index;
  }

  /** Selects the next region in time of the list, suggested ones only while there are any; false past the end. */
  step(by: 1 | -1): boolean {
    const suggested = this.entries.value.filter((entry) => entry.isSuggested);
    const list = suggested.length ? suggested : this.entries.value;
    const at = list.findIndex((entry) => entry.id === this.selectedId.value);
    const next = at < 0 ? list[by > 0 ? 0 : list.length - 1] : list[at + by];
    this.select(next?.id ?? null);
    return next !== undefined;
  }

  /** What Enter sends: own regions and suggested ones not dropped, in canonical order; null for nothing at all. */
  answer(): readonly R[] | null {
    if (this.context.value.value === null && !this.suggestion.value) return null;
    const regions = this.entries.value.flatMap((entry) => this.beside(entry) ?? []);
    return regions.map(withoutScore).sort(this.rules.compare);
  }

  private get value(): readonly R[] {
    return this.context.value.peek() ?? [];
  }

  private get droppedSoFar(): ReadonlySet<string> {
    const value = this.context.value.peek();
    return (value && this.dropped.get(value)) ?? new Set();
  }

  private set(value: readonly R[], step?: string, dropped: ReadonlySet<string> = this.droppedSoFar): void {
    if (this.context.isReadOnly) return;
    this.dropped.set(value, dropped);
    this.context.change(value, step === undefined ? {} : { step });
  }

  /** With the attributes that its class has, and what the last region of the class was given where that is to stick. */
  private fitted(id: string, region: R): R {
    const { schema } = this.context;
    if (!schema.attributes?.length) return region;
    const own = withoutProposed(region, this.proposed.get(id) ?? {}, schema);
    this.proposed.set(id, proposedFor(schema, region.label));
    return fitting(own, schema, proposedFor(schema, region.label));
  }

  private find(id: string): Entry<R> | null {
    return this.entries.peek().find((entry) => entry.id === id) ?? null;
  }

  private originOf(entry: Entry<R>): Origin {
    return { id: entry.id, suggested: entry.isSuggested ? entry.id : (this.origins.get(entry.region)?.suggested ?? null) };
  }

  private beside(entry: Entry<R>): R | null {
    return entry.isSuggested && this.rules.beside ? this.rules.beside(entry.region, this.value) : entry.region;
  }

  private taken(entry: Entry<R>): R | null {
    const left = this.beside(entry);
    if (!left) return null;
    const region = withoutScore({ ...left });
    this.origins.set(region, { id: entry.id, suggested: entry.id });
    return region;
  }

  private idOf(region: R): string {
    let origin = this.origins.get(region);
    if (!origin) {
      origin = { id: `own-${this.nMade++}`, suggested: null };
      this.origins.set(region, origin);
    }
    return origin.id;
  }

  private ownEntries(): Entry<R>[] {
    return (this.context.value.value ?? []).map((region) => ({
      id: this.idOf(region),
      region,
      isSuggested: false,
      sources: [],
      score: null,
      isDifferent: this.context.differing?.value.has(region) ?? false,
    }));
  }

  private suggestedEntries(): Entry<R>[] {
    const value = this.context.value.value;
    const suggestion = this.suggestion.value;
    const dropped = value ? this.dropped.get(value) : new Set<string>();
    if (!suggestion || !dropped || this.context.isReadOnly) return [];
    const taken = new Set((value ?? []).map((region) => this.origins.get(region)?.suggested));
    return suggestion.value
      .map((region, i): Entry<R> => ({
        id: `${suggestion.id}:${i}`,
        region,
        isSuggested: true,
        sources: this.sourcesOf(region, suggestion),
        score: region.score ?? (suggestion.is_scored === false ? null : suggestion.score),
      }))
      .filter((entry) => !taken.has(entry.id) && !dropped.has(entry.id));
  }

  /** The suggestion's source, and those of all others who say the same. */
  private sourcesOf(region: R, suggestion: Suggestion<readonly R[]>): string[] {
    const agrees = this.rules.agrees ?? this.rules.same;
    const others = this.context.suggestions.value.filter(
      (other) => other !== suggestion && other.value.some((one) => agrees(one, region)),
    );
    return [...(suggestion.isMerged ? [] : [suggestion.source]), ...others.map((other) => other.source)];
  }
}

/** Whether two values hold the same regions with the same attributes, in whatever order. */
export function sameRegions<R extends Region>(a: readonly R[], b: readonly R[], rules: RegionRules<R>): boolean {
  if (a.length !== b.length) return false;
  const [x, y] = [[...a].sort(rules.compare), [...b].sort(rules.compare)];
  return x.every((region, i) => rules.same(region, y[i] as R) && sameAttributes(region, y[i] as R));
}

function withoutScore<R extends Region>(region: R): R {
  const { score: _, ...own } = region;
  return own as R;
}

/** -1, 0 or 1 by the first pair of numbers or texts that differs. */
export function inOrder(a: readonly (number | string)[], b: readonly (number | string)[]): number {
  for (const [i, one] of a.entries()) {
    const other = b[i];
    if (other === undefined) return 1;
    if (one !== other) return one < other ? -1 : 1;
  }
  return a.length - b.length;
}
