const SHOWN: Readonly<Record<string, string>> = {
  ArrowLeft: "←",
  ArrowRight: "→",
  ArrowUp: "↑",
  ArrowDown: "↓",
  Space: "␣",
  Delete: "Del",
  Escape: "Esc",
};

/** A chord as people read it: `Shift+u` is `Shift U`. */
export function wordsOfChord(chord: string): string {
  // The plus key itself is the one chord that the sign between parts cannot split.
  const parts = chord === "+" ? ["+"] : chord.split("+");
  return parts.map((part) => SHOWN[part] ?? (part.length === 1 ? part.toUpperCase() : part)).join(" ");
}

/** A key on a button; decoration for the eye, said by `aria-keyshortcuts` where it acts. */
export function KeyCap({ chord }: { chord: string }) {
  return chord ? (
    <kbd class="key-cap" aria-hidden="true">
      {wordsOfChord(chord)}
    </kbd>
  ) : null;
}
