interface NumberFieldProps {
  readonly label: string;
  readonly value: number;
  readonly onType: (value: number) => void;
}

/** A number that is taken when the field is left or Enter pressed. */
export function NumberField({ label, value, onType }: NumberFieldProps) {
  return (
    <label class="number-field">
      <span>{label}</span>
      <input
        class="field"
        type="number"
        step="any"
        value={String(value)}
        onChange={(event) => onType(event.currentTarget.valueAsNumber)}
      />
    </label>
  );
}
