import { computed, effect, type Signal, signal } from "@preact/signals";
import { Board, type Complaint, type Mark, type Tool } from "web/engines/shapes/board";
import type { ShapeCanvas } from "web/engines/shapes/canvas";
import { boxBetween, type Point, rounded, type Shape, type Size } from "web/engines/shapes/shape";
import { actOnRegions, type RegionState } from "web/regions/acts";
import { wordsBeside } from "web/regions/region_list";
import { type Entry, Regions } from "web/regions/regions";
import { SHAPE_RULES } from "web/regions/shapes/rules";
import { showSight, sightOf } from "web/regions/shapes/sight";
import type { Data } from "web/tasks";
import type { Linked, WidgetContext } from "web/widget";

export type ShapeTool = Exclude<Tool, "select">;

const TOOLS: Readonly<Record<string, Tool>> = { tool_select: "select", tool_box: "box", tool_polygon: "polygon", tool_point: "point" };

/** Tool and class stay in hand from item to item. */
const inHand: { tool: Tool | null; label: string | null } = { tool: null, label: null };

/** One image and its shapes, as both components of the widget share them. */
export class ShapeState implements RegionState<Shape>, Linked {
  readonly regions: Regions<Shape>;
  readonly armed: Signal<string>;
  readonly tool: Signal<Tool>;
  readonly board: Board;
  readonly address: string;
  /** What paints the board, while it is on the screen. */
  canvas: ShapeCanvas | null = null;
  onSight: (() => void) | null = null;
  private readonly stops: (() => void)[] = [];

  constructor(
    readonly context: WidgetContext<readonly Shape[]>,
    readonly drawing: ShapeTool,
  ) {
    const { classes } = context.schema;
    const first = classes[0]?.name ?? "";
    this.regions = new Regions(context, SHAPE_RULES);
    this.armed = signal(classes.some(({ name }) => name === inHand.label) ? (inHand.label ?? first) : first);
    this.tool = signal(inHand.tool === "select" || inHand.tool === drawing ? inHand.tool : drawing);
    this.address = addressOf(context.item.data);
    this.board = new Board(sizeOf(context.item.data), {
      add: (shape) => this.regions.add({ ...shape, label: this.armed.peek() }),
      edit: (id, shape, step) => this.regions.replace(id, shape, step),
      remove: (id) => this.regions.remove(id),
      select: (id) => this.regions.select(id),
      complain: (complaint) => this.complain(complaint),
      changed: () => {
        this.canvas?.schedule();
        this.onSight?.();
      },
    });
    this.board.isReadOnly = context.isReadOnly;
    this.keepShown();
  }

  act(act: string): boolean {
    if (this.board.act(act)) return true;
    const tool = TOOLS[act];
    if (tool === "select" || (tool && tool === this.drawing)) {
      if (!this.context.isReadOnly) this.use(tool);
      return true;
    }
    if (act === "new_region" && !this.context.isReadOnly) {
      this.addInSight();
      return true;
    }
    return actOnRegions(this, act);
  }

  use(tool: Tool): void {
    this.tool.value = tool;
  }

  /** A shape in the middle of what is seen, to be moved and shaped by keys and numbers. */
  addInSight(): void {
    const { left, top, right, bottom } = this.board.view.sight;
    const { width, height } = this.board.size;
    const middle: Point = [(Math.max(left, 0) + Math.min(right, width)) / 2, (Math.max(top, 0) + Math.min(bottom, height)) / 2];
    const reach = Math.max(Math.min(right - left, bottom - top, width, height) / 8, 1);
    const label = this.armed.peek();
    const box = boxBetween([middle[0] - reach, middle[1] - reach], [middle[0] + reach, middle[1] + reach], label, this.board.size);
    const points: Point[] = [
      [middle[0], box.y],
      [box.x + box.width, box.y + box.height],
      [box.x, box.y + box.height],
    ].map(([x = 0, y = 0]): Point => [rounded(x), rounded(y)]);
    if (this.drawing === "box") this.regions.add(box);
    else if (this.drawing === "polygon") this.regions.add({ label, points });
    else this.regions.add({ label, x: rounded(middle[0]), y: rounded(middle[1]) });
  }

  sight(): unknown {
    return sightOf(this.board.view);
  }

  showSight(sight: unknown): void {
    showSight(this.board.view, sight);
    this.canvas?.schedule();
  }

  complain(complaint: Complaint): void {
    this.context.say(this.context.t(`shapes.${complaint}`));
  }

  dispose(): void {
    for (const stop of this.stops) stop();
  }

  private keepShown(): void {
    const { regions, board } = this;
    let last: string | null = null;
    // A list of its own: choosing another shape does not make the canvas below paint thousands anew.
    const marks = computed(() => regions.entries.value.map((entry) => markOf(entry, regions)));
    this.stops.push(
      effect(() => {
        const selected = regions.selected.value;
        board.show(marks.value, selected?.id ?? null);
        if (selected && selected.id !== last && !board.gesture) this.reveal(selected.region);
        last = selected?.id ?? null;
      }),
      effect(() => board.use(this.tool.value)),
      effect(() => {
        inHand.tool = this.tool.value;
        inHand.label = this.armed.value;
      }),
    );
  }

  /** What is chosen in the list comes into sight. */
  private reveal(shape: Shape): void {
    const first: Point = "points" in shape ? (shape.points[0] ?? [0, 0]) : [shape.x, shape.y];
    if (this.board.view.reveal(first)) this.canvas?.schedule();
  }
}

function markOf(entry: Entry<Shape>, regions: Regions<Shape>): Mark {
  const { id, region: shape, isSuggested, isDifferent = false } = entry;
  return { id, shape, isSuggested, note: wordsBeside(regions, entry), isDifferent };
}

function sizeOf(data: Data): Size {
  return "image" in data ? { width: Math.max(data.width, 1), height: Math.max(data.height, 1) } : { width: 1, height: 1 };
}

function addressOf(data: Data): string {
  return "image" in data ? data.image : "";
}
