import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { chordOf, Keymap } from "web/keys/keymap";
import { ACTS, type Scope } from "web/keys/table";
import { t, tOf, wordsOfAct } from "web/language/language";
import { areCharactersOn, switchCharacters } from "web/keys/listening";
import type { Office } from "web/pages/office";
import { wordsOfChord } from "web/parts/key_cap";
import { Modal } from "web/parts/modal";

const MODIFIERS = new Set(["Shift", "Control", "Alt", "Meta", "AltGraph", "CapsLock", "Dead", "Process"]);

interface KeysDialogProps {
  readonly desk: Office;
  /** What of the table acts on this screen, besides the acts of every page. */
  readonly scopes: readonly Scope[];
  readonly onClose: () => void;
}

/** The key table of this screen, and the way to change it. */
export function KeysDialog({ desk, scopes: own, onClose }: KeysDialogProps) {
  const waiting = useSignal<string | null>(null);
  const said = useSignal("");
  const isOn = useSignal(areCharactersOn());
  const scopes: readonly Scope[] = [...own, "page"];
  const keep = async (keymap: Keymap) => {
    said.value = t((await desk.setKeymap(keymap)) ? "keys.changed" : "keys.not_saved");
  };
  const choose = (act: string, chord: string) => {
    waiting.value = null;
    const changed = desk.keymap.peek().with(act, chord);
    if (changed instanceof Keymap) return void keep(changed);
    const by = changed.reason === "taken" ? wordsOfAct(changed.by) : "";
    said.value = t(changed.reason === "taken" ? "keys.taken" : "keys.reserved", { key: wordsOfChord(chord), by });
  };
  return (
    <Modal title={t("keys.title")} class="is-wide" onClose={onClose}>
      <p class="quiet">{t("keys.hint")}</p>
      <p class="keys-said" role="status">
        {said.value}
      </p>
      <div class="key-table">
        {scopes.map((scope) => (
          <KeysOfScope key={scope} scope={scope} desk={desk} waiting={waiting} onChoose={choose} />
        ))}
      </div>
      <div class="row is-spread">
        <label class="check">
          <input
            type="checkbox"
            checked={isOn.value}
            onChange={(event) => {
              isOn.value = event.currentTarget.checked;
              switchCharacters(isOn.value);
            }}
          />
          {t("keys.switch")}
        </label>
        <button type="button" class="button" onClick={() => void keep(new Keymap())}>
          {t("keys.reset")}
        </button>
      </div>
    </Modal>
  );
}

interface KeysOfScopeProps {
  readonly scope: Scope;
  readonly desk: Office;
  readonly waiting: { value: string | null };
  readonly onChoose: (act: string, chord: string) => void;
}

function KeysOfScope({ scope, desk, waiting, onChoose }: KeysOfScopeProps) {
  const nClasses = desk.project.schema.classes.length;
  const isSound = desk.project.schema.modality === "audio";
  const hasAttributes = (desk.project.schema.attributes ?? []).length > 0;
  const acts = ACTS.filter(
    (act) => act.scope === scope && isOfUse(act.name, nClasses) && (isSound || act.name !== "play_item") && (hasAttributes || act.name !== "attributes"),
  );
  return (
    <section>
      <h3>{tOf(`keys.scope.${scope}`)}</h3>
      <dl>
        {acts.map((act) => (
          <div key={act.name} class="key-row">
            <dt>{nameOf(act.name, desk)}</dt>
            <dd>
              <KeyButton
                act={act.name}
                chord={desk.keymap.value.keyOf(act.name)}
                isWaiting={waiting.value === act.name}
                onAsk={() => (waiting.value = waiting.value === act.name ? null : act.name)}
                onChoose={(chord) => onChoose(act.name, chord)}
              />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** Keys of labels that the schema does not have are left out. */
function isOfUse(act: string, nClasses: number): boolean {
  const place = /^label_(\d+)$/.exec(act)?.[1];
  if (act === "find_label") return nClasses > 9;
  return !place || Number(place) <= nClasses;
}

function nameOf(act: string, desk: Office): string {
  const place = /^label_(\d+)$/.exec(act)?.[1];
  return (place && desk.project.schema.classes[Number(place) - 1]?.name) || wordsOfAct(act);
}

interface KeyButtonProps {
  readonly act: string;
  readonly chord: string;
  readonly isWaiting: boolean;
  readonly onAsk: () => void;
  readonly onChoose: (chord: string) => void;
}

function KeyButton({ act, chord, isWaiting, onAsk, onChoose }: KeyButtonProps) {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (isWaiting) button.current?.focus();
  }, [isWaiting]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (!isWaiting || MODIFIERS.has(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") onAsk();
    else onChoose(event.key === "Backspace" ? "" : chordOf(event));
  };
  return (
    <button
      ref={button}
      type="button"
      class={`key-button ${isWaiting ? "is-waiting" : ""}`}
      data-act={act}
      aria-label={`${wordsOfAct(act)}: ${wordsOfChord(chord) || t("keys.none")}`}
      onKeyDown={onKeyDown}
      onClick={onAsk}
    >
      {isWaiting ? t("keys.press") : chord ? <kbd class="key-cap">{wordsOfChord(chord)}</kbd> : t("keys.none")}
    </button>
  );
}
