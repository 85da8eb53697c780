/** What regions tell besides their class, as the schema declares it; without DOM. */

import type { AttributeOfSchema, Schema } from "web/tasks";

export type AttributeValue = string | number | boolean;

/** Name -> value, in the order of the schema; as in `labels/_attributes.py`. */
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** What carries attributes: any region. */
export interface Attributed {
  readonly label: string;
  readonly attributes?: Attributes;
}

/** Something that one key gives an attribute: an option of a choice; for yes or no, null: the key goes round. */
export interface Chip {
  readonly attribute: AttributeOfSchema;
  readonly option: string | null;
}

type Asked = Pick<Schema, "attributes">;
type Words = (key: string, values?: Readonly<Record<string, string | number>>) => string;

/** Letters of a text that are shown beside a shape. */
const MOST_LETTERS = 24;

/** The attributes that regions of a class have, in the order of the schema. */
export function attributesFor(schema: Asked, label: string): readonly AttributeOfSchema[] {
  return (schema.attributes ?? []).filter(({ classes }) => classes.length === 0 || classes.includes(label));
}

/** Those that must be given and are not. */
export function missingOf(region: Attributed, schema: Asked): readonly AttributeOfSchema[] {
  return attributesFor(schema, region.label).filter(({ name, required }) => required && region.attributes?.[name] === undefined);
}

/** The region with another value of an attribute; null takes it away. */
export function withAttribute<R extends Attributed>(region: R, name: string, value: AttributeValue | null, schema: Asked): R {
  return withAll(region, { ...region.attributes, [name]: value }, schema);
}

/** The region without attributes that its class does not have, and with what is proposed where it says nothing. */
export function fitting<R extends Attributed>(region: R, schema: Asked, proposed: Attributes = {}): R {
  return withAll(region, { ...proposed, ...region.attributes }, schema);
}

/** The region without values that were only proposed to it and that nobody has changed since. */
export function withoutProposed<R extends Attributed>(region: R, proposed: Attributes, schema: Asked): R {
  const told = Object.entries(region.attributes ?? {}).filter(([name, value]) => proposed[name] !== value);
  return withAll(region, Object.fromEntries(told), schema);
}

/** Whether two regions say the same besides their class. */
export function sameAttributes(a: Attributed, b: Attributed): boolean {
  const [here, there] = [a.attributes ?? {}, b.attributes ?? {}];
  const names = Object.keys(here);
  return names.length === Object.keys(there).length && names.every((name) => here[name] === there[name]);
}

/** What one key can give a region of this class, in the order of the form. */
export function chipsOf(schema: Asked, label: string): readonly Chip[] {
  return attributesFor(schema, label).flatMap((attribute): Chip[] => {
    if (attribute.kind === "choice") return attribute.options.map((option) => ({ attribute, option }));
    return attribute.kind === "yes_no" ? [{ attribute, option: null }] : [];
  });
}

/** What a chip's key makes of the region: the option, gone the second time; nothing, yes, no, nothing. Null: taken away. */
export function pressed(region: Attributed, { attribute, option }: Chip): AttributeValue | null {
  const { name, required } = attribute;
  const now = region.attributes?.[name];
  if (option !== null) return now === option && !required ? null : option;
  if (now === undefined) return true;
  return now === true ? false : required ? true : null;
}

/** The number of a field, null for an empty one; undefined for what the attribute does not take. */
export function numberFor({ least, most }: AttributeOfSchema, text: string): number | null | undefined {
  if (text.trim() === "") return null;
  const number = Number(text);
  const isAllowed = Number.isFinite(number) && number >= (least ?? -Infinity) && number <= (most ?? Infinity);
  return isAllowed ? number : undefined;
}

/** The values in few words: `left · occluded · 30 km/h`. */
export function wordsOfAttributes(region: Attributed, schema: Asked, t: Words): string {
  return attributesFor(schema, region.label)
    .map((attribute) => wordsOf(attribute, region.attributes?.[attribute.name], t))
    .filter((words) => words !== "")
    .join(" · ");
}

function wordsOf({ name, kind, unit }: AttributeOfSchema, value: AttributeValue | undefined, t: Words): string {
  if (value === undefined) return "";
  if (kind === "yes_no") return value ? name : t("attributes.is_not", { name });
  if (kind === "number") return unit ? `${value} ${unit}` : `${name} ${value}`;
  const letters = [...String(value).replace(/\s+/g, " ")];
  const short = letters.length > MOST_LETTERS ? `${letters.slice(0, MOST_LETTERS).join("")}…` : letters.join("");
  return kind === "text" ? `“${short}”` : short;
}

/** In the order of the schema, blank ones and those of other classes left out, as the server would have them. */
function withAll<R extends Attributed>(region: R, told: Readonly<Record<string, AttributeValue | null>>, schema: Asked): R {
  const { attributes: _, ...bare } = region;
  const kept = attributesFor(schema, region.label).flatMap(({ name }) => {
    const value = told[name];
    return value === undefined || value === null ? [] : [[name, value] as const];
  });
  return (kept.length > 0 ? { ...bare, attributes: Object.fromEntries(kept) } : bare) as R;
}
