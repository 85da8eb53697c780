import type { ComponentChildren } from "preact";
import { KeyCap } from "web/parts/key_cap";
import { attributesFor, chipsOf, missingOf, numberFor } from "web/regions/attributes/attributes";
import type { AttributeValue } from "web/regions/attributes/attributes";
import type { Entry, Region, Regions } from "web/regions/regions";
import type { AttributeOfSchema } from "web/tasks";

interface FormProps<R extends Region> {
  readonly regions: Regions<R>;
  readonly entry: Entry<R>;
}

/** What the selected region tells besides its class; nothing where the schema asks nothing. */
export function AttributeForm<R extends Region>({ regions, entry }: FormProps<R>) {
  const { context } = regions;
  const attributes = attributesFor(context.schema, entry.region.label);
  if (attributes.length === 0) return null;
  const missing = missingOf(entry.region, context.schema);
  return (
    <fieldset class="attribute-form" disabled={context.isReadOnly} onKeyDown={keepKeys}>
      <legend>
        {context.t("attributes.title")} <KeyCap chord={context.keyOf("attributes")} />
      </legend>
      {attributes.map((attribute, place) => (
        <AttributeField
          key={attribute.name}
          regions={regions}
          entry={entry}
          attribute={attribute}
          place={place}
          isMissing={missing.includes(attribute)}
        />
      ))}
    </fieldset>
  );
}

interface FieldProps<R extends Region> extends FormProps<R> {
  readonly attribute: AttributeOfSchema;
  /** Among the attributes of this class, for ids. */
  readonly place: number;
  readonly isMissing: boolean;
}

function AttributeField<R extends Region>(props: FieldProps<R>) {
  const { kind } = props.attribute;
  if (kind === "choice") return <ChoiceField {...props} />;
  if (kind === "yes_no") return <YesNoField {...props} />;
  return <TypedField {...props} />;
}

function ChoiceField<R extends Region>(props: FieldProps<R>) {
  const { attribute, regions, entry } = props;
  return (
    <Chips {...props}>
      {attribute.options.map((option) => (
        <RadioChip key={option} {...props} value={option} words={option} chord={keyOfChip(regions, entry, attribute, option)} />
      ))}
    </Chips>
  );
}

/** One key for both: it goes from nothing to yes, to no, and back. */
function YesNoField<R extends Region>(props: FieldProps<R>) {
  const { attribute, regions, entry } = props;
  const { t } = regions.context;
  return (
    <Chips {...props} chord={keyOfChip(regions, entry, attribute, null)}>
      <RadioChip {...props} value={true} words={t("attributes.yes")} chord="" />
      <RadioChip {...props} value={false} words={t("attributes.no")} chord="" />
    </Chips>
  );
}

interface ChipsProps<R extends Region> extends FieldProps<R> {
  readonly chord?: string;
  readonly children: ComponentChildren;
}

function Chips<R extends Region>({ regions, attribute, place, isMissing, chord = "", children }: ChipsProps<R>) {
  return (
    <div
      class={`attribute ${attribute.kind === "yes_no" ? "is-short" : ""} ${isMissing ? "is-missing" : ""}`}
      role="radiogroup"
      aria-labelledby={`attribute-${place}`}
      aria-required={attribute.required}
    >
      <span class="attribute-name" id={`attribute-${place}`}>
        {attribute.name} <Needed regions={regions} isMissing={isMissing} /> <KeyCap chord={chord} />
      </span>
      <div class="attribute-chips">{children}</div>
    </div>
  );
}

interface RadioChipProps<R extends Region> extends FieldProps<R> {
  readonly value: AttributeValue;
  readonly words: string;
  readonly chord: string;
}

/**
 * A radio button that looks like a key; pressed once more it lets go, unless the attribute must be given. A click leaves
 * the focus where the work is.
 */
function RadioChip<R extends Region>({ regions, entry, attribute, place, value, words, chord }: RadioChipProps<R>) {
  const isChosen = entry.region.attributes?.[attribute.name] === value;
  return (
    <label class={`attribute-chip ${isChosen ? "is-chosen" : ""}`} onMouseDown={(event) => event.preventDefault()}>
      <input
        type="radio"
        name={`attribute-${place}`}
        checked={isChosen}
        aria-keyshortcuts={chord || undefined}
        onClick={() => regions.setAttribute(entry.id, attribute.name, isChosen && !attribute.required ? null : value)}
      />
      <span>{words}</span>
      <KeyCap chord={chord} />
    </label>
  );
}

function TypedField<R extends Region>({ regions, entry, attribute, isMissing }: FieldProps<R>) {
  const { t } = regions.context;
  const value = entry.region.attributes?.[attribute.name];
  const isNumber = attribute.kind === "number";
  const take = (field: HTMLInputElement) => {
    const typed = isNumber ? numberFor(attribute, field.validity.badInput ? "?" : field.value) : field.value.trim() || null;
    if (typed !== undefined) return regions.setAttribute(entry.id, attribute.name, typed);
    field.value = value === undefined ? "" : String(value);
    regions.context.say(t("attributes.limits", { name: attribute.name, limits: limitsOf(attribute) }));
  };
  const shared = {
    class: "field",
    required: attribute.required,
    value: value === undefined ? "" : String(value),
    onChange: (event: { currentTarget: HTMLInputElement }) => take(event.currentTarget),
  };
  return (
    <label class={`attribute ${isNumber ? "is-short" : ""} ${isMissing ? "is-missing" : ""}`}>
      <span class="attribute-name">
        {attribute.name} {attribute.unit && <span class="attribute-unit">{attribute.unit}</span>} <Needed regions={regions} isMissing={isMissing} />
      </span>
      {isNumber ? (
        <input {...shared} type="number" step="any" min={attribute.least ?? undefined} max={attribute.most ?? undefined} placeholder={limitsOf(attribute)} />
      ) : (
        <input {...shared} dir="auto" />
      )}
    </label>
  );
}

function Needed<R extends Region>({ regions, isMissing }: { regions: Regions<R>; isMissing: boolean }) {
  return isMissing ? <span class="attribute-needed">{regions.context.t("attributes.needed")}</span> : null;
}

function keyOfChip<R extends Region>(regions: Regions<R>, entry: Entry<R>, attribute: AttributeOfSchema, option: string | null): string {
  const place = chipsOf(regions.context.schema, entry.region.label).findIndex((chip) => chip.attribute === attribute && chip.option === option);
  return regions.context.keyOf(`option_${place + 1}`);
}

/** `0 – 130`, `≥ 0`, `≤ 5`; empty without limits. */
function limitsOf({ least, most }: AttributeOfSchema): string {
  if (least != null && most != null) return `${least} – ${most}`;
  return least != null ? `≥ ${least}` : most != null ? `≤ ${most}` : "";
}

/** Arrows, Tab and Space belong to the form; Enter and Escape leave it: the keys of the screen act again. */
function keepKeys(event: KeyboardEvent): void {
  if (event.isComposing) return;
  if (event.key === "Enter" || event.key === "Escape") {
    event.preventDefault();
    event.stopPropagation();
    (event.target as HTMLElement).blur();
  } else if (/^(Arrow\w+|Tab| )$/.test(event.key)) event.stopPropagation();
}
