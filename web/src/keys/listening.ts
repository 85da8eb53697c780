import { chordOf, isCharacterKey } from "web/keys/keymap";

const OFF = "labelmill.characters_off";

/** Whether keys of one character act; a choice of this computer (WCAG 2.1.4). */
export function areCharactersOn(): boolean {
  try {
    return localStorage.getItem(OFF) === null;
  } catch {
    return true;
  }
}

export function switchCharacters(isOn: boolean): void {
  try {
    if (isOn) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "1");
  } catch {
    // Without storage they stay on.
  }
}

/** What a page makes of keys. */
export interface Acting {
  /** Something lies over the page: keys are its. */
  isCovered(): boolean;
  /** Acts that a key may mean now, the likeliest first. */
  actsOf(chord: string): readonly string[];
  /** Does an act; false when there is nothing it could be done to. */
  does(act: string, event: KeyboardEvent): boolean;
}

/** Listens for the keys of the table while a page is there. Returns how to stop. */
export function listenToActs(page: Acting): () => void {
  const listener = (event: KeyboardEvent) => {
    if (pressed(page, event)) event.preventDefault();
  };
  document.addEventListener("keydown", listener);
  return () => document.removeEventListener("keydown", listener);
}

/** What a key press does; whether it did anything. */
function pressed(page: Acting, event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.isComposing || page.isCovered()) return false;
  const chord = chordOf(event);
  if (isTyping(event.target) || pressesControl(event.target, chord)) return false;
  if (isCharacterKey(chord) && !areCharactersOn()) return false;
  return page.actsOf(chord).some((act) => page.does(act, event));
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !["checkbox", "radio", "button", "range"].includes(target.type);
  return target.isContentEditable || target.matches("textarea, select");
}

/** Enter and the space bar belong to the button or link that has the focus; of a check box only the space bar. */
function pressesControl(target: EventTarget | null, chord: string): boolean {
  if ((chord !== "Enter" && chord !== "Space") || !(target instanceof HTMLElement)) return false;
  const isCheckBox = target instanceof HTMLInputElement && target.type === "checkbox";
  return target.closest("button, a[href], summary, audio, input") !== null && !(isCheckBox && chord === "Enter");
}
