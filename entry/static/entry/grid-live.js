/* Asks the server about the lines of a grid when a box is left, and shows what it says: words under the line, marks on the
   boxes, grade and range beside a result. Nothing is judged here, and without it the save says the same. */
(() => {
  "use strict";
  const form = document.querySelector("form[data-grid]");
  if (!form) return;
  const table = form.querySelector("table.grid"), body = table.tBodies[0], voice = document.getElementById("grid-voice");
  const panel = form.dataset.layout === "panel", address = new URL(form.action), said = new Map(), asked = new Map();
  address.pathname += "/check";
  const number = (box) => box.name.slice(0, box.name.indexOf("."));
  const column = (box) => box.name.slice(box.name.indexOf(".") + 1);
  const rowOf = (line) => form.querySelector(`[name=row][value^="${line}:"]`);
  const boxesOf = (line) => [...form.querySelectorAll(`[name^="${line}."]`)];
  const boxOf = (line, name) => form.querySelector(`[name="${CSS.escape(`${line}.${name}`)}"]`);
  const stored = (box) => box.matches("select") ? ([...box.options].find((one) => one.defaultSelected) || box.options[0]).value : box.defaultValue;
  const waiting = new Set();
  let timer = 0, busy = false;

  /* A box that says something else than at the last answer asks again, the whole line at once; where an assessment is graded
     with those before it, every line that was changed. */
  function left(event) {
    const box = event.target;
    if (!box.matches("td input, td select") || !box.name) return;
    const before = asked.has(box) ? asked.get(box) : stored(box);
    if (box.value !== before) enqueue(box);
  }
  function enqueue(box) {
    asked.set(box, box.value);
    waiting.add(number(box));
    clearTimeout(timer);
    timer = setTimeout(ask, 150);
  }
  body.addEventListener("focusout", left);
  body.addEventListener("change", left);
  body.addEventListener("filled", () => {
    form.querySelectorAll("td input, td select").forEach((box) => { if (box.name && box.value !== (asked.has(box) ? asked.get(box) : stored(box))) enqueue(box); });
  });

  async function ask() {
    if (busy || !waiting.size) return;
    if (form.dataset.graded) form.querySelectorAll("td input").forEach((box) => { if (box.name && box.value !== stored(box)) waiting.add(number(box)); });
    const lines = [...waiting], sent = new FormData();
    waiting.clear();
    sent.append("csrfmiddlewaretoken", form.querySelector("[name=csrfmiddlewaretoken]").value);
    for (const line of lines) {
      sent.append("row", rowOf(line).value);
      boxesOf(line).forEach((box) => sent.append(box.name, box.value));
    }
    busy = true;
    try {
      const answer = await fetch(address, { method: "POST", body: sent, headers: { "X-Requested-With": "fetch" } });
      if (answer.ok) show(await answer.json());
    } catch { /* Out of reach: the save will tell. */ } finally { busy = false; }
    if (waiting.size) ask();
  }

  function show(told) {
    if (told.limits) {
      document.getElementById("c-reference").innerHTML = told.reference;
      body.querySelectorAll("[data-limit]").forEach((cell) => { cell.textContent = told.limits[cell.dataset.limit] || ""; });
    }
    const fresh = told.lines.flatMap(one);
    if (panel) body.querySelectorAll(".kept").forEach((kept) => { kept.hidden = kept.lastChild.textContent === kept.closest("tr").querySelector("[data-limit]").textContent; });
    for (const [key, html] of Object.entries(told.graded || {})) {
      const row = form.querySelector(`[name=row][value*=":${key}:"]`), box = row && boxOf(row.value.split(":")[0], form.dataset.graded);
      if (box && at(box).innerHTML !== html) at(box).innerHTML = html;
    }
    if (fresh.length) voice.textContent = fresh.join(" ");
  }

  /* One line; what was not said of it before is answered, to be said aloud. */
  function one(line) {
    const { says = "", wrong = [], told = {}, beside = {}, abnormal = [], calculated = {} } = line, fresh = [];
    under(line.line, says);
    for (const box of boxesOf(line.line)) {
      const name = column(box), words = told[name] || "", key = rowOf(line.line).value.split(":")[1] + name;
      box.toggleAttribute("data-doubted", Boolean(words) && !wrong.includes(name));
      if (wrong.includes(name)) box.setAttribute("aria-invalid", "true"); else box.removeAttribute("aria-invalid");
      if (words) { box.id = box.id || `g-${line.line}-${name}`; box.setAttribute("aria-describedby", `s-${line.line}-${name}`); }
      else box.removeAttribute("aria-describedby");
      if (words && said.get(key) !== words) fresh.push(words);
      said.set(key, words);
    }
    for (const [name, html] of Object.entries(beside)) {
      const box = boxOf(line.line, name);
      if (!box) continue;
      at(box).innerHTML = html;
      const choice = boxOf(line.line, `${name}_cs`);
      if (choice && choice.matches("select")) choice.hidden = !choice.value && !abnormal.includes(name);
    }
    for (const [name, text] of Object.entries(calculated)) {
      const out = body.querySelector(`[data-calc="${CSS.escape(`${line.line}.${name}`)}"]`);
      if (out) out.textContent = text;
    }
    return fresh;
  }
  function at(box) {
    const there = box.closest("td").querySelector(".at");
    if (there) return there;
    const made = document.createElement("span");
    made.className = "at";
    box.after(made);
    return made;
  }
  function under(line, says) {
    const there = body.querySelector(`tr.says[data-of="${line}"]`);
    if (there) there.remove();
    if (!says) return;
    const row = document.createElement("tr"), cell = document.createElement("td"), width = table.tHead.rows[0].cells.length;
    row.className = "says";
    row.dataset.of = line;
    if (!panel) row.append(document.createElement("td"));
    cell.colSpan = panel ? width : width - 1;
    cell.innerHTML = says;
    row.append(cell);
    if (panel) body.append(row); else rowOf(line).closest("tr").after(row);
  }

  /* Whether an abnormal result matters, by one key beside it; the same key takes it back. */
  body.addEventListener("keydown", (event) => {
    const code = event.altKey && !event.ctrlKey && !event.metaKey && { KeyC: "CS", KeyN: "NCS" }[event.code];
    if (!code || !event.target.matches("td input, td select")) return;
    const choice = event.target.closest("td").querySelector("select.cs");
    if (!choice) return;
    event.preventDefault();
    const option = [...choice.options].find((each) => each.dataset.code === code);
    choice.hidden = false;
    choice.value = choice.value === option.value ? "" : option.value;
    voice.textContent = choice.value || "—";
    choice.dispatchEvent(new Event("change", { bubbles: true }));
  });
})();
