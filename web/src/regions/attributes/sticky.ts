/** Values that the next region of a class is proposed: what the last one of it was given, while the page is open. */

import type { Attributed, Attributes, AttributeValue } from "web/regions/attributes/attributes";
import { attributesFor } from "web/regions/attributes/attributes";
import type { Schema } from "web/tasks";

const lastOf = new Map<string, Record<string, AttributeValue>>();

/** Keeps what a region was given for the next one. */
export function remember(schema: Schema, { label, attributes = {} }: Attributed): void {
  for (const { name, sticky } of attributesFor(schema, label)) {
    if (!sticky) continue;
    const last = lastOf.get(placeOf(schema, label)) ?? {};
    const value = attributes[name];
    if (value === undefined) delete last[name];
    else last[name] = value;
    lastOf.set(placeOf(schema, label), last);
  }
}

/** What a new region of this class is proposed. */
export function proposedFor(schema: Schema, label: string): Attributes {
  return { ...lastOf.get(placeOf(schema, label)) };
}

function placeOf(schema: Schema, label: string): string {
  return `${schema.name}\n${label}`;
}
