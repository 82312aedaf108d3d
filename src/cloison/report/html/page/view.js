// @ts-check
// What the reader has chosen to see, and the rows and columns that come of it.

/** Beyond this many ends namespaces start out folded. */
const MANY = 70;

/**
 * @typedef {{heading: number, folded: boolean, ends: number[], order: number[]}} HeadingItem
 * @typedef {{heading: number, end: number}} EndItem
 * @typedef {HeadingItem | EndItem} Item
 * @typedef {{from: string, to: string, sort: "name" | "out" | "in" | "opened", busy: boolean,
 *   look: Look | "",
 *   open: {rows: Set<number>, columns: Set<number>}}} View
 */

/** @returns {View} */
function firstView() {
  const all = data.headings.map((_, heading) => heading);
  const open = COUNT <= MANY ? all : [];
  return {
    from: "",
    to: "",
    sort: data.kind === "diff" ? "opened" : "name",
    busy: data.kind === "diff",
    look: "",
    open: { rows: new Set(open), columns: new Set(open) },
  };
}

const lowerNames = data.ends.map(([heading, name, kind, , full]) =>
  `${kind === "addresses" ? `${name} ${full}` : `${data.headings[heading]}/${name}`} ${kind}`.toLowerCase(),
);

const collator = new Intl.Collator("en", { numeric: true });
/** Where an end, and a heading, stands by name, numbers in names counted as numbers. */
const ranks = (() => {
  const inside = data.ends.map((_, end) => end).filter((end) => end < data.inside);
  inside.sort((a, b) => collator.compare(data.ends[a][1], data.ends[b][1]) || a - b);
  const ends = new Int32Array(COUNT).map((_, end) => end);
  inside.forEach((end, rank) => (ends[end] = rank));
  const workloads = (/** @type {number} */ heading) => reach[heading][0] < data.inside && data.ends[reach[heading][0]][2] !== "node";
  const order = data.headings.map((_, heading) => heading);
  order.sort((a, b) => Number(workloads(b)) - Number(workloads(a)) || (workloads(a) ? collator.compare(data.headings[a], data.headings[b]) : a - b));
  const headings = new Int32Array(order.length);
  order.forEach((heading, rank) => (headings[heading] = rank));
  return { ends, headings };
})();

/** @param {string} query @returns {(end: number) => boolean} Every word has to occur in the name. */
function matching(query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return (end) => words.every((word) => lowerNames[end].includes(word));
}

/** How many cells of an end, sent or heard, have opened. */
const openings = new Int32Array(COUNT);
if (data.kind === "diff") {
  for (let src = 0; src < COUNT; src++) {
    for (const [state, set] of data.rowKinds[data.rows[src]]) {
      if (looks[state] !== "opened") continue;
      const runs = data.sets[set];
      for (let i = 0; i < runs.length; i += 2) {
        for (let dst = runs[i]; dst <= runs[i + 1]; dst++) {
          if (dst === src) continue;
          openings[src] += 1;
          openings[dst] += 1;
        }
      }
    }
  }
}

/** What comes first, by what the reader sorts by. @type {Record<View["sort"], (end: number) => number>} */
const WEIGHTS = {
  name: () => 0,
  out: (end) => peers.out[end],
  in: (end) => peers.into[end],
  opened: (end) => openings[end],
};

/** @param {View} view @returns {{rows: Item[], columns: Item[]}} */
function shapeOf(view) {
  const every = data.ends.map((_, end) => end);
  let [sources, targets] = [every.filter(matching(view.from)), every.filter(matching(view.to))];
  if (view.busy || view.look) {
    const wanted = (/** @type {number} */ state) => state >= 0 && (!view.look || looks[state] === view.look);
    const heard = new Set();
    const sends = (/** @type {number} */ src) => {
      const found = targets.filter((dst) => wanted(stateOf(src, dst)));
      found.forEach((dst) => heard.add(dst));
      return found.length > 0;
    };
    sources = sources.filter(sends);
    targets = targets.filter((dst) => heard.has(dst));
  }
  return {
    rows: itemsOf(sources, view, view.open.rows, view.from),
    columns: itemsOf(targets, view, view.open.columns, view.to),
  };
}

/**
 * @param {number[]} shown  Ascending. @param {View} view
 * @param {Set<number>} open @param {string} query @returns {Item[]}
 */
function itemsOf(shown, view, open, query) {
  const weigh = WEIGHTS[view.sort];
  /** @type {{heading: number, ends: number[], weight: number}[]} */
  const groups = [];
  const under = data.headings.map(() => /** @type {number[]} */ ([]));
  for (const end of shown) under[data.ends[end][0]].push(end);
  under.forEach((ends, heading) => {
    if (!ends.length) return;
    ends.sort((a, b) => weigh(b) - weigh(a) || ranks.ends[a] - ranks.ends[b]);
    groups.push({ heading, ends, weight: ends.reduce((sum, end) => sum + weigh(end), 0) });
  });
  groups.sort((a, b) => b.weight - a.weight || ranks.headings[a.heading] - ranks.headings[b.heading]);
  // Who searches wants to see what was found, unless it is too much to show at once.
  const unfolded = query.trim() !== "" && shown.length <= MANY;
  return groups.flatMap(({ heading, ends }) => {
    const folded = !unfolded && !open.has(heading);
    const inside = folded ? [] : ends.map((end) => ({ heading, end }));
    return [{ heading, folded, ends: [...ends].sort((a, b) => a - b), order: ends }, ...inside];
  });
}

/** @param {Item} item @returns {item is EndItem} */
function isEnd(item) {
  return "end" in item;
}

/** @param {Item} item @returns {number[]} */
function endsIn(item) {
  return isEnd(item) ? [item.end] : item.ends;
}

/** @param {number} number @param {string} noun @returns {string} */
function count(number, noun) {
  const plural = noun.endsWith("y") ? `${noun.slice(0, -1)}ies` : `${noun}s`;
  return `${number.toLocaleString("en")} ${number === 1 ? noun : plural}`;
}

/**
 * An element with text for content: nothing is ever read as markup.
 * @param {string} name @param {Record<string, string | boolean | number | null>} [attributes]
 * @param {...(Node | string | null)} content @returns {HTMLElement}
 */
function element(name, attributes = {}, ...content) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) made.setAttribute(key, value === true ? "" : String(value));
  }
  made.append(...content.filter((each) => each !== null));
  return made;
}

/** @param {string} id @returns {HTMLElement} */
function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no ${id}`);
  return found;
}
