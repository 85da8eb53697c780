import type { VNode } from "preact";
import { fetchMe, fetchProject } from "web/api/api";
import { Problem } from "web/api/request";
import { greet, t } from "web/language/language";
import { widgetOf } from "web/pages/widget_of";
import { isLeadOf, projectOfAddress, ProjectPage, type ProjectPageName } from "web/parts/navigation";
import { draw, Fault, goToSignIn } from "web/parts/page";
import type { Me, Project } from "web/tasks";
import type { Widget } from "web/widget";

type Open = (me: Me, project: Project, widget: Widget<unknown, unknown>) => Promise<VNode>;

/** Starts a page of leads that draws items: who is there, which project, the widget of its kind, then the page. */
export async function openForLead(here: ProjectPageName, open: Open): Promise<void> {
  try {
    const [me, project] = await Promise.all([fetchMe(), fetchProject(projectOfAddress())]);
    if (me.language) greet(me.language);
    if (!isLeadOf(me, project.project) && !me.is_admin) return draw(<NotForYou me={me} project={project} here={here} />);
    draw(await open(me, project, await widgetOf(project)));
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return goToSignIn();
    draw(
      <main class="card-page">
        <Fault error={error} />
      </main>,
    );
  }
}

function NotForYou({ me, project, here }: { me: Me; project: Project; here: ProjectPageName }) {
  return (
    <ProjectPage me={me} project={project} here={here} title={t(`projects.${here}`)}>
      <p class="notice">{t("navigation.for_leads")}</p>
    </ProjectPage>
  );
}
