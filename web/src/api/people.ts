import type { Gold } from "web/api/dashboard";
import { request } from "web/api/request";

export type PersonRole = "admin" | "lead" | "annotator";

/** Where somebody stands with training; absent on servers that have none. */
export interface Qualification {
  readonly state: "training" | "qualified" | "failed" | "paused" | "exempt";
  readonly score: number | null;
  readonly n: number;
}

export interface Person {
  readonly annotator: string;
  readonly name: string;
  readonly role: PersonRole | "machine";
  readonly is_me: boolean;
  readonly is_disabled: boolean;
  readonly votes: number;
  readonly ms_median: number | null;
  readonly reliability: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly gold: Gold | null;
  readonly last_at: string | null;
  readonly seen_at: string | null;
  readonly n_open: number;
  readonly qualification?: Qualification | null;
}

export interface Token {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly expires: string;
  readonly is_revoked: boolean;
}

export type Scope = "read" | "annotate" | "work" | "admin";

export const fetchPeople = async (project: string): Promise<readonly Person[]> =>
  (await request<{ people: readonly Person[] }>("GET", path(project, "people"))).people;

/** A link for one newcomer, shown once. */
export const invite = async (project: string, role: PersonRole): Promise<string> =>
  (await request<{ link: string }>("POST", path(project, "invitations"), { role })).link;

export const putRole = (project: string, annotator: string, role: PersonRole): Promise<void> =>
  request("PUT", path(project, "people", annotator), { role });

export const takeOut = (project: string, annotator: string): Promise<void> =>
  request("DELETE", path(project, "people", annotator));

/** Lets somebody do real work, or sends them to training (again). */
export const decide = (project: string, annotator: string, state: "training" | "qualified"): Promise<void> =>
  request("POST", path(project, "people", annotator, "qualification"), { state });

/** Returns to the queue what somebody holds; how many tasks. */
export const giveBackOf = async (project: string, annotator: string): Promise<number> =>
  (await request<{ n: number }>("POST", path(project, "people", annotator, "give-back"))).n;

export const fetchTokens = async (): Promise<readonly Token[]> =>
  (await request<{ tokens: readonly Token[] }>("GET", "/api/tokens")).tokens;

/** A token's secret, shown once. */
export const makeToken = async (name: string, scopes: readonly Scope[], project: string, days: number): Promise<string> =>
  (await request<{ token: string }>("POST", "/api/tokens", { name, scopes, project, days })).token;

export const endToken = (token: string): Promise<void> => request("DELETE", `/api/tokens/${encodeURIComponent(token)}`);

function path(project: string, ...rest: string[]): string {
  return ["/api/projects", encodeURIComponent(project), ...rest.map(encodeURIComponent)].join("/");
}
