interface NumberFieldProps {
  readonly label: string;
  readonly value: number;
  readonly onType: (value: number) => void;
}

/** Of the fraction of a pixel or a second, as shown; what is not typed over keeps all it has. */
const DIGITS = 3;

/** A number that is taken when the field is left or Enter pressed. */
export function NumberField({ label, value, onType }: NumberFieldProps) {
  return (
    <label class="number-field">
      <span>{label}</span>
      <input
        class="field"
        type="number"
        step="any"
        value={String(Number(value.toFixed(DIGITS)))}
        onChange={(event) => onType(event.currentTarget.valueAsNumber)}
      />
    </label>
  );
}
