import { chipsOf, missingOf, pressed } from "web/regions/attributes/attributes";
import type { Region, Regions } from "web/regions/regions";

/** The keys of attributes: of one option each, and into the form; false for what is none of them. */
export function actOnAttributes<R extends Region>(regions: Regions<R>, act: string): boolean {
  if (act === "attributes") return enterForm();
  const place = /^option_(\d+)$/.exec(act)?.[1];
  const selected = regions.selected.peek();
  if (!place || !selected || regions.context.isReadOnly) return false;
  const chip = chipsOf(regions.context.schema, selected.region.label)[Number(place) - 1];
  if (!chip) return false;
  regions.setAttribute(selected.id, chip.attribute.name, pressed(selected.region, chip));
  return true;
}

/** Why the regions cannot be sent: one lacks what must be given. It is selected, so that its form is there. */
export function obstacleOf<R extends Region>(regions: Regions<R>): string | null {
  const { schema, t } = regions.context;
  const lacking = regions.entries.peek().filter((entry) => missingOf(entry.region, schema).length > 0);
  const entry = lacking.find(({ id }) => id === regions.selectedId.peek()) ?? lacking[0];
  if (!entry) return null;
  regions.select(entry.id);
  const names = missingOf(entry.region, schema).map(({ name }) => name).join(", ");
  const values = { label: entry.region.label, names, n: lacking.length - 1 };
  return t(lacking.length > 1 ? "attributes.missing_more" : "attributes.missing", values);
}

/** The field to fill next: the first that must be and is not, else the first. */
function enterForm(): boolean {
  const form = document.querySelector(".attribute-form:not(:disabled)");
  const wanted = form?.querySelector(".attribute.is-missing") ?? form?.querySelector(".attribute");
  const field = wanted?.querySelector<HTMLElement>("input:checked") ?? wanted?.querySelector("input");
  field?.focus();
  return Boolean(field);
}
