import { formatNumber, t, tOf } from "web/language/language";
import { ChoiceField } from "web/pages/settings/fields";
import type { StepProps } from "web/pages/settings/page";
import { KindMark } from "web/parts/charts/kind_mark";
import { addressOf } from "web/parts/navigation";
import { Words } from "web/parts/words";

/** Who votes. */
export function AnnotatorsStep({ draft, project }: StepProps) {
  const { machines, people, code, strategies } = draft.kept.value;
  const { strategy } = draft.settings.value;
  const roles = Object.entries(people);
  return (
    <>
      <h3>{t("settings.people")}</h3>
      <ul class="voters">
        {roles.map(([role, n]) => (
          <li key={role}>
            <Sign kind="person" />
            {tOf(`role.${role}`)} <span class="quiet">{formatNumber(n)}</span>
          </li>
        ))}
      </ul>
      <p>
        <a class="button" href={addressOf(project, "people")}>
          {t("people.invite")}
        </a>
      </p>
      <h3>{t("settings.machines")}</h3>
      {machines.length === 0 && <p class="quiet">{t("settings.no_machines")}</p>}
      <ul class="voters">
        {machines.map((one) => (
          <li key={one.name}>
            <Sign kind={one.kind} />
            {one.name} <span class="quiet small">{tOf(`suggestion.by.${one.kind}`)}</span>
          </li>
        ))}
      </ul>
      <p class="quiet small"><Words text={code ? t("settings.code", { file: code }) : t("settings.no_code")} /></p>
      {strategy !== null && (
        <ChoiceField
          name={t("settings.strategy")}
          value={strategy}
          options={strategies.map((one) => [one, one.replaceAll("_", " ")])}
          hint={t("settings.strategy_hint")}
          onChange={(one) => draft.set("strategy", one)}
        />
      )}
    </>
  );
}

function Sign({ kind }: { kind: "person" | "rule" | "model" }) {
  return (
    <svg width="18" height="18" viewBox="-9 -9 18 18" role="img" aria-label={t(`suggestion.by.${kind}`)}>
      <KindMark kind={kind} />
    </svg>
  );
}
