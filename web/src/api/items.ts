import { request } from "web/api/request";
import type { Data } from "web/tasks";

export interface ItemLine {
  readonly key: string;
  readonly item: string;
  readonly purpose: string;
  readonly state: "open" | "done";
  readonly n_answers: number;
  readonly overlap: number;
}

export interface ItemPage {
  readonly items: readonly ItemLine[];
  readonly after: string | null;
}

/** One thing that somebody said about an item. */
export interface Remark {
  readonly annotator: string;
  readonly name: string;
  readonly kind: string;
  readonly purpose: string;
  readonly value: unknown;
  readonly note: string | null;
  readonly outcome: string | null;
  readonly at: string;
}

export interface ItemHistory {
  readonly item: string;
  readonly data: Data;
  readonly votes: readonly Remark[];
}

/** What an item list can be asked for; the names of the address and of the API. */
export const FILTERS = ["state", "annotator", "said", "confused", "source", "outcome", "purpose"] as const;

export type Wanted = Readonly<Partial<Record<(typeof FILTERS)[number], string>>>;

export function fetchItems(project: string, wanted: Wanted, after: string): Promise<ItemPage> {
  const query = new URLSearchParams({ ...wanted, after, limit: "50" });
  return request("GET", `/api/projects/${encodeURIComponent(project)}/items?${query.toString()}`);
}

export const fetchItem = (project: string, item: string): Promise<ItemHistory> =>
  request("GET", `/api/projects/${encodeURIComponent(project)}/items/${encodeURIComponent(item)}`);
