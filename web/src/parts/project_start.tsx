import type { VNode } from "preact";
import { fetchMe, fetchProject } from "web/api/api";
import { Problem } from "web/api/request";
import { greet } from "web/language/language";
import { addressOf, projectOfAddress } from "web/parts/navigation";
import { draw, Fault, goToSignIn } from "web/parts/page";
import type { Me, Project } from "web/tasks";

/** Opens a lead's page of the project in the address: asks who is there, then draws, or says what is in the way. */
export async function startProjectPage(open: (me: Me, project: Project) => Promise<VNode>): Promise<void> {
  try {
    const [me, project] = await Promise.all([fetchMe(), fetchProject(projectOfAddress())]);
    if (me.language) greet(me.language);
    draw(await open(me, project));
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return goToSignIn();
    draw(
      <main class="card-page">
        <Fault error={error} />
      </main>,
    );
  }
}

/** The review of an item, or of all on which voices differ; none where this build has no such page. */
export function reviewAddress(project: string, item?: string): string | undefined {
  if (!PAGES.includes("review")) return undefined;
  const address = addressOf(project, "review");
  return item === undefined ? address : `${address}?item=${encodeURIComponent(item)}`;
}

/** An item list of the project, filtered: what a mark on the dashboard leads to. */
export function itemsAddress(project: string, wanted: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams(wanted).toString();
  return `/p/${encodeURIComponent(project)}/items${query ? `?${query}` : ""}`;
}
