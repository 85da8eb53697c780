/** What the server and the browser app say to each other about work, as in the API's JSON. */

/** An item's data: a text, or a picture or a recording by its address. Sizes are of the original; seconds. */
export type Data =
  | { readonly text: string }
  | { readonly image: string; readonly width: number; readonly height: number }
  | { readonly audio: string; readonly duration: number; readonly peaks?: string; readonly spectrogram?: string };

/** What people are asked to do with an item. */
export type Purpose = "label" | "review" | "gold" | "audit" | "training";

/** Somebody's opinion, shown before the person has given his. */
export interface Suggestion<V = unknown> {
  readonly id: string;
  readonly source: string;
  readonly kind: "rule" | "model" | "person" | "consensus";
  /** Between 0 and 1; 1 where the source gives none. */
  readonly score: number;
  /** False where the source gave no score: none is shown then. */
  readonly is_scored?: boolean;
  readonly value: V;
  /** Put together from what several say: its regions are called by the sources that have them, not by its own. */
  readonly isMerged?: boolean;
}

/** One item handed to one person. */
export interface Task<V = unknown> {
  readonly assignment: string;
  readonly item: string;
  readonly purpose: Purpose;
  readonly data: Data;
  readonly meta: Readonly<Record<string, unknown>>;
  readonly why: string;
  readonly suggestions: readonly Suggestion<V>[];
  /** Suggestions exist or not: they are not to be seen. */
  readonly blind: boolean;
  readonly lease_until: string;
  readonly draft: V | null;
}

/** A class of the schema, with the key that names it where somebody chose one. */
export interface ClassOfSchema {
  readonly name: string;
  readonly key?: string | null;
}

/** What a shape or region tells besides its class. */
export interface AttributeOfSchema {
  readonly name: string;
  readonly kind: "choice" | "number" | "text" | "yes_no";
  /** Of a choice. */
  readonly options: readonly string[];
  /** Which classes have it; empty: all. */
  readonly classes: readonly string[];
  readonly required: boolean;
  readonly least?: number | null;
  readonly most?: number | null;
  readonly unit: string;
  /** A new region is proposed what the last one of its class was given. */
  readonly sticky: boolean;
}

/** The question that is asked of every item. */
export interface Schema {
  readonly name: string;
  readonly kind: string;
  readonly classes: readonly ClassOfSchema[];
  readonly modality: "text" | "image" | "audio";
  readonly guidelines: string;
  readonly version: number;
  readonly attributes?: readonly AttributeOfSchema[];
}

export interface Settings {
  readonly overlap: number;
  readonly gold_share: number;
  readonly blind_share: number;
  /** Suggestions with a lower score are not shown. */
  readonly threshold: number;
}

/** Where somebody stands on the way to real work; absent where nothing is asked of them. */
export interface Standing {
  readonly state: "training" | "qualified" | "failed" | "paused";
  readonly attempt: number;
  readonly attempts: number;
  readonly n: number;
  readonly done: number;
  readonly right: number;
  /** Share of right answers that passes, 0 to 1. */
  readonly pass_mark: number;
  /** The attempt before. */
  readonly last: { readonly right: number; readonly n: number } | null;
}

/** An item of the guideline with its answer. */
export interface Example<V = unknown> {
  readonly item: string;
  readonly data: Data;
  readonly answer: V;
  readonly reason: string;
}

/** What follows an answer in training. */
export interface Lesson<V = unknown> {
  readonly right: boolean;
  readonly answer: V;
  readonly reason: string;
  readonly score: { readonly right: number; readonly done: number; readonly n: number; readonly state?: Standing["state"] };
}

export interface Project {
  readonly project: string;
  readonly name: string;
  readonly schema: Schema;
  readonly settings: Settings;
  readonly progress: { readonly done: number; readonly total: number; readonly left_for_me: number };
  readonly qualification?: Standing | null;
  readonly examples?: readonly Example[];
}

export interface ProjectLine {
  readonly project: string;
  readonly name: string;
  readonly kind: string;
  readonly modality: Schema["modality"];
  readonly n_items: number;
  readonly n_done: number;
  readonly role: string;
}

export type KindOfVote = "label" | "skip" | "flag" | "reject" | "retract" | "comment";

/** What a person did with the suggestion that he saw, or that none was seen. */
export type Verdict = "accepted" | "edited" | "rejected" | "ignored" | "blind";

/** One answer as it is sent; `key` makes a repeated sending harmless. */
export interface Vote {
  readonly key: string;
  /** Empty for what a lead says about an item that nobody handed to him: reviews, and many items at once. */
  readonly assignment: string;
  readonly item: string;
  readonly kind: KindOfVote;
  readonly value: unknown;
  readonly base: string | null;
  readonly verdict: Verdict;
  readonly reason: string;
  /** Milliseconds with the item in sight and somebody there. */
  readonly ms_active: number;
  /** Milliseconds since the item was painted. */
  readonly ms_total: number;
  readonly at: string;
  readonly ui: string;
  readonly bulk: number | null;
}

export type StatusOfVote = "stored" | "repeated" | "late" | "conflict" | "refused";

export interface VoteResult {
  readonly key: string;
  readonly status: StatusOfVote;
  readonly detail?: string;
  readonly lesson?: Lesson;
}

export interface Me {
  readonly name: string;
  readonly role_by_project: Readonly<Record<string, string>>;
  readonly is_admin: boolean;
  readonly language: string;
  /** Act -> key, only where this person changed it. */
  readonly keys: Readonly<Record<string, string>>;
}
