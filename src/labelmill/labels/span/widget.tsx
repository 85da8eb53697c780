import { obstacleOf } from "web/regions/attributes/acts";
import { sameRegions } from "web/regions/regions";
import { SpanPanel } from "web/regions/spans/panel";
import { SpanStage } from "web/regions/spans/stage";
import { type Span, spanRules, SpanState, wordsOfSpan } from "web/regions/spans/state";
import type { Widget } from "web/widget";

const widget: Widget<readonly Span[], SpanState> = {
  kind: "span",
  scopes: ["regions", "spans"],
  start: (context) => new SpanState(context),
  Stage: SpanStage,
  Panel: SpanPanel,
  act: (act, { state }) => state.act(act),
  answer: ({ state }) => state.regions.answer(),
  obstacle: ({ state }) => obstacleOf(state.regions),
  same: (a, b) => sameRegions(a, b, spanRules([])),
  summary: (value, { t }) => t("spans.summary", { n: value.length }),
  words: (span, { item }) => ("text" in item.data ? wordsOfSpan(span as Span, item.data.text) : ""),
  hasSuggestionCards: false,
};

export default widget;
