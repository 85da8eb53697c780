import type { Keymap } from "web/keys/keymap";
import type { Scope } from "web/keys/table";
import type { Schema } from "web/tasks";

const EVERYWHERE: readonly Scope[] = ["label", "regions", "shapes", "spans", "audio"];

/** In the order of a keyboard, so that neighbours on the screen are neighbours under the fingers. */
const LETTERS = [..."qwertyuiopasdfghjklzxcvbnm"];

/** Letters that nothing else uses: keys of attributes, the first for the first chip. */
export function freeLetters(keymap: Keymap, schema: Pick<Schema, "attributes" | "classes">): readonly string[] {
  if (!schema.attributes?.length) return [];
  const ofClasses = new Set(schema.classes.map(({ key }) => key));
  return LETTERS.filter((letter) => !ofClasses.has(letter) && keymap.actsOf(letter, EVERYWHERE).length === 0);
}

/** The act `option_2` for the letter of the second chip of attributes; none for other keys. */
export function actOfOptionKey(chord: string, keymap: Keymap, schema: Schema): string | null {
  const place = freeLetters(keymap, schema).indexOf(chord);
  return place < 0 ? null : `option_${place + 1}`;
}

/** The letter of an act `option_2`; null for other acts, empty where letters have run out. */
export function keyOfOption(act: string, keymap: Keymap, schema: Schema): string | null {
  const place = /^option_(\d+)$/.exec(act)?.[1];
  return place ? (freeLetters(keymap, schema)[Number(place) - 1] ?? "") : null;
}
