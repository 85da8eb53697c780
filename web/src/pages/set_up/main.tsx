import { useSignal } from "@preact/signals";
import { acceptInvitation, setUp, signIn } from "web/api/api";
import { t } from "web/language/language";
import { CardPage, draw, wordsOfError } from "web/parts/page";

const SHORTEST = 12;

const [, door = "", token = ""] = location.pathname.split("/");
const isInvitation = door === "invitation";

function SetUpPage() {
  return (
    <CardPage title={t(isInvitation ? "set_up.invited" : "set_up.title")}>
      <p class="quiet">{t(isInvitation ? "set_up.invited_why" : "set_up.why")}</p>
      {token ? <AccountForm /> : <p class="fault">{t("set_up.no_token")}</p>}
    </CardPage>
  );
}

function AccountForm() {
  const fault = useSignal("");
  const isBusy = useSignal(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const [name, password, repeat] = ["name", "password", "repeat"].map((key) => String(form.get(key) ?? "")) as [string, string, string];
    fault.value = faultOf(password, repeat);
    if (fault.value) return;
    isBusy.value = true;
    try {
      await (isInvitation ? acceptInvitation : setUp)(token, name, password);
      await signIn(name, password);
      location.assign("/");
    } catch (error) {
      fault.value = wordsOfError(error);
    }
    isBusy.value = false;
  };
  return (
    <form class="form" onSubmit={submit}>
      <label class="stacked">
        <span>{t("sign_in.name")}</span>
        <input class="field" name="name" autocomplete="username" required autoFocus />
      </label>
      <label class="stacked">
        <span>{t("sign_in.password")}</span>
        <input class="field" name="password" type="password" autocomplete="new-password" required aria-describedby="password-rule" />
      </label>
      <p id="password-rule" class="quiet small under-field">
        {t("set_up.password_rule")}
      </p>
      <label class="stacked">
        <span>{t("set_up.repeat")}</span>
        <input class="field" name="repeat" type="password" autocomplete="new-password" required />
      </label>
      <p class="fault" role="alert">
        {fault.value}
      </p>
      <button class="button is-main is-wide" disabled={isBusy.value}>
        {t("set_up.submit")}
      </button>
    </form>
  );
}

function faultOf(password: string, repeat: string): string {
  if (password.length < SHORTEST) return t("set_up.short");
  return password === repeat ? "" : t("set_up.different");
}

draw(<SetUpPage />);
