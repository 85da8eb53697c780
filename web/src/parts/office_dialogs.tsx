import { fetchMe } from "web/api/api";
import { t } from "web/language/language";
import type { Office } from "web/pages/office";
import { Modal } from "web/parts/modal";
import { SignInForm } from "web/parts/sign_in_form";

/** The session has ended: signing in over the page keeps everything. */
export function SignInAgain({ desk }: { desk: Office }) {
  const onSignedIn = async () => desk.signedIn((await fetchMe()).name);
  return (
    <Modal title={t("sign_in.again")}>
      <p class="quiet">{t("sign_in.again_why")}</p>
      <SignInForm name={desk.me.name} onSignedIn={() => void onSignedIn().catch(() => location.reload())} />
    </Modal>
  );
}

/** Answers that the server refused, until somebody decides. */
export function Problems({ desk, onClose }: { desk: Office; onClose: () => void }) {
  const { problems } = desk.outboxState.value;
  if (problems.length === 0) return null;
  return (
    <Modal title={t("outbox.problems_title")} onClose={onClose}>
      <p class="quiet">{t("outbox.problems_why")}</p>
      <ul class="problems">
        {problems.map((entry) => (
          <li key={entry.order}>
            <p>
              <strong>{entry.vote.item}</strong> <code>{wordsOfValue(entry.vote.value)}</code>
            </p>
            <p class="fault">{entry.problem}</p>
            <div class="row">
              <button type="button" class="button" onClick={() => void desk.outbox.retry(entry)}>
                {t("outbox.retry")}
              </button>
              <button type="button" class="button" onClick={() => void desk.outbox.forget(entry)}>
                {t("outbox.forget")}
              </button>
            </div>
          </li>
        ))}
      </ul>
      {problems.length > 1 && (
        <div class="row is-end">
          <button type="button" class="button" onClick={() => void forgetAll(desk)}>
            {t("outbox.forget_all", { n: problems.length })}
          </button>
        </div>
      )}
    </Modal>
  );
}

/** One after the other: each leaves the shelf before it leaves the list. */
async function forgetAll(desk: Office): Promise<void> {
  for (const entry of desk.outboxState.peek().problems) await desk.outbox.forget(entry);
}

function wordsOfValue(value: unknown): string {
  const text = JSON.stringify(value) ?? "";
  return text.length > 120 ? `${text.slice(0, 117)}…` : text;
}
