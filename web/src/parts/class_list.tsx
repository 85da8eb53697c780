import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { t } from "web/language/language";
import { KeyCap } from "web/parts/key_cap";
import { swatchOf } from "web/regions/swatch";
import type { Schema } from "web/tasks";
import type { WidgetContext } from "web/widget";

/** More classes than keys of digits: a field finds them by their letters. */
const FEW = 9;

interface ClassListProps {
  readonly context: Pick<WidgetContext<never>, "schema" | "keyOf" | "isReadOnly">;
  readonly chosen: readonly string[];
  readonly suggested: readonly string[];
  readonly layout?: "list" | "scale";
  /** What stands on a chosen class; a tick without it. */
  readonly markOf?: (name: string) => string;
  readonly onChoose: (name: string) => void;
}

/** The classes of a schema as large keys: number, name, dashed where suggested, filled where chosen. */
export function ClassList({ context, chosen, suggested, layout = "list", markOf, onChoose }: ClassListProps) {
  const wanted = useSignal("");
  const { classes } = context.schema;
  const places = new Map(classes.map(({ name }, place) => [name, place]));
  const placeOf = (name: string) => places.get(name) ?? 0;
  const found = classes.filter(({ name }) => name.toLocaleLowerCase().includes(wanted.value.trim().toLocaleLowerCase()));
  const choose = (name: string) => {
    wanted.value = "";
    onChoose(name);
  };
  return (
    <section class="labels" aria-label={t("label.labels")}>
      {classes.length > FEW && <FindField wanted={wanted} chord={context.keyOf("find_label")} onFirst={() => found[0] && choose(found[0].name)} />}
      <div class={`classes is-${layout} ${classes.length > FEW ? "is-many" : ""}`} >
        {found.map(({ name }) => (
          <button
            key={name}
            type="button"
            class={`class-key ${swatchOf(placeOf(name))} ${suggested.includes(name) ? "is-suggested" : ""}`}
            aria-pressed={chosen.includes(name)}
            data-mark={chosen.includes(name) ? (markOf?.(name) ?? "✓") : undefined}
            disabled={context.isReadOnly}
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => choose(name)}
          >
            <KeyCap chord={context.keyOf(`label_${placeOf(name) + 1}`)} />
            <span class="class-name">{name}</span>
          </button>
        ))}
      </div>
      {found.length === 0 && <p class="quiet">{t("label.find_none")}</p>}
    </section>
  );
}

function FindField({ wanted, chord, onFirst }: { wanted: { value: string }; chord: string; onFirst: () => void }) {
  const field = useRef<HTMLInputElement>(null);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    if (event.key === "Escape") wanted.value = "";
    else if (event.key === "Enter" && wanted.value.trim()) onFirst();
    else return;
    event.preventDefault();
    field.current?.blur();
  };
  return (
    <label class="find">
      <span class="sr-only">{t("label.find")}</span>
      <input
        ref={field}
        type="search"
        class="field"
        data-find-label
        placeholder={t("label.find")}
        value={wanted.value}
        onInput={(event) => {
          wanted.value = event.currentTarget.value;
        }}
        onKeyDown={onKeyDown}
      />
      <KeyCap chord={chord} />
    </label>
  );
}

/** The class that an act `label_3` names; none when there are fewer. */
export function classOfAct(schema: Schema, act: string): string | null {
  const place = /^label_(\d+)$/.exec(act)?.[1];
  return place ? (schema.classes[Number(place) - 1]?.name ?? null) : null;
}
