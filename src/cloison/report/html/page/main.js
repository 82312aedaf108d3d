// @ts-check
// Puts the page together and listens to the reader.

/** Where the reader was when the panel opened. @type {Element | null} */
let cameFrom = null;

/** @param {Node[]} content */
function showPanel(content) {
  const panel = byId("answer");
  if (!panel.contains(document.activeElement)) cameFrom = document.activeElement;
  byId("answer-content").replaceChildren(...content);
  panel.hidden = false;
  document.body.classList.add("answered");
  const heading = panel.querySelector("h2");
  panel.scrollTop = 0;
  if (heading instanceof HTMLElement) heading.focus({ preventScroll: true });
}

function start() {
  const view = firstView();
  const pointed = (/** @type {string} */ text) => {
    byId("pointed").textContent = text;
  };
  const openCell = (/** @type {number} */ src, /** @type {number} */ dst) => showPanel(whyPanel(src, dst));
  const refresh = () => {
    grid.show(shapeOf(view));
    const shown = [grid.shape.rows, grid.shape.columns].map((items) => items.reduce((sum, item) => sum + (isEnd(item) ? 0 : item.ends.length), 0));
    byId("found").textContent = data.inside ? `${count(shown[0], "row")} × ${count(shown[1], "column")}` : "";
    if (!byId("list").hidden) showList(view, openCell);
  };
  const flip = (/** @type {"rows" | "columns"} */ axis, /** @type {number} */ heading) => {
    const open = view.open[axis];
    if (!open.delete(heading)) open.add(heading);
    refresh();
  };
  const grid = new Grid(
    byId("matrix-scroll"),
    (from, to) => {
      if (from && to) {
        if (isEnd(from) && isEnd(to)) openCell(from.end, to.end);
        else {
          const words = (/** @type {Item} */ item) => (isEnd(item) ? nameOf(item.end) : data.headings[item.heading]);
          const unfold = () => {
            view.open.rows.add(from.heading);
            view.open.columns.add(to.heading);
            refresh();
            const first = (/** @type {Item[]} */ items, /** @type {Item} */ item) =>
              items.findIndex((each) => isEnd(each) && each.heading === item.heading) + 1;
            grid.at = { row: first(grid.shape.rows, from), column: first(grid.shape.columns, to) };
            grid.focus();
          };
          showPanel(foldedPanel(words(from), words(to), endsIn(from), endsIn(to), unfold, openCell));
        }
        return;
      }
      const item = from ?? to;
      if (!item) return;
      if (isEnd(item)) showPanel(endPanel(item.end, openCell));
      else flip(from ? "rows" : "columns", item.heading);
    },
    pointed,
  );
  listen(view, refresh, grid, openCell);
  picture(openCell);
  introduce();
  refresh();
  document.body.dataset.ready = "true";
  performance.mark("cloison-drawn");
  // For tests, and for whoever likes a console: look-ups only.
  Object.defineProperty(globalThis, "cloison", { value: Object.freeze({ data, why, passes, stateOf, deciders, trafficText, nameOf, pieces }) });
}

/** Make the picture answer too. @param {(src: number, dst: number) => void} openCell */
function picture(openCell) {
  const drawing = byId("graph").querySelector("#drawing > svg");
  if (!drawing) return;
  const known = new Map(data.ends.map(([heading, name, kind, asked], end) => [kind === "addresses" ? name : asked || `${data.headings[heading]}/${name}`, end]));
  /** @type {Map<string, number>} */
  const ends = new Map();
  const answers = (/** @type {Element} */ part, /** @type {() => void} */ open) => {
    part.setAttribute("tabindex", "0");
    part.setAttribute("role", "button");
    part.classList.add("answers");
    part.addEventListener("click", open);
    part.addEventListener("keydown", (event) => {
      if (event instanceof KeyboardEvent && event.key === "Enter") open();
    });
  };
  for (const node of drawing.querySelectorAll("[data-name]")) {
    const end = known.get(node.getAttribute("data-name") ?? "");
    if (end === undefined) continue;
    ends.set(node.id, end);
    answers(node, () => showPanel(endPanel(end, openCell)));
  }
  for (const label of drawing.querySelectorAll(".bundle")) {
    const side = (/** @type {string} */ name) =>
      (label.getAttribute(name) ?? "").split(" ").flatMap((id) => ends.get(id) ?? []);
    const [sources, targets] = [side("data-src"), side("data-dst")];
    const words = label.querySelector("text")?.textContent ?? "";
    if (sources.length && targets.length) answers(label, () => showPanel(bundlePanel(words, sources, targets, openCell)));
  }
  highlight(drawing);
}

