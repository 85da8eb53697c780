import { t } from "web/language/language";
import { CardPage, draw } from "web/parts/page";
import { SignInForm } from "web/parts/sign_in_form";

/** Only paths of this server: an address in a link must not lead elsewhere. */
function whereTo(): string {
  const wanted = new URLSearchParams(location.search).get("to") ?? "/";
  const target = new URL(wanted, location.origin);
  return target.origin === location.origin && wanted.startsWith("/") ? target.pathname + target.search : "/";
}

function SignInPage() {
  return (
    <CardPage title={t("sign_in.title")}>
      <SignInForm onSignedIn={() => location.assign(whereTo())} />
    </CardPage>
  );
}

draw(<SignInPage />);
