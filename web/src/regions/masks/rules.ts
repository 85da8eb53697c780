/** What is particular about masks as regions: order, sameness, that they do not overlap, words. */

import { areaOf, besides, edgesIn, iouOf, type MaskRegion } from "web/engines/masks/rle";
import type { RegionRules } from "web/regions/regions";

/** Two masks with this IoU are called by both sources' names. */
const AGREED = 0.7;

export const MASK_RULES: RegionRules<MaskRegion> = {
  // Masks do not overlap, so that their first pixels differ.
  compare: (a, b) => (edgesIn(a)[0] ?? 0) - (edgesIn(b)[0] ?? 0),
  same: (a, b) => a.label === b.label && a.counts === b.counts && isSameSize(a, b),
  agrees: (a, b) => a.label === b.label && isSameSize(a, b) && nearness(a, b) >= AGREED,
  beside: besides,
};

/** Square pixels, and their share of the image. */
export function wordsOfMask(mask: MaskRegion, t: (key: string, values: Readonly<Record<string, string | number>>) => string): string {
  const area = areaOf(edgesIn(mask));
  const percent = (100 * area) / (mask.size[0] * mask.size[1]);
  return t("masks.area", { n: area.toLocaleString("en").replaceAll(",", " "), percent: percent < 10 ? percent.toFixed(1) : Math.round(percent) });
}

function isSameSize(a: MaskRegion, b: MaskRegion): boolean {
  return a.size[0] === b.size[0] && a.size[1] === b.size[1];
}

const compared = new WeakMap<MaskRegion, WeakMap<MaskRegion, number>>();

/** IoU, reckoned once for each two: the list asks after every stroke. */
function nearness(a: MaskRegion, b: MaskRegion): number {
  let others = compared.get(a);
  if (!others) compared.set(a, (others = new WeakMap()));
  let iou = others.get(b);
  if (iou === undefined) others.set(b, (iou = iouOf(edgesIn(a), edgesIn(b))));
  return iou;
}
