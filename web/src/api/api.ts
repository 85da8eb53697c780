import { Problem, request } from "web/api/request";
import type { Sending } from "web/outbox/outbox";
import type { Handout } from "web/session/session";
import type { Me, Project, ProjectLine, Vote, VoteResult } from "web/tasks";

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

export const fetchNext = <V>(project: string, n: number, have: readonly string[]): Promise<Handout<V>> =>
  request("POST", pathOf(project, "next"), { n, have });

export const renew = (project: string, assignments: readonly string[]): Promise<void> =>
  request("POST", pathOf(project, "renew"), { assignments });

/** Also while the page goes away: a beacon could not carry the header that the server asks for. */
export const giveBack = (project: string, assignments: readonly string[]): Promise<void> =>
  request("POST", pathOf(project, "give-back"), { assignments }, { keepalive: true });

export const putDraft = (project: string, assignment: string, value: unknown): Promise<void> =>
  request("PUT", pathOf(project, "drafts", assignment), { value });

/** Sends votes for the outbox: never raises, says what it came to. */
export async function sendVotes(project: string, votes: readonly Vote[], keepalive: boolean): Promise<Sending> {
  try {
    const answer = await request<{ results: readonly VoteResult[] }>(
      "POST",
      pathOf(project, "votes"),
      { votes },
      { keepalive },
    );
    return { outcome: "answered", results: answer.results };
  } catch (error) {
    return sendingOf(error);
  }
}

function sendingOf(error: unknown): Sending {
  if (!(error instanceof Problem)) return { outcome: "later" };
  if (error.status === 401) return { outcome: "signed_out" };
  const isTransient = error.status >= 500 || error.status === 408 || error.status === 425 || error.status === 429;
  if (!isTransient) return { outcome: "refused", detail: error.message };
  return error.retryAfter === null ? { outcome: "later" } : { outcome: "later", afterMs: error.retryAfter * 1000 };
}

function pathOf(project: string, ...rest: string[]): string {
  return ["/api/projects", encodeURIComponent(project), ...rest.map(encodeURIComponent)].join("/");
}
