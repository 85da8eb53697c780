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

/** The next place behind `at` (or before it) where a word ends (or begins), or a character; the text's end at last. */
export function nextStop(text: string, at: number, by: 1 | -1, isByWord: boolean): number {
  const segmenter = isByWord ? words : characters;
  const stops: number[] = [];
  for (const { index, segment, isWordLike } of segmenter.segment(text)) {
    if (isByWord && isWordLike === false && /^\s+$/.test(segment)) continue;
    stops.push(by > 0 ? index + segment.length : index);
  }
  if (by > 0) return stops.find((stop) => stop > at) ?? text.length;
  return stops.findLast((stop) => stop < at) ?? 0;
}
