import { backoffMs } from "web/outbox/backoff";
import type { Shelf, Waiting } from "web/outbox/store";
import type { Vote, VoteResult } from "web/tasks";

/** Browsers refuse a `keepalive` request over 64 KiB, bodies and headers of all of them together. */
export const KEEPALIVE_BYTES = 60_000;

const LARGEST_BATCH = 50;
const LARGEST_BATCH_BYTES = 1_000_000;

/** What sending a batch came to; the network and the server never raise here. */
export type Sending =
  | { readonly outcome: "answered"; readonly results: readonly VoteResult[] }
  | { readonly outcome: "signed_out" }
  | { readonly outcome: "refused"; readonly detail: string }
  | { readonly outcome: "later"; readonly afterMs?: number };

export type Send = (project: string, votes: readonly Vote[], keepalive: boolean) => Promise<Sending>;

export interface OutboxState {
  /** Votes not acknowledged yet, without those that were refused. */
  readonly nWaiting: number;
  /** Those of them that have reached the shelf: they survive closing the tab. */
  readonly nKept: number;
  /** Votes the server would not take; kept until somebody decides. */
  readonly problems: readonly Waiting[];
  readonly isSignedOut: boolean;
  /** The last attempt did not get through. */
  readonly isStuck: boolean;
  /** Some vote is held only in memory: closing the tab would lose it. */
  readonly isFragile: boolean;
}

export interface OutboxOptions {
  readonly shelf: Shelf;
  readonly send: Send;
  readonly person: string;
  readonly onChange?: (state: OutboxState) => void;
  readonly random?: () => number;
  readonly setTimer?: (act: () => void, ms: number) => unknown;
  readonly clearTimer?: (timer: unknown) => void;
  /** Holds others of the same person off while it runs (Web Locks): two tabs share one shelf. */
  readonly alone?: <T>(act: () => Promise<T>) => Promise<T>;
}

/**
 * Votes on their way to the server: durable, in order, each exactly once.
 *
 * A vote is shelved first and taken off only when the server has answered for its key, so a lost answer means that it
 * is sent again; the server knows the key and says "repeated". Failures wait and try again; a session that has ended
 * waits for `resume`; a vote that the server refuses is kept and shown, never dropped.
 */
export class Outbox {
  private entries: Waiting[] = [];
  private readonly onTheWayIn = new Set<Omit<Waiting, "order">>();
  private nFailures = 0;
  private isSignedOut = false;
  private timer: unknown;
  private running: Promise<void> | undefined;

  constructor(private readonly options: OutboxOptions) {}

  get state(): OutboxState {
    const problems = this.entries.filter((entry) => entry.problem !== null);
    return {
      nWaiting: this.entries.length - problems.length + this.onTheWayIn.size,
      nKept: this.entries.length - problems.length,
      problems,
      isSignedOut: this.isSignedOut,
      isStuck: this.nFailures > 0,
      isFragile: this.onTheWayIn.size > 0,
    };
  }

  /** Assignments of a project whose votes have not arrived; what a lead decides about an item has none. */
  assignmentsOf(project: string): string[] {
    const here = this.entries.filter((entry) => entry.project === project);
    return [...this.onTheWayIn, ...here].map((entry) => entry.vote.assignment).filter(Boolean);
  }

  /** What an earlier page left behind; then send it. */
  async open(): Promise<void> {
    this.entries = await this.options.shelf.votesOf(this.options.person);
    this.changed();
    void this.flush();
  }

  /** Shelves a vote, then sends it. Resolves when it is durable. */
  async add(project: string, vote: Vote): Promise<void> {
    const entry = { person: this.options.person, project, vote, problem: null };
    this.onTheWayIn.add(entry);
    this.changed();
    const shelved = await this.options.shelf.addVote(entry);
    this.onTheWayIn.delete(entry);
    this.entries = [...this.entries, shelved].sort((a, b) => a.order - b.order);
    this.changed();
    // While the server rests, new votes wait with the others: a key press is no reason to ask it again.
    if (this.canSend) void this.flush();
  }

  /** Sends what waits, unless that is going on already. Resolves when nothing more can be sent now. */
  flush(): Promise<void> {
    this.options.clearTimer?.(this.timer);
    this.running ??= this.sendAll().finally(() => {
      this.running = undefined;
      // A vote that was shelved after the last look, while the sending was just ending.
      if (this.canSend) void this.flush();
    });
    return this.running;
  }

  /** Signed in again, or back on the network: try at once. */
  resume(): Promise<void> {
    this.isSignedOut = false;
    this.nFailures = 0;
    this.changed();
    return this.flush();
  }

