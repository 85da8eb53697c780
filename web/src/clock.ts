/** A pause without input that is longer than this was no work. */
export const IDLE_MS = 30_000;

/** Milliseconds spent with one item. */
export interface TimeSpent {
  readonly active: number;
  readonly total: number;
}

/**
 * How long a person works on an item: total on screen, and active.
 *
 * Active time is the total less the time in which the page was hidden, less whole pauses of over `idleMs` between two
 * inputs. Whoever reads on for a minute without touching anything is counted as away: better too little than lunch.
 */
export class Clock {
  private startedAt = 0;
  private lastAt = 0;
  private active = 0;
  private isHidden = false;

  /** @param now Milliseconds that never run backwards, as `performance.now`. */
  constructor(
    private readonly now: () => number,
    private readonly idleMs = IDLE_MS,
  ) {
    this.restart();
  }

  /** A new item is on the screen; `before` is what was already spent with it, when it comes back. */
  restart(before: TimeSpent = { active: 0, total: 0 }): void {
    const now = this.now();
    this.startedAt = now - before.total;
    this.lastAt = now;
    this.active = before.active;
  }

  /** A key, a pointer, a wheel: somebody is there. */
  input(): void {
    const now = this.now();
    const pause = now - this.lastAt;
    if (!this.isHidden && pause <= this.idleMs) this.active += pause;
    this.lastAt = now;
  }

  hide(): void {
    this.input();
    this.isHidden = true;
  }

  show(): void {
    this.lastAt = this.now();
    this.isHidden = false;
  }

  /** Time until now, in whole milliseconds. */
  read(): TimeSpent {
    this.input();
    return { active: Math.round(this.active), total: Math.round(this.now() - this.startedAt) };
  }
}
