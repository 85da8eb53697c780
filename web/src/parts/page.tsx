import { render, type ComponentChildren, type VNode } from "preact";
import { signOut } from "web/api/api";
import { Problem } from "web/api/request";
import { greet, language, speak, t, TABLES, tOf } from "web/language/language";

/** Draws a page into its shell. */
export function draw(page: VNode): void {
  greet(language.peek());
  render(page, document.body);
}

/** The name of the house, as on every page but the one for work. */
export function Wordmark() {
  return (
    <a class="wordmark" href="/">
      <span class="wordmark-sign" aria-hidden="true" />
      labelmill
    </a>
  );
}

/** Languages by their own names. */
export function LanguageChoice() {
  return (
    <select class="language" aria-label="Language / 语言" value={language.value} onChange={(event) => speak(event.currentTarget.value)}>
      {Object.keys(TABLES).map((tag) => (
        <option key={tag} value={tag} lang={tag}>
          {TABLES[tag]?.language}
        </option>
      ))}
    </select>
  );
}

/** A page with a head and a body, for people who are signed in. */
export function Page({ title, person, children }: { title: string; person: string; children: ComponentChildren }) {
  document.title = `${title} · labelmill`;
  return (
    <>
      <header class="masthead">
        <Wordmark />
        <div class="masthead-end">
          <LanguageChoice />
          <span class="person">{person}</span>
          <button type="button" class="link" onClick={leave}>
            {t("sign_out")}
          </button>
        </div>
      </header>
      <main class="page">
        <h1>{title}</h1>
        {children}
      </main>
    </>
  );
}

/** A narrow page with one card: sign-in, set-up. */
export function CardPage({ title, children }: { title: string; children: ComponentChildren }) {
  document.title = `${title} · labelmill`;
  return (
    <main class="card-page">
      <div class="card-page-head">
        <Wordmark />
        <LanguageChoice />
      </div>
      <div class="card">
        <h1>{title}</h1>
        {children}
      </div>
    </main>
  );
}

/** Something a page needs could not be had: what, and what to do. */
export function Fault({ error }: { error: unknown }) {
  return (
    <div class="notice" role="alert">
      <h2>{t("error.title")}</h2>
      <p>{wordsOfError(error)}</p>
      <button type="button" class="button is-main" onClick={() => location.reload()}>
        {t("error.again")}
      </button>
    </div>
  );
}

export function wordsOfError(error: unknown): string {
  if (!(error instanceof Problem)) return t("error.unreachable");
  if (error.status === 404) return t("error.not_found");
  return error.message || tOf(error.title);
}

/** Where one comes back to after signing in. */
export function goToSignIn(): void {
  location.assign(`/sign-in?to=${encodeURIComponent(location.pathname + location.search)}`);
}

/** Signs out and goes to the page that lets in. */
export async function leave(): Promise<void> {
  await signOut().catch(() => undefined);
  location.assign("/sign-in");
}
