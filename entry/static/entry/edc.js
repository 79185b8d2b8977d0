/* What the pages do beyond plain HTML. Without it everything still works: all fields shown, every form posts. */
(() => {
  "use strict";
  const form = document.querySelector("form[data-entry]");
  let touched = Date.now();
  for (const kind of ["keydown", "pointerdown"]) addEventListener(kind, () => { touched = Date.now(); }, true);

  /* Flags are asked for only while somebody is there, so that an abandoned page lets the session end. */
  document.addEventListener("htmx:beforeRequest", (event) => {
    const away = Date.now() - touched > 10 * 60 * 1000 || document.hidden;
    if (away && event.target.matches("[data-poll]")) event.preventDefault();
  });

  const errors = document.getElementById("errors");
  if (errors) errors.focus();
  document.addEventListener("click", (event) => {
    const link = event.target.closest(".errors a[href^='#']");
    const box = link && document.getElementById(link.getAttribute("href").slice(1));
    if (!box) return;
    event.preventDefault();
    const folded = box.closest("details");
    if (folded) folded.open = true;
    box.focus();
    box.scrollIntoView({ block: "center" });
  });

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    const typing = event.target.closest("input, textarea, select");
    if (event.key === "/" && !typing) { const q = document.getElementById("q"); if (q) { event.preventDefault(); q.focus(); } }
    if (event.target.closest(".matrix td.v a")) arrows(event);
    if (!form) return;
    const inside = form.contains(event.target) || (typing && typing.form === form);
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter") { event.preventDefault(); press("[data-complete]"); }
    else if ((event.ctrlKey || event.metaKey) && event.key === "s") { event.preventDefault(); press("[data-save]", "[data-complete]"); }
    else if (event.key === "Enter" && inside && event.target.matches("input:not([type=checkbox]), select")) { event.preventDefault(); onward(event.target); }
  });
  /* Enter that ends a composition must not reach a form either. */
  document.addEventListener("keydown", (event) => { if (event.isComposing && event.key === "Enter") event.stopPropagation(); }, true);

  function press(...names) { for (const name of names) { const button = form.querySelector(name); if (button) { button.click(); return; } } }
  function onward(box) {
    const all = [...form.querySelectorAll("input:not([type=hidden]), select, textarea")].filter((one) => one.offsetParent && !one.closest(".missing") && (one.type !== "radio" || one.checked || one.name !== box.name));
    const row = box.closest(".row");
    const rest = all.slice(all.indexOf(box) + 1);
    const next = rest.find((one) => one.closest(".row") !== row && one.matches(":not([type=radio]), :checked")) || form.querySelector("[data-complete]");
    next.focus();
    if (next.select) next.select();
  }
  function arrows(event) {
    const move = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    if (!move) return;
    const cell = event.target.closest("td"), row = cell.parentElement;
    const rows = [...row.parentElement.rows], to = rows[rows.indexOf(row) + move[0]];
    const link = to && to.cells[cell.cellIndex + move[1]] && to.cells[cell.cellIndex + move[1]].querySelector("a");
    if (link) { event.preventDefault(); link.focus(); }
  }
  const first = document.querySelectorAll(".matrix td.v a");
  first.forEach((link, n) => { if (n) link.tabIndex = -1; });
  document.addEventListener("focusin", (event) => {
    const link = event.target.closest(".matrix td.v a");
    if (!link) return;
    first.forEach((one) => { one.tabIndex = -1; });
    link.tabIndex = 0;
  });

  if (!form) return;
  /* Skip logic: a question not asked for is folded away, unless it holds an answer that must be seen. */
  const rows = [...form.querySelectorAll(".row[data-when]")];
  const values = (name) => [...form.querySelectorAll(`[name="${CSS.escape(name)}"]`)].filter((one) => (one.type !== "radio" && one.type !== "checkbox") || one.checked).map((one) => one.value).filter((one) => one !== "");
  const alike = (a, b) => a === b || (a !== "" && b !== "" && Number(a) === Number(b));
  const asked = (row) => Object.entries(JSON.parse(row.dataset.when)).every(([name, wanted]) => values(name).some((value) => wanted.some((one) => alike(one, value))));
  const holds = (row) => [...row.querySelectorAll("input, select, textarea")].some((one) => (one.type === "radio" || one.type === "checkbox") ? one.checked && one.value : one.type !== "hidden" && one.value && !one.name.endsWith("_unit"));
  const fold = () => rows.forEach((row) => row.classList.toggle("asleep", !asked(row) && !holds(row) && !row.querySelector(".problem")));
  form.addEventListener("change", fold);
  fold();

  /* Leaving with unsaved entries asks first. */
  const note = document.getElementById("dirty");
  let dirty = form.hasAttribute("data-dirty"), sending = false;
  const mark = () => { if (!dirty || !note.textContent) { dirty = true; note.textContent = note.dataset.words; } };
  if (dirty) mark();
  form.addEventListener("input", mark);
  form.addEventListener("submit", (event) => { if (sending) { event.preventDefault(); return; } sending = true; });
  addEventListener("pageshow", () => { sending = false; });
  addEventListener("beforeunload", (event) => { if (dirty && !sending) event.preventDefault(); });
})();
