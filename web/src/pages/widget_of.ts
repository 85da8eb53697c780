import { WIDGETS } from "virtual:widgets";
import { Problem } from "web/api/request";
import { t } from "web/language/language";
import type { Project } from "web/tasks";
import type { Widget } from "web/widget";

/** The browser half of a project's kind of label. */
export async function widgetOf({ schema }: Project): Promise<Widget<unknown, unknown>> {
  const load = WIDGETS[schema.kind];
  if (!load) throw new Problem(501, t("label.no_widget", { kind: schema.kind }), "", null, null);
  return (await load()).default as unknown as Widget<unknown, unknown>;
}
