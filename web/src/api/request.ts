/** An answer of the server that is no success: problem+json as an error. */
export class Problem extends Error {
  override readonly name = "Problem";

  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly field: string | null,
    /** Seconds that the server asks to wait (429, 503). */
    readonly retryAfter: number | null,
  ) {
    super(detail || title);
  }
}

/** The server was not reached. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
}

export interface RequestOptions {
  readonly keepalive?: boolean;
}

/**
 * One request to the API; JSON in, JSON out.
 *
 * @throws Problem for an answer of 400 and above, Unreachable without an answer.
 */
export async function request<T>(
  method: "GET" | "POST" | "PUT" | "DELETE",
  path: string,
  body?: unknown,
  options: RequestOptions = {},
): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (method !== "GET") {
    headers["Content-Type"] = "application/json";
    headers["X-Labelmill"] = "1";
  }
  const init: RequestInit = { method, headers, credentials: "same-origin", keepalive: options.keepalive ?? false };
  if (method !== "GET") init.body = JSON.stringify(body ?? {});
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    throw new Unreachable(error instanceof Error ? error.message : "");
  }
  if (!response.ok) throw await problemOf(response);
  if (response.status === 204) return undefined as T;
  try {
    return (await response.json()) as T;
  } catch {
    throw new Unreachable("the answer was cut off");
  }
}

async function problemOf(response: Response): Promise<Problem> {
  let told: Record<string, unknown> = {};
  try {
    told = (await response.json()) as Record<string, unknown>;
  } catch {
    // A proxy's error page: the status has to do.
  }
  const word = (key: string) => (typeof told[key] === "string" ? (told[key] as string) : "");
  const retryAfter = Number.parseFloat(response.headers.get("Retry-After") ?? "");
  return new Problem(
    response.status,
    word("title") || `HTTP ${response.status}`,
    word("detail"),
    word("field") || null,
    Number.isFinite(retryAfter) ? retryAfter : null,
  );
}
