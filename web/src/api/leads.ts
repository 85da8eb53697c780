/** What the pages of leads ask of the server. */

import { pathOf } from "web/api/api";
import { request } from "web/api/request";
import type { Data, Suggestion } from "web/tasks";

/** What somebody says about an item under review. */
export interface Voice<V = unknown> {
  readonly annotator: string;
  readonly name: string;
  readonly kind: Suggestion["kind"];
  readonly value: V;
  /** The chance that they are right, 0 to 1. */
  readonly reliability: number;
  readonly at: string | null;
}

/** Voices that say the same, by their places; `share` of the belief, 0 to 1. */
export interface Side<V = unknown> {
  readonly value: V;
  readonly share: number;
  readonly voices: readonly number[];
}

/** Where an item stands that was sent back to somebody. */
export interface SentBack {
  readonly item: string;
  readonly annotator: string;
  readonly name: string;
  readonly comment: string;
  readonly state: "waiting" | "open" | "answered" | "skipped";
}

/** One item under review; the side with the greatest share is the first. */
export interface Case<V = unknown> {
  readonly item: string;
  readonly data: Data;
  readonly meta: Readonly<Record<string, unknown>>;
  readonly loss: number;
  readonly voices: readonly Voice<V>[];
  readonly sides: readonly Side<V>[];
  readonly sent_back: readonly SentBack[];
}

export interface Cases<V> {
  readonly items: readonly Case<V>[];
  readonly after: string | null;
  readonly total: number;
}

/** A page of the items on which voices differ, the greatest expected loss first. */
export const fetchCases = <V>(project: string, after: string | null): Promise<Cases<V>> =>
  request("GET", `${pathOf(project, "disagreements")}?limit=40${after ? `&after=${encodeURIComponent(after)}` : ""}`);

/** One item with what everybody says about it. */
export async function fetchCase<V>(project: string, item: string): Promise<Case<V> | null> {
  const found = await request<Cases<V>>("GET", `${pathOf(project, "disagreements")}?item=${encodeURIComponent(item)}`);
  return found.items[0] ?? null;
}

export const fetchSendBacks = async (project: string): Promise<readonly SentBack[]> =>
  (await request<{ send_backs: readonly SentBack[] }>("GET", pathOf(project, "send-backs"))).send_backs;

/** Asks somebody to look at his answer again. */
export const sendBack = (project: string, item: string, annotator: string, comment: string): Promise<void> =>
  request("POST", pathOf(project, "send-back"), { item, annotator, comment });

/** One open item and the best that is suggested for it. */
export interface Card<V = unknown> {
  readonly item: string;
  readonly data: Data;
  readonly thumbnail: string | null;
  readonly meta: Readonly<Record<string, unknown>>;
  readonly suggestion: Suggestion<V>;
}

export interface Cards<V> {
  readonly items: readonly Card<V>[];
  readonly after: string | null;
  /** With the first page: how many open items each class is suggested for. */
  readonly classes?: readonly { readonly class: string; readonly count: number }[];
  /** With the first page: whether it is known which items are alike. */
  readonly neighbours?: boolean;
}

export interface Wanted {
  readonly label: string;
  readonly n: number;
  readonly after: string | null;
  /** The item whose neighbours come first. */
  readonly near: string | null;
}

/** Open items for which a class is suggested. */
export function fetchCards<V>(project: string, { label, n, after, near }: Wanted): Promise<Cards<V>> {
  const wanted = new URLSearchParams({ class: label, n: String(n), ...(after ? { after } : {}), ...(near ? { near } : {}) });
  return request("GET", `${pathOf(project, "grid")}?${wanted}`);
}
