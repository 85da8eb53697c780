import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Sending } from "web/outbox/outbox";
import type { Lesson, Standing, Task, Vote } from "web/tasks";

/** What stands in place of the item: before the first one, after the last one, or instead of any. */
export type TrainingScreen = "start" | "result" | "failed" | "paused";

/** A lesson on the screen: what was answered and what is known. */
export interface Taught<V> {
  readonly task: Task<V>;
  /** Null for a skip. */
  readonly mine: V | null;
  readonly lesson: Lesson<V>;
}

export interface TrainingOptions<V> {
  readonly standing: Standing | null;
  readonly send: (vote: Vote) => Promise<Sending>;
  /** Draws the item with an answer that takes no edits. */
  readonly show: (task: Task<V>, value: V | null) => void;
  /** The item is done: the next one. */
  readonly advance: (value: V | null) => void;
  /** Begin to ask the server for items. */
  readonly begin: () => void;
  /** The page begins anew, with what is open to the person now. */
  readonly reload: () => void;
  readonly signedOut: () => void;
  readonly say: (what: "needs_connection" | "first_counts" | "refused", detail?: string) => void;
}

/** Acts that lessons and screens leave to the page and the widget: looking, reading, listening. */
const STILL_THERE = /^(guideline|keys|comment|flag|zoom_|audio_|step_|far_|play|next_region|previous_region|deselect)/;
const TO_MINE = ["look_back", "nudge_left", "caret_left", "undo"];
const TO_KNOWN = ["look_ahead", "nudge_right", "caret_right", "redo"];

/**
 * The way into real work: a start, items of which each is followed by its lesson, a result.
 *
 * Answers go to the server at once and one at a time, past the outbox: without the server's word there is no lesson.
 * Knows nothing of the screen; the server alone decides what somebody has passed.
 */
export class Training<V> {
  readonly standing: Signal<Standing | null>;
  readonly screen: Signal<TrainingScreen | null>;
  readonly taught: Signal<Taught<V> | null> = signal(null);
  /** Which of the two answers the item shows during a lesson. */
  readonly showsMine = signal(false);
  readonly isSending = signal(false);
  /** Items done and items in all, while somebody trains. */
  readonly progress: ReadonlySignal<{ readonly done: number; readonly total: number } | null>;
  private sent: { readonly vote: Vote; readonly words: string } | null = null;

  constructor(private readonly options: TrainingOptions<V>) {
    this.standing = signal(options.standing);
    this.screen = signal(firstScreen(options.standing));
    this.progress = computed(() => {
      const now = this.standing.value;
      return now && (now.state === "training" || this.taught.value) ? { done: now.done, total: now.n } : null;
    });
  }

  /** Whether items are to be fetched as soon as the page is there. */
  get isOpen(): boolean {
    return this.screen.peek() === null;
  }

  /** Whether a lead must decide first. */
  get isHeldBack(): boolean {
    return this.screen.peek() === "failed" || this.screen.peek() === "paused";
  }

  /** What the server says beside the next items. */
  heard(now: Standing | null | undefined, isTraining: boolean): void {
    if (now === undefined || this.taught.peek() || this.screen.peek() === "result") return;
    const before = this.standing.peek();
    this.standing.value = now;
    const wasHeldBack = this.isHeldBack;
    if (now?.state === "failed" || now?.state === "paused") this.screen.value = now.state;
    else if (wasHeldBack) this.options.reload();
    else if (before?.state !== now?.state && (now?.state === "training") !== isTraining) this.options.reload();
  }

  /** An answer, or a skip: resolves when its lesson is on the screen, or it is said why there is none. */
  async answer(task: Task<V>, vote: Vote, mine: V | null): Promise<void> {
    if (this.isSending.peek()) return;
    this.isSending.value = true;
    try {
      this.learn(task, mine, await this.options.send(this.sameAgain(vote)));
    } finally {
      this.isSending.value = false;
    }
  }

  /** Enter: from the start to the first item, from a lesson to the next, from the result to what follows. */
  goOn(): boolean {
    const screen = this.screen.peek();
    if (screen === "start") {
      this.screen.value = null;
      this.options.begin();
    } else if (screen === "result") this.options.reload();
    else if (screen === null && this.taught.peek()) this.leaveLesson();
    else return screen !== null;
    return true;
  }

  /** Whether a key means something else, or nothing, because a lesson or a screen is there. */
  intercepts(act: string): boolean {
    if (!this.taught.peek() && this.screen.peek() === null) return false;
    if (act === "accept") return this.goOn();
    if (this.taught.peek() && TO_MINE.includes(act)) this.turnTo(true);
    else if (this.taught.peek() && TO_KNOWN.includes(act)) this.turnTo(false);
    return !STILL_THERE.test(act);
  }

  /** Shows the person's own answer in the item, or the known one. */
  turnTo(showsMine: boolean): void {
    const taught = this.taught.peek();
    if (!taught || taught.mine === null || this.showsMine.peek() === showsMine) return;
    this.showsMine.value = showsMine;
    this.options.show(taught.task, showsMine ? taught.mine : taught.lesson.answer);
  }

  /** A repeated sending of the same answer must be the same act. */
  private sameAgain(vote: Vote): Vote {
    const words = JSON.stringify([vote.assignment, vote.kind, vote.value]);
    const isSame = this.sent?.words === words;
    this.sent = isSame ? this.sent : { vote, words };
    return this.sent?.vote ?? vote;
  }

  private learn(task: Task<V>, mine: V | null, sending: Sending): void {
    if (sending.outcome === "signed_out") return this.options.signedOut();
    if (sending.outcome === "later") return this.options.say("needs_connection");
    if (sending.outcome === "refused") return this.options.say("refused", sending.detail);
    const [result] = sending.results;
    const lesson = result?.lesson as Lesson<V> | undefined;
    if (!lesson) return this.options.say("refused", result?.detail ?? "");
    const { state, ...score } = lesson.score;
    const before = this.standing.peek();
    if (before) this.standing.value = { ...before, ...score, state: state ?? before.state };
    this.showsMine.value = false;
    this.taught.value = { task, mine, lesson };
    this.options.show(task, lesson.answer);
  }

  private leaveLesson(): void {
    const taught = this.taught.peek();
    if (!taught) return;
    const { done, n } = taught.lesson.score;
    if (done >= n) this.screen.value = "result";
    this.taught.value = null;
    this.options.advance(taught.mine);
  }
}

function firstScreen(standing: Standing | null): TrainingScreen | null {
  if (standing?.state === "failed" || standing?.state === "paused") return standing.state;
  return standing?.state === "training" && standing.done === 0 ? "start" : null;
}
