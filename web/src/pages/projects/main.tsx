import { fetchMe, fetchProjects } from "web/api/api";
import { Problem } from "web/api/request";
import { formatNumber, greet, t, tOf } from "web/language/language";
import { addressOf, pagesOf } from "web/parts/navigation";
import { draw, Fault, goToSignIn, Page } from "web/parts/page";
import type { Me, ProjectLine } from "web/tasks";

function ProjectsPage({ me, projects }: { me: Me; projects: readonly ProjectLine[] }) {
  return (
    <Page title={t("projects.title")} person={me.name}>
      {projects.length === 0 && (
        <div class="notice">
          <p>{t("projects.none")}</p>
          <p class="quiet">{t("projects.none_why")}</p>
        </div>
      )}
      <ul class="projects">
        {projects.map((line) => (
          <ProjectCard key={line.project} line={line} />
        ))}
      </ul>
    </Page>
  );
}

function ProjectCard({ line }: { line: ProjectLine }) {
  const isLead = line.role === "lead" || line.role === "admin";
  const pages = isLead ? pagesOf(line.kind).filter((page) => page !== "label") : [];
  return (
    <li class="project">
      <div class="project-head">
        <h2>
          <a class="project-name" href={addressOf(line.project, "label")}>
            {line.name}
          </a>
        </h2>
        <p class="quiet small">
          {line.kind.replaceAll("_", " ")} · {tOf(`modality.${line.modality}`)} · {tOf(`role.${line.role}`)}
        </p>
      </div>
      <div class="project-done">
        <progress class="progress" max={Math.max(1, line.n_items)} value={line.n_done} aria-label={line.name} />
        <span class="small">{t("projects.done", { done: formatNumber(line.n_done), total: formatNumber(line.n_items) })}</span>
      </div>
      <nav class="row" aria-label={line.name}>
        <a class="button is-main" href={addressOf(line.project, "label")}>
          {t("projects.label")}
        </a>
        {pages.map((page) => (
          <a key={page} class="button" href={addressOf(line.project, page)}>
            {t(`projects.${page}`)}
          </a>
        ))}
      </nav>
    </li>
  );
}

async function start(): Promise<void> {
  try {
    const [me, projects] = await Promise.all([fetchMe(), fetchProjects()]);
    if (me.language) greet(me.language);
    draw(<ProjectsPage me={me} projects={projects} />);
  } catch (error) {
    if (error instanceof Problem && error.status === 401) goToSignIn();
    else draw(<main class="card-page"><Fault error={error} /></main>);
  }
}

void start();
