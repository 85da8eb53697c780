import type { Standing, Task } from "web/tasks";

/** Tasks held besides the one on screen before more are asked for. */
export const LOW_WATER = 6;
const BATCH = 4;

/** Answers kept at hand for looking back and undo; a day's work would fill the memory with its texts. */
const KEPT = 500;

/** What the server handed out. */
export interface Handout<V> {
  readonly tasks: readonly Task<V>[];
  readonly left: number;
  readonly stale: readonly string[];
  readonly qualification?: Standing | null;
}

export interface Done<V> {
  readonly task: Task<V>;
  /** What was sent: the answer, or null for a skip. */
  readonly value: V | null;
  readonly kind: "label" | "skip";
}

export type SessionState = "loading" | "working" | "cut_off" | "finished";

export interface SessionOptions<V> {
  /** Asks the server; rejects when it cannot be reached. */
  readonly fetchNext: (n: number, have: readonly string[]) => Promise<Handout<V>>;
  /** Assignments whose votes are still on their way: the server must not hand them out once more. */
  readonly pending?: () => readonly string[];
  /** Makes a task quick to show: its picture loaded and decoded. One at a time, so that no burst of decoding stalls a key. */
  readonly prepare?: (task: Task<V>) => Promise<void>;
  readonly onChange?: () => void;
}

/**
 * The queue of one person at one project: the next task is always here before it is wanted.
 *
 * Knows nothing of the screen and of votes. `advance` shows the next task, `back` the one before; what is undone can
 * be redone until another answer is given.
 */
export class Session<V> {
  private queue: Task<V>[] = [];
  private readonly done: Done<V>[] = [];
  private readonly undone: Done<V>[] = [];
  private readonly finished = new Set<string>();
  private asking: Promise<void> | undefined;
  private preparing: Promise<void> = Promise.resolve();
  private isCutOff = false;
  private isExhausted = false;
  private leftThere = 0;
  private now: Task<V> | null = null;

  constructor(private readonly options: SessionOptions<V>) {}

  /** The task on screen. */
  get current(): Task<V> | null {
    return this.now;
  }

  /** Tasks that are here and wait. */
  get nReady(): number {
    return this.queue.length;
  }

  /** Tasks that this person could still do: here and at the server. */
  get nLeft(): number {
    return this.leftThere + this.queue.length + (this.now ? 1 : 0);
  }

  get state(): SessionState {
    if (this.now) return "working";
    if (this.isCutOff) return "cut_off";
    return this.isExhausted ? "finished" : "loading";
  }

  /** Done here, and what was remembered from before; oldest first. */
  get history(): readonly Done<V>[] {
    return this.done;
  }

  /** The answer that `redo` would give once more; none when another task is on screen. */
  get redoable(): Done<V> | null {
    const again = this.undone.at(-1);
    return again && this.now?.assignment === again.task.assignment ? again : null;
  }

  /** Assignments held: on screen and waiting. */
  get held(): string[] {
    return [...(this.now ? [this.now] : []), ...this.queue].map((task) => task.assignment);
  }

  /** Assignments that nobody has seen here: these may be given back. */
  get unseen(): string[] {
    return this.queue.map((task) => task.assignment);
  }

  /** The task on screen has its answer: show the next. */
  advance(answer: Pick<Done<V>, "value" | "kind">): void {
    this.undone.length = 0;
    this.moveOn(answer);
  }

  /** Takes the last answer back: its task comes on screen, the present one waits. Returns what was answered. */
  back(): Done<V> | null {
    const last = this.done.pop();
    if (!last) return null;
    this.undone.push(last);
    this.reopen(last);
    return last;
  }

  /** What the person did before this page was opened, oldest first: one can look back at it, and undo. */
  remember(earlier: readonly Done<V>[]): void {
    const known = new Set([...this.held, ...this.finished]);
    const fresh = earlier.filter((one) => !known.has(one.task.assignment));
    for (const { task } of fresh) this.finished.add(task.assignment);
    this.done.unshift(...fresh);
  }

  /** Takes any answer of this session back, to edit it; the present task waits. */
  revise(assignment: string): Done<V> | null {
    const index = this.done.findIndex((one) => one.task.assignment === assignment);
    const [chosen] = index < 0 ? [] : this.done.splice(index, 1);
    if (!chosen) return null;
    this.undone.length = 0;
    this.reopen(chosen);
    return chosen;
  }

  /** Gives the answer that was last taken back once more. Returns it, for sending. */
  redo(): Done<V> | null {
    const again = this.redoable;
    if (!again) return null;
    this.undone.pop();
    this.moveOn(again);
    return again;
  }

  /** Asks for tasks while fewer than the low water wait; one request at a time. */
  refill(): Promise<void> {
    if (this.isExhausted || this.queue.length >= LOW_WATER) return this.asking ?? Promise.resolve();
    this.asking ??= this.ask().finally(() => {
      this.asking = undefined;
    });
    return this.asking;
  }

  /** The server says what is still held: the rest leaves the queue, for others may have it; the screen stays. */
  keepOnly(held: readonly string[]): Promise<void> {
    this.queue = this.queue.filter((task) => held.includes(task.assignment));
    this.options.onChange?.();
    return this.refill();
  }

  /** There may be work again: new items, or the network. */
  lookAgain(): Promise<void> {
    this.isExhausted = false;
    return this.refill();
  }

  private moveOn(answer: Pick<Done<V>, "value" | "kind">): void {
    if (!this.now) return;
    this.done.push({ task: this.now, value: answer.value, kind: answer.kind });
    this.done.splice(0, this.done.length - KEPT);
    this.finished.add(this.now.assignment);
    this.now = this.queue.shift() ?? null;
    this.options.onChange?.();
    void this.refill();
  }

  private reopen(done: Done<V>): void {
    if (this.now) this.queue.unshift(this.now);
    this.finished.delete(done.task.assignment);
    this.now = done.task;
    this.options.onChange?.();
  }

  private async ask(): Promise<void> {
    while (!this.isExhausted && this.queue.length < LOW_WATER) {
      let handout: Handout<V>;
      try {
        handout = await this.options.fetchNext(BATCH, [...new Set([...this.held, ...this.pending])]);
      } catch {
        this.isCutOff = true;
        this.options.onChange?.();
        return;
      }
      this.isCutOff = false;
      this.accept(handout);
    }
  }

  private get pending(): readonly string[] {
    return this.options.pending?.() ?? [];
  }

  private accept(handout: Handout<V>): void {
    const stale = new Set(handout.stale);
    this.queue = this.queue.filter((task) => !stale.has(task.assignment));
    const known = new Set([...this.held, ...this.finished, ...this.pending]);
    const fresh = handout.tasks.filter((task) => !known.has(task.assignment));
    this.queue.push(...fresh);
    this.leftThere = handout.left;
    this.isExhausted = fresh.length === 0;
    this.now ??= this.queue.shift() ?? null;
    for (const task of fresh) this.prepareInTurn(task);
    this.options.onChange?.();
  }

  private prepareInTurn(task: Task<V>): void {
    const prepare = this.options.prepare;
    if (prepare) this.preparing = this.preparing.then(() => prepare(task)).catch(() => undefined);
  }
}
