import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { t } from "web/language/language";

interface ModalProps {
  readonly title: string;
  readonly class?: string;
  /** Absent: the dialog cannot be left, only done. */
  readonly onClose?: () => void;
  readonly children: ComponentChildren;
}

/** A dialog over the page: the browser's own, so focus stays in it and comes back after it. */
export function Modal({ title, class: className = "", onClose, children }: ModalProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  // Before the next key arrives: what is typed right after belongs to the dialog.
  useLayoutEffect(() => {
    const element = dialog.current;
    if (element && !element.open) element.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      class={`modal ${className}`}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose?.();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) onClose?.();
      }}
    >
      <div class="modal-body">
        <header class="modal-head">
          <h2 id={titleId}>{title}</h2>
          {onClose && (
            <button type="button" class="icon-button" aria-label={t("act.close")} onClick={onClose}>
              <span aria-hidden="true">×</span>
            </button>
          )}
        </header>
        {children}
      </div>
    </dialog>
  );
}
