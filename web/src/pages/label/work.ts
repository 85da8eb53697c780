import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { Clock } from "web/clock";
import { t, tOf } from "web/language/language";
import type { Drafts } from "web/pages/label/drafts";
import { keyShownFor } from "web/keys/class_keys";
import type { Keymap } from "web/keys/keymap";
import { newKey } from "web/outbox/new_key";
import type { Outbox } from "web/outbox/outbox";
import type { Done, Session } from "web/session/session";
import { Steps } from "web/session/steps";
import { judge, shownOf } from "web/session/verdict";
import type { KindOfVote, Project, Suggestion, Task, Vote } from "web/tasks";
import type { ChangeOptions, Widget, WidgetContext, WidgetProps } from "web/widget";

/** One item as it is on the screen. */
export interface Opened<V> extends WidgetProps<V, unknown> {
  readonly task: Task<V>;
  /** Where in the history, when looking back. */
  readonly lookingAt: number | null;
}

/** What undo walks over: the value, and which suggestions were turned down. */
interface Edit<V> {
  readonly value: V | null;
  readonly rejected: readonly string[];
}

export interface WorkOptions<V> {
  readonly project: Project;
  readonly widget: Widget<V, unknown>;
  readonly session: Session<V>;
  readonly outbox: Outbox;
  readonly drafts: Drafts<V>;
  readonly keymap: ReadonlySignal<Keymap>;
  readonly say: (message: string) => void;
  /** Takes answers to training items: each is followed by its lesson. */
  readonly teach?: (task: Task<V>, vote: Vote, mine: V | null) => void;
  readonly clock?: Clock;
}

/**
 * A person at work on one project: what is on screen, and what each act does to it.
 *
 * Ties the cores (session, outbox, steps, clock) to signals that the screen draws. Nothing here waits for the network.
 */
export class Work<V> {
  readonly opened: Signal<Opened<V> | null> = signal(null);
  readonly value: Signal<V | null> = signal(null);
  readonly rejected: Signal<readonly string[]> = signal([]);
  readonly nAnswered = signal(0);
  /** Changes with the queue: `ready`, `state` and `left` are read again. */
  readonly queue = signal({ nReady: 0, state: "loading" as Session<V>["state"] });
  /** Suggestions still standing, best first. */
  readonly suggestions: ReadonlySignal<readonly Suggestion<V>[]>;
  readonly clock: Clock;
  private isTakingBack = false;
  private steps: Steps<Edit<V>> = new Steps<Edit<V>>({ value: null, rejected: [] });

  constructor(readonly options: WorkOptions<V>) {
    this.clock = options.clock ?? new Clock(() => performance.now());
    this.suggestions = computed(() => {
      const opened = this.opened.value;
      if (!opened) return [];
      return this.shown(opened.task).filter((one) => !this.rejected.value.includes(one.id));
    });
  }

  /** The session has changed: show its present task if that is another one. */
  follow(): void {
    const { session } = this.options;
    this.queue.value = { nReady: session.nReady, state: session.state };
    const opened = this.opened.peek();
    if (this.isTakingBack || opened?.lookingAt != null) return;
    if (session.current?.assignment !== opened?.task.assignment) this.open(session.current);
  }

  /** A widget's change of the answer. */
  change(value: V | null, { step }: ChangeOptions = {}): void {
    this.steps.change({ value, rejected: this.rejected.peek() }, step);
    this.showSteps();
  }

  /** Sends what is shown and goes on; `answer` where the caller knows better. */
  finish(answer: V | null = this.answer()): void {
    const opened = this.opened.peek();
    if (!opened || opened.context.isReadOnly) return;
    if (answer === null) return this.options.say(t("label.nothing_to_send"));
    const obstacle = this.options.widget.obstacle?.(opened) ?? null;
    if (obstacle !== null) return this.options.say(obstacle);
    if (this.isTraining) return this.options.teach?.(opened.task, this.vote("label", answer), answer);
    const { outbox, project, drafts, session } = this.options;
    for (const vote of this.rejections(opened.task)) void outbox.add(project.project, vote);
    void outbox.add(project.project, this.vote("label", answer));
    drafts.drop(opened.task);
    this.nAnswered.value += 1;
    session.advance({ value: answer, kind: "label" });
  }

