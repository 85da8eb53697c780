import { t } from "web/language/language";
import type { Office } from "web/pages/office";
import { Markdown } from "web/parts/markdown";
import { Examples } from "web/training/examples";
import type { Widget } from "web/widget";

/** What people are told, beside the work and not over it; examples where the page has what draws their answers. */
export function Guideline({ desk }: { desk: Office & { readonly widget?: unknown } }) {
  const { guidelines } = desk.project.schema;
  const examples = desk.widget ? (desk.project.examples ?? []) : [];
  return (
    <aside class="guideline" aria-label={t("act.guideline")} tabIndex={0}>
      <header class="modal-head">
        <h2>{t("act.guideline")}</h2>
        <button type="button" class="icon-button" aria-label={t("act.close")} onClick={() => (desk.isGuidelineOpen.value = false)}>
          <span aria-hidden="true">×</span>
        </button>
      </header>
      {guidelines.trim() && <Markdown text={guidelines} />}
      {examples.length > 0 && <Examples widget={desk.widget as Widget<unknown, unknown>} schema={desk.project.schema} examples={examples} />}
      {!guidelines.trim() && examples.length === 0 && <p class="quiet">{t("guideline.none")}</p>}
    </aside>
  );
}
