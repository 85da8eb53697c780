/** Figures in rows; the first column names them. Empty where nothing is known. */
export interface Values {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/** What a chart shows, in numbers. */
export function ValueTable({ columns, rows, caption }: Values & { readonly caption: string }) {
  return (
    <div class="table-frame" role="group" aria-label={caption} tabIndex={0}>
      <table class="values">
        <caption class="sr-only">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, i) => (
            <tr key={i}>
              {row.map((cell, j) => (j === 0 ? <th key={j} scope="row">{cell}</th> : <td key={j}>{cell ?? "–"}</td>))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
