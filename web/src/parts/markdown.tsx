import type { ComponentChild, VNode } from "preact";

/**
 * Guidelines as elements: headings, lists, paragraphs, quotes, code, bold, italic and links.
 *
 * A small part of Markdown, made of elements and never of HTML text, so that nothing in a guideline can run. What it
 * does not know stays readable as it was written.
 */
export function Markdown({ text }: { text: string }) {
  return <div class="prose">{blocksOf(text).map(renderBlock)}</div>;
}

type Block =
  | { readonly kind: "heading"; readonly level: number; readonly text: string }
  | { readonly kind: "list"; readonly isOrdered: boolean; readonly items: string[] }
  | { readonly kind: "quote" | "code" | "paragraph"; readonly text: string };

function blocksOf(text: string): Block[] {
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  const blocks: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    const [block, next] = blockAt(lines, at);
    if (block) blocks.push(block);
    at = next;
  }
  return blocks;
}

function blockAt(lines: readonly string[], at: number): [Block | null, number] {
  const line = lines[at] ?? "";
  if (!line.trim()) return [null, at + 1];
  if (line.startsWith("```")) return codeAt(lines, at);
  const heading = /^(#{1,4})\s+(.*)$/.exec(line);
  if (heading) return [{ kind: "heading", level: heading[1]?.length ?? 1, text: heading[2] ?? "" }, at + 1];
  if (ITEM.test(line)) return listAt(lines, at);
  const isQuote = line.startsWith(">");
  const end = endOf(lines, at, (one) => one.trim() !== "" && one.startsWith(">") === isQuote && !startsOther(one));
  const words = lines.slice(at, end).map((one) => one.replace(/^>\s?/, ""));
  return [{ kind: isQuote ? "quote" : "paragraph", text: words.join(" ") }, end];
}

const ITEM = /^\s*(?:[-*+]|\d+[.)])\s+/;

function startsOther(line: string): boolean {
  return /^#{1,4}\s/.test(line) || line.startsWith("```") || ITEM.test(line);
}

function codeAt(lines: readonly string[], at: number): [Block, number] {
  const end = endOf(lines, at + 1, (line) => !line.startsWith("```"));
  return [{ kind: "code", text: lines.slice(at + 1, end).join("\n") }, end + 1];
}

function listAt(lines: readonly string[], at: number): [Block, number] {
  const items: string[] = [];
  let next = at;
  for (; next < lines.length && (lines[next] ?? "").trim(); next += 1) {
    const line = lines[next] ?? "";
    if (ITEM.test(line)) items.push(line.replace(ITEM, ""));
    else if (/^\s/.test(line)) items.push(`${items.pop() ?? ""} ${line.trim()}`);
    else break;
  }
  return [{ kind: "list", isOrdered: /^\s*\d/.test(lines[at] ?? ""), items }, next];
}

function endOf(lines: readonly string[], from: number, goesOn: (line: string) => boolean): number {
  let end = from;
  while (end < lines.length && goesOn(lines[end] ?? "")) end += 1;
  return Math.max(end, from);
}

function renderBlock(block: Block): VNode {
  switch (block.kind) {
    case "heading": {
      // The drawer has its own heading: those of the guideline lie below it.
      const Heading = (block.level === 1 ? "h3" : "h4") as "h3";
      return <Heading>{inline(block.text)}</Heading>;
    }
    case "list": {
      const List = (block.isOrdered ? "ol" : "ul") as "ul";
      return (
        <List>
          {block.items.map((item) => (
            <li>{inline(item)}</li>
          ))}
        </List>
      );
    }
    case "code":
      return <pre>{block.text}</pre>;
    case "quote":
      return <blockquote>{inline(block.text)}</blockquote>;
    case "paragraph":
      return <p>{inline(block.text)}</p>;
  }
}

const MARKS = /(`[^`]+`)|(\*\*[^*]+\*\*)|(\*[^*\s][^*]*\*)|(\[[^\]]+\]\([^)\s]+\))/;

function inline(text: string): ComponentChild[] {
  return text
    .split(MARKS)
    .filter((part) => part !== undefined && part !== "")
    .map(renderMark);
}

function renderMark(part: string): ComponentChild {
  if (/^`[^`]+`$/.test(part)) return <code>{part.slice(1, -1)}</code>;
  if (/^\*\*[^*]+\*\*$/.test(part)) return <strong>{part.slice(2, -2)}</strong>;
  if (/^\*[^*]+\*$/.test(part)) return <em>{part.slice(1, -1)}</em>;
  const link = /^\[([^\]]+)\]\(([^)\s]+)\)$/.exec(part);
  if (!link) return part;
  // Only addresses of the web: `javascript:` and `data:` stay text.
  const address = link[2] ?? "";
  return /^https?:\/\//i.test(address) ? (
    <a href={address} target="_blank" rel="noopener noreferrer">
      {link[1]}
    </a>
  ) : (
    part
  );
}
