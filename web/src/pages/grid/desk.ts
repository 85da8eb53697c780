import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { type Card, fetchCards } from "web/api/leads";
import { Problem } from "web/api/request";
import { Clock } from "web/clock";
import { t } from "web/language/language";
import { openShelf } from "web/outbox/indexed_db";
import { newKey } from "web/outbox/new_key";
import { Office, type Shelves } from "web/pages/office";
import type { KindOfVote, Me, Project, Vote } from "web/tasks";

/** How many cards may lie side by side. */
export const SIZES = [60, 100, 200] as const;

/** One act: which items were labelled, and which lay beside them and were not. */
interface Act<V> {
  readonly label: string;
  readonly chosen: readonly Card<V>[];
  readonly dropped: readonly Card<V>[];
}

/** The grid page: open items with one suggested class side by side, answered by one act. */
export class GridDesk<V> extends Office {
  /** The class whose items are shown. */
  readonly label = signal("");
  readonly classes: Signal<readonly { readonly class: string; readonly count: number }[]> = signal([]);
  readonly cards: Signal<readonly Card<V>[]> = signal([]);
  /** Items that are not to be labelled by the next act. */
  readonly dropped: Signal<ReadonlySet<string>> = signal(new Set());
  readonly active = signal(0);
  readonly size: Signal<number> = signal(SIZES[1]);
  /** The item whose neighbours come first. */
  readonly near: Signal<string | null> = signal(null);
  /** Whether the server can tell which items are alike. */
  readonly knowsNeighbours: Signal<boolean> = signal(false);
  readonly state: Signal<"loading" | "ready" | "cut_off"> = signal("loading");
  readonly chosen: ReadonlySignal<readonly Card<V>[]>;
  readonly nAnswered = signal(0);
  private readonly clock = new Clock(() => performance.now());
  private readonly past: Act<V>[] = [];
  /** Items that lay here and were answered or left: they do not come again by themselves. */
  private readonly passed = new Set<string>();
  private after: string | null = null;
  private nAsked = 0;

  private constructor(me: Me, project: Project, shelves: Shelves) {
    super(me, project, shelves);
    this.chosen = computed(() => this.cards.value.filter((card) => !this.dropped.value.has(card.item)));
  }

  static async open<V>(me: Me, project: Project): Promise<GridDesk<V>> {
    const desk = new GridDesk<V>(me, project, await openShelf());
    await desk.outbox.open();
    desk.watchNetwork();
    for (const kind of ["pointerdown", "pointermove", "wheel", "keydown"]) {
      addEventListener(kind, () => desk.clock.input(), { passive: true, capture: true });
    }
    document.addEventListener("visibilitychange", () => (document.hidden ? desk.clock.hide() : desk.clock.show()));
    void desk.fetchClasses();
    return desk;
  }

  /** Shows the items of a class, from the first on. */
  choose(label: string): void {
    batch(() => {
      this.label.value = label;
      this.near.value = null;
    });
    this.passed.clear();
    void this.fetch();
  }

  resize(size: number): void {
    this.size.value = size;
    void this.fetch();
  }

  /** Those like the active item come first; asked again, the order of the queue is back. */
  showNear(): void {
    const card = this.cards.peek()[this.active.peek()];
    if (!card || !this.knowsNeighbours.peek()) return this.say(t("grid.near_unknown"));
    this.near.value = this.near.peek() === null ? card.item : null;
    void this.fetch();
  }

  toggle(at: number): void {
    const card = this.cards.peek()[at];
    if (!card) return;
    const dropped = new Set(this.dropped.peek());
    if (!dropped.delete(card.item)) dropped.add(card.item);
    batch(() => {
      this.active.value = at;
      this.dropped.value = dropped;
    });
  }

  /** Chooses all, or none if all are chosen. */
  toggleAll(): void {
    const cards = this.cards.peek();
    this.dropped.value = this.dropped.peek().size > 0 ? new Set() : new Set(cards.map((card) => card.item));
  }

  /** Labels what is chosen; what was dropped waits in the queue for somebody who looks at it alone. */
  labelChosen(): void {
    const chosen = this.chosen.peek();
    if (chosen.length === 0) return this.say(t("grid.nothing_chosen"));
    const dropped = this.cards.peek().filter((card) => this.dropped.peek().has(card.item));
    const act = { label: this.label.peek(), chosen, dropped };
    this.past.push(act);
    for (const card of chosen) this.send("label", card, chosen.length);
    this.count(act, 1);
    for (const card of [...chosen, ...dropped]) this.passed.add(card.item);
    this.say(t("grid.said_labelled", { n: chosen.length, label: act.label }));
    void this.fetchNext();
  }