/** Lines of what is pointed at stand out: those of a label, or those that touch a box. @param {Element} drawing */
function highlight(drawing) {
  const parts = [...drawing.querySelectorAll("[data-bundle]")];
  const touching = (/** @type {Element} */ part) => {
    if (part instanceof SVGElement && part.dataset.bundle) return new Set([part.dataset.bundle]);
    const ends = (/** @type {Element} */ each) => `${each.getAttribute("data-src") ?? ""} ${each.getAttribute("data-dst") ?? ""}`.split(" ");
    return new Set(parts.filter((each) => ends(each).includes(part.id)).map((each) => each.getAttribute("data-bundle")));
  };
  const point = (/** @type {Event} */ event) => {
    const part = event.target instanceof Element ? event.target.closest("[data-bundle], .node") : null;
    const lit = part ? touching(part) : new Set();
    drawing.classList.toggle("pointing", lit.size > 0);
    for (const each of parts) each.classList.toggle("lit", lit.has(each.getAttribute("data-bundle")));
  };
  for (const name of ["pointerover", "pointerleave", "focusin", "focusout"]) drawing.addEventListener(name, point);
}

/** Let the picture be as large as the reader wants it. @returns {() => void} Makes it fit, as far as it stays legible. */
function zooming() {
  const drawing = byId("graph").querySelector("#drawing > svg");
  if (!(drawing instanceof SVGSVGElement)) return () => {};
  const { width, height } = drawing.viewBox.baseVal;
  let scale = 1;
  const zoom = (/** @type {number} */ to) => {
    scale = Math.max(0.1, Math.min(4, to));
    drawing.setAttribute("width", String(width * scale));
    drawing.setAttribute("height", String(height * scale));
    byId("actual").textContent = `${Math.round(scale * 100)} %`;
  };
  const room = () => {
    const { clientWidth, clientHeight } = byId("drawing");
    return Math.min(1, clientWidth / width, clientHeight / height);
  };
  byId("closer").addEventListener("click", () => zoom(scale * ZOOM));
  byId("farther").addEventListener("click", () => zoom(scale / ZOOM));
  byId("actual").addEventListener("click", () => zoom(1));
  byId("fit").addEventListener("click", () => zoom(room()));
  document.addEventListener("keydown", (event) => {
    if (byId("graph").hidden || event.ctrlKey || event.metaKey || event.altKey) return;
    const to = { "+": scale * ZOOM, "=": scale * ZOOM, "-": scale / ZOOM, 0: 1, f: room() }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    zoom(to);
  });
  let seen = false;
  return () => {
    if (!seen) zoom(Math.max(LEGIBLE, room()));
    seen = true;
  };
}

