import { actOfClassKey } from "web/keys/class_keys";
import { listenToActs } from "web/keys/listening";
import { actOfOptionKey } from "web/keys/option_keys";
import type { Desk } from "web/pages/label/desk";

/** Listens for the keys of the table while this page is there. Returns how to stop. */
export function listenToKeys<V>(desk: Desk<V>): () => void {
  return listenToActs({
    isCovered: () => desk.dialog.peek() !== null || desk.isSignedOut.peek(),
    actsOf: (chord) => actsOf(desk, chord),
    does: (act, event) => does(desk, act, event),
  });
}

function actsOf<V>(desk: Desk<V>, chord: string): string[] {
  const keymap = desk.keymap.peek();
  const acts = keymap.actsOf(chord, ["label", ...(desk.widget.scopes ?? [])]);
  const { schema } = desk.project;
  const ofSchema = actOfClassKey(chord, keymap, schema) ?? actOfOptionKey(chord, keymap, schema);
  return ofSchema ? [ofSchema, ...acts] : acts;
}

function does<V>(desk: Desk<V>, act: string, event: KeyboardEvent): boolean {
  const { work } = desk;
  const opened = work.opened.peek();
  if (event.repeat && ANSWERS.test(act)) return true;
  if (desk.training.intercepts(act)) return true;
  if (opened?.context.isReadOnly && act.startsWith("label_")) {
    work.revise();
    return does(desk, act, event);
  }
  if (opened && desk.widget.act(act, opened, event)) return true;
  return ACTS_OF_PAGE[act]?.(desk as Desk<unknown>) ?? false;
}

/** Held down, such a key would otherwise answer ten items, or change its mind ten times, in a second. */
const ANSWERS = /^(label_\d+|option_\d+|accept|reject|skip|flag|comment)$/;

/** What the page makes of an act; false when there is nothing it could be done to. */
const ACTS_OF_PAGE: Readonly<Record<string, (desk: Desk<unknown>) => boolean>> = {
  accept: ({ work }) => done(work.opened.peek()?.context.isReadOnly ? work.look(1) : work.finish()),
  reject: ({ work }) => done(work.reject()),
  skip: ({ work }) => done(work.skip()),
  skip_reason: (desk) => openDialog(desk, "skip"),
  flag: (desk) => openDialog(desk, "flag"),
  comment: (desk) => openDialog(desk, "comment"),
  undo: ({ work }) => done(work.undo()),
  redo: ({ work }) => done(work.redo()),
  look_back: ({ work }) => done(work.look(-1)),
  look_ahead: ({ work }) => done(work.look(1)),
  play_item: () => playOrPause(),
  find_label: () => focusOn(document.querySelector<HTMLElement>("[data-find-label]")),
  guideline: (desk) => done((desk.isGuidelineOpen.value = !desk.isGuidelineOpen.peek())),
  keys: (desk) => openDialog(desk, "keys"),
};

/** An act of which it does not matter what it returns. */
function done(_: unknown): true {
  return true;
}

function playOrPause(): boolean {
  const sound = document.querySelector<HTMLAudioElement>(".item-audio");
  if (!sound) return false;
  if (sound.paused) void sound.play().catch(() => undefined);
  else sound.pause();
  return true;
}

function focusOn(element: HTMLElement | null): boolean {
  element?.focus();
  return element !== null;
}

/** Does an act of the page by its name, as its key would. */
export function doAct<V>(desk: Desk<V>, act: string): void {
  ACTS_OF_PAGE[act]?.(desk as Desk<unknown>);
}

function openDialog(desk: Desk<unknown>, dialog: "keys" | "skip" | "flag" | "comment"): boolean {
  if (dialog !== "keys" && !desk.work.opened.peek()) return false;
  desk.dialog.value = dialog;
  return true;
}
