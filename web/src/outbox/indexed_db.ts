import { type Draft, draftKey, memoryShelf, type Shelf, type Waiting } from "web/outbox/store";

const NAME = "labelmill";
const VERSION = 1;

/** The shelf in IndexedDB; in memory, and `isLasting` false, where the browser gives none (some private windows). */
export async function openShelf(): Promise<{ shelf: Shelf; isLasting: boolean }> {
  try {
    const database = await open();
    return { shelf: shelfIn(database), isLasting: true };
  } catch {
    return { shelf: memoryShelf(), isLasting: false };
  }
}

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      const votes = request.result.createObjectStore("votes", { keyPath: "order", autoIncrement: true });
      votes.createIndex("person", "person");
      request.result.createObjectStore("drafts", { keyPath: ["person", "project", "item"] });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("the browser's store is held by an older page"));
  });
}

function shelfIn(database: IDBDatabase): Shelf {
  const run = <T>(name: string, mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T> | undefined) =>
    new Promise<T>((resolve, reject) => {
      // "strict" asks the browser to have it on disk before it says so.
      const transaction = database.transaction(name, mode, { durability: mode === "readonly" ? "default" : "strict" });
      const request = act(transaction.objectStore(name));
      // Without this the browser waits for a word from the page, and a page that is just closing gives none.
      if (mode === "readwrite") transaction.commit();
      transaction.oncomplete = () => resolve(request?.result as T);
      transaction.onerror = () => reject(transaction.error);
      transaction.onabort = () => reject(transaction.error);
    });
  return {
    async votesOf(person) {
      return run<Waiting[]>("votes", "readonly", (store) => store.index("person").getAll(person));
    },
    async addVote(entry) {
      const order = await run<IDBValidKey>("votes", "readwrite", (store) => store.add(entry));
      return { ...entry, order: order as number };
    },
    async markVote(entry) {
      await run("votes", "readwrite", (store) => store.put(entry));
    },
    async removeVotes(entries) {
      await run("votes", "readwrite", (store) => {
        for (const entry of entries) store.delete(entry.order);
        return undefined;
      });
    },
    async draftOf(person, project, item) {
      const key = draftKey(person, project, item);
      return (await run<Draft | undefined>("drafts", "readonly", (store) => store.get(key))) ?? null;
    },
    async putDraft(draft) {
      await run("drafts", "readwrite", (store) => store.put(draft));
    },
    async removeDraft(person, project, item) {
      await run("drafts", "readwrite", (store) => store.delete(draftKey(person, project, item)));
    },
  };
}
