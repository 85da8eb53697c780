import { request } from "web/api/request";

/** A value with its interval; null where nothing is known. */
export interface Estimate {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

export interface Gold {
  readonly right: number;
  readonly n: number;
  readonly low: number | null;
  readonly high: number | null;
}

export interface AnnotatorFigures {
  readonly annotator: string;
  readonly name: string;
  readonly kind: "person" | "rule" | "model";
  readonly votes: number;
  readonly reliability: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly ms_median: number | null;
  readonly ms_low: number | null;
  readonly ms_high: number | null;
  readonly gold: Gold | null;
}

export interface RuleFigures {
  readonly name: string;
  readonly kind: "rule" | "model";
  readonly coverage: number | null;
  readonly overlap: number | null;
  readonly conflict: number | null;
  readonly accuracy: number | null;
  readonly is_measured: boolean;
}

export interface SuggestionFigures {
  readonly source: string;
  readonly shown: { readonly accepted: number; readonly edited: number; readonly rejected: number };
  readonly blind: { readonly agreed: number; readonly differed: number };
}

/** So many of so many, with an interval of 95 %. */
export interface Share {
  readonly n: number;
  readonly of: number;
  readonly share: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** What became of the suggestions of one version of one source. */
export interface FeedbackVersion {
  readonly source: string;
  readonly version: string;
  readonly first_at: string;
  readonly last_at: string;
  readonly accepted: number;
  readonly edited: number;
  readonly rejected: number;
  readonly ignored: number;
  readonly acceptance: Share;
  /** Mean distance between suggestion and answer where it was edited, 0 to 1. */
  readonly distance: number | null;
  readonly blind: Share;
  readonly gold: Share;
}

export interface Feedback {
  readonly versions: readonly FeedbackVersion[];
  readonly span: "day" | "week";
  readonly periods: readonly (Share & { readonly at: string; readonly source: string; readonly version: string })[];
  readonly calibration: { readonly n: number; readonly gap: number | null };
  readonly anchoring: {
    readonly shown: Share;
    readonly blind: Share;
    readonly difference: number | null;
    readonly low: number | null;
    readonly high: number | null;
    readonly is_found: boolean;
  };
}

export interface Dashboard {
  readonly at: string;
  readonly kind: string;
  readonly progress: readonly { readonly at: string; readonly done: number }[];
  readonly items: { readonly done: number; readonly total: number };
  readonly answers: { readonly held: number; readonly wanted: number; readonly missing: number };
  readonly hours_left: number | null;
  readonly forecast: {
    readonly per_day: number;
    readonly n_days: number;
    readonly done_at: string | null;
    readonly soonest: string | null;
    readonly latest: string | null;
  } | null;
  readonly annotators: readonly AnnotatorFigures[];
  readonly agreement: Estimate & { readonly measure: "alpha" | "nearness"; readonly n_items: number };
  readonly confusion: { readonly classes: readonly string[]; readonly matrix: readonly (readonly number[])[] };
  /** Mean distance of the answers of each two people, for shapes, spans, numbers and texts. */
  readonly pairs: { readonly names: readonly string[]; readonly matrix: readonly (readonly (number | null)[])[] };
  readonly rules: readonly RuleFigures[];
  readonly suggestions: readonly SuggestionFigures[];
  readonly feedback: Feedback;
  readonly balance: readonly { readonly class: string; readonly count: number }[];
}

export const fetchDashboard = (project: string): Promise<Dashboard> =>
  request("GET", `/api/projects/${encodeURIComponent(project)}/dashboard`);
