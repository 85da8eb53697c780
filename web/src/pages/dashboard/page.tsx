import type { Dashboard } from "web/api/dashboard";
import { t } from "web/language/language";
import { Acceptance } from "web/pages/dashboard/acceptance";
import { Balance } from "web/pages/dashboard/balance";
import { Differences } from "web/pages/dashboard/differences";
import { GoldResults, Reliability, Speed } from "web/pages/dashboard/people";
import { Progress } from "web/pages/dashboard/progress";
import { Rules } from "web/pages/dashboard/rules";
import { Suggestions } from "web/pages/dashboard/suggestions";
import { Tiles } from "web/pages/dashboard/tiles";
import { addressOf, ProjectPage } from "web/parts/navigation";
import type { Me, Project } from "web/tasks";

/** What every part of the page is given. */
export interface PartProps {
  readonly project: Project;
  readonly figures: Dashboard;
}

/** How the work goes: each mark leads to the items behind it. */
export function DashboardPage({ me, project, figures }: PartProps & { readonly me: Me }) {
  const parts = { project, figures };
  return (
    <ProjectPage me={me} project={project} here="dashboard" title={t("projects.dashboard")} isWide>
      {figures.answers.held === 0 && <NothingYet project={project} />}
      <Tiles {...parts} />
      <div class="charts">
        <Progress {...parts} />
        <Reliability {...parts} />
        <Differences {...parts} />
        <Rules {...parts} />
        <Acceptance {...parts} />
        <Suggestions {...parts} />
        <Speed {...parts} />
        <GoldResults {...parts} />
        <Balance {...parts} />
      </div>
    </ProjectPage>
  );
}

function NothingYet({ project }: { project: Project }) {
  return (
    <div class="notice dashboard-empty">
      <h2>{t("dashboard.nothing")}</h2>
      <p class="quiet">{t("dashboard.nothing_why")}</p>
      <div class="row">
        <a class="button is-main" href={addressOf(project.project, "label")}>
          {t("projects.label")}
        </a>
        <a class="button" href={addressOf(project.project, "people")}>
          {t("people.invite")}
        </a>
      </div>
    </div>
  );
}
