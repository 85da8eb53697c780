import { signal } from "@preact/signals";
import { actOfClassKey } from "web/keys/class_keys";
import { chordOf, Keymap } from "web/keys/keymap";
import { t, tOf } from "web/language/language";
import type { Desk } from "web/pages/label/desk";
import type { Drafts } from "web/pages/label/drafts";
import { Work } from "web/pages/label/work";
import type { Outbox } from "web/outbox/outbox";
import { Session } from "web/session/session";
import type { Project, Schema, Task, Vote } from "web/tasks";
import type { Widget } from "web/widget";

/** Acts that the preview lends to keys: those that answer, and those of the widget. */
const ACTS: Readonly<Record<string, (work: Work<unknown>) => void>> = {
  accept: (work) => work.finish(),
  reject: (work) => work.reject(),
  undo: (work) => work.undo(),
  redo: (work) => work.redo(),
};

/** The labelling page's own work on one item that comes again and again; nothing is sent or kept. */
export class TryOut {
  readonly message = signal("");
  readonly work: Work<unknown>;
  /** As much of a labelling page as its parts look at. */
  readonly desk: Desk<unknown>;
  private readonly keymap = signal(new Keymap());
  private n = 0;

  constructor(
    private readonly widget: Widget<unknown, unknown>,
    private readonly schema: Schema,
    private readonly sample: Task,
    threshold: number,
  ) {
    const settings = { overlap: 1, gold_share: 0, blind_share: 0, threshold };
    const project: Project = { project: "", name: "", schema, settings, progress: { done: 0, total: 0, left_for_me: 0 } };
    const session = new Session<unknown>({ fetchNext: () => this.again(), onChange: () => this.work.follow() });
    this.work = new Work<unknown>({
      project,
      widget,
      session,
      outbox: { add: (_: string, vote: Vote) => this.sent(vote) } as unknown as Outbox,
      drafts: NO_DRAFTS,
      keymap: this.keymap,
      say: (message) => {
        this.message.value = message;
      },
    });
    this.desk = { project, widget, work: this.work, keymap: this.keymap, session } as unknown as Desk<unknown>;
    void session.refill();
  }

  /** A key pressed in the preview; elsewhere on the page keys type. */
  press(event: KeyboardEvent): void {
    const opened = this.work.opened.peek();
    if (!opened || event.isComposing || event.defaultPrevented || isTyping(event.target)) return;
    const chord = chordOf(event);
    const isPress = chord === "Enter" || chord === "Space";
    if (isPress && event.target instanceof HTMLElement && event.target.closest("button, a[href]")) return;
    const ofClass = actOfClassKey(chord, this.keymap.peek(), this.schema);
    const acts = this.keymap.peek().actsOf(chord, ["label", ...(this.widget.scopes ?? [])]);
    const isUsed = [...(ofClass ? [ofClass] : []), ...acts].some((act) => this.does(act, opened, event));
    if (isUsed) event.preventDefault();
  }

  leave(): void {
    const state = this.work.opened.peek()?.state as { dispose?: () => void } | null | undefined;
    if (typeof state?.dispose === "function") state.dispose();
  }

  private does(act: string, opened: Parameters<Widget<unknown, unknown>["act"]>[1], event: KeyboardEvent): boolean {
    if (this.widget.act(act, opened, event)) return true;
    const own = ACTS[act];
    own?.(this.work);
    return own !== undefined;
  }

  private again() {
    this.n += 1;
    return Promise.resolve({ tasks: [{ ...this.sample, assignment: `preview ${this.n}` }], left: 1, stale: [] });
  }

  private sent(vote: Vote): Promise<void> {
    if (vote.kind === "label") {
      const words = this.widget.summary(vote.value, { schema: this.schema, t: tOf });
      this.message.value = t("preview.thrown_away", { value: words || t("label.none_of_these") });
    }
    return Promise.resolve();
  }
}

const NO_DRAFTS = {
  load: () => Promise.resolve(),
  of: () => null,
  edited: () => undefined,
  save: () => undefined,
  drop: () => undefined,
} as unknown as Drafts<unknown>;

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !["checkbox", "radio", "button", "range"].includes(target.type);
  return target.isContentEditable || target.matches("textarea, select");
}
