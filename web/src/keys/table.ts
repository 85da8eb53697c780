/** Every act that a key does: the one table behind the page, the help on `?`, remapping and the docs. */

/**
 * Where an act is possible. `page` is everywhere, `label` on the labelling screen whatever the kind of label;
 * of the others, those that the widget or page on screen names.
 */
export type Scope = "page" | "label" | "regions" | "shapes" | "spans" | "audio" | "review" | "grid";

export interface Act {
  /** Stable name: stored with a person's own keys, handed to widgets, `keys.<name>` in the tables of languages. */
  readonly name: string;
  readonly scope: Scope;
  /** As `chordOf` writes it: `a`, `Shift+u`, `Ctrl+z`, `Enter`, `ArrowLeft`, `?`, `Space`. */
  readonly key: string;
  /** Keys that always do the same besides, and are not remapped. */
  readonly also?: readonly string[];
  /** Gives way to an act of the widget with the same key; the page does it when the widget declines. */
  readonly isShared?: boolean;
}

const LABELS: readonly Act[] = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0"].map((key, index) => ({
  name: `label_${index + 1}`,
  scope: "label",
  key,
}));

export const ACTS: readonly Act[] = [
  ...LABELS,
  { name: "play_item", scope: "label", key: "Space", isShared: true },
  { name: "find_label", scope: "label", key: "/" },
  { name: "accept", scope: "page", key: "Enter", isShared: true },
  { name: "reject", scope: "label", key: "x", isShared: true },
  { name: "skip", scope: "label", key: "s" },
  { name: "skip_reason", scope: "label", key: "Shift+s" },
  { name: "flag", scope: "label", key: "f" },
  { name: "comment", scope: "page", key: "c" },
  { name: "undo", scope: "page", key: "u", also: ["Ctrl+z"] },
  { name: "redo", scope: "page", key: "Shift+u", also: ["Ctrl+Shift+z", "Ctrl+y"] },
  { name: "look_back", scope: "page", key: "ArrowLeft", isShared: true },
  { name: "look_ahead", scope: "page", key: "ArrowRight", isShared: true },
  { name: "guideline", scope: "page", key: "g" },
  { name: "keys", scope: "page", key: "?" },

  { name: "next_region", scope: "regions", key: "Tab" },
  { name: "previous_region", scope: "regions", key: "Shift+Tab" },
  { name: "accept_region", scope: "regions", key: "a" },
  { name: "accept_all", scope: "regions", key: "Shift+a" },
  { name: "delete_region", scope: "regions", key: "Delete", also: ["Backspace"] },
  { name: "deselect", scope: "regions", key: "Escape" },
  { name: "new_region", scope: "regions", key: "n" },
  { name: "attributes", scope: "regions", key: "t" },

  { name: "tool_select", scope: "shapes", key: "v" },
  { name: "tool_box", scope: "shapes", key: "b" },
  { name: "tool_polygon", scope: "shapes", key: "p" },
  { name: "tool_point", scope: "shapes", key: "k" },
  { name: "tool_brush", scope: "shapes", key: "m" },
  { name: "tool_eraser", scope: "shapes", key: "e" },
  { name: "tool_fill", scope: "shapes", key: "l" },
  { name: "smaller_brush", scope: "shapes", key: "[" },
  { name: "larger_brush", scope: "shapes", key: "]" },
  { name: "paint_here", scope: "shapes", key: "Space" },
  { name: "nudge_left", scope: "shapes", key: "ArrowLeft" },
  { name: "nudge_right", scope: "shapes", key: "ArrowRight" },
  { name: "nudge_up", scope: "shapes", key: "ArrowUp" },
  { name: "nudge_down", scope: "shapes", key: "ArrowDown" },
  { name: "nudge_left_far", scope: "shapes", key: "Shift+ArrowLeft" },
  { name: "nudge_right_far", scope: "shapes", key: "Shift+ArrowRight" },
  { name: "nudge_up_far", scope: "shapes", key: "Shift+ArrowUp" },
  { name: "nudge_down_far", scope: "shapes", key: "Shift+ArrowDown" },
  { name: "narrower", scope: "shapes", key: "Ctrl+ArrowLeft" },
  { name: "wider", scope: "shapes", key: "Ctrl+ArrowRight" },
  { name: "shorter", scope: "shapes", key: "Ctrl+ArrowUp" },
  { name: "taller", scope: "shapes", key: "Ctrl+ArrowDown" },
  { name: "turn_left", scope: "shapes", key: "<" },
  { name: "turn_right", scope: "shapes", key: ">" },
  { name: "zoom_in", scope: "shapes", key: "+", also: ["="] },
  { name: "zoom_out", scope: "shapes", key: "-" },
  { name: "zoom_fit", scope: "shapes", key: "z" },

  { name: "word_snap", scope: "spans", key: "w" },
  { name: "caret_left", scope: "spans", key: "ArrowLeft" },
  { name: "caret_right", scope: "spans", key: "ArrowRight" },
  { name: "caret_up", scope: "spans", key: "ArrowUp" },
  { name: "caret_down", scope: "spans", key: "ArrowDown" },
  { name: "extend_left", scope: "spans", key: "Shift+ArrowLeft" },
  { name: "extend_right", scope: "spans", key: "Shift+ArrowRight" },
  { name: "extend_up", scope: "spans", key: "Shift+ArrowUp" },
  { name: "extend_down", scope: "spans", key: "Shift+ArrowDown" },

  { name: "play", scope: "audio", key: "Space" },
  { name: "region_start", scope: "audio", key: "[" },
  { name: "region_end", scope: "audio", key: "]" },
  { name: "step_back", scope: "audio", key: "," },
  { name: "step_on", scope: "audio", key: "." },
  { name: "far_back", scope: "audio", key: "<" },
  { name: "far_on", scope: "audio", key: ">" },
  { name: "audio_closer", scope: "audio", key: "+", also: ["="] },
  { name: "audio_wider", scope: "audio", key: "-" },
  { name: "audio_whole", scope: "audio", key: "z" },

  { name: "take_a", scope: "review", key: "1" },
  { name: "take_b", scope: "review", key: "2" },
  { name: "merge", scope: "review", key: "m" },
  { name: "edit", scope: "review", key: "e" },
  { name: "send_back", scope: "review", key: "r" },

  { name: "take", scope: "grid", key: "Space" },
  { name: "all_or_none", scope: "grid", key: "a" },
  { name: "card_left", scope: "grid", key: "ArrowLeft" },
  { name: "card_right", scope: "grid", key: "ArrowRight" },
  { name: "card_up", scope: "grid", key: "ArrowUp" },
  { name: "card_down", scope: "grid", key: "ArrowDown" },
  { name: "neighbours", scope: "grid", key: "n" },
  { name: "play_card", scope: "grid", key: "p" },
];
