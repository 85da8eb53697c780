import { computed, effect, type Signal, signal } from "@preact/signals";
import { LARGEST_BRUSH, MaskBoard, type MaskTool } from "web/engines/masks/board";
import type { MaskCanvas } from "web/engines/masks/canvas";
import type { MaskMark } from "web/engines/masks/layers";
import { edgesIn, type MaskRegion } from "web/engines/masks/rle";
import type { Point, Size } from "web/engines/shapes/shape";
import { classOfAct } from "web/parts/class_list";
import { actOnRegions, type RegionState } from "web/regions/acts";
import { MASK_RULES } from "web/regions/masks/rules";
import { wordsBeside } from "web/regions/region_list";
import { type Entry, Regions } from "web/regions/regions";
import { showSight, sightOf } from "web/regions/shapes/sight";
import type { Data } from "web/tasks";
import type { Linked, WidgetContext } from "web/widget";

export const MASK_TOOLS: readonly MaskTool[] = ["select", "brush", "eraser", "fill", "polygon"];

/** Tool, brush, class and opacity stay in hand from item to item. */
const inHand: { tool: MaskTool; label: string | null; diameter: number | null; opacity: number } = {
  tool: "brush",
  label: null,
  diameter: null,
  opacity: 0.5,
};

/** One image and its masks, as both components of the widget share them. */
export class MaskState implements RegionState<MaskRegion>, Linked {
  onSight: (() => void) | null = null;
  readonly regions: Regions<MaskRegion>;
  readonly armed: Signal<string>;
  readonly tool: Signal<MaskTool>;
  readonly diameter: Signal<number>;
  readonly opacity: Signal<number>;
  readonly board: MaskBoard;
  readonly address: string;
  /** What paints the board, while it is on the screen. */
  canvas: MaskCanvas | null = null;
  private readonly stops: (() => void)[] = [];

  constructor(readonly context: WidgetContext<readonly MaskRegion[]>) {
    const { classes } = context.schema;
    const first = classes[0]?.name ?? "";
    this.regions = new Regions(context, MASK_RULES);
    this.armed = signal(classes.some(({ name }) => name === inHand.label) ? (inHand.label ?? first) : first);
    this.tool = signal(context.isReadOnly ? "select" : inHand.tool);
    this.opacity = signal(inHand.opacity);
    this.address = "image" in context.item.data ? context.item.data.image : "";
    this.board = new MaskBoard(sizeOf(context.item.data), {
      change: ({ changed, added }) => this.regions.update(changed, added),
      select: (id) => this.select(id),
      label: () => this.armed.peek(),
      complain: (complaint) => context.say(context.t(`masks.${complaint}`)),
      pen: (isDown) => context.say(context.t(isDown ? "masks.pen_down" : "masks.pen_up")),
      resized: (diameter) => this.resized(diameter),
      changed: () => {
        this.canvas?.schedule();
        this.onSight?.();
      },
    });
    this.diameter = signal(inHand.diameter ?? this.board.diameter);
    this.board.diameter = this.diameter.peek();
    this.board.isReadOnly = context.isReadOnly;
    this.keepShown();
  }

  act(act: string, isRepeated: boolean): boolean {
    // A pen that follows a key that is held would go up and down.
    if (act === "paint_here" && isRepeated) return true;
    if (this.board.act(act)) return true;
    const tool = MASK_TOOLS.find((name) => act === `tool_${name}`);
    const { isReadOnly, schema, say, t } = this.context;
    if (tool) {
      if (!isReadOnly) this.use(tool);
      return true;
    }
    if (isReadOnly) return actOnRegions(this, act);
    if (act === "new_region") {
      this.regions.select(null);
      this.board.wantsNew = true;
      say(t("masks.next_is_new", { label: this.armed.peek() }));
      return true;
    }
    const label = classOfAct(schema, act);
    if (label === null) return actOnRegions(this, act);
    this.choose(label);
    return true;
  }

  use(tool: MaskTool): void {
    this.tool.value = tool;
  }

  /** Arms a class for the next strokes; only what is suggested, and selected, is relabelled by it. */
  choose(label: string): void {
    if (this.context.isReadOnly) return;
    const selected = this.regions.selected.peek();
    this.armed.value = label;
    if (selected?.isSuggested) this.regions.relabel(selected.id, label);
    else if (selected && selected.region.label !== label) this.regions.select(null);
  }

  /** Selects a mask; its class is painted on. */
  select(id: string | null): void {
    this.regions.select(id);
  }

  resizeBrush(diameter: number): void {
    if (Number.isFinite(diameter)) this.board.resizeBrush(Math.min(diameter, LARGEST_BRUSH));
  }

  sight(): unknown {
    return sightOf(this.board.view);
  }

  showSight(sight: unknown): void {
    showSight(this.board.view, sight);
    this.canvas?.schedule();
  }

  dispose(): void {
    for (const stop of this.stops) stop();
  }

  private resized(diameter: number): void {
    this.diameter.value = diameter;
    inHand.diameter = diameter;
  }

  private keepShown(): void {
    const { regions, board } = this;
    let last: string | null = null;
    const marks = computed(() => regions.entries.value.map((entry) => markOf(entry, regions)));
    this.stops.push(
      effect(() => {
        const selected = regions.selected.value;
        board.show(marks.value, selected?.id ?? null);
        if (selected && selected.id !== last) {
          this.armed.value = selected.region.label;
          if (!board.gesture) this.reveal(selected.region);
        }
        last = selected?.id ?? null;
      }),
      effect(() => board.use(this.tool.value)),
      effect(() => {
        inHand.tool = this.context.isReadOnly ? inHand.tool : this.tool.value;
        inHand.label = this.armed.value;
        inHand.opacity = this.opacity.value;
        if (this.canvas) this.canvas.opacity = this.opacity.value;
      }),
    );
  }

  /** What is chosen in the list comes into sight. */
  private reveal(mask: MaskRegion): void {
    const [first = 0] = edgesIn(mask);
    const place: Point = [Math.floor(first / mask.size[0]), first % mask.size[0]];
    if (this.board.view.reveal(place)) this.canvas?.schedule();
  }
}

function markOf(entry: Entry<MaskRegion>, regions: Regions<MaskRegion>): MaskMark {
  const { id, region, isSuggested, isDifferent = false } = entry;
  return { id, region, isSuggested, note: wordsBeside(regions, entry), isDifferent };
}

function sizeOf(data: Data): Size {
  return "image" in data ? { width: Math.max(data.width, 1), height: Math.max(data.height, 1) } : { width: 1, height: 1 };
}
