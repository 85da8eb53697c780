import { t } from "web/language/language";
import type { Office } from "web/pages/office";
import { Markdown } from "web/parts/markdown";

/** What people are told, beside the work and not over it: one reads and goes on labelling. */
export function Guideline({ desk }: { desk: Office }) {
  const { guidelines } = desk.project.schema;
  return (
    <aside class="guideline" aria-label={t("act.guideline")} tabIndex={0}>
      <header class="modal-head">
        <h2>{t("act.guideline")}</h2>
        <button type="button" class="icon-button" aria-label={t("act.close")} onClick={() => (desk.isGuidelineOpen.value = false)}>
          <span aria-hidden="true">×</span>
        </button>
      </header>
      {guidelines.trim() ? <Markdown text={guidelines} /> : <p class="quiet">{t("guideline.none")}</p>}
    </aside>
  );
}
