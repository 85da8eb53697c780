/** The text with its spans on the screen: paragraphs of flat segments, repainted only where something changed. */

import type { SpanBoard } from "web/engines/spans/board";
import { type Segment, segmentsOf, type SpanMark, looksAlike } from "web/engines/spans/segments";
import { linesOf } from "web/engines/spans/underlines";

/** From here on only what is in sight is laid out. */
const LONG_TEXT = 4_000;
/** Characters in a line, roughly, to guess the height of what is not laid out. */
const LINE = 80;
/** Pixels under which a drag was a click. */
const CLICK = 4;

interface Block {
  readonly element: HTMLElement;
  readonly start: number;
  readonly end: number;
  marks: readonly SpanMark[];
  segments: Segment[];
  pieces: HTMLElement[];
}

export class SpanPage {
  private board: SpanBoard | null = null;
  private blocks: Block[] = [];
  private readonly caret = document.createElement("div");
  private readonly leave = new AbortController();
  private selectedId: string | null = null;
  private pressedAt: [number, number] | null = null;
  private column: { at: number; left: number } | null = null;
  /** Pieces that were made so far, for those who measure. */
  nMade = 0;

  constructor(readonly host: HTMLElement) {
    this.caret.className = "span-caret";
    this.caret.setAttribute("aria-hidden", "true");
    this.listen();
  }

  show(board: SpanBoard): void {
    this.board = board;
    this.selectedId = null;
    const isLong = board.text.length > LONG_TEXT;
    this.blocks = board.paragraphs.map(([start, end]) => blockOf(start, end, isLong));
    this.host.replaceChildren(...this.blocks.map((block) => block.element), this.caret);
    for (const block of this.blocks) this.fill(block, []);
    this.update();
  }

  /** Brings the screen up to the board. */
  update(): void {
    const { board } = this;
    if (!board) return;
    const marks = this.marksByBlock(board);
    let hasChanged = false;
    this.blocks.forEach((block, i) => {
      const now = marks[i] ?? [];
      if (isSameList(block.marks, now)) return;
      this.fill(block, now);
      hasChanged = true;
    });
    if (hasChanged || this.selectedId !== board.selectedId) this.showSelected(board.selectedId);
    this.showSelection(board);
  }

  /** Where the caret is a line further down or up; null at the text's ends. */
  lineFrom(at: number, by: 1 | -1): number | null {
    const here = this.rectAt(at);
    if (!here) return null;
    // From a short line on to a long one, the caret comes back to the column it set out from.
    const left = this.column?.at === at ? this.column.left : here.left;
    for (const lines of [1, 1.6, 2.4]) {
      const y = here.top + here.height / 2 + by * lines * here.height;
      const found = this.offsetAt(left, y);
      if (found === null || found === at || Math.abs((this.rectAt(found)?.top ?? here.top) - here.top) <= 2) continue;
      this.column = { at: found, left };
      return found;
    }
    return null;
  }

  /** What the browser has selected in the text, from where to where; a finger selects without the pointer's help. */
  marked(): [number, number] | null {
    const native = getSelection();
    const { anchorNode, focusNode } = native ?? {};
    if (!native || native.isCollapsed || !anchorNode || !focusNode) return null;
    if (!this.host.contains(anchorNode) && !this.host.contains(focusNode)) return null;
    const anchor = this.nearestOffset(anchorNode, native.anchorOffset);
    const focus = this.nearestOffset(focusNode, native.focusOffset);
    return anchor === focus ? null : [anchor, focus];
  }

  /** Brings a place into sight. */
  reveal(at: number): void {
    const rect = this.rectAt(at);
    if (!rect) return;
    const { top, bottom } = this.host.getBoundingClientRect();
    if (rect.top >= Math.max(top, 0) && rect.bottom <= Math.min(bottom, innerHeight)) return;
    this.pieceAt(at)?.scrollIntoView({ block: "center" });
  }

  dispose(): void {
    this.leave.abort();
    this.host.replaceChildren();
  }

  private marksByBlock(board: SpanBoard): SpanMark[][] {
    const lists: SpanMark[][] = this.blocks.map(() => []);
    for (const mark of board.marks) {
      const last = board.paragraphIndexAt(Math.max(mark.end - 1, mark.start));
      for (let i = board.paragraphIndexAt(mark.start); i <= last; i++) lists[i]?.push(mark);
    }
    return lists;
  }

