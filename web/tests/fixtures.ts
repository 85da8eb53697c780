import type { Task, Vote } from "web/tasks";

/** A task about a text. */
export function makeTask(number: number, changes: Partial<Task<string>> = {}): Task<string> {
  return {
    assignment: `a${number}`,
    item: `i${number}`,
    purpose: "label",
    data: { text: `message ${number}` },
    meta: {},
    why: "",
    suggestions: [],
    blind: false,
    lease_until: "2030-01-01T00:00:00Z",
    draft: null,
    ...changes,
  };
}

/** A vote with this key. */
export function makeVote(key: string, changes: Partial<Vote> = {}): Vote {
  return {
    key,
    assignment: `a-${key}`,
    item: `i-${key}`,
    kind: "label",
    value: "spam",
    base: null,
    verdict: "blind",
    reason: "",
    ms_active: 1,
    ms_total: 1,
    at: "2026-01-01T00:00:00Z",
    ui: "test",
    bulk: null,
    ...changes,
  };
}

/** Lets everything that waits for promises go on. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
}
