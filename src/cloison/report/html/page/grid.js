// @ts-check
// The matrix. Only what is in sight exists in the document: a few dozen rows and columns of
// however many thousand. Row 0 and column 0 of the grid are the headers; the keyboard reaches all.

const CELL = 26;
const OVERSCAN = 3;
/** Letters of a list of address blocks that have room. */
const BLOCK_LETTERS = 22;

/** What stands in a cell besides its colour. @type {Record<Look, string>} */
const GLYPHS = { all: "■", some: "◧", when: "◇", doubt: "?", opened: "+", closed: "−", changed: "±" };
/** @type {Record<Look, string>} */
const LOOK_WORDS = {
  all: "every port",
  some: "some ports",
  when: "some requests",
  doubt: "undetermined",
  opened: "opened",
  closed: "closed",
  changed: "changed",
};
/** The look of a folded cell is its gravest. @type {Look[]} */
const GRAVEST = ["opened", "changed", "closed", "all", "some", "when", "doubt"];

/**
 * @typedef {{rows: Item[], columns: Item[]}} Shape
 * @typedef {(row: Item | null, column: Item | null) => void} Chosen
 */

/** What is said where there is nothing to show at all. */
const NOBODY = data.kind === "diff" ? "Connectivity is the same on both sides." : "No workload was read.";

class Grid {
  /** @param {HTMLElement} scroller @param {Chosen} chosen @param {(text: string) => void} pointed */
  constructor(scroller, chosen, pointed) {
    this.scroller = scroller;
    this.chosen = chosen;
    this.pointed = pointed;
    /** @type {Shape} */
    this.shape = { rows: [], columns: [] };
    this.at = { row: 1, column: 1 };
    /** @type {{row: number, column: number} | null} */
    this.selected = null;
    /** Folded cells that were counted already. @type {Map<string, Tally>} */
    this.tallies = new Map();
    this.drawn = "";
    this.pending = false;
    this.table = element("div", { role: "grid", "aria-label": "Who may talk to whom: rows send, columns receive", class: "grid" });
    this.empty = element("p", { class: "empty", hidden: true }, data.inside ? "Nothing matches these filters." : NOBODY);
    scroller.append(this.table, this.empty);
    scroller.addEventListener("scroll", () => this.soon(), { passive: true });
    new ResizeObserver(() => {
      this.fit();
      this.drawn = "";
      this.soon();
    }).observe(scroller);
    this.table.addEventListener("click", (event) => this.clicked(event));
    this.table.addEventListener("keydown", (event) => this.pressed(event));
    this.table.addEventListener("focusin", (event) => this.focused(event));
    this.table.addEventListener("pointerover", (event) => {
      const found = this.place(event.target);
      if (found) this.pointed(this.words(found.row, found.column));
    });
  }

  /** @param {Shape} shape */
  show(shape) {
    this.shape = shape;
    this.tallies.clear();
    this.selected = null;
    this.drawn = "";
    this.at.row = Math.min(this.at.row, shape.rows.length);
    this.at.column = Math.min(this.at.column, shape.columns.length);
    this.empty.hidden = data.inside > 0 && shape.rows.length > 0 && shape.columns.length > 0;
    this.table.hidden = !this.empty.hidden;
    this.fit();
    this.table.setAttribute("aria-rowcount", String(shape.rows.length + 1));
    this.table.setAttribute("aria-colcount", String(shape.columns.length + 1));
    this.draw();
  }

