import { fetchSetUp } from "web/api/settings";
import { SettingsPage } from "web/pages/settings/page";
import { startProjectPage } from "web/parts/project_start";

void startProjectPage(async (me, project) => (
  <SettingsPage me={me} project={project} setUp={await fetchSetUp(project.project)} />
));
