export type MarkKind = "person" | "rule" | "model";

/** The sign of a kind of annotator, by its form and not its colour alone: round, square, on its tip. */
export function KindMark({ kind, isOpen = false }: { kind: MarkKind; isOpen?: boolean }) {
  const style = `mark is-${kind} ${isOpen ? "is-open" : ""}`;
  if (kind === "person") return <circle class={style} r={5.5} />;
  if (kind === "rule") return <rect class={style} x={-5} y={-5} width={10} height={10} />;
  return <path class={style} d="M0-7 7 0 0 7-7 0z" />;
}
