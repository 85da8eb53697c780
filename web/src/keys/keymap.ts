import { ACTS, type Act, type Scope } from "web/keys/table";

/** The parts of a keyboard event that name a key. */
export type KeyPress = Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey">;

/** Why a key was refused for an act. */
export type Refusal =
  | { readonly reason: "taken"; readonly by: string }
  | { readonly reason: "reserved" }
  | { readonly reason: "unknown_act" };

/** Scopes whose acts are never possible at the same time, so that they may use the same key. */
const APART: readonly (readonly Scope[])[] = [
  ["shapes", "spans", "audio", "review", "grid"],
  ["regions", "review", "grid"],
  ["label", "review", "grid"],
];

/** Keys that belong to the browser and to moving the focus; nobody's act may take them away. */
const RESERVED = new Set(["Tab", "Shift+Tab", "Escape", "F5", "F12", "Ctrl+w", "Ctrl+t", "Ctrl+n", "Ctrl+r", "Ctrl+l"]);

const LETTER_OF_CODE = /^Key([A-Z])$/;

/**
 * The name of a pressed key, as in the table: `a`, `Shift+u`, `Ctrl+z`, `?`, `Space`, `ArrowLeft`.
 *
 * Letters are named without regard to Caps Lock; on keyboards of other scripts the key where the Latin letter would
 * be counts, so that `s` skips in Greek too. Signs such as `?` carry no Shift: how they are typed differs by country.
 */
export function chordOf(event: KeyPress): string {
  let key = event.key === " " ? "Space" : event.key;
  const latin = LETTER_OF_CODE.exec(event.code ?? "")?.[1];
  if (key.length === 1 && key > "\u007f" && latin) key = latin;
  const isLetter = /^[a-z]$/i.test(key);
  if (isLetter) key = key.toLowerCase();
  const isSign = key.length === 1 && !isLetter;
  const parts = [];
  if (event.ctrlKey || event.metaKey) parts.push("Ctrl");
  if (event.altKey) parts.push("Alt");
  if (event.shiftKey && !isSign) parts.push("Shift");
  return [...parts, key].join("+");
}

/** Whether a chord is one character without Ctrl or Alt: what WCAG 2.1.4 wants to be switched off at will. */
export function isCharacterKey(chord: string): boolean {
  return /^(Shift\+)?.$/u.test(chord);
}

/** Which key does what for one person: the table with that person's changes. */
export class Keymap {
  private readonly byChord = new Map<string, Act[]>();

  /** @param own Act -> key, only where changed; an empty key switches the act off. */
  constructor(readonly own: Readonly<Record<string, string>> = {}) {
    for (const act of ACTS) {
      for (const chord of [this.keyOf(act.name), ...(act.also ?? [])]) {
        if (chord) this.byChord.set(chord, [...(this.byChord.get(chord) ?? []), act]);
      }
    }
  }

  /** The key of an act; empty when it has none. */
  keyOf(name: string): string {
    return this.own[name] ?? ACTS.find((act) => act.name === name)?.key ?? "";
  }

  /** Names of the acts that a key may mean here, the narrower scope first, acts of `page` last. */
  actsOf(chord: string, scopes: readonly Scope[]): string[] {
    const found = (this.byChord.get(chord) ?? []).filter((act) => act.scope === "page" || scopes.includes(act.scope));
    return found.sort((a, b) => rank(a) - rank(b)).map((act) => act.name);
  }

  /** This keymap with another key for one act, or why not. An empty key switches the act off. */
  with(name: string, key: string): Keymap | Refusal {
    const act = ACTS.find((one) => one.name === name);
    if (!act) return { reason: "unknown_act" };
    if (key !== act.key && (RESERVED.has(key) || /^F\d+$/.test(key))) return { reason: "reserved" };
    const taken = key && (this.byChord.get(key) ?? []).find((one) => one.name !== name && clashes(one, act));
    if (taken) return { reason: "taken", by: taken.name };
    const own = { ...this.own, [name]: key };
    if (key === act.key) delete own[name];
    return new Keymap(own);
  }
}

/** Pairs of acts that could be meant by the same key at the same time; none in the table, none after `with`. */
export function conflictsOf(keymap: Keymap): [string, string][] {
  const conflicts: [string, string][] = [];
  ACTS.forEach((a, i) => {
    for (const b of ACTS.slice(i + 1)) {
      const keysOfA = [keymap.keyOf(a.name), ...(a.also ?? [])].filter(Boolean);
      const keysOfB = [keymap.keyOf(b.name), ...(b.also ?? [])];
      if (keysOfA.some((key) => keysOfB.includes(key)) && clashes(a, b)) conflicts.push([a.name, b.name]);
    }
  });
  return conflicts;
}

function clashes(a: Act, b: Act): boolean {
  if (a.scope === b.scope) return true;
  if (APART.some((scopes) => scopes.includes(a.scope) && scopes.includes(b.scope))) return false;
  return !(a.isShared || b.isShared);
}

function rank(act: Act): number {
  return act.scope === "page" ? 2 : act.scope === "label" ? 1 : 0;
}
