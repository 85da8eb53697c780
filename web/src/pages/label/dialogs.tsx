import { t } from "web/language/language";
import type { Desk } from "web/pages/label/desk";
import { KeysDialog } from "web/parts/keys_dialog";
import { Modal } from "web/parts/modal";
import { Problems, SignInAgain } from "web/parts/office_dialogs";

/** What lies over the page: one thing at a time, and signing in before all. */
export function Dialogs<V>({ desk }: { desk: Desk<V> }) {
  const close = () => {
    desk.dialog.value = null;
  };
  if (desk.isSignedOut.value) return <SignInAgain desk={desk} />;
  switch (desk.dialog.value) {
    case "keys":
      return <KeysDialog desk={desk} scopes={["label", ...(desk.widget.scopes ?? [])]} onClose={close} />;
    case "skip":
      return <Reason kind="skip" onClose={close} onSend={(reason) => desk.work.skip(reason)} />;
    case "flag":
    case "comment":
      return <Remark desk={desk} kind={desk.dialog.value} onClose={close} />;
    case "problems":
      return <Problems desk={desk} onClose={close} />;
    default:
      return null;
  }
}

function Remark<V>({ desk, kind, onClose }: { desk: Desk<V>; kind: "flag" | "comment"; onClose: () => void }) {
  return <Reason kind={kind} onClose={onClose} onSend={(reason) => desk.work.remark(kind, reason)} />;
}

interface ReasonProps {
  readonly kind: "skip" | "flag" | "comment";
  readonly onClose: () => void;
  readonly onSend: (reason: string) => void;
}

/** A few words: Enter sends, Shift+Enter starts a line. A comment cannot be empty. */
function Reason({ kind, onClose, onSend }: ReasonProps) {
  const send = (form: HTMLFormElement) => {
    const reason = String(new FormData(form).get("reason") ?? "").trim();
    if (!reason && kind === "comment") return;
    onClose();
    onSend(reason);
  };
  return (
    <Modal title={t(`reason.${kind}`)} onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          send(event.currentTarget);
        }}
      >
        <textarea
          class="field"
          name="reason"
          rows={3}
          maxLength={2000}
          aria-label={t(`reason.${kind}`)}
          autoFocus
          onKeyDown={(event) => {
            if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
            event.preventDefault();
            if (event.currentTarget.form) send(event.currentTarget.form);
          }}
        />
        {kind !== "comment" && <p class="quiet small">{t("reason.optional")}</p>}
        <div class="row is-end">
          <button type="button" class="button" onClick={onClose}>
            {t("act.cancel")}
          </button>
          <button class="button is-main">{t("act.send")}</button>
        </div>
      </form>
    </Modal>
  );
}
