/** Words and characters as readers see them, in any script: Chinese and Japanese have words without spaces. */

export interface Stretch {
  readonly start: number;
  readonly end: number;
}

const words = new Intl.Segmenter(undefined, { granularity: "word" });
const characters = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/**
 * The stretch grown to whole words, without space at its ends; null if it holds nothing but space.
 *
 * Offsets are UTF-16 units of `text`, which should be no more than a paragraph: it is cut into words anew each time.
 */
export function wholeWords(text: string, { start, end }: Stretch): Stretch | null {
  return grown(words, text, start, end);
}

/** The stretch grown to whole characters: no emoji, accent or jamo is cut; without space at its ends. */
export function wholeCharacters(text: string, { start, end }: Stretch): Stretch | null {
  return grown(characters, text, start, end);
}

function grown(segmenter: Intl.Segmenter, text: string, start: number, end: number): Stretch | null {
  const [first, last] = trimmed(text, start, end);
  if (first >= last) return null;
  const cut = segmenter.segment(text);
  const head = cut.containing(first);
  const tail = cut.containing(last - 1);
  if (!head || !tail) return null;
  return { start: head.index, end: tail.index + tail.segment.length };
}

function trimmed(text: string, start: number, end: number): [number, number] {
  let [first, last] = [start, end];
  while (first < last && isSpace(text, first)) first += 1;
  while (first < last && isSpace(text, last - 1)) last -= 1;
  return [first, last];
}

function isSpace(text: string, at: number): boolean {
  return /\s/.test(text[at] ?? "");
}

/** Borders of words or characters to stop at: where they begin, or where they end. */
export type Borders = "begins" | "ends";

/** The next border behind `at`, or before it; the text's end, or its beginning, at last. */
export function nextStop(text: string, at: number, by: 1 | -1, isByWord: boolean, borders: Borders = by > 0 ? "ends" : "begins"): number {
  const stops: number[] = [];
  for (const { index, segment } of (isByWord ? words : characters).segment(text)) {
    if (isByWord && /^\s+$/.test(segment)) continue;
    stops.push(borders === "ends" ? index + segment.length : index);
  }
  if (by > 0) return stops.find((stop) => stop > at) ?? text.length;
  return stops.findLast((stop) => stop < at) ?? 0;
}
