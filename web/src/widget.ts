/**
 * The contract between the labelling screen and the widget of one kind of label.
 *
 * In come an item, the schema, the value so far and the suggestions; out goes the changed value. Everything else
 * (queue, sending, drafts, undo across items, time, keys of the page) belongs to the page.
 *
 * A widget is the file `src/labelmill/labels/<kind>/widget.tsx`, beside the kind's Python, whose default export is a
 * `Widget`. The build finds it by its folder and the page loads it when a schema asks for the kind. A stylesheet
 * `widget.css` beside it becomes part of the app's. Import from the app as `web/<file>` (`import type { Widget } from
 * "web/widget"`); nothing else is imported at run time but `preact` and `@preact/signals`.
 */

import type { ReadonlySignal } from "@preact/signals";
import type { ComponentType } from "preact";
import type { Scope } from "web/keys/table";
import type { Schema, Suggestion, Task } from "web/tasks";

/** How a change joins the history that `u` walks back through. */
export interface ChangeOptions {
  /**
   * Joins the step before if that has the same name: the moves of one drag, the letters of one text.
   * Without it every change is a step of its own.
   */
  readonly step?: string;
}

/**
 * All that a widget is given for one item. A new one is made for each item; the components stay mounted, so that
 * focus stays where it was: read everything from the context, keep nothing of an item in component state.
 */
export interface WidgetContext<V> {
  readonly item: Task<V>;
  readonly schema: Schema;
  /**
   * What there is so far: `null` before anything was answered, else a valid value of the kind, canonical as in
   * `kind.py`. Comes back changed after undo, redo, a draft, an accepted suggestion. `[]` is an answer
   * ("nothing here") and not the same as `null`.
   */
  readonly value: ReadonlySignal<V | null>;
  /** Best first; empty for blind items and after all were rejected. Draw them dashed and thinner, with source and score. */
  readonly suggestions: ReadonlySignal<readonly Suggestion<V>[]>;
  /** Looking back at a done item: draw, but take no edits. */
  readonly isReadOnly: boolean;
  /** Members of the value that another answer beside this one does not have: draw them hatched. */
  readonly differing?: ReadonlySignal<ReadonlySet<unknown>>;
  /**
   * The value has changed by the person's hand. Values are immutable: give a new array, keep unchanged members.
   * Call it when a gesture ends (or often, with `step`); the page saves drafts and remembers the step for undo.
   */
  change(value: V | null, options?: ChangeOptions): void;
  /**
   * The answer is complete: send it and go on, as Enter does. Where one act is the whole answer (single choice),
   * give it here instead of calling `change` before.
   */
  finish(answer?: V): void;
  /** Something to be said in the page's `role=status` line, already in the person's language. */
  say(message: string): void;
  /** A string of the table of the person's language. */
  t(key: string, values?: Readonly<Record<string, string | number>>): string;
  /** The key that does an act, as shown on a button: `keyOf("undo") === "u"`; empty when switched off. */
  keyOf(act: string): string;
}

/**
 * What a state may do besides: follow a stage beside it that shows the same item.
 *
 * `sight` is what of the item is on the screen, as data that another state of the same kind understands.
 */
export interface Linked {
  sight(): unknown;
  showSight(sight: unknown): void;
  /** Called by the state when its sight may have changed. */
  onSight: (() => void) | null;
}

/** What both components of a widget get. */
export interface WidgetProps<V, S> {
  readonly context: WidgetContext<V>;
  /** What `start` made for this item. */
  readonly state: S;
}

/** One kind of label in the browser. */
export interface Widget<V = unknown, S = undefined> {
  /** The kind's name in a schema, and the folder's. */
  readonly kind: string;

  /** Which acts of the key table besides those of the page: `["regions", "shapes"]`. */
  readonly scopes?: readonly Scope[];

  /**
   * What both components share about one item: an engine, signals. Made when the item comes on the screen, before
   * the components see it. If it has a `dispose` method, the page calls it when the item leaves.
   */
  start(context: WidgetContext<V>): S;

  /** Draws the item with its marks in the work area; without it the page shows the item's data plainly. */
  readonly Stage?: ComponentType<WidgetProps<V, S>>;

  /** The side panel: labels, fields, the list of regions (the same data as the stage, workable by keyboard). */
  readonly Panel: ComponentType<WidgetProps<V, S>>;

  /**
   * A key of the table `web/src/keys/table.ts` was pressed while the focus was in the work area and no field.
   * `act` is its name (`"label_1"`, `"next_region"`, `"tool_box"`, ...). Return whether it was used; if not, the page
   * tries its own meaning (`accept`, `reject`, `undo`, ...). `event` is there for modifiers (repeat, shift).
   */
  act(act: string, props: WidgetProps<V, S>, event: KeyboardEvent): boolean;

  /**
   * What Enter sends: the edited state and the suggested regions not yet dropped, or the best suggestion as it is.
   * `null` when there is nothing to send. Default: the value, else the value of the first suggestion shown.
   */
  answer?(props: WidgetProps<V, S>): V | null;

  /**
   * Why the answer cannot be sent yet, in the person's language, or `null`. What is at fault may be brought to the eye.
   * Asked before every sending, however it was begun.
   */
  obstacle?(props: WidgetProps<V, S>): string | null;

  /** Whether two values are the same answer: decides "accepted" or "edited". */
  same(a: V, b: V): boolean;

  /** A value in few words for lists and suggestion cards: `billing`, `3 boxes`. */
  summary(value: V, context: Pick<WidgetContext<V>, "schema" | "t">): string;

  /** One member of a value in words, for lists of differences: `2:03.10 – 2:04.00`. For values that are lists of marks. */
  words?(mark: unknown, context: Pick<WidgetContext<V>, "item" | "t">): string;

  /** Whether a suggestion card for each suggestion stands above the panel. Off where the marks are drawn in the stage. */
  readonly hasSuggestionCards?: boolean;
}
