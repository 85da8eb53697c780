import { t } from "web/language/language";
import { ChoiceField, NumberField, ShareField } from "web/pages/settings/fields";
import type { StepProps } from "web/pages/settings/page";
import { Words } from "web/parts/words";

/** How many look at each item, how people are checked, and when it is enough. */
export function QualityStep({ draft }: StepProps) {
  const { settings } = draft;
  const now = settings.value;
  return (
    <>
      <NumberField name={t("settings.overlap")} hint={t("settings.overlap_hint")} unit={t("settings.overlap_unit")} value={now.overlap} min={1} max={1000} onChange={(n) => draft.set("overlap", Math.round(n))} />
      <ShareField name={t("settings.gold_share")} hint={t("settings.gold_share_hint")} value={now.gold_share} onChange={(share) => draft.set("gold_share", share)} />
      <ShareField name={t("settings.blind_share")} hint={t("settings.blind_share_hint")} value={now.blind_share} onChange={(share) => draft.set("blind_share", share)} />
      <ShareField name={t("settings.threshold")} hint={t("settings.threshold_hint")} value={now.threshold} onChange={(share) => draft.set("threshold", share)} />
      <NumberField name={t("settings.lease")} hint={t("settings.lease_hint")} unit={t("settings.lease_unit")} value={now.lease_minutes} min={1} max={10_080} step="any" onChange={(n) => draft.set("lease_minutes", n)} />
      <ChoiceField
        name={t("settings.late")}
        hint={t("settings.late_hint")}
        value={now.late}
        options={[
          ["extra", t("settings.late.extra")],
          ["refuse", t("settings.late.refuse")],
        ]}
        onChange={(late) => draft.set("late", late as "extra" | "refuse")}
      />
      {now.error !== null && now.confidence !== null && (
        <fieldset class="stop-rule">
          <legend>{t("settings.stop")}</legend>
          <p class="quiet small"><Words text={t("settings.stop_why")} /></p>
          <ShareField name={t("settings.error")} value={now.error} min={0.01} max={99} onChange={(share) => draft.set("error", share)} />
          <ShareField name={t("settings.confidence")} value={now.confidence} min={1} max={99.99} onChange={(share) => draft.set("confidence", share)} />
        </fieldset>
      )}
    </>
  );
}
