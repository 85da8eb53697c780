import { request } from "web/api/request";
import type { Schema, Task } from "web/tasks";

/** What can be changed in the browser; null where the project does not have it. */
export interface ProjectSettings {
  readonly name: string;
  readonly kind: string;
  readonly classes: readonly string[];
  readonly guidelines: string;
  readonly overlap: number;
  readonly gold_share: number;
  readonly blind_share: number;
  readonly threshold: number;
  readonly lease_minutes: number;
  readonly late: "extra" | "refuse";
  readonly strategy: string | null;
  readonly error: number | null;
  readonly confidence: number | null;
}

export interface SetUp {
  /** Of what was read: a change names it, and is refused when something else came between. */
  readonly version: string;
  readonly kept_in: "file" | "database" | "elsewhere";
  readonly place: string;
  readonly can_change: boolean;
  readonly settings: ProjectSettings;
  readonly schema_version: number;
  /** The file with the guidelines, if they lie in one of their own. */
  readonly guidelines_file: string;
  readonly modality: Schema["modality"];
  /** Names of settings that the file says otherwise than they are in use. */
  readonly differs: readonly string[];
  readonly n_answers: number;
  readonly data: {
    readonly n_items: number | null;
    readonly sources: readonly string[];
    readonly n_queued: number;
    readonly n_done: number;
    readonly columns: readonly { readonly name: string; readonly example: string }[];
  };
  readonly machines: readonly { readonly name: string; readonly kind: "rule" | "model"; readonly evaluation: string }[];
  readonly people: Readonly<Record<string, number>>;
  readonly code: string | null;
  readonly kinds: readonly string[];
  readonly strategies: readonly string[];
  /** The first item, to try the question on. */
  readonly sample: Task | null;
  /** Commands that bring rules and models up to what was changed. */
  readonly to_be_run: readonly string[];
}

export const fetchSetUp = (project: string): Promise<SetUp> => request("GET", path(project));

/** @throws Problem 409 when somebody changed the settings meanwhile, or answers stand in the way. */
export const putSettings = (project: string, version: string, settings: Partial<ProjectSettings>): Promise<SetUp> =>
  request("PUT", path(project), { version, settings });

function path(project: string): string {
  return `/api/projects/${encodeURIComponent(project)}/settings`;
}
