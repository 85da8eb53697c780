import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface FieldProps {
  readonly name: string;
  readonly hint?: ComponentChildren;
}

/** A whole or broken number with its unit; what is no number is not taken over. */
export function NumberField(props: FieldProps & {
  readonly value: number;
  readonly unit?: string;
  readonly min: number;
  readonly max: number;
  readonly step?: number | "any";
  readonly onChange: (value: number) => void;
}) {
  const id = useId();
  const { name, hint, value, unit, min, max, step = 1, onChange } = props;
  return (
    <div class="setting">
      <label for={id}>{name}</label>
      <span class="setting-value">
        <input
          id={id}
          class="field"
          type="number"
          inputMode="decimal"
          min={min}
          max={max}
          step={step}
          value={value}
          aria-describedby={hint ? `${id}-hint` : undefined}
          onInput={(event) => {
            const { valueAsNumber } = event.currentTarget;
            if (Number.isFinite(valueAsNumber) && valueAsNumber >= min && valueAsNumber <= max) onChange(valueAsNumber);
          }}
        />
        {unit && <span class="quiet">{unit}</span>}
      </span>
      {hint && (
        <p id={`${id}-hint`} class="quiet small">
          {hint}
        </p>
      )}
    </div>
  );
}

/** A share, spoken of in per cent. */
export function ShareField({ value, onChange, ...rest }: FieldProps & { readonly value: number; readonly onChange: (value: number) => void; readonly min?: number; readonly max?: number }) {
  const { min = 0, max = 100, ...words } = rest;
  return (
    <NumberField {...words} value={Number((100 * value).toFixed(4))} unit="%" min={min} max={max} step="any" onChange={(percent) => onChange(Number((percent / 100).toFixed(6)))} />
  );
}

/** One of a few. */
export function ChoiceField(props: FieldProps & {
  readonly value: string;
  readonly options: readonly (readonly [value: string, words: string])[];
  readonly isDisabled?: boolean;
  readonly onChange: (value: string) => void;
}) {
  const id = useId();
  const { name, hint, value, options, isDisabled = false, onChange } = props;
  return (
    <div class="setting">
      <label for={id}>{name}</label>
      <select id={id} class="field" value={value} disabled={isDisabled} aria-describedby={hint ? `${id}-hint` : undefined} onChange={(event) => onChange(event.currentTarget.value)}>
        {options.map(([one, words]) => (
          <option key={one} value={one}>
            {words}
          </option>
        ))}
      </select>
      {hint && (
        <p id={`${id}-hint`} class="quiet small">
          {hint}
        </p>
      )}
    </div>
  );
}

/** Words: a line of them, or many. */
export function TextField(props: FieldProps & {
  readonly value: string;
  readonly rows?: number;
  readonly onChange: (value: string) => void;
}) {
  const id = useId();
  const { name, hint, value, rows, onChange } = props;
  const given = { id, class: "field", value, "aria-describedby": hint ? `${id}-hint` : undefined };
  return (
    <div class="setting is-tall">
      <label for={id}>{name}</label>
      {rows ? (
        <textarea {...given} rows={rows} onInput={(event) => onChange(event.currentTarget.value)} />
      ) : (
        <input {...given} maxLength={200} onInput={(event) => onChange(event.currentTarget.value)} />
      )}
      {hint && (
        <p id={`${id}-hint`} class="quiet small">
          {hint}
        </p>
      )}
    </div>
  );
}
