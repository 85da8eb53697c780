import { useSignal } from "@preact/signals";
import { signIn } from "web/api/api";
import { Problem } from "web/api/request";
import { t } from "web/language/language";

/** Name and password; `name` is given when somebody comes back. */
export function SignInForm({ name = "", onSignedIn }: { name?: string; onSignedIn: () => void }) {
  const fault = useSignal("");
  const isBusy = useSignal(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    isBusy.value = true;
    fault.value = "";
    try {
      await signIn(String(form.get("name") ?? ""), String(form.get("password") ?? ""));
      onSignedIn();
    } catch (error) {
      fault.value = wordsOfSignIn(error);
    }
    isBusy.value = false;
  };
  return (
    <form class="form" onSubmit={submit}>
      <label class="stacked">
        <span>{t("sign_in.name")}</span>
        <input class="field" name="name" defaultValue={name} autocomplete="username" required autoFocus={!name} />
      </label>
      <label class="stacked">
        <span>{t("sign_in.password")}</span>
        <input class="field" name="password" type="password" autocomplete="current-password" required autoFocus={Boolean(name)} />
      </label>
      <p class="fault" role="alert">
        {fault.value}
      </p>
      <button class="button is-main is-wide" disabled={isBusy.value}>
        {t("sign_in.submit")}
      </button>
    </form>
  );
}

function wordsOfSignIn(error: unknown): string {
  if (!(error instanceof Problem)) return t("error.unreachable");
  return error.status === 401 || error.status === 403 ? t("sign_in.wrong") : error.message;
}
