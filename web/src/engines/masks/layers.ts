/** The person's masks and the suggested ones as two sheets, and whose pixels each number of them is. */

import { type Edges, edgesIn, type MaskRegion, maskOf } from "web/engines/masks/rle";
import { Sheet } from "web/engines/masks/sheet";
import type { Point, Size } from "web/engines/shapes/shape";

export interface MaskMark {
  readonly id: string;
  readonly region: MaskRegion;
  /** Somebody else's opinion, not yet taken: drawn hatched. */
  readonly isSuggested: boolean;
  readonly note: string;
  /** Another answer does not have it: drawn striped. */
  readonly isDifferent?: boolean;
}

/** What a stroke has made: masks by id, null for one of which nothing is left; and new ones. */
export interface Made {
  readonly changed: ReadonlyMap<string, MaskRegion | null>;
  readonly added: readonly MaskRegion[];
}

/** Whose pixels a number is; no id for a mask that is being made. */
interface Owner {
  readonly id: string | null;
  readonly label: string;
}

/** Numbers are 16 bits; long before, they are given out anew. */
const MOST_NUMBERS = 60_000;

export class Layers {
  sheet: Sheet;
  /** Made when there are suggestions. */
  hints: Sheet | null = null;
  hinted: readonly MaskMark[] = [];
  private marks: readonly MaskMark[] = [];
  private numbers = new Map<string, number>();
  private owners = new Map<number, Owner>();
  private made = new WeakMap<MaskRegion, number>();
  private next = 1;

  constructor(readonly size: Size) {
    this.sheet = new Sheet(size);
  }

  /** The masks as they are now; those of another size than the image are not drawn. */
  show(marks: readonly MaskMark[]): void {
    if (this.next > MOST_NUMBERS) this.startAfresh();
    this.marks = marks;
    this.showOwn(marks.filter((mark) => !mark.isSuggested && this.fits(mark.region)));
    this.showHints(marks.filter((mark) => mark.isSuggested && this.fits(mark.region)));
  }

  /** The number of a mask on the person's sheet; a suggested one is taken over. */
  numberOf(mark: MaskMark): number {
    return this.numbers.get(mark.id) ?? this.takeOver(mark);
  }

  /** Of the first mask of a class, null without one. */
  numberOfClass(label: string): number | null {
    const there = this.marks.find((mark) => !mark.isSuggested && mark.region.label === label && this.numbers.has(mark.id));
    return (there && this.numbers.get(there.id)) ?? null;
  }

  /** For a mask that is being made. */
  newNumber(label: string): number {
    return this.numberFor({ id: null, label });
  }

  /** A suggested mask lies on the sheet as if the person had painted it below what is there. */
  takeOver(mark: MaskMark): number {
    const there = this.numbers.get(mark.id);
    if (there !== undefined) return there;
    const number = this.numberFor({ id: mark.id, label: mark.region.label });
    this.numbers.set(mark.id, number);
    this.sheet.paintBelow(edgesIn(mark.region), number);
    return number;
  }

  /** Takes over the suggested masks with pixels in a stretch of a column. */
  takeOverIn(x: number, top: number, bottom: number): void {
    if (!this.hints || !this.hinted.length || top >= bottom) return;
    let last = 0;
    for (const number of this.hints.pixels.subarray(x * this.size.height + top, x * this.size.height + bottom)) {
      if (number === last) continue;
      last = number;
      const mark = this.hinted[number - 1];
      if (mark) this.takeOver(mark);
    }
  }

  /** What was painted since this was last asked, as masks. */
  tell(): Made {
    const changed = new Map<string, MaskRegion | null>();
    const added: MaskRegion[] = [];
    for (const [number, edges] of this.sheet.tell()) {
      const owner = this.owners.get(number);
      if (!owner) continue;
      const mask = edges.length ? maskOf(owner.label, [this.size.height, this.size.width], edges) : null;
      if (mask) this.made.set(mask, number);
      if (owner.id !== null) changed.set(owner.id, mask);
      else if (mask) added.push(mask);
    }
    for (const [id, number] of this.numbers) {
      // A suggestion that was taken over and rubbed out whole has no runs to tell of.
      if (!changed.has(id) && !this.sheet.edgesOf(number).length) changed.set(id, null);
    }
    return { changed, added };
  }

  /** Takes back what was painted and not told. */
  restore(): void {
    this.sheet.restore();
    this.forgetUnfinished();
  }

  /** Forgets the numbers of what did not become a mask. */
  forgetUnfinished(): void {
    for (const [number, { id }] of this.owners) if (id === null) this.owners.delete(number);
    const own = new Set(this.marks.filter((mark) => !mark.isSuggested).map((mark) => mark.id));
    for (const [id, number] of this.numbers) {
      if (own.has(id)) continue;
      this.numbers.delete(id);
      this.owners.delete(number);
    }
  }

  /** The mask under a place: the person's own before a suggested one. */
  markAt([x, y]: Point): MaskMark | null {
    const [column, row] = [Math.floor(x), Math.floor(y)];
    const id = this.owners.get(this.sheet.at(column, row))?.id;
    if (id) return this.marks.find((mark) => mark.id === id) ?? null;
    return this.hinted[(this.hints?.at(column, row) ?? 0) - 1] ?? null;
  }

  /** Class of each number of the person's sheet. */
  get labels(): ReadonlyMap<number, string> {
    return new Map([...this.owners].map(([number, { label }]) => [number, label]));
  }

  /** Numbers of a mask on the sheet and among the hints; 0 where it is not. */
  placesOf(id: string | null): { own: number; hint: number } {
    return { own: (id !== null && this.numbers.get(id)) || 0, hint: this.hinted.findIndex((mark) => mark.id === id) + 1 };
  }

  fits({ size }: MaskRegion): boolean {
    return size[0] === this.size.height && size[1] === this.size.width;
  }

  private numberFor(owner: Owner): number {
    const number = this.next++;
    this.owners.set(number, owner);
    return number;
  }

  private showOwn(marks: readonly MaskMark[]): void {
    const numbers = new Map<string, number>();
    const owners = new Map<number, Owner>();
    const masks = new Map<number, Edges>();
    for (const { id, region } of marks) {
      const number = this.numbers.get(id) ?? this.made.get(region) ?? this.next++;
      numbers.set(id, number);
      owners.set(number, { id, label: region.label });
      masks.set(number, edgesIn(region));
    }
    [this.numbers, this.owners] = [numbers, owners];
    this.sheet.show(masks);
  }

  private showHints(marks: readonly MaskMark[]): void {
    const isAsBefore = marks.length === this.hinted.length && marks.every((mark, i) => mark.region === this.hinted[i]?.region);
    this.hinted = marks;
    if (isAsBefore || (!marks.length && !this.hints)) return;
    this.hints ??= new Sheet(this.size);
    this.hints.show(new Map(marks.map((mark, i) => [i + 1, edgesIn(mark.region)])));
  }

  private startAfresh(): void {
    this.sheet = new Sheet(this.size);
    [this.numbers, this.owners, this.made, this.next] = [new Map(), new Map(), new WeakMap(), 1];
  }
}
