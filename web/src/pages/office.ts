import { type Signal, signal } from "@preact/signals";
import { putKeys, sendVotes } from "web/api/api";
import { Keymap } from "web/keys/keymap";
import type { openShelf } from "web/outbox/indexed_db";
import { Outbox, type OutboxState } from "web/outbox/outbox";
import type { Me, Project } from "web/tasks";

const NOTHING_WAITS: OutboxState = { nWaiting: 0, nKept: 0, problems: [], isSignedOut: false, isStuck: false, isFragile: false };

export type Shelves = Awaited<ReturnType<typeof openShelf>>;

/** What lies over a page: one thing at a time. */
export type OfficeDialog = "keys" | "problems";

/** What every page has on which somebody answers: keys, the outbox, the line of messages, signing in over the page. */
export class Office<D extends string = string> {
  readonly keymap: Signal<Keymap>;
  /** What was said last; the number tells two equal messages apart. */
  readonly message = signal({ text: "", number: 0 });
  readonly dialog: Signal<D | OfficeDialog | null> = signal(null);
  readonly isGuidelineOpen = signal(false);
  readonly isSignedOut = signal(false);
  readonly isOnline = signal(navigator.onLine);
  readonly isLasting = signal(true);
  readonly outboxState: Signal<OutboxState> = signal(NOTHING_WAITS);
  readonly outbox: Outbox;

  protected constructor(
    readonly me: Me,
    readonly project: Project,
    shelves: Shelves,
  ) {
    this.keymap = signal(new Keymap(me.keys));
    this.isLasting.value = shelves.isLasting;
    this.outbox = this.makeOutbox(shelves.shelf);
  }

  /** A word in the page's status line. The same word twice is said twice. */
  say(text: string): void {
    this.message.value = { text, number: this.message.peek().number + 1 };
  }

  /** Another key for an act; kept at the server, for this page at least. Whether the server took it. */
  async setKeymap(keymap: Keymap): Promise<boolean> {
    this.keymap.value = keymap;
    try {
      await putKeys(keymap.own);
      return true;
    } catch {
      return false;
    }
  }

  /** Somebody signed in over the page: the same person goes on, another one starts anew. */
  signedIn(name: string): void {
    if (name !== this.me.name) return location.reload();
    this.isSignedOut.value = false;
    void this.outbox.resume();
    this.goOn();
  }

  /** The network or the session is back: what else the page was waiting for. */
  protected goOn(): void {}

  /** Follows the network, and holds a page that would lose something. */
  protected watchNetwork(): void {
    addEventListener("online", () => this.backOnline());
    addEventListener("offline", () => {
      this.isOnline.value = false;
    });
    addEventListener("beforeunload", (event) => {
      if (this.outboxState.peek().isFragile || (!this.isLasting.peek() && this.outboxState.peek().nWaiting)) event.preventDefault();
    });
  }

  private backOnline(): void {
    this.isOnline.value = true;
    if (this.isSignedOut.peek()) return;
    void this.outbox.resume();
    this.goOn();
  }

  private makeOutbox(shelf: Shelves["shelf"]): Outbox {
    return new Outbox({
      shelf,
      send: sendVotes,
      person: this.me.name,
      alone: (act) => (navigator.locks ? navigator.locks.request(`labelmill outbox of ${this.me.name}`, act) : act()),
      onChange: (state) => {
        this.outboxState.value = state;
        if (state.isSignedOut) this.isSignedOut.value = true;
      },
    });
  }
}