  /** The whole act before is taken back: its items lie here again, as they were. */
  undo(): void {
    const act = this.past.pop();
    if (!act) return this.say(t("said.nothing_to_undo"));
    for (const card of act.chosen) this.send("retract", card, act.chosen.length);
    this.count(act, -1);
    for (const card of [...act.chosen, ...act.dropped]) this.passed.delete(card.item);
    this.nAsked += 1;
    batch(() => {
      this.label.value = act.label;
      this.cards.value = [...act.chosen, ...act.dropped];
      this.dropped.value = new Set(act.dropped.map((card) => card.item));
      this.active.value = 0;
      this.state.value = "ready";
    });
    this.after = null;
    this.say(t("grid.said_undone", { n: act.chosen.length }));
  }

  /** From the first page on. */
  fetch(): Promise<void> {
    this.after = null;
    return this.ask();
  }

  protected override goOn(): void {
    if (this.state.peek() === "cut_off") void (this.label.peek() ? this.fetch() : this.fetchClasses());
  }

  private async fetchNext(): Promise<void> {
    batch(() => {
      this.cards.value = [];
      this.state.value = "loading";
    });
    const number = (this.nAsked += 1);
    // What was just answered is still open until it has arrived; behind a cursor it does not matter.
    if (this.after === null || this.near.peek() !== null) await this.outbox.flush();
    // Something was taken back meanwhile, and lies here.
    if (number === this.nAsked) await this.ask();
  }

  private async fetchClasses(): Promise<void> {
    await this.load(async () => {
      const first = await fetchCards<V>(this.project.project, { label: "", n: 1, after: null, near: null });
      const counts = new Map((first.classes ?? []).map((one) => [one.class, one.count]));
      this.knowsNeighbours.value = first.neighbours ?? false;
      const ofSchema = this.project.schema.classes.map(({ name }) => name);
      this.classes.value = ofSchema.map((name) => ({ class: name, count: counts.get(name) ?? 0 }));
      const most = [...this.classes.value].sort((a, b) => b.count - a.count)[0];
      this.label.value = most && most.count > 0 ? most.class : "";
    });
    if (this.label.peek()) await this.ask();
  }

  private async ask(): Promise<void> {
    const [label, near, size] = [this.label.peek(), this.near.peek(), this.size.peek()];
    const n = near === null ? size : Math.min(size + this.passed.size, 200);
    const number = (this.nAsked += 1);
    await this.load(async () => {
      const page = await fetchCards<V>(this.project.project, { label, n, after: near === null ? this.after : null, near });
      // Another class was chosen meanwhile, or something taken back.
      if (number !== this.nAsked) return;
      this.after = page.after;
      const cards = page.items.filter((card) => !this.passed.has(card.item)).slice(0, size);
      if (cards.length === 0 && page.after !== null && near === null) return void this.ask();
      batch(() => {
        this.cards.value = cards;
        this.dropped.value = new Set();
        this.active.value = 0;
        this.state.value = "ready";
      });
      this.clock.restart();
    });
  }

  private async load(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      if (!this.label.peek()) this.state.value = "ready";
    } catch (error) {
      if (error instanceof Problem && error.status === 401) this.isSignedOut.value = true;
      this.state.value = "cut_off";
      this.say(error instanceof Problem ? error.message : t("error.unreachable"));
    }
  }

  private count({ label, chosen }: Act<V>, sign: 1 | -1): void {
    this.nAnswered.value += sign * chosen.length;
    this.classes.value = this.classes.peek().map((one) => (one.class === label ? { ...one, count: Math.max(one.count - sign * chosen.length, 0) } : one));
  }

  private send(kind: KindOfVote, card: Card<V>, n: number): void {
    // One look for all of them: each took its share of the time.
    const spent = this.clock.read();
    const vote: Vote = {
      key: newKey(),
      assignment: "",
      item: card.item,
      kind,
      value: kind === "label" ? card.suggestion.value : null,
      verdict: "accepted",
      base: card.suggestion.id,
      reason: "",
      ms_active: Math.round(spent.active / n),
      ms_total: Math.round(spent.total / n),
      at: new Date().toISOString(),
      ui: UI_VERSION,
      bulk: n,
    };
    void this.outbox.add(this.project.project, vote);
  }
}
