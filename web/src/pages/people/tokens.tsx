import { useSignal } from "@preact/signals";
import { endToken, makeToken, type Scope, type Token } from "web/api/people";
import { formatDay } from "web/language/formats";
import { t, tOf } from "web/language/language";
import { wordsOfError } from "web/parts/page";
import { Secret } from "web/parts/secret";

const SCOPES: readonly Scope[] = ["read", "annotate", "work", "admin"];

interface TokensProps {
  readonly project: string;
  readonly tokens: readonly Token[];
  readonly onChange: () => void;
}

/** Keys for programs that act as the person who makes them. */
export function Tokens({ project, tokens, onChange }: TokensProps) {
  const secret = useSignal("");
  const fault = useSignal("");
  const standing = tokens.filter((token) => !token.is_revoked && Date.parse(token.expires) > Date.now());
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form);
    fault.value = "";
    try {
      secret.value = await makeToken(String(data.get("name")), data.getAll("scope") as Scope[], project, Number(data.get("days")));
      form.reset();
      onChange();
    } catch (error) {
      fault.value = wordsOfError(error);
    }
  };
  return (
    <section class="tokens" aria-labelledby="tokens">
      <h2 id="tokens">{t("tokens.title")}</h2>
      <p class="quiet small">{t("tokens.why")}</p>
      {standing.length > 0 && (
        <ul class="token-list">
          {standing.map((token) => (
            <li key={token.id}>
              <span class="token-name">{token.name}</span>
              <span class="quiet small">
                {token.scopes.map((scope) => tOf(`tokens.scope.${scope}`)).join(" · ")} · {t("tokens.until", { day: formatDay(Date.parse(token.expires)) })}
              </span>
              <button type="button" class="button is-small" onClick={() => void endToken(token.id).then(onChange)}>
                {t("tokens.end")}
                <span class="sr-only">: {token.name}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      <details class="new-token">
        <summary>{t("tokens.new")}</summary>
        <form class="form" onSubmit={(event) => void submit(event)}>
          <label class="stacked">
            <span>{t("tokens.name")}</span>
            <input class="field" name="name" required maxLength={200} placeholder={t("tokens.name_hint")} />
          </label>
          <fieldset class="scopes">
            <legend>{t("tokens.scopes")}</legend>
            {SCOPES.map((scope) => (
              <label key={scope} class="check">
                <input type="checkbox" name="scope" value={scope} defaultChecked={scope === "read"} />
                {t(`tokens.scope.${scope}`)}
              </label>
            ))}
          </fieldset>
          <label class="stacked is-short">
            <span>{t("tokens.days")}</span>
            <input class="field" name="days" type="number" min={1} max={366} defaultValue="90" required />
          </label>
          <p class="fault" role="alert">
            {fault.value}
          </p>
          <div>
            <button class="button is-main">{t("tokens.make")}</button>
          </div>
        </form>
      </details>
      {secret.value && <Secret title={t("tokens.made")} why={t("tokens.made_why")} secret={secret.value} onClose={() => (secret.value = "")} />}
    </section>
  );
}
