import { fetchDone, fetchNext, giveBack, putDraft, renew, sendVotes } from "web/api/api";
import { Problem } from "web/api/request";
import { t } from "web/language/language";
import { Drafts } from "web/pages/label/drafts";
import { Pictures } from "web/pages/label/pictures";
import { Work } from "web/pages/label/work";
import { Office, type Shelves } from "web/pages/office";
import { backoffMs } from "web/outbox/backoff";
import { openShelf } from "web/outbox/indexed_db";
import { Session } from "web/session/session";
import type { Me, Project } from "web/tasks";
import { Training } from "web/training/training";
import type { Widget } from "web/widget";

const RENEW_EVERY_MS = 120_000;
const LOOK_AGAIN_EVERY_MS = 20_000;

export type Dialog = "skip" | "flag" | "comment";

/** The labelling page of one person at one project: the cores, wired to the browser, and what the screen shows. */
export class Desk<V> extends Office<Dialog> {
  readonly session: Session<V>;
  readonly work: Work<V>;
  readonly training: Training<V>;
  private drafts!: Drafts<V>;
  private readonly pictures = new Pictures();
  private nFailures = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;

  private constructor(
    me: Me,
    project: Project,
    readonly widget: Widget<V, unknown>,
    shelves: Shelves,
  ) {
    super(me, project, shelves);
    const name = project.project;
    this.drafts = new Drafts<V>({
      shelf: shelves.shelf,
      person: me.name,
      project: name,
      upload: (assignment, value) => putDraft(name, assignment, value),
    });
    this.session = new Session<V>({
      fetchNext: (n, have) => this.askForWork(n, have),
      pending: () => this.outbox.assignmentsOf(name),
      prepare: async (task) => {
        await this.drafts.load(task);
        await this.pictures.decode(task);
      },
      onChange: () => this.work.follow(),
    });
    this.training = this.makeTraining();
    this.work = new Work<V>({
      project,
      widget,
      session: this.session,
      outbox: this.outbox,
      drafts: this.drafts,
      keymap: this.keymap,
      say: (message) => this.say(message),
      teach: (task, vote, mine) => void this.training.answer(task, vote, mine),
    });
  }

  /** Opens the shelf of this computer, sends what an earlier page left, and asks for work. */
  static async open<V>(me: Me, project: Project, widget: Widget<V, unknown>): Promise<Desk<V>> {
    const desk = new Desk<V>(me, project, widget, await openShelf());
    await desk.outbox.open();
    desk.listen();
    if (desk.training.isOpen) void desk.session.refill();
    // Looking back is worth no waiting: whoever does it has been here for a moment.
    void fetchDone<V>(project.project)
      .then((earlier) => desk.session.remember(earlier))
      .catch(() => undefined);
    return desk;
  }

  protected override goOn(): void {
    this.nFailures = 0;
    void this.session.lookAgain();
  }

  lookAgain(): void {
    void this.session.lookAgain();
  }

  private makeTraining(): Training<V> {
    return new Training<V>({
      standing: this.project.qualification ?? null,
      send: (vote) => sendVotes(this.project.project, [vote], false),
      show: (task, value) => this.work.showKnown(task, value),
      advance: (value) => {
        const { current } = this.session;
        if (current) this.drafts.drop(current);
        this.session.advance({ value, kind: value === null ? "skip" : "label" });
      },
      begin: () => void this.session.refill(),
      reload: () => location.reload(),
      signedOut: () => {
        this.isSignedOut.value = true;
      },
      say: (what, detail) => this.say(detail || t(`training.${what}`)),
    });
  }

  private async askForWork(n: number, have: readonly string[]) {
    try {
      const handout = await fetchNext<V>(this.project.project, n, have);
      this.nFailures = 0;
      this.training.heard(handout.qualification, this.session.current?.purpose === "training");
      return handout;
    } catch (error) {
      if (error instanceof Problem && error.status === 401) this.isSignedOut.value = true;
      else this.askLater();
      throw error;
    }
  }

  private askLater(): void {
    this.nFailures += 1;
    clearTimeout(this.retry);
    this.retry = setTimeout(() => void this.session.refill(), backoffMs(this.nFailures, Math.random));
  }

  private listen(): void {
    const { clock } = this.work;
    for (const kind of ["pointerdown", "pointermove", "wheel", "keydown"]) {
      addEventListener(kind, () => clock.input(), { passive: true, capture: true });
    }
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) {
        clock.hide();
        this.drafts.save();
      } else {
        clock.show();
        this.keepLeases();
      }
    });
    addEventListener("pagehide", (event) => this.leave(event));
    this.watchNetwork();
    setInterval(() => this.keepLeases(), RENEW_EVERY_MS);
    setInterval(() => {
      const hasNothing = this.training.isHeldBack || (this.training.isOpen && this.session.state === "finished");
      if (!document.hidden && hasNothing) this.lookAgain();
    }, LOOK_AGAIN_EVERY_MS);
  }

  private keepLeases(): void {
    const { held } = this.session;
    if (document.hidden || held.length === 0) return;
    void renew(this.project.project, held)
      .then((still) => this.session.keepOnly(still))
      .catch((error: unknown) => {
        if (error instanceof Problem && error.status === 401) this.isSignedOut.value = true;
      });
  }

  /** The tab goes: what nobody has seen goes to others; what is on screen stays leased for coming back to it. */
  private leave(event: PageTransitionEvent): void {
    this.drafts.save();
    const { unseen } = this.session;
    if (!event.persisted && unseen.length > 0) void giveBack(this.project.project, unseen).catch(() => undefined);
  }
}