/** @param {View} view @param {() => void} refresh @param {Grid} grid @param {(src: number, dst: number) => void} openCell */
function listen(view, refresh, grid, openCell) {
  const input = (/** @type {string} */ id) => /** @type {HTMLInputElement} */ (byId(id));
  let waiting = 0;
  const later = () => {
    clearTimeout(waiting);
    byId("matrix").setAttribute("aria-busy", "true");
    waiting = setTimeout(() => {
      refresh();
      byId("matrix").removeAttribute("aria-busy");
    }, 80);
  };
  input("filter-from").addEventListener("input", (event) => {
    view.from = /** @type {HTMLInputElement} */ (event.target).value;
    later();
  });
  input("filter-to").addEventListener("input", (event) => {
    view.to = /** @type {HTMLInputElement} */ (event.target).value;
    later();
  });
  byId("sort").addEventListener("change", (event) => {
    view.sort = /** @type {View["sort"]} */ (/** @type {HTMLSelectElement} */ (event.target).value);
    refresh();
  });
  input("busy").addEventListener("change", (event) => {
    view.busy = /** @type {HTMLInputElement} */ (event.target).checked;
    refresh();
  });
  byId("look").addEventListener("change", (event) => {
    view.look = /** @type {Look | ""} */ (/** @type {HTMLSelectElement} */ (event.target).value);
    refresh();
  });
  byId("unfold").addEventListener("click", () => {
    data.headings.forEach((_, heading) => {
      view.open.rows.add(heading);
      view.open.columns.add(heading);
    });
    refresh();
  });
  byId("fold").addEventListener("click", () => {
    view.open.rows.clear();
    view.open.columns.clear();
    refresh();
  });
  const close = () => {
    byId("answer").hidden = true;
    document.body.classList.remove("answered");
    if (!byId("matrix").hidden) grid.focus();
    else if (cameFrom instanceof HTMLElement || cameFrom instanceof SVGElement) cameFrom.focus();
  };
  byId("close").addEventListener("click", close);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !byId("answer").hidden) close();
    const typing = event.target instanceof HTMLInputElement;
    if (event.key === "/" && !typing) {
      event.preventDefault();
      input("filter-from").focus();
    }
  });
  const themes = ["", "light", "dark"];
  byId("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const next = themes[(themes.indexOf(root.dataset.theme ?? "") + 1) % themes.length];
    if (next) root.dataset.theme = next;
    else delete root.dataset.theme;
    byId("theme").textContent = `Theme: ${next || "system"}`;
  });
  const look = zooming();
  const tabs = [...document.querySelectorAll('[role="tab"]')].filter((tab) => tab instanceof HTMLElement);
  const choose = (/** @type {HTMLElement} */ chosen) => {
    for (const tab of tabs) {
      const here = tab === chosen;
      tab.setAttribute("aria-selected", String(here));
      tab.tabIndex = here ? 0 : -1;
      byId(tab.getAttribute("aria-controls") ?? "").hidden = !here;
    }
    document.body.dataset.tab = chosen.getAttribute("aria-controls") ?? "";
    if (chosen.getAttribute("aria-controls") === "list") showList(view, openCell);
    if (chosen.getAttribute("aria-controls") === "matrix") grid.draw();
    if (chosen.getAttribute("aria-controls") === "graph") look();
  };
  tabs.forEach((tab, number) => {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const shown = tabs.filter((each) => !each.hidden);
      const next = shown[(shown.indexOf(tab) + step + shown.length) % shown.length];
      choose(next);
      next.focus();
    });
    if (tab.getAttribute("aria-controls") === "graph" && !byId("graph").querySelector("#drawing > svg")) tab.hidden = true;
    if (number === 0) choose(tab);
  });
  const whole = (/** @type {boolean} */ on) => {
    // Paper cannot be scrolled: what fits is printed whole.
    const small = grid.shape.rows.length <= PRINTED && grid.shape.columns.length <= PRINTED;
    document.body.classList.toggle("whole", on && small);
    grid.fit();
    grid.drawn = "";
    grid.draw();
    if (on) showList(view, openCell);
  };
  addEventListener("beforeprint", () => whole(true));
  addEventListener("afterprint", () => whole(false));
}

/** @type {Record<Look, (number: number) => string>} */
const FACTS = {
  all: (number) => `${count(number, "edge")} on every port`,
  some: (number) => `${count(number, "edge")} on some ports`,
  when: (number) => `${count(number, "edge")} with some requests`,
  doubt: (number) => `${count(number, "edge")} undetermined`,
  opened: (number) => `${number.toLocaleString("en")} opened`,
  closed: (number) => `${number.toLocaleString("en")} closed`,
  changed: (number) => `${number.toLocaleString("en")} changed`,
};

const ZOOM = 1.25;
/** Text in the picture can be read at this scale. */
const LEGIBLE = 0.75;
const PRINTED = 90;
const LIST_ROWS = 300;

/**
 * The same as the matrix, in words: for who cannot see it, and for paper.
 * @param {View} view @param {(src: number, dst: number) => void} openCell
 */
function showList(view, openCell) {
  const shape = shapeOf(view);
  const [sources, targets] = [shape.rows, shape.columns].map((items) => items.flatMap((item) => (isEnd(item) ? [] : item.order)));
  const body = element("tbody");
  let rows = 0;
  for (const src of sources) {
    if (rows >= LIST_ROWS) break;
    /** @type {Map<number, number[]>} */
    const byState = new Map();
    for (const dst of targets) {
      const state = stateOf(src, dst);
      if (state >= 0 && (!view.look || looks[state] === view.look)) byState.set(state, [...(byState.get(state) ?? []), dst]);
    }
    for (const [state, found] of byState) {
      rows += 1;
      const cell = element("td");
      found.slice(0, LISTED).forEach((dst, number) => {
        const button = element("button", { type: "button", class: "link" }, nameOf(dst));
        button.addEventListener("click", () => openCell(src, dst));
        cell.append(number ? ", " : "", button);
      });
      if (found.length > LISTED) cell.append(` and ${found.length - LISTED} more`);
      body.append(
        element("tr", {}, element("th", { scope: "row" }, nameOf(src)), cell, element("td", {}, `${GLYPHS[looks[state]]} ${stateText(state)}`)),
      );
    }
  }
  const head = element("tr", {}, ...["From", "To", "Traffic"].map((word) => element("th", { scope: "col" }, word)));
  const cut = rows >= LIST_ROWS ? element("p", { class: "note" }, "Cut here: filter rows or columns to see others.") : null;
  const none = rows ? null : element("p", { class: "empty" }, data.kind === "diff" ? "Nothing has changed." : "Nothing passes.");
  byId("list").replaceChildren(
    ...[none ?? element("table", {}, element("thead", {}, head), body), cut].filter((each) => each !== null),
  );
}

