import { FILTERS, type Wanted } from "web/api/items";
import type { Person } from "web/api/people";
import { t, tOf } from "web/language/language";
import { itemsAddress } from "web/parts/project_start";
import type { Project } from "web/tasks";

interface FiltersProps {
  readonly project: Project;
  readonly people: readonly Person[];
  readonly wanted: Wanted;
}

type Options = readonly (readonly [value: string, words: string])[];

/** What the list is limited to: each can be taken off, and others chosen. */
export function Filters({ project, people, wanted }: FiltersProps) {
  const names = new Map(people.map(({ annotator, name }) => [annotator, name]));
  const classes: Options = project.schema.classes.map(({ name }) => [name, name]);
  const choose = (name: string, value: string) => {
    const { [name as keyof Wanted]: _, ...others } = wanted;
    location.assign(itemsAddress(project.project, value ? { ...others, [name]: value } : others));
  };
  const choices: readonly (readonly [keyof Wanted, Options])[] = [
    ["state", [["open", t("items.open")], ["done", t("items.done")]]],
    ["annotator", people.map(({ annotator, name }) => [annotator, name])],
    ["said", classes],
    ["outcome", (["accepted", "edited", "rejected", "blind"] as const).map((one) => [one, t(`items.outcome.${one}`)])],
  ];
  return (
    <div class="filters">
      <div class="filter-choices">
        {choices.map(([name, options]) =>
          options.length === 0 ? null : (
            <label key={name} class="stacked">
              <span>{t(`items.filter.${name}`)}</span>
              <select class="field" value={wanted[name] ?? ""} onChange={(event) => choose(name, event.currentTarget.value)}>
                <option value="">{t("items.any")}</option>
                {options.map(([value, words]) => (
                  <option key={value} value={value}>
                    {words}
                  </option>
                ))}
              </select>
            </label>
          ),
        )}
      </div>
      <Chosen project={project} wanted={wanted} names={names} />
    </div>
  );
}

/** Words for what the list is limited to; a cross takes one off. */
function Chosen({ project, wanted, names }: { project: Project; wanted: Wanted; names: ReadonlyMap<string, string> }) {
  const chosen = FILTERS.filter((name) => wanted[name]);
  if (chosen.length === 0) return null;
  return (
    <ul class="row">
      {chosen.map((name) => {
        const { [name]: value = "", ...others } = wanted;
        const words = `${t(`items.filter.${name}`)}: ${wordsOf(name, value, names)}`;
        return (
          <li key={name}>
            <a class="chip is-filter" href={itemsAddress(project.project, others)} aria-label={t("items.take_off", { words })}>
              {words} <span aria-hidden="true">×</span>
            </a>
          </li>
        );
      })}
    </ul>
  );
}

function wordsOf(name: keyof Wanted, value: string, names: ReadonlyMap<string, string>): string {
  if (name === "annotator") return names.get(value) ?? value;
  if (name === "state") return t(value === "open" ? "items.open" : "items.done");
  if (name === "outcome" || name === "purpose") return tOf(`items.${name}.${value}`);
  return value;
}
