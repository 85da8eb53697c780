import type { ComponentChildren } from "preact";
import { t } from "web/language/language";
import { LanguageChoice, leave } from "web/parts/page";
import type { Me, Project } from "web/tasks";

/** Pages of a project in the order of the navigation; all but the first are for leads. */
export const PROJECT_PAGES = ["label", "review", "grid", "dashboard", "people", "settings"] as const;

export type ProjectPageName = (typeof PROJECT_PAGES)[number];

/** Kinds whose answer is one class, which many items can be given by one act. */
const OF_ONE_CLASS: readonly string[] = ["choice", "rating"];

/** The pages that this build has and that are of use to a project of this kind. */
export function pagesOf(kind: string): readonly ProjectPageName[] {
  return PROJECT_PAGES.filter((page) => PAGES.includes(page) && (page !== "grid" || OF_ONE_CLASS.includes(kind)));
}

/** Where a page of a project is. */
export function addressOf(project: string, page: ProjectPageName): string {
  return `/p/${encodeURIComponent(project)}/${page}`;
}

/** The project that the address of this page names: `/p/{project}/{page}`. */
export function projectOfAddress(): string {
  return decodeURIComponent(location.pathname.split("/")[2] ?? "");
}

export function isLeadOf(me: Me, project: string): boolean {
  const role = me.role_by_project[project];
  return role === "lead" || role === "admin";
}

interface NavigationProps {
  readonly project: Pick<Project, "project" | "name" | "schema">;
  readonly here: ProjectPageName;
}

/** A project's pages, with the one that is open marked. */
export function Navigation({ project, here }: NavigationProps) {
  return (
    <nav class="navigation" aria-label={t("navigation.pages", { name: project.name })}>
      {pagesOf(project.schema.kind).map((page) => (
        <a key={page} href={addressOf(project.project, page)} aria-current={page === here ? "page" : undefined}>
          {t(`projects.${page}`)}
        </a>
      ))}
    </nav>
  );
}

interface ProjectHeadProps extends NavigationProps {
  readonly me: Me;
  /** What this page says of itself at the head's end: whether everything is saved, a period. */
  readonly children?: ComponentChildren;
}

/** The head of a lead's page: the project and its pages, and who is signed in. */
export function ProjectHead({ me, project, here, children }: ProjectHeadProps) {
  return (
    <header class="project-bar">
      <a class="top-home" href="/" aria-label={t("projects.title")}>
        <span class="wordmark-sign" aria-hidden="true" />
      </a>
      <span class="top-name">{project.name}</span>
      <Navigation project={project} here={here} />
      <div class="project-bar-end">
        {children}
        <LanguageChoice />
        <span class="person">{me.name}</span>
        <button type="button" class="link" onClick={() => void leave()}>
          {t("sign_out")}
        </button>
      </div>
    </header>
  );
}

interface ProjectPageProps extends ProjectHeadProps {
  readonly title: string;
  /** What stands in the head; `children` is the page. */
  readonly status?: ComponentChildren;
  /** For pages that use the whole width: tables, plots, grids. */
  readonly isWide?: boolean;
}

/** A page of a project that scrolls as a whole. */
export function ProjectPage({ me, project, here, title, status, isWide = false, children }: ProjectPageProps) {
  document.title = `${title} · ${project.name}`;
  return (
    <>
      <ProjectHead me={me} project={project} here={here}>
        {status}
      </ProjectHead>
      <main class={`page ${isWide ? "is-wide" : ""}`}>
        <h1>{title}</h1>
        {children}
      </main>
    </>
  );
}
