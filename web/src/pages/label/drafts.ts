import type { TimeSpent } from "web/clock";
import type { Shelf } from "web/outbox/store";
import type { Task } from "web/tasks";

const SHELVE_AFTER_MS = 300;
const UPLOAD_AFTER_MS = 3000;

export interface KeptDraft<V> {
  readonly value: V;
  readonly spent: TimeSpent;
}

export interface DraftsOptions {
  readonly shelf: Shelf;
  readonly person: string;
  readonly project: string;
  readonly upload: (assignment: string, value: unknown) => Promise<void>;
}

/**
 * Unfinished answers: on this computer 0.3 s after an edit, at the server 3 s after the last.
 *
 * `load` reads the drafts of tasks that are still waiting, so that showing one later waits for nothing.
 */
export class Drafts<V> {
  private readonly kept = new Map<string, KeptDraft<V>>();
  private unsaved: { task: Task<V>; draft: KeptDraft<V> } | null = null;
  private shelving: ReturnType<typeof setTimeout> | undefined;
  private uploading: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: DraftsOptions) {}

  /** Brings a task's draft within reach of `of`. */
  async load(task: Task<V>): Promise<void> {
    const { shelf, person, project } = this.options;
    const draft = await shelf.draftOf(person, project, task.item);
    const spent = { active: draft?.ms_active ?? 0, total: draft?.ms_total ?? 0 };
    if (draft) this.kept.set(task.item, { value: draft.value as V, spent });
    else if (task.draft !== null) this.kept.set(task.item, { value: task.draft, spent });
  }

  of(task: Task<V>): KeptDraft<V> | null {
    return this.kept.get(task.item) ?? null;
  }

  /** An edit; saved a little later. */
  edited(task: Task<V>, value: V | null, spent: TimeSpent): void {
    if (value === null) return this.drop(task);
    const draft = { value, spent };
    this.kept.set(task.item, draft);
    this.unsaved = { task, draft };
    clearTimeout(this.shelving);
    clearTimeout(this.uploading);
    this.shelving = setTimeout(() => this.save(), SHELVE_AFTER_MS);
    this.uploading = setTimeout(() => void this.options.upload(task.assignment, value).catch(() => undefined), UPLOAD_AFTER_MS);
  }

  /** Saves now what waits: the page may go away. */
  save(): void {
    clearTimeout(this.shelving);
    if (!this.unsaved) return;
    const { task, draft } = this.unsaved;
    this.unsaved = null;
    const { person, project } = this.options;
    const { active: ms_active, total: ms_total } = draft.spent;
    void this.options.shelf.putDraft({ person, project, item: task.item, value: draft.value, ms_active, ms_total });
  }

  /** The task was answered, or its answer emptied. */
  drop(task: Task<V>): void {
    clearTimeout(this.shelving);
    clearTimeout(this.uploading);
    this.unsaved = null;
    if (!this.kept.delete(task.item)) return;
    void this.options.shelf.removeDraft(this.options.person, this.options.project, task.item);
  }
}
