import { WIDGETS } from "virtual:widgets";
import { fetchMe, fetchProject } from "web/api/api";
import { Problem } from "web/api/request";
import { greet, t } from "web/language/language";
import { Desk } from "web/pages/label/desk";
import { LabelScreen } from "web/pages/label/screen";
import { draw, Fault, goToSignIn } from "web/parts/page";
import type { Widget } from "web/widget";

/** `/p/{project}/label` */
function projectOfAddress(): string {
  return decodeURIComponent(location.pathname.split("/")[2] ?? "");
}

async function start(): Promise<void> {
  try {
    const [me, project] = await Promise.all([fetchMe(), fetchProject(projectOfAddress())]);
    if (me.language) greet(me.language);
    const load = WIDGETS[project.schema.kind];
    if (!load) throw new Problem(501, t("label.no_widget", { kind: project.schema.kind }), "", null, null);
    const widget = (await load()).default as unknown as Widget<unknown, unknown>;
    const desk = await Desk.open(me, project, widget);
    draw(<LabelScreen desk={desk} />);
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return goToSignIn();
    draw(
      <main class="card-page">
        <Fault error={error} />
      </main>,
    );
  }
}

void start();
