import type { MaskRegion } from "web/engines/masks/rle";
import { obstacleOf } from "web/regions/attributes/acts";
import { MaskPanel } from "web/regions/masks/panel";
import { MASK_RULES, wordsOfMask } from "web/regions/masks/rules";
import { MaskStage } from "web/regions/masks/stage";
import { MaskState } from "web/regions/masks/state";
import { sameRegions } from "web/regions/regions";
import type { Widget } from "web/widget";

const widget: Widget<readonly MaskRegion[], MaskState> = {
  kind: "mask",
  scopes: ["regions", "shapes"],
  start: (context) => new MaskState(context),
  Stage: MaskStage,
  Panel: MaskPanel,
  act: (act, { state }, event) => state.act(act, event.repeat),
  answer: ({ state }) => state.regions.answer(),
  obstacle: ({ state }) => obstacleOf(state.regions),
  same: (a, b) => sameRegions(a, b, MASK_RULES),
  summary: (value, { t }) => t("masks.summary", { n: value.length }),
  words: (mask, { t }) => wordsOfMask(mask as MaskRegion, t),
  hasSuggestionCards: false,
};

export default widget;
