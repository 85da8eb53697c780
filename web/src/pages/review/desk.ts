import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { type Case, fetchCase, fetchCases, sendBack } from "web/api/leads";
import { Problem } from "web/api/request";
import { Clock } from "web/clock";
import { t, tOf } from "web/language/language";
import { openShelf } from "web/outbox/indexed_db";
import { newKey } from "web/outbox/new_key";
import { Office, type Shelves } from "web/pages/office";
import { Editing } from "web/pages/review/editing";
import { beginWith, type Beginning, merge } from "web/pages/review/merging";
import { Pair } from "web/pages/review/pair";
import type { KindOfVote, Me, Project, Verdict, Vote } from "web/tasks";
import type { Widget } from "web/widget";

/** Items left after the one on the screen when more are asked for. */
const LOW_WATER = 8;

/** What a lead made of a case, for taking back. */
export interface Decision<V> {
  readonly item: string;
  readonly value: V;
  readonly verdict: Verdict;
  readonly base: string | null;
}

/** The review page: cases in order, the one on the screen, and what each act does to it. */
export class ReviewDesk<V> extends Office<"send_back" | "comment" | "send_backs"> {
  readonly cases: Signal<readonly Case<V>[]> = signal([]);
  readonly at = signal(0);
  readonly total = signal(0);
  readonly state: Signal<"loading" | "ready" | "cut_off"> = signal("loading");
  /** Item -> how it was decided, on this page. */
  readonly decided: Signal<ReadonlyMap<string, V>> = signal(new Map());
  /** What is being edited in place of the two sides. */
  readonly editing: Signal<Editing<V> | null> = signal(null);
  readonly current: ReadonlySignal<Case<V> | null>;
  /** The two heaviest sides of the case on the screen, as they are drawn. */
  readonly pair: Signal<Pair<V> | null> = signal(null);
  private readonly clock = new Clock(() => performance.now());
  private readonly past: Decision<V>[] = [];
  private readonly future: Decision<V>[] = [];
  private after: string | null = null;
  private hasAll = false;
  private isAsking = false;

  private constructor(
    me: Me,
    project: Project,
    readonly widget: Widget<V, unknown>,
    shelves: Shelves,
  ) {
    super(me, project, shelves);
    this.current = computed(() => this.cases.value[this.at.value] ?? null);
  }

  /** Opens the shelf and asks for the first cases; with `?item=` in the address for that one before. */
  static async open<V>(me: Me, project: Project, widget: Widget<V, unknown>): Promise<ReviewDesk<V>> {
    const desk = new ReviewDesk<V>(me, project, widget, await openShelf());
    await desk.outbox.open();
    desk.watchNetwork();
    for (const kind of ["pointerdown", "pointermove", "wheel", "keydown"]) {
      addEventListener(kind, () => desk.clock.input(), { passive: true, capture: true });
    }
    document.addEventListener("visibilitychange", () => (document.hidden ? desk.clock.hide() : desk.clock.show()));
    void desk.begin(new URLSearchParams(location.search).get("item"));
    return desk;
  }

  /** The item that the address names first, then the list. */
  private async begin(item: string | null): Promise<void> {
    if (item !== null) await this.openItem(item);
    await this.fetchMore();
  }

  /** Shows an item, wherever it stands in the list, or before all others if it is not there. */
  async openItem(item: string): Promise<void> {
    try {
      const found = await fetchCase<V>(this.project.project, item);
      if (!found) return;
      const rest = this.cases.peek().filter((one) => one.item !== item);
      batch(() => {
        this.cases.value = [found, ...rest];
        this.show(0);
        this.state.value = "ready";
      });
    } catch (error) {
      this.heard(error);
    }
  }

  /** Shows the case `by` places on; stays at the ends. */
  go(by: number): void {
    const to = this.at.peek() + by;
    if (to < 0 || to > this.cases.peek().length) return;
    this.show(to);
  }

  show(at: number): void {
    this.leaveEditing();
    batch(() => {
      this.at.value = at;
      this.follow();
    });
    this.clock.restart();
    const found = this.current.peek();
    if (found && isWithSomebody(found)) void this.lookAgain(found);
    if (at > this.cases.peek().length - LOW_WATER) void this.fetchMore();
  }

