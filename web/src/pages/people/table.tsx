import type { ComponentChildren } from "preact";
import type { Person, PersonRole, Qualification } from "web/api/people";
import { formatAgo, formatShare, formatTaken } from "web/language/formats";
import { formatNumber, t, tOf } from "web/language/language";
import type { PeopleActs } from "web/pages/people/page";
import { itemsAddress } from "web/parts/project_start";

interface PeopleTableProps {
  readonly project: string;
  readonly people: readonly Person[];
  readonly acts: PeopleActs;
}

/** Members in rows; on narrow screens each is a card of its own. */
export function PeopleTable({ project, people, acts }: PeopleTableProps) {
  const hasTraining = people.some(({ qualification }) => isTrained(qualification));
  return (
    <table class="people-table">
      <caption class="sr-only">{t("projects.people")}</caption>
      <thead>
        <tr>
          <th scope="col">{t("people.name")}</th>
          <th scope="col">{t("people.role")}</th>
          <th scope="col">{t("dashboard.answers")}</th>
          <th scope="col">{t("people.time")}</th>
          <th scope="col">{t("people.like_others")}</th>
          <th scope="col">{t("people.gold")}</th>
          {hasTraining && <th scope="col">{t("people.training")}</th>}
          <th scope="col">{t("people.seen")}</th>
          <th scope="col">
            <span class="sr-only">{t("people.acts")}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {people.map((person) => (
          <Row key={person.annotator} project={project} person={person} isMe={person.is_me} hasTraining={hasTraining} acts={acts} />
        ))}
      </tbody>
    </table>
  );
}

interface RowProps {
  readonly project: string;
  readonly person: Person;
  readonly isMe: boolean;
  readonly hasTraining: boolean;
  readonly acts: PeopleActs;
}

function Row({ project, person, isMe, hasTraining, acts }: RowProps) {
  const { gold } = person;
  return (
    <tr>
      <th scope="row">
        {person.name} {isMe && <span class="quiet small">{t("people.you")}</span>}
        {person.is_disabled && <span class="chip">{t("people.disabled")}</span>}
      </th>
      <Cell name={t("people.role")}>
        <Role person={person} isMe={isMe} acts={acts} />
      </Cell>
      <Cell name={t("dashboard.answers")}>
        {person.votes > 0 ? <a href={itemsAddress(project, { annotator: person.annotator })}>{formatNumber(person.votes)}</a> : "0"}
      </Cell>
      <Cell name={t("people.time")}>{person.ms_median === null ? "–" : formatTaken(person.ms_median)}</Cell>
      <Cell name={t("people.like_others")}>
        {person.reliability === null ? "–" : formatShare(person.reliability)}
        <Between low={person.low} high={person.high} />
      </Cell>
      <Cell name={t("people.gold")}>
        {gold ? <a href={itemsAddress(project, { annotator: person.annotator, purpose: "gold" })}>{t("dashboard.right_of", { right: gold.right, n: gold.n })}</a> : "–"}
        {gold && <Between low={gold.low} high={gold.high} />}
      </Cell>
      {hasTraining && <Cell name={t("people.training")}>{isTrained(person.qualification) ? <Training {...person.qualification} /> : "–"}</Cell>}
      <Cell name={t("people.seen")}>{seen(person)}</Cell>
      <td class="people-acts">
        {isTrained(person.qualification) && <Decisions person={person} state={person.qualification.state} acts={acts} />}
        {person.n_open > 0 && (
          <button type="button" class="button is-small" onClick={() => acts.giveBack(person)}>
            {t("people.give_back", { n: person.n_open })}
            <span class="sr-only">: {person.name}</span>
          </button>
        )}
        {acts.isAdmin && !isMe && (
          <button type="button" class="button is-small is-quiet" onClick={() => acts.askToTakeOut(person)}>
            {t("people.take_out")}
            <span class="sr-only">: {person.name}</span>
          </button>
        )}
      </td>
    </tr>
  );
}

/** A cell that carries its column's name where there are no columns. */
function Cell({ name, children }: { name: string; children: ComponentChildren }) {
  return <td data-name={name}><span class="cell">{children}</span></td>;
}

function Between({ low, high }: { low: number | null; high: number | null }) {
  if (low === null || high === null) return null;
  return <span class="quiet small">{t("dashboard.between", { low: formatShare(low), high: formatShare(high) })}</span>;
}

/** Leads and machines need no training. */
function isTrained(qualification: Qualification | null | undefined): qualification is Qualification {
  return qualification != null && qualification.state !== "exempt";
}

/** Letting somebody in, and sending them to training again. */
function Decisions({ person, state, acts }: { person: Person; state: Qualification["state"]; acts: PeopleActs }) {
  const choices = (["qualified", "training"] as const).filter((choice) => choice !== state);
  return (
    <>
      {choices.map((choice) => (
        <button key={choice} type="button" class="button is-small" onClick={() => acts.decide(person, choice)}>
          {t(`people.decide.${choice}`)}
          <span class="sr-only">: {person.name}</span>
        </button>
      ))}
    </>
  );
}

function Training({ state, score, n }: Qualification) {
  return (
    <>
      <span>{tOf(`people.training.${state}`)}</span>
      {score !== null && n > 0 && <span class="quiet small">{t("people.training_score", { share: formatShare(score), n })}</span>}
    </>
  );
}

function Role({ person, isMe, acts }: { person: Person; isMe: boolean; acts: PeopleActs }) {
  if (!acts.isAdmin || isMe || person.role === "machine") return <>{tOf(`role.${person.role}`)}</>;
  return (
    <select
      class="role-choice"
      aria-label={t("people.role_of", { name: person.name })}
      value={person.role}
      onChange={(event) => acts.changeRole(person, event.currentTarget.value as PersonRole)}
    >
      {(["annotator", "lead", "admin"] as const).map((role) => (
        <option key={role} value={role}>
          {t(`role.${role}`)}
        </option>
      ))}
    </select>
  );
}

/** The last sign of life: a page that asked, or an answer. */
function seen({ seen_at, last_at }: Person): string {
  const moments = [seen_at, last_at].flatMap((moment) => (moment ? [Date.parse(moment)] : []));
  return moments.length > 0 ? formatAgo(Math.max(...moments)) : t("people.never");
}
