import { Problem, request } from "web/api/request";
import type { Sending } from "web/outbox/outbox";
import type { Done, Handout } from "web/session/session";
import type { Data, Me, Project, ProjectLine, Task, Vote, VoteResult } from "web/tasks";

export const signIn = (name: string, password: string): Promise<void> =>
  request("POST", "/api/sign-in", { name, password });

export const signOut = (): Promise<void> => request("POST", "/api/sign-out");

export const setUp = (token: string, name: string, password: string): Promise<void> =>
  request("POST", "/api/set-up", { token, name, password });

export const acceptInvitation = (token: string, name: string, password: string): Promise<void> =>
  request("POST", "/api/invitations/accept", { token, name, password });

export const fetchMe = (): Promise<Me> => request("GET", "/api/me");

export const putKeys = (keys: Readonly<Record<string, string>>): Promise<void> =>
  request("PUT", "/api/me/keys", { keys });

export const fetchProjects = async (): Promise<readonly ProjectLine[]> =>
  (await request<{ projects: readonly ProjectLine[] }>("GET", "/api/projects")).projects;

export const fetchProject = (project: string): Promise<Project> => request("GET", pathOf(project));

export async function fetchNext<V>(project: string, n: number, have: readonly string[]): Promise<Handout<V>> {
  const handout = await request<Handout<V>>("POST", pathOf(project, "next"), { n, have });
  return { ...handout, tasks: handout.tasks.map(withScores) };
}

/** Rules give no score: what they suggest stands like a certain one, and its score is not shown. */
function withScores<V>(task: Task<V>): Task<V> {
  const suggestions = task.suggestions.map((one) => ((one.score ?? null) === null ? { ...one, score: 1, is_scored: false } : one));
  return { ...task, suggestions };
}

/** An answer of the person's own, as the server keeps it. */
interface KeptAnswer<V> {
  readonly assignment: string;
  readonly item: string;
  readonly kind: string;
  readonly value: V | null;
  readonly data: Data;
}

/** The person's last answers that stand, oldest first, to look back at. */
export async function fetchDone<V>(project: string): Promise<readonly Done<V>[]> {
  const { answers } = await request<{ answers: readonly KeptAnswer<V>[] }>("GET", `${pathOf(project, "done")}?limit=20`);
  const latest = new Map<string, KeptAnswer<V>>();
  for (const answer of answers) {
    const isAnswer = answer.kind === "label" || answer.kind === "skip" || answer.kind === "retract";
    if (isAnswer && !latest.has(answer.assignment)) latest.set(answer.assignment, answer);
  }
  return [...latest.values()].filter((answer) => answer.kind !== "retract").map(doneOf).reverse();
}

function doneOf<V>({ assignment, item, kind, value, data }: KeptAnswer<V>): Done<V> {
  const nothing = { meta: {}, why: "", suggestions: [], blind: false, lease_until: "", draft: null };
  return { task: { assignment, item, data, purpose: "label", ...nothing }, value, kind: kind === "skip" ? "skip" : "label" };
}

/** Keeps leases for longer; the assignments that are still held, where the server names them. */
export async function renew(project: string, assignments: readonly string[]): Promise<readonly string[]> {
  const answer = await request<{ assignments?: readonly string[] } | undefined>("POST", pathOf(project, "renew"), { assignments });
  return answer?.assignments ?? assignments;
}

/** Also while the page goes away: a beacon could not carry the header that the server asks for. */
export const giveBack = (project: string, assignments: readonly string[]): Promise<void> =>
  request("POST", pathOf(project, "give-back"), { assignments }, { keepalive: true });

export const putDraft = (project: string, assignment: string, value: unknown): Promise<void> =>
  request("PUT", pathOf(project, "drafts", assignment), { value });

/** Sends votes for the outbox: never raises, says what it came to. */
export async function sendVotes(project: string, votes: readonly Vote[], keepalive: boolean): Promise<Sending> {
  const results: VoteResult[] = [];
  try {
    for (const [route, some] of byRoute(votes)) {
      const answer = await request<{ results: readonly VoteResult[] }>("POST", pathOf(project, route), { votes: some }, { keepalive });
      results.push(...answer.results);
    }
    return { outcome: "answered", results };
  } catch (error) {
    // What was answered before is sent again with the rest: the server knows its keys.
    return sendingOf(error);
  }
}

/** Votes in their order, in runs of those that go the same way: what has no assignment is a review, or one of many. */
function byRoute(votes: readonly Vote[]): [string, Vote[]][] {
  const runs: [string, Vote[]][] = [];
  for (const vote of votes) {
    const route = vote.assignment ? "votes" : vote.bulk === null ? "reviews" : "grid";
    const last = runs.at(-1);
    if (last?.[0] === route) last[1].push(vote);
    else runs.push([route, [vote]]);
  }
  return runs;
}

function sendingOf(error: unknown): Sending {
  if (!(error instanceof Problem)) return { outcome: "later" };
  if (error.status === 401) return { outcome: "signed_out" };
  const isTransient = error.status >= 500 || error.status === 408 || error.status === 425 || error.status === 429;
  if (!isTransient) return { outcome: "refused", detail: error.message };
  return error.retryAfter === null ? { outcome: "later" } : { outcome: "later", afterMs: error.retryAfter * 1000 };
}

export function pathOf(project: string, ...rest: string[]): string {
  return ["/api/projects", encodeURIComponent(project), ...rest.map(encodeURIComponent)].join("/");
}
