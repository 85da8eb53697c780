import type { Shape } from "web/engines/shapes/shape";
import { obstacleOf } from "web/regions/attributes/acts";
import { ShapePanel } from "web/regions/shapes/panel";
import { SHAPE_RULES, wordsOfShape } from "web/regions/shapes/rules";
import { ShapeStage } from "web/regions/shapes/stage";
import { type ShapeTool, ShapeState } from "web/regions/shapes/state";
import { sameRegions } from "web/regions/regions";
import type { Widget } from "web/widget";

/** The widget of a kind of label whose value is a list of shapes drawn with one tool. */
export function shapeWidget(drawing: ShapeTool): Widget<readonly Shape[], ShapeState> {
  return {
    kind: drawing,
    scopes: ["regions", "shapes"],
    start: (context) => new ShapeState(context, drawing),
    Stage: ShapeStage,
    Panel: ShapePanel,
    act: (act, { state }) => state.act(act),
    answer: ({ state }) => state.regions.answer(),
    obstacle: ({ state }) => obstacleOf(state.regions),
    same: (a, b) => sameRegions(a, b, SHAPE_RULES),
    summary: (value, { t }) => t(`shapes.summary_${drawing}`, { n: value.length }),
    words: (shape, { t }) => wordsOfShape(shape as Shape, t),
    hasSuggestionCards: false,
  };
}
