import { t } from "web/language/language";
import type { Desk } from "web/pages/label/desk";
import { doAct } from "web/pages/label/keyboard";
import { ActButton } from "web/parts/act_button";

const ACTS = ["skip", "flag", "comment", "undo"] as const;

/** The acts that every kind of label has. */
export function BottomBar<V>({ desk }: { desk: Desk<V> }) {
  const keymap = desk.keymap.value;
  const opened = desk.work.opened.value;
  const isStill = !opened || opened.context.isReadOnly;
  return (
    <footer class="bottom-bar">
      {ACTS.map((act) => (
        <ActButton key={act} class="is-quiet" chord={keymap.keyOf(act)} isDisabled={isStill && act !== "undo"} onAct={() => doAct(desk, act)}>
          {t(`act.${act}`)}
        </ActButton>
      ))}
      <span class="bottom-ready small quiet">{t("label.ready", { n: desk.work.queue.value.nReady })}</span>
    </footer>
  );
}
