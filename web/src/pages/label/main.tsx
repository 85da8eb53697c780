import { fetchMe, fetchProject } from "web/api/api";
import { Problem } from "web/api/request";
import { greet } from "web/language/language";
import { Desk } from "web/pages/label/desk";
import { LabelScreen } from "web/pages/label/screen";
import { widgetOf } from "web/pages/widget_of";
import { projectOfAddress } from "web/parts/navigation";
import { draw, Fault, goToSignIn } from "web/parts/page";

async function start(): Promise<void> {
  try {
    const [me, project] = await Promise.all([fetchMe(), fetchProject(projectOfAddress())]);
    if (me.language) greet(me.language);
    const desk = await Desk.open(me, project, await widgetOf(project));
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
