import { signal, useSignal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { Problem } from "web/api/request";
import { fetchSetUp, putSettings, type SetUp } from "web/api/settings";
import { t } from "web/language/language";
import { AnnotatorsStep } from "web/pages/settings/annotators_step";
import { DataStep } from "web/pages/settings/data_step";
import { Draft } from "web/pages/settings/draft";
import { Preview } from "web/pages/settings/preview";
import { QualityStep } from "web/pages/settings/quality_step";
import { QuestionStep } from "web/pages/settings/question_step";
import { ProjectPage } from "web/parts/navigation";
import { wordsOfError } from "web/parts/page";
import { Words } from "web/parts/words";
import type { Me, Project } from "web/tasks";

const STEPS = ["data", "question", "annotators", "quality"] as const;

type Step = (typeof STEPS)[number];

const BODIES = { data: DataStep, question: QuestionStep, annotators: AnnotatorsStep, quality: QualityStep } as const;

/** What every step is given. */
export interface StepProps {
  readonly draft: Draft;
  readonly project: string;
}

/** The step that the address names after `#`. */
const here = signal<Step>(stepOfAddress());
addEventListener("hashchange", () => {
  here.value = stepOfAddress();
});

function stepOfAddress(): Step {
  return STEPS.find((step) => location.hash === `#${step}`) ?? "data";
}

/** Four steps from the data to the quality asked for, with the screen that people will have beside them. */
export function SettingsPage({ me, project, setUp }: { me: Me; project: Project; setUp: SetUp }) {
  const [draft] = useState(() => new Draft(setUp));
  useEffect(() => {
    const ask = (event: BeforeUnloadEvent) => {
      if (draft.nChanges > 0) event.preventDefault();
    };
    addEventListener("beforeunload", ask);
    return () => removeEventListener("beforeunload", ask);
  }, []);
  const Body = BODIES[here.value];
  const kept = draft.kept.value;
  return (
    <ProjectPage me={me} project={project} here="settings" title={t("projects.settings")} isWide>
      <p class="settings-place quiet">{wordsOfPlace(kept)}</p>
      {kept.differs.length > 0 && <p class="settings-note">{t("settings.differs", { names: kept.differs.join(", ") })}</p>}
      {kept.to_be_run.length > 0 && (
        <p class="settings-note">
          <Words text={t("settings.to_be_run", { commands: kept.to_be_run.map((command) => `\`${command}\``).join(", ") })} />
        </p>
      )}
      <Steps />
      <div class="settings">
        <section class="step" aria-labelledby="step">
          <h2 id="step">{t(`settings.step.${here.value}`)}</h2>
          <fieldset class="step-body" disabled={!kept.can_change}>
            <Body draft={draft} project={project.project} />
          </fieldset>
          <NextStep />
        </section>
        <Preview draft={draft} asked={project.schema} />
      </div>
      <SaveBar draft={draft} project={project.project} />
    </ProjectPage>
  );
}

function wordsOfPlace({ kept_in, can_change, place }: SetUp): string {
  if (kept_in === "elsewhere") return t("settings.elsewhere");
  if (!can_change) return t("settings.for_admins");
  return kept_in === "file" ? t("settings.in_file", { place }) : t("settings.in_database");
}

function Steps() {
  return (
    <nav class="steps" aria-label={t("settings.steps")}>
      <ol>
        {STEPS.map((step, i) => (
          <li key={step}>
            <a href={`#${step}`} aria-current={step === here.value ? "step" : undefined}>
              <span class="step-number">{i + 1}</span> {t(`settings.step.${step}`)}
            </a>
          </li>
        ))}
      </ol>
    </nav>
  );
}

function NextStep() {
  const next = STEPS[STEPS.indexOf(here.value) + 1];
  if (!next) return null;
  return (
    <p class="row is-end">
      <a class="button" href={`#${next}`}>
        {t("settings.next", { step: t(`settings.step.${next}`) })}
      </a>
    </p>
  );
}

/** Appears with the first change, and stays in sight until it is saved or dropped. */
function SaveBar({ draft, project }: StepProps) {
  const isBusy = useSignal(false);
  const fault = useSignal("");
  const isOld = useSignal(false);
  const said = useSignal("");
  const save = async () => {
    isBusy.value = true;
    fault.value = "";
    try {
      draft.keep(await putSettings(project, draft.kept.peek().version, draft.changes.peek()));
      said.value = t("settings.saved");
    } catch (error) {
      fault.value = wordsOfError(error);
      isOld.value = error instanceof Problem && error.status === 409;
      said.value = "";
    }
    isBusy.value = false;
  };
  const readAgain = async () => {
    draft.rebase(await fetchSetUp(project));
    isOld.value = false;
    fault.value = "";
    said.value = t("settings.read_again_done");
  };
  const n = draft.nChanges;
  return (
    <div class={`save-bar ${n > 0 || fault.value || said.value ? "is-open" : ""}`}>
      <p class="fault" role="alert">
        {fault.value}
      </p>
      <p role="status">{n > 0 ? t("settings.unsaved", { n }) : said.value}</p>
      {n > 0 && (
        <div class="row">
          {isOld.value && (
            <button type="button" class="button" onClick={() => void readAgain()}>
              {t("settings.read_again")}
            </button>
          )}
          <button
            type="button"
            class="button"
            onClick={() => {
              fault.value = "";
              draft.discard();
            }}
          >
            {t("settings.discard")}
          </button>
          <button type="button" class="button is-main" disabled={isBusy.value} onClick={() => void save()}>
            {t("settings.save")}
          </button>
        </div>
      )}
    </div>
  );
}