  /** A side's answer is the item's. */
  take(place: number): void {
    const found = this.current.peek();
    const side = found?.sides[place];
    if (!found || !side) return;
    const voice = found.voices[side.voices[0] ?? -1];
    this.decide({ item: found.item, value: side.value, verdict: "accepted", base: voice?.annotator ?? null });
  }

  /** Opens the kind's own widget: on a side's answer, or on what both agree. */
  edit(beginning: Beginning<V> | null): void {
    const found = this.current.peek();
    if (!found || !beginning) return;
    this.leaveEditing();
    const { project, widget, keymap } = this;
    const editing = new Editing<V>(found, beginning, { project, widget, keymap, say: (text) => this.say(text), onDone: (value) => this.finishEditing(value) });
    editing.takeAgreed();
    this.editing.value = editing;
  }

  /** Editing what leads; of an item on which nobody has said anything, nothing. */
  editLeading(): void {
    const value = this.decided.peek().get(this.current.peek()?.item ?? "") ?? this.current.peek()?.sides[0]?.value;
    if (value !== undefined) this.edit(beginWith(value));
  }

  mergeSides(): void {
    const found = this.current.peek();
    const merged = found && merge(found, this.project.schema.kind);
    if (merged) return this.edit(merged);
    this.say(t("review.one_or_the_other"));
    this.editLeading();
  }

  leaveEditing(): boolean {
    const editing = this.editing.peek();
    editing?.dispose();
    this.editing.value = null;
    return editing !== null;
  }

  /** What is edited is sent; else the side that leads is taken. */
  accept(): void {
    const editing = this.editing.peek();
    if (!editing) return this.take(0);
    const nOpen = editing.openParts();
    if (nOpen > 0) return this.say(t("review.undecided", { n: nOpen }));
    const obstacle = editing.obstacle();
    if (obstacle !== null) return this.say(obstacle);
    const value = editing.answer();
    if (value === null) this.say(t("label.nothing_to_send"));
    else this.finishEditing(value);
  }

  /** First inside what is edited, then out of it, then the decision before. */
  undo(): void {
    const editing = this.editing.peek();
    if (editing) return editing.undo() ? this.say(t("said.undone")) : void this.leaveEditing();
    const last = this.past.pop();
    if (!last) return this.say(t("said.nothing_to_undo"));
    this.future.push(last);
    this.note(last.item, null);
    this.send("retract", last, null);
    this.showItem(last.item);
    this.say(t("said.undone"));
  }

  redo(): void {
    const editing = this.editing.peek();
    if (editing) return void editing.redo();
    const again = this.future.pop();
    if (!again) return;
    this.settle(again);
    this.say(t("said.redone"));
  }

  /** Said beside the answer, for everybody who leads. */
  comment(text: string): void {
    const found = this.current.peek();
    if (!found) return;
    this.send("comment", { item: found.item, value: null as V, verdict: "ignored", base: null }, null, text);
    this.say(t("said.commented"));
  }

  /** Asks somebody to look again. Throws what the server says; without a network nothing is sent. */
  async sendBack(annotator: string, comment: string): Promise<void> {
    const found = this.current.peek();
    if (!found) return;
    await sendBack(this.project.project, found.item, annotator, comment);
    const name = found.voices.find((voice) => voice.annotator === annotator)?.name ?? annotator;
    const told = { item: found.item, annotator, name, comment, state: "waiting" as const };
    const others = found.sent_back.filter((one) => one.annotator !== annotator || one.state === "answered");
    this.put({ ...found, sent_back: [told, ...others] });
    this.say(t("review.said_sent_back", { name }));
    this.goOnToNext();
  }

  protected override goOn(): void {
    if (this.state.peek() === "cut_off" || this.cases.peek().length === 0) void this.fetchMore();
  }

