import { t } from "web/language/language";
import { ActButton } from "web/parts/act_button";

interface NothingHereProps {
  /** Nothing can be fetched at the moment, which is said in place of the words. */
  readonly isCutOff: boolean;
  readonly title: string;
  readonly why: string;
}

/** In place of items when there are none, with a button that looks again. */
export function NothingHere({ isCutOff, title, why }: NothingHereProps) {
  return (
    <div class="empty">
      <span class={`empty-sign is-${isCutOff ? "cut_off" : "finished"}`} aria-hidden="true" />
      <h2>{isCutOff ? t("label.cut_off") : title}</h2>
      <p class="quiet">{isCutOff ? t("error.unreachable") : why}</p>
      <div class="row is-centred">
        <ActButton class="is-main" onAct={() => location.reload()}>
          {t("label.look_again")}
        </ActButton>
      </div>
    </div>
  );
}
