import { fetchDashboard } from "web/api/dashboard";
import { DashboardPage } from "web/pages/dashboard/page";
import { startProjectPage } from "web/parts/project_start";

void startProjectPage(async (me, project) => (
  <DashboardPage me={me} project={project} figures={await fetchDashboard(project.project)} />
));
