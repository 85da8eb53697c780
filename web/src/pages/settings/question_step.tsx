import { useSignal } from "@preact/signals";
import { t, tOf } from "web/language/language";
import { classesOf } from "web/pages/settings/draft";
import { ChoiceField, TextField } from "web/pages/settings/fields";
import type { StepProps } from "web/pages/settings/page";
import { swatchOf } from "web/regions/swatch";

/** Kinds whose values name no class. */
export const WITHOUT_CLASSES: readonly string[] = ["number", "text"];

/** What is asked of each item, and what may be answered. */
export function QuestionStep({ draft }: StepProps) {
  const { kinds, n_answers, schema_version, guidelines_file } = draft.kept.value;
  const { kind, guidelines } = draft.settings.value;
  const hasAnswers = n_answers > 0;
  return (
    <>
      <ChoiceField
        name={t("settings.kind")}
        value={kind}
        options={kinds.map((one) => [one, tOf(`kind.${one}`)])}
        isDisabled={hasAnswers}
        hint={hasAnswers ? t("settings.kind_fixed", { n: n_answers }) : tOf(`kind.${kind}.why`)}
        onChange={(one) => draft.set("kind", one)}
      />
      {!WITHOUT_CLASSES.includes(kind) && <Classes draft={draft} hint={hasAnswers ? t("settings.classes_fixed", { version: schema_version + 1 }) : t("settings.classes_hint")} />}
      {guidelines_file ? (
        <p class="quiet small">
          {t("settings.guidelines")}: {t("settings.guidelines_in", { file: guidelines_file })}
        </p>
      ) : (
        <TextField name={t("settings.guidelines")} value={guidelines} rows={9} hint={t("settings.guidelines_hint")} onChange={(text) => draft.set("guidelines", text)} />
      )}
    </>
  );
}

/** A list to paste into, and what becomes of it: keys and colours by the place. */
function Classes({ draft, hint }: Pick<StepProps, "draft"> & { hint: string }) {
  const { classes } = draft.settings.value;
  const typed = useSignal(classes.join("\n"));
  // What is typed stays as it is typed, until the classes change otherwise: by "discard", or by the server.
  if (classesOf(typed.value).join("\n") !== classes.join("\n")) typed.value = classes.join("\n");
  return (
    <>
      <TextField
        name={t("settings.classes")}
        value={typed.value}
        rows={Math.min(14, Math.max(4, classes.length + 1))}
        hint={hint}
        onChange={(text) => {
          typed.value = text;
          draft.set("classes", classesOf(text));
        }}
      />
      <ol class="class-marks" aria-label={t("settings.classes_become")}>
        {classes.map((name, i) => (
          <li key={name}>
            <span class={`class-swatch ${swatchOf(i)}`} aria-hidden="true" />
            {i < 10 && <kbd class="key-cap">{(i + 1) % 10}</kbd>}
            <span>{name}</span>
          </li>
        ))}
      </ol>
    </>
  );
}