  /** New segments in place of those that look different; what comes before and after them stays. */
  private fill(block: Block, marks: readonly SpanMark[]): void {
    const text = this.board?.text ?? "";
    const segments = segmentsOf(marks, block.start, block.end);
    const [before, after] = alikeAtEnds(block.segments, segments);
    const made = segments.slice(before, segments.length - after).map((segment) => pieceOf(segment, text));
    this.nMade += made.length;
    const gone = block.pieces.slice(before, block.pieces.length - after);
    const next = block.pieces[block.pieces.length - after] ?? null;
    for (const piece of gone) piece.remove();
    const fragment = document.createDocumentFragment();
    fragment.append(...made);
    block.element.insertBefore(fragment, next);
    block.pieces = [...block.pieces.slice(0, before), ...made, ...block.pieces.slice(block.pieces.length - after)];
    block.marks = marks;
    block.segments = segments;
    const lanes = segments.reduce((most, { layers }) => layers.reduce((top, { lane }) => Math.max(top, lane + 1), most), 0);
    block.element.style.setProperty("--lanes", String(lanes));
  }

  private showSelected(id: string | null): void {
    for (const piece of this.host.querySelectorAll(".is-selected")) piece.classList.remove("is-selected");
    this.selectedId = id;
    if (id === null) return;
    for (const block of this.blocks) {
      if (!block.marks.some((mark) => mark.id === id)) continue;
      block.segments.forEach((segment, i) => {
        const isOn = segment.layers.some(({ mark }) => mark.id === id);
        block.pieces[i]?.classList.toggle("is-selected", isOn);
      });
    }
  }

  private showSelection(board: SpanBoard): void {
    const native = getSelection();
    const { anchor, focus } = board;
    const from = anchor === null ? null : this.nodeAt(anchor);
    const to = focus === null ? null : this.nodeAt(focus);
    const isCaret = anchor !== null && anchor === focus && board.selectedId === null;
    this.caret.hidden = !isCaret;
    if (isCaret) this.placeCaret(anchor);
    if (!native || !this.isInUse()) return;
    if (!from || !to || anchor === focus) {
      if (native.anchorNode && this.host.contains(native.anchorNode)) native.removeAllRanges();
    } else native.setBaseAndExtent(...from, ...to);
  }

  /** Whether nobody is typing elsewhere: their selection is theirs. */
  private isInUse(): boolean {
    const { activeElement } = document;
    return !(activeElement instanceof HTMLInputElement || activeElement instanceof HTMLTextAreaElement);
  }

  private placeCaret(at: number): void {
    const rect = this.rectAt(at);
    if (!rect) return;
    const base = this.host.getBoundingClientRect();
    this.caret.style.transform = `translate(${rect.left - base.left + this.host.scrollLeft}px, ${rect.top - base.top + this.host.scrollTop}px)`;
    this.caret.style.height = `${rect.height}px`;
  }

  private rectAt(at: number): DOMRect | null {
    const place = this.nodeAt(at);
    if (!place) return null;
    const range = document.createRange();
    range.setStart(...place);
    range.collapse(true);
    const rect = range.getClientRects()[0] ?? (place[0] as Text).parentElement?.getBoundingClientRect();
    return rect ?? null;
  }

  /** The text node and the place in it where an offset is. */
  private nodeAt(at: number): [Node, number] | null {
    const piece = this.pieceAt(at);
    const start = piece ? startOf(piece) : null;
    const node = piece?.firstChild;
    return node && start !== null ? [node, Math.min(at - start, node.textContent?.length ?? 0)] : null;
  }

  private pieceAt(at: number): HTMLElement | null {
    const { board } = this;
    const block = board && this.blocks[board.paragraphIndexAt(at)];
    if (!block) return null;
    const index = block.segments.findIndex((segment) => at < segment.end);
    return block.pieces[index < 0 ? block.pieces.length - 1 : index] ?? null;
  }

  private offsetAt(x: number, y: number): number | null {
    const [node, offset] = positionFromPoint(x, y);
    return node ? this.offsetOf(node, offset) : null;
  }

  /** The text's offset of a place in the document; null outside of the text. */
  private offsetOf(node: Node, offset: number): number | null {
    if (node instanceof Text && node.parentElement && this.host.contains(node)) {
      const start = startOf(node.parentElement);
      return start === null ? null : start + offset;
    }
    // Between pieces: the start of the one that follows, or the end of the last one.
    if (!(node instanceof HTMLElement) || !this.host.contains(node)) return null;
    const inside = startOf(node);
    if (inside !== null) return inside + (offset ? (node.textContent?.length ?? 0) : 0);
    const child = node.childNodes[offset];
    const block = this.blocks.find((one) => one.element === (child ?? node));
    if (child instanceof HTMLElement && startOf(child) !== null) return startOf(child);
    return block ? (child ? block.start : block.end) : null;
  }

