import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { t } from "web/language/language";
import { Modal } from "web/parts/modal";
import { Words } from "web/parts/words";

interface SecretProps {
  readonly title: string;
  readonly why: string;
  readonly secret: string;
  readonly onClose: () => void;
}

/** Something that is shown once and never again, to be copied. */
export function Secret({ title, why, secret, onClose }: SecretProps) {
  const field = useRef<HTMLInputElement>(null);
  const said = useSignal("");
  const copy = async () => {
    field.current?.select();
    try {
      await navigator.clipboard.writeText(secret);
      said.value = t("secret.copied");
    } catch {
      // Without the clipboard (plain http from another machine) the field is selected: Ctrl C does it.
      said.value = t("secret.selected");
    }
  };
  return (
    <Modal title={title} class="is-wide" onClose={onClose}>
      <p>
        <Words text={why} />
      </p>
      <div class="secret">
        <input ref={field} class="field" readOnly value={secret} aria-label={title} autoFocus onFocus={(event) => event.currentTarget.select()} />
        <button type="button" class="button is-main" onClick={() => void copy()}>
          {t("secret.copy")}
        </button>
      </div>
      <p class="quiet small" role="status">
        {said.value || t("secret.once")}
      </p>
      <div class="row is-end">
        <button type="button" class="button" onClick={onClose}>
          {t("secret.done")}
        </button>
      </div>
    </Modal>
  );
}