  /** A refused vote is to be sent once more. */
  async retry(entry: Waiting): Promise<void> {
    await this.replace({ ...entry, problem: null });
    await this.flush();
  }

  /** A refused vote is given up by the person who made it. */
  async forget(entry: Waiting): Promise<void> {
    await this.take([entry]);
  }

  private get canSend(): boolean {
    return !this.isSignedOut && this.nFailures === 0 && this.nextBatch().length > 0;
  }

  private async sendAll(): Promise<void> {
    const alone = this.options.alone ?? ((act) => act());
    await alone(async () => {
      while (!this.isSignedOut) {
        const batch = this.nextBatch();
        if (batch.length === 0 || !(await this.sendBatch(batch))) return;
      }
    });
  }

  /** The oldest votes of one project that fit into one request. */
  private nextBatch(): Waiting[] {
    const waiting = this.entries.filter((entry) => entry.problem === null);
    const batch: Waiting[] = [];
    let bytes = 0;
    for (const entry of waiting) {
      bytes += sizeOf(entry.vote);
      const isFull = batch.length > 0 && (batch.length >= LARGEST_BATCH || bytes > LARGEST_BATCH_BYTES);
      if (isFull || entry.project !== waiting[0]?.project) break;
      batch.push(entry);
    }
    return batch;
  }

  /** Whether the next batch may follow. */
  private async sendBatch(batch: readonly Waiting[]): Promise<boolean> {
    const votes = batch.map((entry) => entry.vote);
    const project = batch[0]?.project ?? "";
    const isSmall = votes.reduce((bytes, vote) => bytes + sizeOf(vote), 0) < KEEPALIVE_BYTES;
    const sending = await this.options.send(project, votes, isSmall);
    if (sending.outcome === "answered") return this.settle(batch, sending.results);
    if (sending.outcome === "refused") return this.isolate(batch, sending.detail);
    if (sending.outcome === "signed_out") this.isSignedOut = true;
    else this.tryLater(sending.afterMs);
    this.changed();
    return false;
  }

  private async settle(batch: readonly Waiting[], results: readonly VoteResult[]): Promise<boolean> {
    const byKey = new Map(results.map((result) => [result.key, result]));
    const done = batch.filter((entry) => isSafe(byKey.get(entry.vote.key)));
    const refused = batch.filter((entry) => isRefused(byKey.get(entry.vote.key)));
    await this.take(done);
    for (const entry of refused) {
      const result = byKey.get(entry.vote.key);
      await this.replace({ ...entry, problem: result?.detail || result?.status || "refused" });
    }
    const isAllAnswered = done.length + refused.length === batch.length;
    if (isAllAnswered) this.nFailures = 0;
    else this.tryLater();
    this.changed();
    return isAllAnswered;
  }

  /** The server refused a whole request: find the vote that it dislikes, let the others through. */
  private async isolate(batch: readonly Waiting[], detail: string): Promise<boolean> {
    const [only] = batch;
    if (only && batch.length === 1) {
      await this.replace({ ...only, problem: detail });
      return true;
    }
    const middle = Math.ceil(batch.length / 2);
    return (await this.sendBatch(batch.slice(0, middle))) && (await this.sendBatch(batch.slice(middle)));
  }

  private tryLater(afterMs?: number): void {
    this.nFailures += 1;
    const wait = afterMs ?? backoffMs(this.nFailures, this.options.random ?? Math.random);
    const setTimer = this.options.setTimer ?? ((act, ms) => setTimeout(act, ms));
    this.timer = setTimer(() => void this.flush(), wait);
  }

  private async take(entries: readonly Waiting[]): Promise<void> {
    if (entries.length === 0) return;
    await this.options.shelf.removeVotes(entries);
    const gone = new Set(entries.map((entry) => entry.order));
    this.entries = this.entries.filter((entry) => !gone.has(entry.order));
    this.changed();
  }

  private async replace(entry: Waiting): Promise<void> {
    await this.options.shelf.markVote(entry);
    this.entries = this.entries.map((one) => (one.order === entry.order ? entry : one));
    this.changed();
  }

  private changed(): void {
    this.options.onChange?.(this.state);
  }
}

function isSafe(result: VoteResult | undefined): boolean {
  return result?.status === "stored" || result?.status === "repeated" || result?.status === "late";
}

function isRefused(result: VoteResult | undefined): boolean {
  return result?.status === "conflict" || result?.status === "refused";
}

/** Bytes of a vote in a request. */
function sizeOf(vote: Vote): number {
  return new TextEncoder().encode(JSON.stringify(vote)).length + 1;
}