  /** As `offsetOf`; a place beside the text is the end of the text on that side. */
  private nearestOffset(node: Node, offset: number): number {
    const found = this.offsetOf(node, offset);
    if (found !== null) return found;
    const isBefore = this.host.compareDocumentPosition(node) & Node.DOCUMENT_POSITION_PRECEDING;
    return isBefore ? 0 : (this.board?.text.length ?? 0);
  }

  private listen(): void {
    const { signal } = this.leave;
    this.host.addEventListener("pointerdown", (event) => {
      if (event.button === 0) this.pressedAt = [event.clientX, event.clientY];
    });
    // The second click of two marks a word, the third a paragraph: the browser has selected it by the click's end.
    this.host.addEventListener("mousedown", (event) => {
      if (event.detail > 1) this.pressedAt = null;
    });
    this.host.addEventListener("click", (event) => {
      const marked = event.detail > 1 ? this.marked() : null;
      if (marked) this.board?.mark(...marked);
    });
    document.addEventListener("pointerup", (event) => this.release(event), { signal });
    new ResizeObserver(() => this.board && this.showSelection(this.board)).observe(this.host);
  }

  /** Only a pointer that went down in the text marks text, wherever it comes up. */
  private release(event: PointerEvent): void {
    const { pressedAt, board } = this;
    this.pressedAt = null;
    if (!pressedAt || !board) return;
    const [x, y] = pressedAt;
    // A click into what is marked leaves it marked until after this event: only a drag marks.
    const marked = Math.hypot(event.clientX - x, event.clientY - y) < CLICK ? null : this.marked();
    if (marked) return board.mark(...marked);
    const at = this.characterAt(event);
    if (at === null) return;
    if (event.shiftKey && board.anchor !== null) board.extendTo(at);
    else board.click(at);
  }

  /** The character that was hit; on its right half too, where a caret would stand behind it. */
  private characterAt(event: PointerEvent): number | null {
    const at = this.offsetAt(event.clientX, event.clientY);
    const start = event.target instanceof Node ? startOf(event.target) : null;
    if (at === null || start === null) return at;
    return Math.min(Math.max(at, start), start + ((event.target as Node).textContent?.length ?? 1) - 1);
  }
}

function blockOf(start: number, end: number, isLong: boolean): Block {
  const element = document.createElement("div");
  element.className = "span-paragraph";
  if (isLong) {
    element.classList.add("is-lazy");
    element.style.containIntrinsicSize = `auto ${Math.ceil((end - start) / LINE) * 2}em`;
  }
  return { element, start, end, marks: [], segments: [], pieces: [] };
}

const starts = new WeakMap<Node, number>();

function startOf(piece: Node): number | null {
  return starts.get(piece) ?? null;
}

function pieceOf(segment: Segment, text: string): HTMLElement {
  const piece = document.createElement("span");
  piece.textContent = text.slice(segment.start, segment.end);
  starts.set(piece, segment.start);
  if (!segment.layers.length) return piece;
  piece.className = "span-piece";
  piece.style.background = linesOf(segment.layers);
  if (segment.begins.length) {
    const names = segment.begins.map((mark) => (mark.note ? `${mark.label} ${mark.note}` : mark.label));
    piece.dataset["names"] = names.join(" · ");
    if (segment.begins.every((mark) => mark.isSuggested)) piece.classList.add("is-suggested");
  }
  return piece;
}

function alikeAtEnds(old: readonly Segment[], now: readonly Segment[]): [number, number] {
  const most = Math.min(old.length, now.length);
  let before = 0;
  while (before < most && looksAlike(old[before] as Segment, now[before] as Segment)) before += 1;
  let after = 0;
  while (after < most - before && looksAlike(old.at(-1 - after) as Segment, now.at(-1 - after) as Segment)) after += 1;
  return [before, after];
}

function isSameList(a: readonly SpanMark[], b: readonly SpanMark[]): boolean {
  return a.length === b.length && a.every((mark, i) => mark === b[i]);
}

function positionFromPoint(x: number, y: number): [Node | null, number] {
  if ("caretPositionFromPoint" in document) {
    const position = document.caretPositionFromPoint(x, y);
    return [position?.offsetNode ?? null, position?.offset ?? 0];
  }
  // Safari has only the older name.
  const range = (document as unknown as { caretRangeFromPoint(x: number, y: number): Range | null }).caretRangeFromPoint(x, y);
  return [range?.startContainer ?? null, range?.startOffset ?? 0];
}
