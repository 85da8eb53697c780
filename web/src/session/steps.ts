/** The value of one item on its way: each step can be taken back and taken again. */
export class Steps<V> {
  private readonly past: V[] = [];
  private readonly future: V[] = [];
  private openStep: string | undefined;

  constructor(private now: V) {}

  get value(): V {
    return this.now;
  }

  /** Whether anything was changed that can be taken back. */
  get canUndo(): boolean {
    return this.past.length > 0;
  }

  get canRedo(): boolean {
    return this.future.length > 0;
  }

  /** A new value; one of the same `step` as the last change joins it. */
  change(value: V, step?: string): void {
    if (step === undefined || step !== this.openStep || !this.canUndo) this.past.push(this.now);
    this.openStep = step;
    this.now = value;
    this.future.length = 0;
  }

  undo(): boolean {
    if (!this.canUndo) return false;
    this.future.push(this.now);
    this.now = this.past.pop() as V;
    this.openStep = undefined;
    return true;
  }

  redo(): boolean {
    if (!this.canRedo) return false;
    this.past.push(this.now);
    this.now = this.future.pop() as V;
    this.openStep = undefined;
    return true;
  }
}
