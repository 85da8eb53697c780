import { batch, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Case } from "web/api/leads";
import { keyShownFor } from "web/keys/class_keys";
import type { Keymap } from "web/keys/keymap";
import { tOf } from "web/language/language";
import type { Beginning } from "web/pages/review/merging";
import { taskOf } from "web/pages/review/pair";
import { Steps } from "web/session/steps";
import type { Project } from "web/tasks";
import type { ChangeOptions, Widget, WidgetContext } from "web/widget";

export interface EditingOptions<V> {
  readonly project: Project;
  readonly widget: Widget<V, unknown>;
  readonly keymap: ReadonlySignal<Keymap>;
  readonly say: (message: string) => void;
  readonly onDone: (value: V) => void;
}

/** An answer in the kind's own widget, on its way from what others said to what holds. */
export class Editing<V> {
  readonly value: Signal<V | null>;
  readonly context: WidgetContext<V>;
  readonly state: unknown;
  private steps: Steps<V | null>;
  private isAsked = false;

  constructor(
    readonly found: Case<V>,
    readonly beginning: Beginning<V>,
    private readonly options: EditingOptions<V>,
  ) {
    const { project, widget, keymap, say, onDone } = options;
    this.value = signal(beginning.value);
    this.steps = new Steps<V | null>(beginning.value);
    this.context = {
      item: taskOf(found, "editing"),
      schema: project.schema,
      value: this.value,
      suggestions: signal(beginning.suggestions),
      isReadOnly: false,
      change: (value, options) => this.change(value, options),
      finish: (answer) => {
        const value = answer ?? this.answer();
        const obstacle = this.obstacle();
        if (obstacle !== null) say(obstacle);
        else if (value !== null) onDone(value);
      },
      say,
      t: tOf,
      keyOf: (act) => keyShownFor(act, keymap.value, project.schema),
    };
    this.state = widget.start(this.context);
  }

  /** Takes the regions that both sides agree on; that is where undo ends. */
  takeAgreed(): void {
    const regions = (this.state as { regions?: Acceptable } | undefined)?.regions;
    const [merged] = this.beginning.suggestions;
    if (!regions || !merged) return;
    batch(() => {
      for (const place of this.beginning.agreed) regions.accept(`${merged.id}:${place}`);
    });
    this.steps = new Steps<V | null>(this.value.peek());
    regions.select(null);
  }

  /**
   * Parts of a merge of which nobody has said whether they stay. Asked twice in a row, the answer is that they do not:
   * they are dropped, for two drawings of one thing are in none of the two answers.
   */
  openParts(): number {
    const regions = (this.state as { regions?: Acceptable } | undefined)?.regions;
    const open = this.beginning.suggestions[0]?.isMerged ? (regions?.entries.peek().filter((one) => one.isSuggested) ?? []) : [];
    if (open.length === 0 || this.isAsked) {
      for (const one of open) regions?.remove(one.id);
      return 0;
    }
    this.isAsked = true;
    return open.length;
  }

  /** Why it cannot be sent yet, in words. */
  obstacle(): string | null {
    return this.options.widget.obstacle?.({ context: this.context, state: this.state }) ?? null;
  }

  /** What Enter sends. */
  answer(): V | null {
    const props = { context: this.context, state: this.state };
    return this.options.widget.answer ? this.options.widget.answer(props) : this.value.peek();
  }

  act(act: string, event: KeyboardEvent): boolean {
    return this.options.widget.act(act, { context: this.context, state: this.state }, event);
  }

  undo(): boolean {
    const isDone = this.steps.undo();
    if (isDone) this.value.value = this.steps.value;
    return isDone;
  }

  redo(): boolean {
    const isDone = this.steps.redo();
    if (isDone) this.value.value = this.steps.value;
    return isDone;
  }

  dispose(): void {
    (this.state as { dispose?: () => void } | undefined)?.dispose?.();
  }

  private change(value: V | null, { step }: ChangeOptions = {}): void {
    this.isAsked = false;
    this.steps.change(value, step);
    this.value.value = value;
  }
}

interface Acceptable {
  readonly entries: ReadonlySignal<readonly { readonly id: string; readonly isSuggested: boolean }[]>;
  accept(id: string): void;
  remove(id: string): void;
  select(id: string | null): void;
}
