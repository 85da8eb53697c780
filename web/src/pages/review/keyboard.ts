import { actOfClassKey } from "web/keys/class_keys";
import { listenToActs } from "web/keys/listening";
import { actOfOptionKey } from "web/keys/option_keys";
import type { ReviewDesk } from "web/pages/review/desk";

/** Acts of the widgets' engines that change nothing: both sides may be looked at closer. */
const LOOKING = new Set(["zoom_in", "zoom_out", "zoom_fit", "play", "audio_closer", "audio_wider", "audio_whole", "step_back", "step_on", "far_back", "far_on"]);

/** Not on this page: a lead neither skips nor turns down what leads. */
const OF_LABELLING = new Set(["skip", "skip_reason", "flag", "reject", "play_item"]);

/** Listens for the keys of the table while the review page is there. Returns how to stop. */
export function listenToReview<V>(desk: ReviewDesk<V>): () => void {
  return listenToActs({
    isCovered: () => desk.dialog.peek() !== null || desk.isSignedOut.peek(),
    actsOf: (chord) => (desk.editing.peek() ? actsOfEditing(desk, chord) : actsOfComparing(desk, chord)),
    does: (act, event) => does(desk, act, event),
  });
}

function actsOfComparing<V>(desk: ReviewDesk<V>, chord: string): string[] {
  const keymap = desk.keymap.peek();
  const looking = keymap.actsOf(chord, desk.widget.scopes ?? []).filter((act) => LOOKING.has(act));
  return [...keymap.actsOf(chord, ["review"]), ...looking];
}

function actsOfEditing<V>(desk: ReviewDesk<V>, chord: string): string[] {
  const keymap = desk.keymap.peek();
  const acts = keymap.actsOf(chord, ["label", ...(desk.widget.scopes ?? [])]);
  const { schema } = desk.project;
  const ofSchema = actOfClassKey(chord, keymap, schema) ?? actOfOptionKey(chord, keymap, schema);
  const escape = chord === "Escape" ? ["leave_editing"] : [];
  return [...(ofSchema ? [ofSchema] : []), ...acts, ...escape];
}

function does<V>(desk: ReviewDesk<V>, act: string, event: KeyboardEvent): boolean {
  if (event.repeat && DECIDING.has(act)) return true;
  const editing = desk.editing.peek();
  if (editing) {
    if (editing.act(act, event)) return true;
    if (act === "leave_editing") return desk.leaveEditing();
    return EDITING.has(act) && doReviewAct(desk, act);
  }
  if (LOOKING.has(act)) return look(desk, act, event);
  return doReviewAct(desk, act);
}

/** Held down, such a key would decide ten items in a second. */
const DECIDING = new Set(["take_a", "take_b", "accept", "merge", "send_back"]);

/** Acts of the page that go on while an answer is edited. */
const EDITING = new Set(["accept", "undo", "redo", "guideline", "keys", "comment", "find_label"]);

/** Does an act of the page by its name, as its key would. */
export function doReviewAct<V>(desk: ReviewDesk<V>, act: string): boolean {
  const run = ACTS[act];
  if (!run || OF_LABELLING.has(act)) return false;
  run(desk as ReviewDesk<unknown>);
  return true;
}

const ACTS: Readonly<Record<string, (desk: ReviewDesk<unknown>) => void>> = {
  take_a: (desk) => desk.take(0),
  take_b: (desk) => desk.take(1),
  merge: (desk) => desk.mergeSides(),
  edit: (desk) => desk.editLeading(),
  send_back: (desk) => open(desk, "send_back"),
  accept: (desk) => desk.accept(),
  comment: (desk) => open(desk, "comment"),
  undo: (desk) => desk.undo(),
  redo: (desk) => desk.redo(),
  look_back: (desk) => desk.go(-1),
  look_ahead: (desk) => desk.go(1),
  guideline: (desk) => void (desk.isGuidelineOpen.value = !desk.isGuidelineOpen.peek()),
  keys: (desk) => void (desk.dialog.value = "keys"),
  find_label: () => document.querySelector<HTMLElement>("[data-find-label]")?.focus(),
};

function open(desk: ReviewDesk<unknown>, dialog: "send_back" | "comment"): void {
  if (desk.current.peek()) desk.dialog.value = dialog;
}

/** Zooming and playing are done by one side; the other follows what is in sight. */
function look<V>(desk: ReviewDesk<V>, act: string, event: KeyboardEvent): boolean {
  const [a] = desk.pair.peek()?.shown ?? [];
  return a ? desk.widget.act(act, a, event) : false;
}
