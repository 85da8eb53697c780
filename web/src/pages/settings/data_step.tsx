import { formatNumber, t, tOf } from "web/language/language";
import { TextField } from "web/pages/settings/fields";
import type { StepProps } from "web/pages/settings/page";

/** What there is to label. */
export function DataStep({ draft }: StepProps) {
  const { data, modality } = draft.kept.value;
  return (
    <>
      <TextField name={t("settings.name")} value={draft.settings.value.name} onChange={(name) => draft.set("name", name)} />
      <dl class="facts">
        <Fact name={t("settings.modality")} value={tOf(`modality.${modality}`)} />
        {data.n_items !== null && <Fact name={t("settings.imported")} value={formatNumber(data.n_items)} />}
        <Fact name={t("settings.queued")} value={formatNumber(data.n_queued)} />
        <Fact name={t("settings.done")} value={formatNumber(data.n_done)} />
        {data.sources.length > 0 && <Fact name={t("settings.sources")} value={data.sources.join(", ")} />}
      </dl>
      <Columns draft={draft} />
      <p class="quiet small">
        {t(data.n_items === 0 ? "settings.import_first" : "settings.import_more")} <code>labelmill import FILE</code>
      </p>
    </>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** What came with the items: people see it under "more about this item". */
function Columns({ draft }: Pick<StepProps, "draft">) {
  const { columns } = draft.kept.value.data;
  if (columns.length === 0) return null;
  return (
    <div class="table-frame" role="group" aria-label={t("settings.columns")} tabIndex={0}>
      <table class="values columns">
        <caption>{t("settings.columns")}</caption>
        <thead>
          <tr>
            <th scope="col">{t("settings.column")}</th>
            <th scope="col">{t("settings.example")}</th>
          </tr>
        </thead>
        <tbody>
          {columns.map(({ name, example }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td dir="auto">{example}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
