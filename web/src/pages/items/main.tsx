import { WIDGETS } from "virtual:widgets";
import { FILTERS, fetchItems, type Wanted } from "web/api/items";
import { fetchPeople } from "web/api/people";
import { ItemsPage } from "web/pages/items/page";
import { startProjectPage } from "web/parts/project_start";
import type { Widget } from "web/widget";

/** What the address asks for; anything else in it means nothing here. */
function wantedOfAddress(): Wanted {
  const query = new URLSearchParams(location.search);
  return Object.fromEntries(FILTERS.flatMap((name) => (query.get(name) ? [[name, query.get(name) ?? ""]] : [])));
}

void startProjectPage(async (me, project) => {
  const wanted = wantedOfAddress();
  const [page, people, loaded] = await Promise.all([
    fetchItems(project.project, wanted, ""),
    fetchPeople(project.project),
    WIDGETS[project.schema.kind]?.(),
  ]);
  const widget = (loaded?.default ?? null) as unknown as Widget<unknown, unknown> | null;
  return <ItemsPage me={me} project={project} people={people} wanted={wanted} first={page} widget={widget} />;
});
