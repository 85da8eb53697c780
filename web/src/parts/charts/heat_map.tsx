export interface HeatCell {
  /** Between 0 and 1: how dark. */
  readonly share: number | null;
  /** What stands in the cell. */
  readonly said: string;
  readonly words: string;
  readonly href?: string | undefined;
}

interface HeatMapProps {
  readonly caption: string;
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  readonly corner: string;
  readonly cells: readonly (readonly HeatCell[])[];
}

/** Above this many columns names stand on end. */
const FEW = 6;

/** A table whose cells are the darker the larger their share; the diagonal is framed, where people agree. */
export function HeatMap({ caption, rows, columns, corner, cells }: HeatMapProps) {
  return (
    <div class="table-frame" role="group" aria-label={caption} tabIndex={0}>
      <table class={`heat ${columns.length > FEW ? "is-dense" : ""}`}>
        <caption class="sr-only">{caption}</caption>
        <thead>
          <tr>
            <td class="heat-corner quiet">{corner}</td>
            {columns.map((name) => (
              <th key={name} scope="col" title={name}>
                <span>{name}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((name, i) => (
            <tr key={name}>
              <th scope="row" title={name}>
                <span>{name}</span>
              </th>
              {(cells[i] ?? []).map((cell, j) => (
                <td key={j} class={i === j && rows === columns ? "is-same" : ""} style={{ "--share": shade(cell.share) }}>
                  {cell.href ? (
                    <a href={cell.href} aria-label={cell.words} title={cell.words}>
                      {cell.said}
                    </a>
                  ) : (
                    <span title={cell.words}>{cell.said}</span>
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Never so dark that what stands on it cannot be read. */
function shade(share: number | null): string {
  return share === null ? "0%" : `${Math.round(60 * Math.sqrt(Math.min(1, Math.max(0, share))))}%`;
}

