import { type ReadonlySignal, signal } from "@preact/signals";
import type { Case, Side } from "web/api/leads";
import { keyShownFor } from "web/keys/class_keys";
import type { Keymap } from "web/keys/keymap";
import { tOf } from "web/language/language";
import { type Comparison, compareMarks, isMarks, type Mark } from "web/pages/review/differences";
import type { Project, Task } from "web/tasks";
import type { Linked, Widget, WidgetContext, WidgetProps } from "web/widget";

export interface PairOptions<V> {
  readonly project: Project;
  readonly widget: Widget<V, unknown>;
  readonly keymap: ReadonlySignal<Keymap>;
  readonly say: (message: string) => void;
}

/** One side as it is drawn. */
export interface ShownSide<V> extends WidgetProps<V, unknown> {
  readonly side: Side<V>;
}

/** The two heaviest sides of a case, drawn beside each other: read only, differences marked, one sight for both. */
export class Pair<V> {
  readonly shown: readonly ShownSide<V>[];
  /** What they have in common, where answers are lists of regions. */
  readonly comparison: Comparison | null;
  private isFollowing = false;

  constructor(
    readonly found: Case<V>,
    private readonly options: PairOptions<V>,
  ) {
    const sides = found.sides.slice(0, 2);
    const [a, b] = sides.map((side) => side.value as unknown);
    this.comparison = isMarks(a) && isMarks(b) ? compareMarks(a, b) : null;
    this.shown = sides.map((side, i) => this.shownOf(side, i));
    this.link();
  }

  dispose(): void {
    for (const { state } of this.shown) (state as { dispose?: () => void } | undefined)?.dispose?.();
  }

  /** Selects a difference on the sides that have it, which brings it into sight. */
  reveal(marks: readonly (Mark | null)[]): void {
    marks.forEach((mark, i) => {
      const regions = (this.shown[i]?.state as { regions?: Selectable } | undefined)?.regions;
      const entry = regions?.entries.peek().find((one) => one.region === mark);
      regions?.select(entry?.id ?? null);
    });
  }

  private shownOf(side: Side<V>, place: number): ShownSide<V> {
    const { project, widget, keymap, say } = this.options;
    const differing = this.comparison?.differences.map((one) => (place === 0 ? one.a : one.b)) ?? [];
    const context: WidgetContext<V> = {
      item: taskOf(this.found, `side-${place}`),
      schema: project.schema,
      value: signal(side.value),
      suggestions: signal([]),
      isReadOnly: true,
      differing: signal(new Set(differing)),
      change: () => undefined,
      finish: () => undefined,
      say,
      t: tOf,
      keyOf: (act) => (act.startsWith("label_") ? "" : keyShownFor(act, keymap.value, project.schema)),
    };
    return { side, context, state: widget.start(context) };
  }

  private link(): void {
    const [a, b] = this.shown.map(({ state }) => state);
    if (!isLinked(a) || !isLinked(b)) return;
    for (const [from, to] of [[a, b], [b, a]] as const) {
      from.onSight = () => this.follow(from, to);
    }
  }

  /** The one that follows says that it has moved, too: that must not come back. */
  private follow(from: Linked, to: Linked): void {
    if (this.isFollowing) return;
    this.isFollowing = true;
    to.showSight(from.sight());
    this.isFollowing = false;
  }
}

interface Selectable {
  readonly entries: ReadonlySignal<readonly { readonly id: string; readonly region: unknown }[]>;
  select(id: string | null): void;
}

function isLinked(state: unknown): state is Linked {
  return typeof (state as Linked | undefined)?.showSight === "function";
}

/** A case as a task, which is what widgets draw. */
export function taskOf<V>({ item, data, meta }: Pick<Case<V>, "item" | "data" | "meta">, assignment = "review"): Task<V> {
  return { assignment, item, purpose: "review", data, meta, why: "", suggestions: [], blind: false, lease_until: "", draft: null };
}
