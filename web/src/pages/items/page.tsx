import { useSignal } from "@preact/signals";
import { fetchItems, type ItemLine, type ItemPage, type Wanted } from "web/api/items";
import type { Person } from "web/api/people";
import { t, tOf } from "web/language/language";
import { ItemDetails } from "web/pages/items/details";
import { Filters } from "web/pages/items/filters";
import { ProjectPage } from "web/parts/navigation";
import { wordsOfError } from "web/parts/page";
import { reviewAddress } from "web/parts/project_start";
import type { Me, Project } from "web/tasks";
import type { Widget } from "web/widget";

interface ItemsPageProps {
  readonly me: Me;
  readonly project: Project;
  readonly people: readonly Person[];
  readonly wanted: Wanted;
  readonly first: ItemPage;
  readonly widget: Widget<unknown, unknown> | null;
}

/** The items behind a mark of the dashboard, page by page, each with all that was said about it. */
export function ItemsPage({ me, project, people, wanted, first, widget }: ItemsPageProps) {
  const lines = useSignal(first.items);
  const after = useSignal(first.after);
  const fault = useSignal("");
  const more = async () => {
    try {
      const page = await fetchItems(project.project, wanted, after.value ?? "");
      lines.value = [...lines.value, ...page.items];
      after.value = page.after;
      fault.value = "";
    } catch (error) {
      fault.value = wordsOfError(error);
    }
  };
  return (
    <ProjectPage me={me} project={project} here="dashboard" title={t("items.title")}>
      <Filters project={project} people={people} wanted={wanted} />
      {lines.value.length === 0 ? (
        <p class="chart-empty quiet">{t("items.none")}</p>
      ) : (
        <ul class="items">
          {lines.value.map((line) => (
            <li key={line.key}>
              <Line project={project} line={line} widget={widget} />
            </li>
          ))}
        </ul>
      )}
      <p class="fault" role="alert">
        {fault.value}
      </p>
      <p class="row is-spread">
        <span class="quiet small" role="status">
          {t(after.value === null ? "items.all" : "items.so_far", { n: lines.value.length })}
        </span>
        {after.value !== null && (
          <button type="button" class="button" onClick={() => void more()}>
            {t("items.more")}
          </button>
        )}
      </p>
    </ProjectPage>
  );
}

function Line({ project, line, widget }: { project: Project; line: ItemLine; widget: Widget<unknown, unknown> | null }) {
  const isOpen = useSignal(false);
  const review = reviewAddress(project.project, line.item);
  return (
    <details class="item-line" onToggle={(event) => (isOpen.value = event.currentTarget.open)}>
      <summary>
        <span class="item-id">{line.item}</span>
        {line.purpose !== "label" && <span class="chip">{tOf(`items.purpose.${line.purpose}`)}</span>}
        <span class="quiet small">{wordsOfAnswers(line)}</span>
      </summary>
      {isOpen.value && (
        <>
          <ItemDetails project={project} item={line.item} widget={widget} />
          {review && (
            <p>
              <a href={review}>{t("items.review")}</a>
            </p>
          )}
        </>
      )}
    </details>
  );
}

/** Gold items may be answered by everybody: no number says that. */
function wordsOfAnswers({ n_answers, overlap }: ItemLine): string {
  return overlap >= 1000 ? t("items.n_answers", { n: n_answers }) : t("items.answers", { n: n_answers, of: overlap });
}
