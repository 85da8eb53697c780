import { type Signal, useSignal } from "@preact/signals";
import { decide, fetchPeople, fetchTokens, giveBackOf, invite, type Person, type PersonRole, putRole, takeOut, type Token } from "web/api/people";
import { t, tOf } from "web/language/language";
import { PeopleTable } from "web/pages/people/table";
import { Tokens } from "web/pages/people/tokens";
import { Modal } from "web/parts/modal";
import { ProjectPage } from "web/parts/navigation";
import { wordsOfError } from "web/parts/page";
import { Secret } from "web/parts/secret";
import type { Me, Project } from "web/tasks";

interface PeoplePageProps {
  readonly me: Me;
  readonly project: Project;
  readonly people: readonly Person[];
  readonly tokens: readonly Token[];
}

/** What the person who looks at the page can do with the others. */
export interface PeopleActs {
  readonly isAdmin: boolean;
  readonly changeRole: (person: Person, role: PersonRole) => void;
  readonly giveBack: (person: Person) => void;
  readonly decide: (person: Person, state: "training" | "qualified") => void;
  readonly askToTakeOut: (person: Person) => void;
}

/** Who takes part, how they do, and how others come in. */
export function PeoplePage({ me, project, ...initial }: PeoplePageProps) {
  const people = useSignal(initial.people);
  const tokens = useSignal(initial.tokens);
  const said = useSignal("");
  const link = useSignal("");
  const leaving = useSignal<Person | null>(null);
  const name = project.project;
  const act = (words: string, work: () => Promise<unknown>) =>
    void work()
      .then(async () => {
        people.value = await fetchPeople(name);
        said.value = words;
      })
      .catch((error: unknown) => {
        said.value = wordsOfError(error);
      });
  const acts: PeopleActs = {
    isAdmin: me.role_by_project[name] === "admin",
    changeRole: (person, role) => act(t("people.role_changed", { name: person.name, role: tOf(`role.${role}`) }), () => putRole(name, person.annotator, role)),
    giveBack: (person) => act(t("people.given_back", { name: person.name }), () => giveBackOf(name, person.annotator)),
    decide: (person, state) => act(t(`people.decided.${state}`, { name: person.name }), () => decide(name, person.annotator, state)),
    askToTakeOut: (person) => {
      leaving.value = person;
    },
  };
  return (
    <ProjectPage me={me} project={project} here="people" title={t("projects.people")} isWide>
      <Invite isAdmin={acts.isAdmin} project={name} link={link} said={said} />
      <p class="status" role="status">
        {said.value}
      </p>
      <PeopleTable project={name} people={people.value} acts={acts} />
      <Tokens project={name} tokens={tokens.value} onChange={() => void fetchTokens().then((found) => (tokens.value = found))} />
      {link.value && <Secret title={t("people.invitation")} why={t("people.invitation_why")} secret={link.value} onClose={() => (link.value = "")} />}
      {leaving.value && (
        <TakeOut
          person={leaving.value}
          onClose={() => (leaving.value = null)}
          onSure={(person) => act(t("people.gone", { name: person.name }), () => takeOut(name, person.annotator))}
        />
      )}
    </ProjectPage>
  );
}

interface InviteProps {
  readonly isAdmin: boolean;
  readonly project: string;
  readonly link: Signal<string>;
  readonly said: Signal<string>;
}

function Invite({ isAdmin, project, link, said }: InviteProps) {
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const role = new FormData(event.currentTarget as HTMLFormElement).get("role") as PersonRole;
    try {
      link.value = await invite(project, role);
      said.value = "";
    } catch (error) {
      said.value = wordsOfError(error);
    }
  };
  return (
    <form class="invite" onSubmit={(event) => void submit(event)}>
      <label class="stacked">
        <span>{t("people.invite_as")}</span>
        <select name="role" class="field">
          <option value="annotator">{t("role.annotator")}</option>
          <option value="lead">{t("role.lead")}</option>
          {isAdmin && <option value="admin">{t("role.admin")}</option>}
        </select>
      </label>
      <button class="button is-main">{t("people.make_link")}</button>
      <p class="quiet small">{t("people.invite_why")}</p>
    </form>
  );
}

function TakeOut({ person, onClose, onSure }: { person: Person; onClose: () => void; onSure: (person: Person) => void }) {
  return (
    <Modal title={t("people.take_out_title", { name: person.name })} onClose={onClose}>
      <p>{t("people.take_out_why")}</p>
      <div class="row is-end">
        <button type="button" class="button" onClick={onClose}>
          {t("act.cancel")}
        </button>
        <button
          type="button"
          class="button is-main is-wrong"
          onClick={() => {
            onClose();
            onSure(person);
          }}
        >
          {t("people.take_out")}
        </button>
      </div>
    </Modal>
  );
}
