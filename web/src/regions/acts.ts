import type { Signal } from "@preact/signals";
import { classOfAct } from "web/parts/class_list";
import { actOnAttributes } from "web/regions/attributes/acts";
import type { Region, Regions } from "web/regions/regions";

/** What the screens of all kinds with regions have in common. */
export interface RegionState<R extends Region> {
  readonly regions: Regions<R>;
  /** The class that the next region gets. */
  readonly armed: Signal<string>;
  /** Gives what is marked but not yet a region (a selected stretch of text) this class; false if there is none. */
  labelMarked?(label: string): boolean;
}

/** Names a class: for what is marked, else for the selected region, and in any case for the next ones. */
export function chooseLabel<R extends Region>(state: RegionState<R>, label: string): void {
  const { regions, armed } = state;
  if (regions.context.isReadOnly) return;
  if (state.labelMarked?.(label)) return;
  const selected = regions.selected.peek();
  if (selected) regions.relabel(selected.id, label);
  armed.value = label;
}

/** The keys that mean the same for boxes, spans and sounds; false for what the page or the engine should do. */
export function actOnRegions<R extends Region>(state: RegionState<R>, act: string): boolean {
  const { regions } = state;
  const { context } = regions;
  if (act === "next_region" || act === "previous_region") return regions.step(act === "next_region" ? 1 : -1);
  if (act === "deselect") return deselect(regions);
  if (context.isReadOnly) return false;
  const label = classOfAct(context.schema, act);
  if (label !== null) {
    chooseLabel(state, label);
    return true;
  }
  if (actOnAttributes(regions, act)) return true;
  if (act === "accept_all") return regions.acceptAll();
  if (act === "accept") return isNothingSaid(regions) && askOnceMore(regions);
  return actOnSelected(regions, act);
}

function actOnSelected<R extends Region>(regions: Regions<R>, act: string): boolean {
  const selected = regions.selected.peek();
  if (!selected) return false;
  if (act === "delete_region" || act === "reject") {
    if (act === "reject" && !selected.isSuggested) return false;
    // The next suggested one is selected, so that x x x or a a a walks through them.
    const next = nextSuggested(regions, selected.id);
    regions.remove(selected.id);
    if (selected.isSuggested) regions.select(next);
    return true;
  }
  if (act === "accept_region" && selected.isSuggested) {
    const next = nextSuggested(regions, selected.id);
    regions.accept(selected.id);
    regions.select(next);
    return true;
  }
  return false;
}

function nextSuggested<R extends Region>(regions: Regions<R>, id: string): string | null {
  const suggested = regions.entries.peek().filter((entry) => entry.isSuggested);
  const at = suggested.findIndex((entry) => entry.id === id);
  return (suggested[at + 1] ?? suggested.find((entry) => entry.id !== id))?.id ?? null;
}

function deselect<R extends Region>(regions: Regions<R>): boolean {
  if (regions.selectedId.peek() === null) return false;
  regions.select(null);
  return true;
}

function isNothingSaid<R extends Region>(regions: Regions<R>): boolean {
  return regions.context.value.peek() === null && regions.answer() === null;
}

/** An empty answer is an answer; one slip of Enter is not. */
function askOnceMore<R extends Region>(regions: Regions<R>): boolean {
  const { context } = regions;
  context.change([]);
  context.say(context.t("regions.nothing_marked"));
  return true;
}
