import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { ProjectSettings, SetUp } from "web/api/settings";

/** Settings on their way: as they are kept, and as they shall be. */
export class Draft {
  readonly kept: Signal<SetUp>;
  readonly settings: Signal<ProjectSettings>;
  /** What differs from what is kept; that alone is sent. */
  readonly changes: ReadonlySignal<Partial<ProjectSettings>>;

  constructor(setUp: SetUp) {
    this.kept = signal(setUp);
    this.settings = signal(setUp.settings);
    this.changes = computed(() => differing(this.kept.value.settings, this.settings.value));
  }

  get nChanges(): number {
    return Object.keys(this.changes.value).length;
  }

  set<K extends keyof ProjectSettings>(name: K, value: ProjectSettings[K]): void {
    this.settings.value = { ...this.settings.peek(), [name]: value };
  }

  /** All as it is kept. */
  discard(): void {
    this.settings.value = this.kept.peek().settings;
  }

  /** The server has taken it, or has told anew what there is. */
  keep(setUp: SetUp): void {
    this.kept.value = setUp;
    this.settings.value = setUp.settings;
  }

  /** What the server says now, under the changes made here. */
  rebase(setUp: SetUp): void {
    const changes = this.changes.peek();
    this.kept.value = setUp;
    this.settings.value = { ...setUp.settings, ...changes };
  }
}

function differing(before: ProjectSettings, after: ProjectSettings): Partial<ProjectSettings> {
  const names = Object.keys(after) as (keyof ProjectSettings)[];
  return Object.fromEntries(names.filter((name) => !isSame(before[name], after[name])).map((name) => [name, after[name]]));
}

function isSame(a: unknown, b: unknown): boolean {
  return a === b || (Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((one, i) => one === b[i]));
}

/** Class names out of what somebody pasted: one a line, or between commas, tabs or semicolons on one line. */
export function classesOf(text: string): readonly string[] {
  const lines = text.split(/\r?\n/);
  const cells = lines.filter((line) => line.trim()).length === 1 ? text.split(/[,;\t，、；]/) : lines;
  const names = cells.map((cell) => cell.trim().replace(/^["'](.*)["']$/, "$1").trim());
  return [...new Set(names.filter((name) => name !== ""))];
}
