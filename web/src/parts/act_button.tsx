import type { ComponentChildren } from "preact";
import { KeyCap } from "web/parts/key_cap";

interface ActButtonProps {
  readonly chord?: string;
  readonly class?: string;
  readonly isDisabled?: boolean;
  readonly isPressed?: boolean;
  readonly onAct: () => void;
  readonly children: ComponentChildren;
}

/**
 * A button that does what a key does too.
 *
 * A click leaves the focus where the work is, so that the next Enter answers the item and does not press again.
 */
export function ActButton({ chord = "", class: className = "", isDisabled = false, isPressed, onAct, children }: ActButtonProps) {
  return (
    <button
      type="button"
      class={`button ${className}`}
      disabled={isDisabled}
      aria-pressed={isPressed}
      aria-keyshortcuts={chord ? ariaOf(chord) : undefined}
      onMouseDown={(event) => event.preventDefault()}
      onClick={onAct}
    >
      <span class="button-words">{children}</span>
      <KeyCap chord={chord} />
    </button>
  );
}

/** `Ctrl` is `Control` there, and the space bar has its name. */
function ariaOf(chord: string): string {
  return chord.replace("Ctrl", "Control");
}
