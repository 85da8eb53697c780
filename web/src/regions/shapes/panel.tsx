import { complaintAbout } from "web/engines/shapes/board";
import { withinImage } from "web/engines/shapes/editing";
import { type BoxShape, clampPoint, isBox, isPolygon, LEAST_SIDE, type Point, type PointShape, type PolygonShape, type Shape } from "web/engines/shapes/shape";
import { ActButton } from "web/parts/act_button";
import { ClassList } from "web/parts/class_list";
import { chooseLabel } from "web/regions/acts";
import { NumberField } from "web/regions/number_field";
import { RegionList } from "web/regions/region_list";
import { type BoxField, withField, wordsOfShape } from "web/regions/shapes/rules";
import type { ShapeState } from "web/regions/shapes/state";
import type { WidgetProps } from "web/widget";

/** Classes, the list of shapes, and the selected one in numbers. */
export function ShapePanel({ context, state }: WidgetProps<readonly Shape[], ShapeState>) {
  const { regions } = state;
  const selected = regions.selected.value;
  return (
    <div class="regions-panel">
      <ClassList context={context} chosen={[selected?.region.label ?? state.armed.value]} suggested={[]} onChoose={(label) => chooseLabel(state, label)} />
      <RegionList regions={regions} words={(shape) => wordsOfShape(shape, context.t)} detail={selected && <ShapeFields key={selected.id} state={state} id={selected.id} shape={selected.region} />} />
      {!context.isReadOnly && (
        <ActButton class="is-quiet" chord={context.keyOf("new_region")} onAct={() => state.addInSight()}>
          {context.t(`shapes.new_${state.drawing}`)}
        </ActButton>
      )}
    </div>
  );
}

interface FieldsProps<S extends Shape> {
  readonly state: ShapeState;
  readonly id: string;
  readonly shape: S;
}

function ShapeFields(props: FieldsProps<Shape>) {
  const { shape } = props;
  if (isPolygon(shape)) return <CornersField {...props} shape={shape} />;
  return isBox(shape) ? <BoxFields {...props} shape={shape} /> : <PointFields {...props} shape={shape} />;
}

const BOX_FIELDS: readonly BoxField[] = ["x", "y", "width", "height", "rotation"];

function BoxFields({ state, id, shape }: FieldsProps<BoxShape>) {
  const { t } = state.context;
  const type = (field: BoxField, value: number) => {
    const box = withField(shape, field, value);
    const inside = box && withinImage(box, state.board.size);
    if (!inside || Math.min(inside.width, inside.height) < LEAST_SIDE) return state.complain("too_small");
    state.regions.replace(id, inside);
  };
  return (
    <fieldset class="region-fields">
      <legend>{t("shapes.numbers")}</legend>
      {BOX_FIELDS.map((field) => (
        <NumberField key={field} label={t(`shapes.${field}`)} value={shape[field] ?? 0} onType={(value) => type(field, value)} />
      ))}
    </fieldset>
  );
}

function PointFields({ state, id, shape }: FieldsProps<PointShape>) {
  const { t } = state.context;
  const type = (x: number, y: number) => {
    const [cx, cy] = clampPoint([x, y], state.board.size);
    if (Number.isFinite(cx + cy)) state.regions.replace(id, { ...shape, x: cx, y: cy });
  };
  return (
    <fieldset class="region-fields">
      <legend>{t("shapes.numbers")}</legend>
      <NumberField label={t("shapes.x")} value={shape.x} onType={(x) => type(x, shape.y)} />
      <NumberField label={t("shapes.y")} value={shape.y} onType={(y) => type(shape.x, y)} />
    </fieldset>
  );
}

/** A polygon's corners as lines of two numbers: everything about it can be typed. */
function CornersField({ state, id, shape }: FieldsProps<PolygonShape>) {
  const { t } = state.context;
  const type = (text: string) => {
    const points = cornersIn(text).map((point) => clampPoint(point, state.board.size));
    const complaint = complaintAbout(points);
    if (complaint) state.complain(complaint);
    else state.regions.replace(id, { ...shape, points });
  };
  return (
    <label class="region-fields is-tall">
      {t("shapes.corners")}
      <textarea class="field" rows={4} spellcheck={false} value={shape.points.map(([x, y]) => `${x} ${y}`).join("\n")} onChange={(event) => type(event.currentTarget.value)} />
    </label>
  );
}

function cornersIn(text: string): Point[] {
  const numbers = text.split("\n").map((line) => line.trim().split(/[\s,;]+/).map(Number));
  return numbers.filter((line) => line.length === 2 && line.every(Number.isFinite)).map(([x = 0, y = 0]): Point => [x, y]);
}
