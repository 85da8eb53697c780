"use strict";
// Conveniences only: the page says everything without them.

for (const head of document.querySelectorAll("th[data-sort]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...head.childNodes);
  head.append(button);
  button.addEventListener("click", () => sortBy(head));
}

function sortBy(head) {
  const table = head.closest("table");
  const body = table.tBodies[0];
  const column = head.cellIndex;
  const isText = head.dataset.sort === "text";
  const direction = (head.getAttribute("aria-sort") || (isText ? "descending" : "ascending")) === "ascending" ? -1 : 1;
  const value = (row) => row.cells[column].dataset.value;
  const rows = [...body.rows].sort((a, b) => {
    const [one, other] = [value(a), value(b)];
    if (one === "" || other === "") return (one === "") - (other === "");
    return direction * (isText ? one.localeCompare(other) : Number(one) - Number(other));
  });
  for (const other of table.querySelectorAll("th[aria-sort]")) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
  body.append(...rows);
}

const filter = document.querySelector(".filter");
if (filter) {
  const words = filter.querySelector("input[type=search]");
  const onlyWrong = filter.querySelector("input[type=checkbox]");
  const told = filter.querySelector("output");
  const items = [...document.querySelectorAll(".doubt")];
  const apply = () => {
    const wanted = words.value.trim().toLowerCase();
    let shown = 0;
    for (const item of items) {
      const fits = item.textContent.toLowerCase().includes(wanted);
      item.hidden = !fits || (onlyWrong !== null && onlyWrong.checked && item.dataset.wrong !== "yes");
      shown += item.hidden ? 0 : 1;
    }
    told.textContent = shown === items.length ? "" : `${shown} of ${items.length} shown`;
  };
  filter.addEventListener("input", apply);
  filter.hidden = false;
}