  skip(reason = ""): void {
    const opened = this.opened.peek();
    if (!opened || opened.context.isReadOnly) return;
    if (this.isTraining) return this.options.teach?.(opened.task, this.vote("skip", null, reason), null);
    void this.options.outbox.add(this.options.project.project, this.vote("skip", null, reason));
    this.options.drafts.drop(opened.task);
    this.options.say(t("said.skipped"));
    this.options.session.advance({ value: null, kind: "skip" });
  }

  /** A flag or comment: sent, and the item stays. */
  remark(kind: "flag" | "comment", reason: string): void {
    if (!this.opened.peek()) return;
    void this.options.outbox.add(this.options.project.project, this.vote(kind, null, reason));
    this.options.say(t(kind === "flag" ? "said.flagged" : "said.commented"));
  }

  /** Turns down the best suggestion that stands; the item stays for a label. */
  reject(): void {
    const [best] = this.suggestions.peek();
    if (!best || this.opened.peek()?.context.isReadOnly) return;
    const { same } = this.options.widget;
    const alike = this.suggestions.peek().filter((one) => same(one.value, best.value));
    const value = this.value.peek();
    this.steps.change({
      value: value !== null && same(value, best.value) ? null : value,
      rejected: [...this.rejected.peek(), ...alike.map((one) => one.id)],
    });
    this.showSteps();
    this.options.say(t("suggestion.rejected"));
  }

  /** First inside the item, then the answer before. */
  undo(): void {
    if (this.opened.peek()?.lookingAt != null) return this.revise();
    if (this.steps.undo()) {
      this.showSteps();
      return this.options.say(t("said.undone"));
    }
    if (this.isTraining) return this.options.say(t("training.first_counts"));
    this.takeBack(() => this.options.session.back());
  }

  redo(): void {
    if (this.steps.redo()) return this.showSteps();
    const opened = this.opened.peek();
    if (!opened || opened.context.isReadOnly) return;
    const again = this.options.session.redoable;
    if (!again) return;
    void this.options.outbox.add(this.options.project.project, this.vote(again.kind, again.value));
    this.options.session.redo();
    if (again.kind === "label") this.nAnswered.value += 1;
    this.options.say(t("said.redone"));
  }

  /** Shows the done item before the one on screen, or after it; past the last one is work again. */
  look(by: -1 | 1): void {
    if (this.isTraining) return this.options.say(t("training.first_counts"));
    const { history } = this.options.session;
    const at = this.opened.peek()?.lookingAt ?? history.length;
    const next = at + by;
    if (next < 0 || next > history.length) return;
    const done = history[next];
    if (done) this.open(done.task, { done, lookingAt: next });
    else this.open(this.options.session.current);
  }

  /** The done item looked at becomes the one to work on; what was answered is retracted. */
  revise(): void {
    const looked = this.opened.peek();
    if (looked?.lookingAt == null) return;
    this.takeBack(() => this.options.session.revise(looked.task.assignment));
  }

  /** Draws a training item with an answer, the known one or the person's own, that takes no edits. */
  showKnown(task: Task<V>, value: V | null): void {
    this.open(task, { done: { task, value, kind: "label" }, lookingAt: null, isReadOnly: true });
  }

  private get isTraining(): boolean {
    return this.opened.peek()?.task.purpose === "training";
  }

  /** Shows a done task with its answer, to be changed, and retracts that answer. */
  private takeBack(reopen: () => Done<V> | null): void {
    this.isTakingBack = true;
    const done = reopen();
    this.isTakingBack = false;
    if (!done) return this.options.say(t("said.nothing_to_undo"));
    this.open(done.task, { done, lookingAt: null });
    void this.options.outbox.add(this.options.project.project, this.vote("retract", null, "", done.task));
    if (done.kind === "label") this.nAnswered.value -= 1;
    this.options.say(t("said.undone"));
  }

