/* Grids by keyboard alone. Without it a grid is a plain form: every box is there and posts. */
(() => {
  "use strict";
  const form = document.querySelector("form[data-grid]");
  if (!form) return;
  const table = form.querySelector("table.grid"), body = table.tBodies[0];
  const status = document.getElementById("grid-status"), reason = document.getElementById("f-reason");
  const down = form.dataset.layout === "panel";
  const say = (words) => { status.textContent = words; };
  const words = (name) => status.dataset[name];
  const boxIn = (cell) => cell && cell.querySelector("input:not([type=hidden])");  /* of a result, its value */
  const number = (box) => box.name.split(".")[0];
  const lines = () => [...body.rows].filter((row) => !row.classList.contains("says") && boxIn(row));

  /* Where a box stands: its line among the lines, its cell in the line. */
  const at = (box) => { const all = lines(), row = box.closest("tr"); return [all.indexOf(row), box.closest("td").cellIndex, all]; };
  function step(box, rows, columns) {
    const [row, column, all] = at(box);
    for (let r = row + rows, c = column + columns; r >= 0 && r < all.length && c >= 0 && c < all[r].cells.length; r += rows, c += columns) {
      const next = boxIn(all[r].cells[c]);
      if (next) return next;
    }
    return null;
  }
  /* Behind the last box of a line comes the first of the next one; in a panel the top of the next column. */
  function wrap(box, forward) {
    const [row, column, all] = at(box), move = forward ? 1 : -1;
    if (down) {
      for (let c = column + move; c >= 0 && c < all[0].cells.length + 9; c += move) {
        const boxes = all.map((line) => boxIn(line.cells[c])).filter(Boolean);
        if (boxes.length) return forward ? boxes[0] : boxes[boxes.length - 1];
      }
      return null;
    }
    const next = all[row + move];
    const boxes = next ? [...next.cells].map(boxIn).filter(Boolean) : [];
    return boxes.length ? (forward ? boxes[0] : boxes[boxes.length - 1]) : null;
  }

  let editing = false, before = "", start = 0, tabbing = false;
  function go(box) { if (!box) return; box.focus(); box.select(); box.scrollIntoView({ block: "nearest", inline: "nearest" }); }
  body.addEventListener("focusin", (event) => {
    if (!event.target.matches("td input")) return;
    editing = false; before = event.target.value;
    if (!tabbing) start = event.target.closest("td").cellIndex;
    tabbing = false;
  });
  body.addEventListener("input", () => { editing = true; });
  body.addEventListener("dblclick", () => { editing = true; });
  body.addEventListener("focusout", (event) => { if (event.target.matches("td input")) settle(event.target); });

  /* A code or the beginning of its label becomes the label. */
  function settle(box) {
    const list = box.list && box.list.options, typed = box.value.trim().toLowerCase();
    if (!list || !typed || box.name.endsWith(".visit")) return;
    const texts = (one) => [one.value, ...(one.dataset.also || "").split("|")].map((text) => text.toLowerCase());
    const whole = [...list].filter((one) => texts(one).includes(typed));
    const begun = whole.length ? whole : [...list].filter((one) => texts(one).some((text) => text.startsWith(typed)));
    const mark = /^(nd|unk|uk|na|n\/a|∅.*)$/.test(typed);
    if (begun.length === 1 && (whole.length || !mark)) box.value = begun[0].value;
  }

  form.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    const control = event.ctrlKey || event.metaKey, box = event.target;
    if (control && (event.key === "Enter" || event.key === "s")) { event.preventDefault(); settle(box); form.querySelector("[data-save]").click(); return; }
    if (box.matches("td select") && event.key === "Enter") { event.preventDefault(); const own = boxIn(box.closest("td")); go(step(own, event.shiftKey ? -1 : 1, 0) || wrap(own, !event.shiftKey)); return; }
    if (!box.matches("td input")) return;
    if (event.key === "Escape") { event.preventDefault(); box.value = before; editing = false; box.select(); mark(); return; }
    if (event.key === "F2") { event.preventDefault(); editing = true; box.setSelectionRange(box.value.length, box.value.length); return; }
    if (event.key === "Tab" && !control) { tabbing = true; return; }
    const back = event.shiftKey;
    if (event.key === "Enter") {
      event.preventDefault(); settle(box);
      const next = down ? step(box, back ? -1 : 1, 0) || wrap(box, !back) : enter(box, back);
      if (next) go(next); else { settle(box); const last = reason || form.querySelector("[data-save]"); last.focus(); }
      return;
    }
    if (control || event.altKey || back) return;
    const move = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] }[event.key];
    if (!move || (editing && (!move[0] || box.list))) return;
    event.preventDefault();
    go(step(box, ...move));
  });
  /* Enter goes down, to the column in which the run of Tabs began. */
  function enter(box, back) {
    const [row, column, all] = at(box), next = all[row + (back ? -1 : 1)];
    return next ? boxIn(next.cells[back ? column : start]) || step(box, back ? -1 : 1, 0) : null;
  }

  /* A block copied from a spreadsheet fills the cells from here on; missing lines are added. */
  body.addEventListener("paste", (event) => {
    const text = event.clipboardData.getData("text/plain"), box = event.target;
    if (!box.matches("td input") || !/[\t\n]/.test(text.replace(/\r?\n$/, ""))) return;
    event.preventDefault();
    const block = parse(text), [row, column] = at(box);
    let filled = 0;
    block.forEach((cells, r) => {
      while (!down && lines().length <= row + r && grow()) { /* one more line */ }
      const line = lines()[row + r];
      cells.forEach((value, c) => {
        const target = line && boxIn(line.cells[column + c]);
        if (target) { target.value = value.trim(); settle(target); filled += 1; }
      });
    });
    editing = false; mark();
    body.dispatchEvent(new Event("filled"));
    say(words("pasted").replace("{n}", filled));
  });
  function parse(text) {
    const rows = [[]]; let cell = "", quoted = false;
    const source = text.replace(/\r\n?/g, "\n").replace(/\n$/, "");
    for (let i = 0; i < source.length; i += 1) {
      const c = source[i];
      if (quoted) { if (c === '"' && source[i + 1] === '"') { cell += c; i += 1; } else if (c === '"') quoted = false; else cell += c; }
      else if (c === '"' && cell === "") quoted = true;
      else if (c === "\t") { rows[rows.length - 1].push(cell); cell = ""; }
      else if (c === "\n") { rows[rows.length - 1].push(cell); rows.push([]); cell = ""; }
      else cell += c;
    }
    rows[rows.length - 1].push(cell);
    return rows;
  }
  /* One more empty line, a copy of the last one. Its id has the form that the server gives (version 7). */
  function grow() {
    const last = [...body.querySelectorAll("tr.new")].pop();
    if (!last) return false;
    const fresh = last.cloneNode(true), n = 1 + Math.max(...[...form.querySelectorAll("[name=row]")].map((one) => Number(one.value.split(":")[0])));
    const head = fresh.querySelector("[name=row]"), id = freshId();
    head.value = head.defaultValue = `${n}:${id}:0`;
    fresh.querySelector("th").id = `r-${n}`;
    fresh.querySelectorAll(".at").forEach((one) => one.remove());
    fresh.querySelectorAll("td input").forEach((one) => {
      const name = one.name.slice(one.name.indexOf(".") + 1);
      one.name = `${n}.${name}`; one.value = one.defaultValue = "";
      for (const gone of ["id", "aria-invalid", "aria-describedby", "data-doubted"]) one.removeAttribute(gone);
      one.setAttribute("aria-labelledby", `c-${name} r-${n}`);
    });
    fresh.querySelectorAll(".unseen").forEach((one) => { one.textContent = one.textContent.replace(/\d+$/, n + 1); });
    body.append(fresh);
    return true;
  }
  function freshId() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    let time = Date.now();
    for (let i = 5; i >= 0; i -= 1) { bytes[i] = time % 256; time = Math.floor(time / 256); }
    bytes[6] = (bytes[6] & 15) | 112; bytes[8] = (bytes[8] & 63) | 128;
    const hex = [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  }

  /* Which lines were changed: only these are sent. */
  const boxes = () => [...form.querySelectorAll("td input, td select")].filter((one) => one.name);
  const held = (one) => one.matches("select") ? ([...one.options].find((each) => each.defaultSelected) || one.options[0]).value : one.defaultValue;
  function touched() {
    const found = new Set([...form.querySelectorAll("[name=row][data-dirty]")].map((one) => one.value.split(":")[0]));
    boxes().forEach((one) => { if (one.value !== held(one) && !(one.name.endsWith(".visit") && one.value)) found.add(number(one)); });
    return found;
  }
  const stored = () => boxes().some((one) => held(one) && one.value !== held(one) && !/:0$/.test(rowOf(one)));
  const rowOf = (box) => (form.querySelector(`[name=row][value^="${number(box)}:"]`) || { value: ":0" }).value;
  const note = document.getElementById("dirty");
  let sending = false;
  function mark() { const n = touched().size; note.textContent = n ? note.dataset.words.replace("{n}", n) : ""; }
  form.addEventListener("input", (event) => { if (event.target.matches("td input") && !note.textContent) mark(); });
  for (const kind of ["focusout", "change"]) body.addEventListener(kind, mark);
  mark();
  addEventListener("beforeunload", (event) => { if (note.textContent && !sending) event.preventDefault(); });

  const place = `grid ${location.pathname}`;
  form.addEventListener("submit", (event) => {
    if (sending) { event.preventDefault(); return; }
    const whole = event.submitter && event.submitter.value === "complete";
    if (reason && !reason.value.trim() && stored()) {
      event.preventDefault(); say(words("reason")); reason.focus(); return;
    }
    const box = document.activeElement.matches("td input") ? document.activeElement : body.querySelector("[data-last]");
    if (box) sessionStorage.setItem(place, JSON.stringify([rowOf(box).split(":")[1], box.name.slice(box.name.indexOf(".") + 1)]));
    const kept = touched();
    sending = true;
    boxes().forEach((one) => { one.disabled = !kept.has(number(one)); });
    form.querySelectorAll("[name=row]").forEach((one) => { one.disabled = !whole && !kept.has(one.value.split(":")[0]); });
  });
  addEventListener("pageshow", () => { sending = false; form.querySelectorAll("input, td select").forEach((one) => { one.disabled = false; }); });
  body.addEventListener("focusout", (event) => {
    body.querySelectorAll("[data-last]").forEach((one) => one.removeAttribute("data-last"));
    if (event.target.matches("td input")) event.target.setAttribute("data-last", "");
  });

  /* After a save the focus is where it was; after a refusal the summary has it (see edc.js), and the first line that was refused
     lies below the table's head. */
  const last = JSON.parse(sessionStorage.getItem(place) || "null");
  sessionStorage.removeItem(place);
  const refused = body.querySelector("tr.wrong, tr.says");
  if (refused && !down) table.parentElement.scrollTop = refused.offsetTop - table.tHead.offsetHeight;
  if (document.getElementById("errors")) return;
  const row = last && [...form.querySelectorAll("[name=row]")].find((one) => one.value.split(":")[1] === last[0]);
  const there = row && form.querySelector(`[name="${CSS.escape(`${row.value.split(":")[0]}.${last[1]}`)}"]`);
  go(there || (last && boxes()[0]));
})();
