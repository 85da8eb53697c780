/** Two texts beside each other, word by word; without DOM. */

/** A run of words that both have, or only this one. */
export interface Run {
  readonly text: string;
  readonly isShared: boolean;
}

/** Words beyond which the whole texts count as different: the table of all pairs would not fit. */
const MOST_WORDS = 2000;

/** Each text as runs of what it shares with the other and what only it has (longest common sequence of words). */
export function diffWords(a: string, b: string): [Run[], Run[]] {
  const [x, y] = [wordsOf(a), wordsOf(b)];
  if (x.length > MOST_WORDS || y.length > MOST_WORDS) return [[{ text: a, isShared: a === b }], [{ text: b, isShared: a === b }]];
  const [ofX, ofY] = shared(x, y);
  return [runs(x, ofX), runs(y, ofY)];
}

/** Words with the space behind them; every sign of scripts without spaces is a word. */
export function wordsOf(text: string): string[] {
  return text.match(/(?:[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}]|[^\s\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}]+|\s)\s*/gu) ?? [];
}

function shared(x: readonly string[], y: readonly string[]): [boolean[], boolean[]] {
  const width = y.length + 1;
  const [p, q] = [x, y].map((words) => words.map((word) => word.trimEnd())) as [string[], string[]];
  const length = new Uint16Array((x.length + 1) * width);
  for (let i = x.length - 1; i >= 0; i--) {
    for (let j = y.length - 1; j >= 0; j--) {
      const at = i * width + j;
      length[at] = p[i] === q[j] ? (length[at + width + 1] as number) + 1 : Math.max(length[at + width] as number, length[at + 1] as number);
    }
  }
  const [ofX, ofY] = [x.map(() => false), y.map(() => false)];
  let [i, j] = [0, 0];
  while (i < x.length && j < y.length) {
    const at = i * width + j;
    if (p[i] === q[j]) {
      ofX[i++] = true;
      ofY[j++] = true;
    } else if ((length[at + width] as number) >= (length[at + 1] as number)) i += 1;
    else j += 1;
  }
  return [ofX, ofY];
}

function runs(words: readonly string[], isShared: readonly boolean[]): Run[] {
  const found: { text: string; isShared: boolean }[] = [];
  words.forEach((word, i) => {
    const last = found.at(-1);
    if (last && last.isShared === isShared[i]) last.text += word;
    else found.push({ text: word, isShared: isShared[i] as boolean });
  });
  return found;
}
