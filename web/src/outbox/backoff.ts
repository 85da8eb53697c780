const FIRST_MS = 500;
const LONGEST_MS = 30_000;

/**
 * How long to wait after so many failures in a row: 0.5 s, doubled each time up to 30 s, less up to a quarter by
 * chance, so that a hundred browsers do not come back in the same instant.
 *
 * @param nFailures From 1.
 * @param random Uniform in [0, 1).
 */
export function backoffMs(nFailures: number, random: () => number): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** (nFailures - 1));
  return full * (1 - random() / 4);
}
