/** Put in by the build: the version that votes carry, and the pages that there are. */
declare const UI_VERSION: string;
declare const PAGES: readonly string[];

declare module "virtual:widgets" {
  import type { Widget } from "web/widget";

  /** Kind of label -> the loading of its widget. */
  export const WIDGETS: Readonly<Record<string, () => Promise<{ default: Widget<never, never> }>>>;
}