  /** Puts a task on the screen: fresh, with its draft, or as it was answered. */
  private open(task: Task<V> | null, back?: { done: Done<V>; lookingAt: number | null; isReadOnly?: boolean }): void {
    dispose(this.opened.peek()?.state);
    if (!task) {
      this.opened.value = null;
      return;
    }
    const draft = back ? null : this.options.drafts.of(task);
    const value = back ? back.done.value : (draft?.value ?? null);
    batch(() => {
      this.steps = new Steps<Edit<V>>({ value, rejected: [] });
      this.value.value = value;
      this.rejected.value = [];
      const context = this.contextOf(task, back?.isReadOnly ?? back?.lookingAt != null);
      const state = this.options.widget.start(context);
      this.opened.value = { task, context, state, lookingAt: back?.lookingAt ?? null };
    });
    this.queue.value = { nReady: this.options.session.nReady, state: this.options.session.state };
    this.clock.restart(draft?.spent);
    if (!back) this.bringDraft(task);
  }

  /** The first task is shown before its draft is read: the draft follows unless something was done already. */
  private bringDraft(task: Task<V>): void {
    if (this.options.drafts.of(task)) return;
    const { drafts } = this.options;
    void drafts.load(task).then(() => {
      const draft = drafts.of(task);
      const isStillFresh = this.opened.peek()?.task === task && !this.steps.canUndo && this.value.peek() === null;
      if (!draft || !isStillFresh) return;
      this.steps = new Steps<Edit<V>>({ value: draft.value, rejected: [] });
      this.clock.restart(draft.spent);
      this.showSteps();
      this.options.say(t("said.draft"));
    });
  }

  private contextOf(task: Task<V>, isReadOnly: boolean): WidgetContext<V> {
    return {
      item: task,
      schema: this.options.project.schema,
      value: this.value,
      suggestions: this.suggestions,
      isReadOnly,
      change: (value, options) => {
        if (!isReadOnly) this.change(value, options);
      },
      finish: (answer) => this.finish(answer),
      say: this.options.say,
      t: tOf,
      keyOf: (act) => keyShownFor(act, this.options.keymap.value, this.options.project.schema),
    };
  }

  private showSteps(): void {
    const { value, rejected } = this.steps.value;
    batch(() => {
      this.value.value = value;
      this.rejected.value = rejected;
    });
    const task = this.opened.peek()?.task;
    if (task) this.options.drafts.edited(task, value, this.clock.read());
  }

  /** What Enter would send. */
  private answer(): V | null {
    const opened = this.opened.peek();
    if (!opened) return null;
    if (this.options.widget.answer) return this.options.widget.answer(opened);
    return this.value.peek() ?? this.suggestions.peek()[0]?.value ?? null;
  }

  private shown(task: Task<V>): readonly Suggestion<V>[] {
    return shownOf(task, this.options.project.settings.threshold);
  }

  private rejections(task: Task<V>): Vote[] {
    return this.rejected.peek().map((base) => ({ ...this.vote("reject", null, "", task), base, verdict: "rejected" }));
  }

  private vote(kind: KindOfVote, value: V | null, reason = "", task = this.opened.peek()?.task as Task<V>): Vote {
    const spent = this.clock.read();
    const judgement = judge(value, this.shown(task), this.rejected.peek(), this.options.widget.same);
    return {
      key: newKey(),
      assignment: task.assignment,
      item: task.item,
      kind,
      value,
      ...judgement,
      reason,
      ms_active: spent.active,
      ms_total: spent.total,
      at: new Date().toISOString(),
      ui: UI_VERSION,
      bulk: null,
    };
  }
}

function dispose(state: unknown): void {
  const maybe = state as { dispose?: () => void } | null | undefined;
  if (typeof maybe?.dispose === "function") maybe.dispose();
}
