import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { t } from "web/language/language";
import { BottomBar } from "web/pages/label/bottom_bar";
import type { Desk } from "web/pages/label/desk";
import { Dialogs } from "web/pages/label/dialogs";
import { doAct, listenToKeys } from "web/pages/label/keyboard";
import { Suggestions } from "web/pages/label/suggestions";
import { TopBar } from "web/pages/label/top_bar";
import type { Opened } from "web/pages/label/work";
import { ActButton } from "web/parts/act_button";
import { DataView } from "web/parts/data_view";
import { Guideline } from "web/parts/guideline";
import { wordsOfChord } from "web/parts/key_cap";
import { MoreAboutItem } from "web/parts/more_about_item";
import { Said } from "web/parts/saved_sign";
import type { Data } from "web/tasks";
import { LessonCard } from "web/training/lesson";
import { ScreenOfTraining } from "web/training/screens";

/** The labelling screen: item on the left, answer on the right, acts below. */
export function LabelScreen<V>({ desk }: { desk: Desk<V> }) {
  useLayoutEffect(() => listenToKeys(desk), []);
  const opened = desk.work.opened.value;
  const screen = desk.training.screen.value;
  document.title = t("label.title", { name: desk.project.name });
  return (
    <div class={`desk ${desk.isGuidelineOpen.value ? "has-guideline" : ""}`}>
      <TopBar desk={desk} />
      {desk.isGuidelineOpen.value && <Guideline desk={desk} />}
      <main class="work">
        <h1 class="sr-only">{t("label.title", { name: desk.project.name })}</h1>
        {screen ? <ScreenOfTraining desk={desk} screen={screen} /> : opened ? <OpenedItem desk={desk} opened={opened} /> : <NoItem desk={desk} />}
      </main>
      <BottomBar desk={desk} />
      <Said message={desk.message.value} />
      <Dialogs desk={desk} />
    </div>
  );
}

function OpenedItem<V>({ desk, opened }: { desk: Desk<V>; opened: Opened<V> }) {
  const { Panel, Stage } = desk.widget;
  const taught = desk.training.taught.value;
  const stage = useRef<HTMLElement>(null);
  useEffect(() => {
    if (stage.current) stage.current.scrollTop = 0;
  }, [opened.task]);
  return (
    <>
      <section class={`stage ${Stage ? "is-drawn" : "is-plain"}`} ref={stage} tabIndex={0} aria-label={t("label.item")}>
        {opened.lookingAt !== null && <LookingBack desk={desk} at={opened.lookingAt} />}
        {Stage && <SaidItem data={opened.task.data} />}
        <div class="stage-item" aria-live={Stage ? undefined : "polite"}>
          {Stage ? <Stage context={opened.context} state={opened.state} /> : <DataView data={opened.task.data} />}
        </div>
        <MoreAboutItem meta={opened.task.meta} />
      </section>
      <section class="panel" aria-label={t("label.work")}>
        {taught && <LessonCard desk={desk} taught={taught} />}
        {desk.widget.hasSuggestionCards !== false && !opened.context.isReadOnly && <Suggestions desk={desk} />}
        <Panel context={opened.context} state={opened.state} />
      </section>
    </>
  );
}

/** What is said of a long text when it comes on the screen; whoever wants more reads it there. */
const LONGEST_SAID = 500;

/** A text that is drawn on changes with each mark: it is said once, from a place of its own, when it comes. */
function SaidItem({ data }: { data: Data }) {
  if (!("text" in data)) return null;
  return (
    <p class="sr-only" role="status">
      {data.text.slice(0, LONGEST_SAID)}
    </p>
  );
}

function LookingBack<V>({ desk, at }: { desk: Desk<V>; at: number }) {
  const keymap = desk.keymap.value;
  const done = desk.session.history[at];
  const words = done && done.value !== null ? desk.widget.summary(done.value, { schema: desk.project.schema, t: t as never }) : t("back.skipped");
  const values = { edit: wordsOfChord(keymap.keyOf("undo")), on: wordsOfChord(keymap.keyOf("look_ahead")) };
  return (
    <div class="looking-back">
      <p>
        <strong>{t("back.title", { n: at + 1, total: desk.session.history.length })}</strong> <span class="answer-tag">{words}</span>
      </p>
      <p class="quiet small">{t("back.hint", values)}</p>
      <div class="row">
        <ActButton chord={keymap.keyOf("undo")} onAct={() => doAct(desk, "undo")}>
          {t("back.edit")}
        </ActButton>
        <ActButton chord={keymap.keyOf("accept")} onAct={() => desk.work.look(1)}>
          {t("back.return")}
        </ActButton>
      </div>
    </div>
  );
}

function NoItem<V>({ desk }: { desk: Desk<V> }) {
  const { state } = desk.work.queue.value;
  if (state === "loading") return <p class="empty quiet">{t("label.loading")}</p>;
  const words = state === "finished" ? (["label.finished", "label.finished_why"] as const) : (["label.cut_off", "label.cut_off_why"] as const);
  return (
    <div class="empty">
      <span class={`empty-sign is-${state}`} aria-hidden="true" />
      <h2>{t(words[0])}</h2>
      <p class="quiet">{t(words[1])}</p>
      <div class="row is-centred">
        <ActButton class="is-main" onAct={() => desk.lookAgain()}>
          {t("label.look_again")}
        </ActButton>
        <a class="button" href="/">
          {t("projects.title")}
        </a>
      </div>
    </div>
  );
}