  /** Give labels the room they need, within reason: what is cut is told in full when pointed at. */
  fit() {
    const needed = (/** @type {Item} */ item) => {
      const letters = this.label(item).length + (isEnd(item) ? 0 : 1);
      // Lists of address blocks are as long as they like.
      return isEnd(item) && item.end >= data.inside ? Math.min(letters, BLOCK_LETTERS) : letters;
    };
    const longest = (/** @type {Item[]} */ items) => items.reduce((most, item) => Math.max(most, needed(item)), 8);
    const letter = 7.4;
    const room = (/** @type {number} */ value, /** @type {number} */ least, /** @type {number} */ most) =>
      `${Math.round(Math.max(least, Math.min(most, value)))}px`;
    const paper = document.body.classList.contains("whole");
    const wide = this.scroller.clientWidth || 1000;
    this.scroller.style.setProperty("--head", room(longest(this.shape.columns) * letter + 18, 90, !paper && wide < 700 ? 130 : 190));
    this.scroller.style.setProperty("--side", room(longest(this.shape.rows) * letter + 74, 150, paper ? 340 : Math.max(150, Math.min(340, wide * 0.3))));
  }

  soon() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      this.draw();
    });
  }

  measures() {
    const style = getComputedStyle(this.scroller);
    return { head: parseFloat(style.getPropertyValue("--head")), side: parseFloat(style.getPropertyValue("--side")) };
  }

  draw() {
    const { rows, columns } = this.shape;
    const { head, side } = this.measures();
    const { scrollTop, scrollLeft, clientHeight, clientWidth } = this.scroller;
    const all = document.body.classList.contains("whole");
    const window_ = (/** @type {number} */ from, /** @type {number} */ room, /** @type {number} */ number) =>
      all
        ? [0, number]
        : [
            Math.max(0, Math.floor(from / CELL) - OVERSCAN),
            Math.min(number, Math.ceil((from + room) / CELL) + OVERSCAN),
          ];
    const [top, bottom] = window_(scrollTop, clientHeight - head, rows.length);
    const [left, right] = window_(scrollLeft, clientWidth - side, columns.length);
    const key = [top, bottom, left, right].join();
    if (key === this.drawn) return;
    this.drawn = key;
    const held = this.table.contains(document.activeElement);
    const width = side + columns.length * CELL;
    this.table.style.width = `${width}px`;
    this.table.style.height = `${head + rows.length * CELL}px`;
    const made = [this.headers(left, right, width)];
    for (let row = top; row < bottom; row++) made.push(this.row(row, left, right, head, side, width));
    this.table.replaceChildren(...made);
    this.rove(held);
  }

  /** @param {number} left @param {number} right @param {number} width */
  headers(left, right, width) {
    const corner = element(
      "div",
      { role: "columnheader", class: "corner", "aria-colindex": 1 },
      element("span", { class: "corner-to" }, "to →"),
      element("span", { class: "corner-from" }, "from ↓"),
    );
    const line = element("div", { role: "row", class: "row headers", "aria-rowindex": 1 }, corner);
    line.style.width = `${width}px`;
    for (let column = left; column < right; column++) {
      const item = this.shape.columns[column];
      const made = element(
        "div",
        { role: "columnheader", class: "column", "aria-colindex": column + 2, tabindex: -1, "data-at": `0,${column + 1}` },
        element("span", { class: "label" }, this.label(item)),
      );
      this.dress(made, item);
      made.style.left = `calc(var(--side) + ${column * CELL}px)`;
      line.append(made);
    }
    return line;
  }

  /** @param {number} row @param {number} left @param {number} right @param {number} head @param {number} side @param {number} width */
  row(row, left, right, head, side, width) {
    const item = this.shape.rows[row];
    const sent = isEnd(item) ? peers.out[item.end] : 0;
    const header = element(
      "div",
      { role: "rowheader", class: "name", "aria-colindex": 1, tabindex: -1, "data-at": `${row + 1},0` },
      element("span", { class: "label" }, this.label(item)),
      isEnd(item) ? element("span", { class: "number", title: `sends to ${count(sent, "peer")}` }, sent ? String(sent) : "–") : null,
    );
    this.dress(header, item);
    const line = element("div", { role: "row", class: "row", "aria-rowindex": row + 2 }, header);
    if (!isEnd(item) && !item.folded) line.classList.add("band");
    line.style.top = `${head + row * CELL}px`;
    line.style.width = `${width}px`;
    for (let column = left; column < right; column++) {
      const cell = this.cell(row, column);
      cell.style.left = `${side + column * CELL}px`;
      line.append(cell);
    }
    return line;
  }

  /** @param {HTMLElement} made @param {Item} item */
  dress(made, item) {
    if (isEnd(item)) {
      made.title = `${nameOf(item.end)} (${data.ends[item.end][2]})`;
      if (data.ends[item.end][4]) made.title = data.ends[item.end][4];
    } else {
      made.classList.add("heading");
      made.setAttribute("aria-expanded", String(!item.folded));
      made.title = `${data.headings[item.heading]}: ${count(item.ends.length, "end")}, ${item.folded ? "unfold" : "fold"}`;
    }
  }

  /** @param {Item} item @returns {string} */
  label(item) {
    if (isEnd(item)) return data.ends[item.end][1];
    const number = item.folded ? ` (${item.ends.length})` : "";
    return `${item.folded ? "▸" : "▾"} ${data.headings[item.heading]}${number}`;
  }

  /** @param {number} row @param {number} column @returns {HTMLElement} */
  cell(row, column) {
    const from = this.shape.rows[row];
    const to = this.shape.columns[column];
    const made = element("div", {
      role: "gridcell",
      class: "cell",
      "aria-colindex": column + 2,
      tabindex: -1,
      "data-at": `${row + 1},${column + 1}`,
    });
    const bands = beside(from, to);
    if (bands) made.classList.add("band");
    else if (isEnd(from) && isEnd(to)) {
      const state = stateOf(from.end, to.end);
      if (from.end === to.end) made.classList.add("itself");
      if (state >= 0) {
        made.classList.add(looks[state]);
        made.textContent = GLYPHS[looks[state]];
      }
    } else {
      const found = this.tally(row, column);
      if (found.filled) {
        const look = GRAVEST.find((each) => found.looks.has(each)) ?? "some";
        const share = found.filled / Math.max(found.pairs, found.filled);
        made.classList.add("folded", look, `share-${Math.ceil(share * 4)}`);
        made.textContent = short(found.filled);
      }
    }
    if (!bands) made.setAttribute("aria-label", this.words(row + 1, column + 1));
    if (this.selected && this.selected.row === row + 1 && this.selected.column === column + 1) {
      made.setAttribute("aria-selected", "true");
    }
    return made;
  }

  /** @param {number} row @param {number} column @returns {Tally} */
  tally(row, column) {
    const key = `${row},${column}`;
    let found = this.tallies.get(key);
    if (!found) {
      found = tally(endsIn(this.shape.rows[row]), endsIn(this.shape.columns[column]));
      this.tallies.set(key, found);
    }
    return found;
  }

  /** @param {number} row @param {number} column @returns {string} What a cell or header says to a reader who cannot see it. */
  words(row, column) {
    const from = row ? this.shape.rows[row - 1] : null;
    const to = column ? this.shape.columns[column - 1] : null;
    const said = (/** @type {Item} */ item) => (isEnd(item) ? nameOf(item.end) : data.headings[item.heading]);
    if (!from || !to) {
      const item = from ?? to;
      if (!item) return "";
      if (!isEnd(item)) return `${said(item)}: ${count(item.ends.length, "end")}`;
      const [out, into] = [peers.out[item.end], peers.into[item.end]];
      return `${said(item)}: sends to ${count(out, "peer")}, hears from ${count(into, "peer")}`;
    }
    if (beside(from, to)) return "";
    const ends = `${said(from)} → ${said(to)}`;
    if (isEnd(from) && isEnd(to)) {
      return from.end === to.end && stateOf(from.end, to.end) < 0
        ? `${ends}: the same`
        : `${ends}: ${stateText(stateOf(from.end, to.end))}`;
    }
    const found = this.tally(row - 1, column - 1);
    const what = [...found.looks].map(([look, number]) => `${LOOK_WORDS[look]}: ${number.toLocaleString("en")}`);
    return `${ends}: ${found.filled.toLocaleString("en")} of ${count(found.pairs, "pair")}${what.length ? ` (${what.join(", ")})` : ""}`;
  }

  /** @param {EventTarget | null} target @returns {{row: number, column: number} | null} */
  place(target) {
    const found = target instanceof Element ? target.closest("[data-at]") : null;
    if (!found) return null;
    const [row, column] = (found.getAttribute("data-at") ?? "").split(",").map(Number);
    return { row, column };
  }

  /** @param {Event} event */
  clicked(event) {
    const found = this.place(event.target);
    if (found) this.choose(found.row, found.column);
  }

  /** @param {number} row @param {number} column */
  choose(row, column) {
    const from = row ? this.shape.rows[row - 1] : null;
    const to = column ? this.shape.columns[column - 1] : null;
    if (from && to && beside(from, to)) return;
    this.at = { row, column };
    this.selected = from && to ? { row, column } : null;
    this.drawn = "";
    this.draw();
    this.chosen(from, to);
  }

  /** @param {FocusEvent} event */
  focused(event) {
    const found = this.place(event.target);
    if (!found) return;
    this.at = found;
    this.pointed(this.words(found.row, found.column));
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    const { rows, columns } = this.shape;
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / CELL) - 6);
    /** @type {Record<string, [number, number]>} */
    const moves = {
      ArrowUp: [-1, 0],
      ArrowDown: [1, 0],
      ArrowLeft: [0, -1],
      ArrowRight: [0, 1],
      PageUp: [-page, 0],
      PageDown: [page, 0],
      Home: event.ctrlKey ? [1 - this.at.row, 1 - this.at.column] : [0, -columns.length],
      End: event.ctrlKey ? [rows.length, columns.length] : [0, columns.length],
    };
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.choose(this.at.row, this.at.column);
      return;
    }
    const move = moves[event.key];
    if (!move || event.altKey || event.metaKey) return;
    event.preventDefault();
    const clamp = (/** @type {number} */ value, /** @type {number} */ most) => Math.max(0, Math.min(most, value));
    const row = clamp(this.at.row + move[0], rows.length);
    const column = clamp(this.at.column + move[1], columns.length);
    if (row || column) this.at = { row, column };
    this.focus();
  }

  /** Move the focus to where the reader is, and bring that into sight. */
  focus() {
    const { head, side } = this.measures();
    const { row, column } = this.at;
    const box = this.scroller;
    if (row) {
      const top = (row - 1) * CELL;
      box.scrollTop = Math.min(top, Math.max(box.scrollTop, top + CELL - (box.clientHeight - head)));
    }
    if (column) {
      const left = (column - 1) * CELL;
      box.scrollLeft = Math.min(left, Math.max(box.scrollLeft, left + CELL - (box.clientWidth - side)));
    }
    this.draw();
    this.rove(true);
  }

  /** One cell takes part in the order of Tab: the one where the reader was. @param {boolean} focus */
  rove(focus) {
    for (const each of this.table.querySelectorAll('[tabindex="0"]')) each.setAttribute("tabindex", "-1");
    const { row, column } = this.at;
    const here = this.table.querySelector(`[data-at="${row},${column}"]`) ?? this.table.querySelector("[data-at]");
    if (!(here instanceof HTMLElement)) return;
    here.setAttribute("tabindex", "0");
    if (focus) here.focus({ preventScroll: true });
  }
}

/**
 * Whether a cell is no question: it belongs to an unfolded heading, or both its ends are outside.
 * @param {Item} from @param {Item} to @returns {boolean}
 */
function beside(from, to) {
  const outside = (/** @type {Item} */ item) => endsIn(item)[0] >= data.inside;
  return [from, to].some((item) => !isEnd(item) && !item.folded) || (outside(from) && outside(to));
}

/** @param {number} number @returns {string} Two or three characters. */
function short(number) {
  if (number < 1000) return String(number);
  if (number < 10000) return `${(number / 1000).toFixed(1).replace(".0", "")}k`;
  return number < 1000000 ? `${Math.floor(number / 1000)}k` : `${Math.floor(number / 1000000)}M`;
}
