import type { Keymap } from "web/keys/keymap";
import { keyOfOption } from "web/keys/option_keys";
import type { Scope } from "web/keys/table";
import type { Schema } from "web/tasks";

const EVERYWHERE: readonly Scope[] = ["label", "regions", "shapes", "spans", "audio"];

/** The act `label_3` when the key is the one that the schema gives its third class; none otherwise. */
export function actOfClassKey(chord: string, keymap: Keymap, schema: Schema): string | null {
  const index = schema.classes.findIndex((_, at) => keyOfClass(at, keymap, schema) === chord);
  return index < 0 ? null : `label_${index + 1}`;
}

/** The key to print for an act: for a label the key of its class, if it has one of its own; for an option its letter. */
export function keyShownFor(act: string, keymap: Keymap, schema: Schema): string {
  const place = /^label_(\d+)$/.exec(act)?.[1];
  return (place && keyOfClass(Number(place) - 1, keymap, schema)) || (keyOfOption(act, keymap, schema) ?? keymap.keyOf(act));
}

/** A class's own key, unless an act has it already: then the class keeps the digit of its place. */
function keyOfClass(index: number, keymap: Keymap, schema: Schema): string | null {
  const key = schema.classes[index]?.key;
  return key && keymap.actsOf(key, EVERYWHERE).length === 0 ? key : null;
}
