import { obstacleOf } from "web/regions/attributes/acts";
import { AudioPanel } from "web/regions/audio/panel";
import { AudioStage } from "web/regions/audio/stage";
import { AudioState, type Segment, SEGMENT_RULES, wordsOfSegment } from "web/regions/audio/state";
import { sameRegions } from "web/regions/regions";
import type { Widget } from "web/widget";

const widget: Widget<readonly Segment[], AudioState> = {
  kind: "segment",
  scopes: ["regions", "audio"],
  start: (context) => new AudioState(context),
  Stage: AudioStage,
  Panel: AudioPanel,
  act: (act, { state }) => state.act(act),
  answer: ({ state }) => state.regions.answer(),
  obstacle: ({ state }) => obstacleOf(state.regions),
  same: (a, b) => sameRegions(a, b, SEGMENT_RULES),
  summary: (value, { t }) => t("audio.summary", { n: value.length }),
  words: (segment) => wordsOfSegment(segment as Segment),
  hasSuggestionCards: false,
};

export default widget;