/** Say what the page is about. */
function introduce() {
  if (data.kind === "diff") {
    byId("busy-words").textContent = "only with changes";
    /** @type {HTMLInputElement} */ (byId("busy")).checked = true;
    const sort = /** @type {HTMLSelectElement} */ (byId("sort"));
    sort.prepend(element("option", { value: "opened" }, "opened first"));
    sort.value = "opened";
  }
  document.title = `${data.title} · cloison`;
  byId("title").textContent = data.title;
  const inside = data.ends.slice(0, data.inside);
  const homed = inside.filter(([, , kind]) => kind !== "node");
  const spaces = new Set(homed.map(([heading]) => heading)).size;
  const pods = homed.filter(([, , kind]) => kind === "pod").length;
  const noun = data.kind === "diff" || (pods && pods < homed.length) ? "end" : pods ? "pod" : "workload";
  const nodes = inside.length - homed.length;
  /** @type {Look[]} */
  const shown = data.kind === "diff" ? ["opened", "changed", "closed"] : ["all", "some", ...(looks.includes("when") ? [/** @type {Look} */ ("when")] : []), "doubt"];
  const facts = [`${count(homed.length, noun)} in ${count(spaces, "namespace")}`];
  if (nodes) facts.push(count(nodes, "node"));
  const legend = byId("legend");
  for (const look of shown) {
    const number = data.edges[look] ?? 0;
    if (data.kind === "diff" || number) facts.push(FACTS[look](number));
    legend.append(element("li", {}, element("span", { class: `cell sample ${look}`, "aria-hidden": true }, GLYPHS[look]), LOOK_WORDS[look]));
    if (looks.includes(look)) byId("look").append(element("option", { value: look }, LOOK_WORDS[look]));
  }
  legend.append(
    element("li", {}, element("span", { class: "cell sample", "aria-hidden": true }), data.kind === "diff" ? "no change" : "denied"),
    element("li", {}, element("span", { class: "cell sample itself", "aria-hidden": true }), "itself"),
    element("li", {}, element("span", { class: `cell sample folded share-2 ${shown[1]}`, "aria-hidden": true }, "12"), `folded: pairs ${data.kind === "diff" ? "changed" : "open"} among those of two namespaces`),
  );
  byId("facts").textContent = facts.join(" · ");
  byId("profile").textContent = `${data.profile} · ${data.tool}`;
  const notes = byId("notes");
  if (data.partial) {
    const scope = data.scope ? [" (", element("code", {}, data.scope), ")"] : [""];
    const what = data.kind === "diff" ? "Only a part was compared" : "This is a part of the map";
    notes.append(element("p", {}, what, ...scope, ": an empty cell may only mean that nobody asked."));
  }
  // Any cell may rest on these, so they are not folded away.
  notes.append(...data.previews.map((sentence) => element("p", {}, sentence)));
  const [[errors, warnings], ...said] = data.input;
  if (errors || warnings) {
    const words = [errors ? count(errors, "error") : "", warnings ? count(warnings, "warning") : ""].filter(Boolean).join(" and ");
    notes.append(
      element(
        "details",
        { class: errors ? "bad" : "" },
        element("summary", {}, `${words} in the input`),
        element("ul", {}, ...said.map(([severity, place, message, effect]) => element("li", {}, element("strong", {}, severity), ` ${place} `, message, effect ? `: ${effect}` : ""))),
      ),
    );
  }
  if (data.stands.length) {
    const items = data.stands.flatMap((number) => [element("dt", {}, data.caveats[number][0]), element("dd", {}, data.caveats[number][1])]);
    notes.append(element("details", {}, element("summary", {}, `${count(data.stands.length, "caveat")} for all of it`), element("dl", { class: "caveats" }, ...items)));
  }
}

start();