  async fetchMore(): Promise<void> {
    if (this.isAsking || this.hasAll) return;
    this.isAsking = true;
    try {
      const page = await fetchCases<V>(this.project.project, this.after);
      const known = new Set(this.cases.peek().map((one) => one.item));
      batch(() => {
        this.cases.value = [...this.cases.peek(), ...page.items.filter((one) => !known.has(one.item))];
        this.total.value = Math.max(page.total, this.cases.value.length);
        this.state.value = "ready";
        this.follow();
      });
      this.after = page.after;
      this.hasAll = page.after === null;
    } catch (error) {
      this.heard(error);
    } finally {
      this.isAsking = false;
    }
  }

  private finishEditing(value: V): void {
    const editing = this.editing.peek();
    if (!editing) return;
    const found = editing.found;
    const same = found.sides.find((side) => this.widget.same(side.value, value));
    const base = found.voices[(same ?? found.sides[0])?.voices[0] ?? -1]?.annotator ?? null;
    this.leaveEditing();
    this.decide({ item: found.item, value, verdict: same ? "accepted" : "edited", base });
  }

  private decide(decision: Decision<V>): void {
    this.future.length = 0;
    this.settle(decision);
    this.say(t("review.said_decided", { value: this.widget.summary(decision.value, { schema: this.project.schema, t: tOf }) }));
  }

  private settle(decision: Decision<V>): void {
    this.past.push(decision);
    this.send("label", decision, decision.value);
    this.note(decision.item, decision.value);
    this.showItem(decision.item);
    this.goOnToNext();
  }

  /** To the next case that is neither decided nor with somebody; past the last one the page says so. */
  private goOnToNext(): void {
    const cases = this.cases.peek();
    const isOpen = (one: Case<V>) => !this.decided.peek().has(one.item) && !isWithSomebody(one);
    const next = cases.findIndex((one, i) => i > this.at.peek() && isOpen(one));
    const before = cases.findIndex(isOpen);
    this.show(next >= 0 ? next : before >= 0 && this.hasAll ? before : cases.length);
  }

  private showItem(item: string): void {
    const at = this.cases.peek().findIndex((one) => one.item === item);
    if (at >= 0 && at !== this.at.peek()) this.show(at);
  }

  private note(item: string, value: V | null): void {
    const decided = new Map(this.decided.peek());
    if (value === null) decided.delete(item);
    else decided.set(item, value);
    this.decided.value = decided;
  }

  private send(kind: KindOfVote, { item, verdict, base }: Decision<V>, value: V | null, reason = ""): void {
    const spent = this.clock.read();
    const vote: Vote = {
      key: newKey(),
      assignment: "",
      item,
      kind,
      value,
      verdict,
      base,
      reason,
      ms_active: spent.active,
      ms_total: spent.total,
      at: new Date().toISOString(),
      ui: UI_VERSION,
      bulk: null,
    };
    void this.outbox.add(this.project.project, vote);
  }

  /** Draws the case that is current now, unless it is drawn already. */
  private follow(): void {
    const found = this.current.peek();
    const before = this.pair.peek();
    if (before && before.found.item === found?.item && before.found.sides === found.sides) return;
    before?.dispose();
    const { project, widget, keymap } = this;
    this.pair.value = found && found.sides.length > 0 ? new Pair(found, { project, widget, keymap, say: (text) => this.say(text) }) : null;
  }

  /** Whether somebody to whom it was sent back has answered meanwhile. */
  private async lookAgain({ item }: Case<V>): Promise<void> {
    const found = await fetchCase<V>(this.project.project, item).catch(() => null);
    if (found && !this.decided.peek().has(item)) this.put(found);
  }

  /** The case as it is now, in its place. */
  private put(found: Case<V>): void {
    batch(() => {
      this.cases.value = this.cases.peek().map((one) => (one.item === found.item ? found : one));
      this.follow();
    });
  }

  private heard(error: unknown): void {
    if (error instanceof Problem && error.status === 401) this.isSignedOut.value = true;
    else if (this.cases.peek().length === 0) this.state.value = "cut_off";
    this.say(error instanceof Problem ? error.message : t("error.unreachable"));
  }
}

/** Whether somebody has been asked to look again and has not answered yet. */
export function isWithSomebody(found: Pick<Case, "sent_back">): boolean {
  return found.sent_back.some((one) => one.state === "waiting" || one.state === "open");
}
