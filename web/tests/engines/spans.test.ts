import assert from "node:assert/strict";
import { test } from "node:test";
import { SpanBoard } from "web/engines/spans/board";
import { Offsets } from "web/engines/spans/offsets";
import { inReadingOrder, looksAlike, paragraphsOf, segmentsOf, type SpanMark } from "web/engines/spans/segments";
import { nextStop, wholeCharacters, wholeWords } from "web/engines/spans/words";

function mark(start: number, end: number, id = `${start}-${end}`, index = 0): SpanMark {
  return { id, start, end, label: "x", index, isSuggested: false, note: "" };
}

function snap(text: string, part: string): string | null {
  const start = text.indexOf(part);
  const found = wholeWords(text, { start, end: start + part.length });
  return found && text.slice(found.start, found.end);
}

test("offsets go to code points and back around emoji, rare characters and lone surrogates", () => {
  const text = "a😀𠮷野\ud83d家👩‍💻";
  const offsets = new Offsets(text);
  const points = Array.from(text);

  assert.equal(offsets.length, points.length);
  for (let point = 0; point <= points.length; point++) {
    const unit = points.slice(0, point).join("").length;
    assert.equal(offsets.toUnits(point), unit);
    assert.equal(offsets.toPoints(unit), point);
  }
});

test("marking grows to whole words in Chinese and in English", () => {
  assert.equal(snap("他在上海交通大学作报告。", "通大"), "交通大学");
  assert.equal(snap("met Jane O'Neill today", "ane O"), "Jane O'Neill");
  assert.equal(snap("met Jane", "t "), "met");
  assert.equal(snap("a   b", "  "), null);
});

test("without whole words, no character is cut", () => {
  const text = "x👩‍💻y";

  assert.deepEqual(wholeCharacters(text, { start: 2, end: 3 }), { start: 1, end: 6 });
});

test("the caret stops at ends of words going on and at their beginnings going back", () => {
  assert.equal(nextStop("one two", 0, 1, true), 3);
  assert.equal(nextStop("one two", 3, 1, true), 7);
  assert.equal(nextStop("one two", 7, -1, true), 4);
  assert.equal(nextStop("a😀b", 1, 1, false), 3);
});

test("overlapping spans become flat segments, each lane free of overlap", () => {
  const marks = [mark(0, 8), mark(0, 4), mark(2, 6), mark(8, 9)].sort(inReadingOrder);

  const segments = segmentsOf(marks, 0, 12);

  assert.deepEqual(segments.map(({ start, end }) => [start, end]), [[0, 2], [2, 4], [4, 6], [6, 8], [8, 9], [9, 12]]);
  assert.deepEqual(segments.map(({ layers }) => layers.map(({ mark: { id }, lane }) => `${id}@${lane}`)), [
    ["0-8@0", "0-4@1"],
    ["0-8@0", "0-4@1", "2-6@2"],
    ["0-8@0", "2-6@2"],
    ["0-8@0"],
    ["8-9@0"],
    [],
  ]);
  assert.deepEqual(segments.map(({ begins }) => begins.length), [2, 1, 0, 0, 1, 0]);
});

test("segments cover the text whatever the spans are", () => {
  let seed = 7;
  const random = (n: number) => (seed = (seed * 48271) % 2147483647) % n;
  for (let round = 0; round < 50; round++) {
    const marks = Array.from({ length: 12 }, (_, i) => {
      const start = random(40);
      return mark(start, start + 1 + random(12), `${i}`, i);
    }).sort(inReadingOrder);

    const segments = segmentsOf(marks, 5, 45);

    assert.equal(segments[0]?.start, 5);
    assert.equal(segments.at(-1)?.end, 45);
    segments.forEach((segment, i) => {
      if (i) assert.equal(segment.start, segments[i - 1]?.end);
      const covering = marks.filter(({ start, end }) => start <= segment.start && end >= segment.end);
      assert.deepEqual(new Set(segment.layers.map(({ mark: { id } }) => id)), new Set(covering.map(({ id }) => id)));
      assert.equal(new Set(segment.layers.map(({ lane }) => lane)).size, covering.length);
    });
  }
});

test("segments far from a new span look as before", () => {
  const marks = Array.from({ length: 20 }, (_, i) => mark(i * 10, i * 10 + 4));
  const before = segmentsOf(marks, 0, 200);

  const after = segmentsOf([...marks, mark(105, 108)].sort(inReadingOrder), 0, 200);

  const changed = after.filter((segment) => !before.some((old) => looksAlike(old, segment)));
  assert.deepEqual(changed.map(({ start, end }) => [start, end]), [[104, 105], [105, 108], [108, 110]]);
});

test("paragraphs keep their line breaks, and an empty text is one", () => {
  assert.deepEqual(paragraphsOf("a\n\nb"), [[0, 2], [2, 3], [3, 4]]);
  assert.deepEqual(paragraphsOf(""), [[0, 0]]);
});

function boardOf(text: string, marks: SpanMark[] = []) {
  const events: unknown[] = [];
  const board: SpanBoard = new SpanBoard(text, {
    edit: (id, stretch) => events.push([id, stretch.start, stretch.end]),
    select: (id) => board.show(board.marks, id),
    marked: () => events.push("marked"),
    changed: () => undefined,
  });
  board.show(marks, null);
  return { board, events };
}

test("repeated clicks walk from the shortest span to the longest and round again", () => {
  const { board } = boardOf("北京大学附属医院", [mark(0, 2), mark(0, 4), mark(0, 8)]);

  const selected = [1, 2, 3, 4].map(() => {
    board.click(1);
    return board.selectedId;
  });

  assert.deepEqual(selected, ["0-2", "0-4", "0-8", "0-2"]);
});

test("a click that extends marks from where the caret was, in both directions, whole words of it", () => {
  const { board } = boardOf("one two three four");

  board.click(5);
  board.extendTo(9);
  assert.deepEqual(board.selection, { start: 4, end: 13 });
  board.extendTo(1);
  assert.deepEqual(board.selection, { start: 0, end: 13 });
  board.extendTo(4);
  assert.deepEqual(board.selection, { start: 0, end: 7 });
});

test("marking from right to left keeps its direction for going on by keys", () => {
  const { board, events } = boardOf("one two three");

  board.mark(6, 1);
  assert.deepEqual([board.anchor, board.focus, board.selection, events], [7, 0, { start: 0, end: 7 }, ["marked"]]);
  board.step(1, true);
  assert.deepEqual(board.selection, { start: 3, end: 7 });
});

test("a stretch may cross paragraphs, and keys walk over their border", () => {
  const { board } = boardOf("one two\nthree four");

  board.mark(5, 10);
  assert.deepEqual(board.selection, { start: 4, end: 13 });
  board.place(7);
  board.step(1, false);
  assert.equal(board.focus, 8);
  board.step(1, false);
  assert.equal(board.focus, 13);
  board.step(-1, false);
  board.step(-1, false);
  assert.equal(board.focus, 4);
});

test("keys move the start of a selected span, with Shift its end, and never past each other", () => {
  const { board, events } = boardOf("one two three", [mark(4, 7)]);
  board.show(board.marks, "4-7");

  board.step(-1, false);
  board.step(1, true);
  board.step(1, false);

  assert.deepEqual(events, [["4-7", 0, 7], ["4-7", 4, 13]]);
  board.show([mark(4, 13)], "4-13");
  board.step(-1, true);
  board.step(1, false);
  assert.deepEqual(events.slice(2), [["4-13", 4, 7], ["4-13", 8, 13]]);
});
