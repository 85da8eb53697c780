import { shapeWidget } from "web/regions/shapes/shape_widget";

export default shapeWidget("box");
