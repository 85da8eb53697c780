import { t } from "web/language/language";

/** Fields that came with the item, folded away: they help now and then and never stand in the way. */
export function MoreAboutItem({ meta }: { meta: Readonly<Record<string, unknown>> }) {
  const entries = Object.entries(meta);
  if (entries.length === 0) return null;
  return (
    <details class="more">
      <summary>{t("label.context")}</summary>
      <dl>
        {entries.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{typeof value === "string" ? value : JSON.stringify(value)}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
