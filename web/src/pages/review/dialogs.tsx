import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { type Case, fetchSendBacks, type SentBack } from "web/api/leads";
import { t } from "web/language/language";
import type { ReviewDesk } from "web/pages/review/desk";
import { KeysDialog } from "web/parts/keys_dialog";
import { Modal } from "web/parts/modal";
import { Problems, SignInAgain } from "web/parts/office_dialogs";
import { wordsOfError } from "web/parts/page";

/** What lies over the review page: one thing at a time, and signing in before all. */
export function ReviewDialogs<V>({ desk }: { desk: ReviewDesk<V> }) {
  const close = () => {
    desk.dialog.value = null;
  };
  const found = desk.current.value;
  if (desk.isSignedOut.value) return <SignInAgain desk={desk} />;
  switch (desk.dialog.value) {
    case "keys":
      return <KeysDialog desk={desk} scopes={["review", ...(desk.widget.scopes ?? [])]} onClose={close} />;
    case "problems":
      return <Problems desk={desk} onClose={close} />;
    case "send_back":
      return found && <SendBackDialog desk={desk} found={found} onClose={close} />;
    case "comment":
      return <CommentDialog onClose={close} onSend={(text) => desk.comment(text)} />;
    case "send_backs":
      return <SendBacksDialog desk={desk} onClose={close} />;
    default:
      return null;
  }
}

/** To whom, and what to look at. The person on the lighter side is proposed. */
function SendBackDialog<V>({ desk, found, onClose }: { desk: ReviewDesk<V>; found: Case<V>; onClose: () => void }) {
  const people = peopleOf(found);
  const fault = useSignal("");
  const isSending = useSignal(false);
  const send = async (form: HTMLFormElement) => {
    const told = new FormData(form);
    isSending.value = true;
    try {
      await desk.sendBack(String(told.get("annotator")), String(told.get("comment") ?? "").trim());
      onClose();
    } catch (error) {
      fault.value = wordsOfError(error);
      isSending.value = false;
    }
  };
  return (
    <Modal title={t("review.send_back_title")} onClose={onClose}>
      {people.length === 0 ? (
        <p class="quiet">{t("review.send_back_nobody")}</p>
      ) : (
        <form
          class="form"
          onSubmit={(event) => {
            event.preventDefault();
            void send(event.currentTarget);
          }}
        >
          <fieldset class="send-back-people">
            <legend>{t("review.send_back_to")}</legend>
            {people.map((person, i) => (
              <label key={person.annotator} class="check">
                <input type="radio" name="annotator" value={person.annotator} defaultChecked={i === 0} />
                {person.name}
              </label>
            ))}
          </fieldset>
          <label class="stacked">
            {t("review.send_back_comment")}
            <textarea class="field" name="comment" rows={3} maxLength={2000} autoFocus onKeyDown={sendOnEnter} />
          </label>
          <p class="quiet small">{t("review.send_back_why")}</p>
          <p class="fault" role="alert">
            {fault.value}
          </p>
          <DialogEnd onClose={onClose} isDisabled={isSending.value} />
        </form>
      )}
    </Modal>
  );
}

/** People with a say, the lightest side first. */
function peopleOf<V>(found: Case<V>): { annotator: string; name: string }[] {
  const places = [...found.sides].reverse().flatMap((side) => side.voices);
  const people = places.map((place) => found.voices[place]).filter((voice) => voice !== undefined && voice.kind === "person");
  return people as { annotator: string; name: string }[];
}

function CommentDialog({ onClose, onSend }: { onClose: () => void; onSend: (text: string) => void }) {
  return (
    <Modal title={t("reason.comment")} onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          const text = String(new FormData(event.currentTarget).get("comment") ?? "").trim();
          if (!text) return;
          onClose();
          onSend(text);
        }}
      >
        <textarea class="field" name="comment" rows={3} maxLength={2000} aria-label={t("reason.comment")} autoFocus onKeyDown={sendOnEnter} />
        <DialogEnd onClose={onClose} />
      </form>
    </Modal>
  );
}

function DialogEnd({ onClose, isDisabled = false }: { onClose: () => void; isDisabled?: boolean }) {
  return (
    <div class="row is-end">
      <button type="button" class="button" onClick={onClose}>
        {t("act.cancel")}
      </button>
      <button class="button is-main" disabled={isDisabled}>
        {t("act.send")}
      </button>
    </div>
  );
}

/** Enter sends, Shift+Enter starts a line. */
function sendOnEnter(event: KeyboardEvent): void {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  (event.currentTarget as HTMLTextAreaElement).form?.requestSubmit();
}

/** All that was sent back lately: whether it was answered, and the way to it. */
function SendBacksDialog<V>({ desk, onClose }: { desk: ReviewDesk<V>; onClose: () => void }) {
  const told = useSignal<readonly SentBack[] | null>(null);
  const fault = useSignal("");
  useEffect(() => {
    fetchSendBacks(desk.project.project)
      .then((found) => (told.value = found))
      .catch((error: unknown) => (fault.value = wordsOfError(error)));
  }, []);
  const open = (item: string) => {
    onClose();
    void desk.openItem(item);
  };
  return (
    <Modal title={t("review.send_backs")} class="is-wide" onClose={onClose}>
      <p class="fault" role="alert">
        {fault.value}
      </p>
      {told.value?.length === 0 && <p class="quiet">{t("review.send_backs_none")}</p>}
      <ul class="send-backs">
        {told.value?.map((one, i) => (
          <li key={i}>
            <span class="chip">{t(`review.state.${one.state}`)}</span>
            <button type="button" class="link" onClick={() => open(one.item)}>
              {one.item}
            </button>
            <strong>{one.name}</strong>
            <q>{one.comment}</q>
          </li>
        ))}
      </ul>
    </Modal>
  );
}
