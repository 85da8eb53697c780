import type { Vote } from "web/tasks";

/** A vote that was not acknowledged yet, with whose and where it is. */
export interface Waiting {
  /** Grows with each vote: the order of sending. Given by the store. */
  readonly order: number;
  readonly person: string;
  readonly project: string;
  readonly vote: Vote;
  /** The server's word, once it refused the vote; it is not sent again by itself. */
  readonly problem: string | null;
}

export interface Draft {
  readonly person: string;
  readonly project: string;
  readonly item: string;
  readonly value: unknown;
  readonly ms_active: number;
  readonly ms_total: number;
}

/** Where votes and drafts survive a closed tab. `memoryShelf` is the same without the surviving. */
export interface Shelf {
  /** All votes of a person, in order. */
  votesOf(person: string): Promise<Waiting[]>;
  addVote(entry: Omit<Waiting, "order">): Promise<Waiting>;
  markVote(entry: Waiting): Promise<void>;
  removeVotes(entries: readonly Waiting[]): Promise<void>;
  draftOf(person: string, project: string, item: string): Promise<Draft | null>;
  putDraft(draft: Draft): Promise<void>;
  removeDraft(person: string, project: string, item: string): Promise<void>;
}

/** A shelf in memory: for tests, and for browsers that refuse IndexedDB. */
export function memoryShelf(): Shelf {
  const votes = new Map<number, Waiting>();
  const drafts = new Map<string, Draft>();
  let order = 0;
  return {
    async votesOf(person) {
      return [...votes.values()].filter((entry) => entry.person === person).sort((a, b) => a.order - b.order);
    },
    async addVote(entry) {
      const waiting = { ...entry, order: (order += 1) };
      votes.set(waiting.order, waiting);
      return waiting;
    },
    async markVote(entry) {
      votes.set(entry.order, entry);
    },
    async removeVotes(entries) {
      for (const entry of entries) votes.delete(entry.order);
    },
    async draftOf(person, project, item) {
      return drafts.get(draftKey(person, project, item).join("\n")) ?? null;
    },
    async putDraft(draft) {
      drafts.set(draftKey(draft.person, draft.project, draft.item).join("\n"), draft);
    },
    async removeDraft(person, project, item) {
      drafts.delete(draftKey(person, project, item).join("\n"));
    },
  };
}

export function draftKey(person: string, project: string, item: string): [string, string, string] {
  return [person, project, item];
}
