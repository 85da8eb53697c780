import { t } from "web/language/language";
import type { Data } from "web/tasks";

/** An item as it is, for kinds of label that draw nothing on it. */
export function DataView({ data }: { data: Data }) {
  if ("text" in data) {
    return (
      <div class={`item-text ${data.text.length > 700 ? "is-long" : ""}`} dir="auto">
        {data.text}
      </div>
    );
  }
  if ("image" in data) {
    return (
      <img class="item-image" src={data.image} width={data.width} height={data.height} alt={t("label.item")} decoding="sync" draggable={false} />
    );
  }
  return <audio class="item-audio" src={data.audio} controls preload="auto" />;
}
