// @ts-check
// What the page knows, as it was embedded, and look-ups in it. docs/design/html-report.md
// describes the tables. Names are shown as text only, whatever they contain.

/**
 * @typedef {[heading: number, name: string, kind: string, asked: string, full: string]} End
 * @typedef {[traffic: number, allowed: number, passing: number]} When
 * @typedef {[allowed: number, undetermined: number, caveats: number[], when: When[] | 0]} Passage
 * @typedef {[passage: number, after?: number, kind?: string]} State
 * @typedef {[unit: number, alone: number, nodes: number[] | 0, example: string]} Member
 * @typedef {[set: number, reason: number, related: Record<string, number> | 0]} Part
 * @typedef {[direction: number, policies: number[], isolating: number[], parts: Part[],
 *   families: Record<string, Part[]> | 0]} Decision
 * @typedef {[allowed: number, undetermined: number, rules: number[], builtin: string,
 *   sure: number, caveats: number[], acts: Act[] | 0, when: When[] | 0]} Reason
 * @typedef {[tier: string, action: string, traffic: number, rule: number, policies: number[]]} Act
 * @typedef {[kind: string, name: string, file: number, line: number, caveat: number]} Policy
 * @typedef {[policy: number, direction: number, index: number, file: number, line: number,
 *   action: string, words: string]} Rule
 * @typedef {{label: string, asked: string | null, families: number[], hosted: number[],
 *   egress: number[], ingress: number[], decisions: Decision[], ends: Member[][],
 *   pending: number[], sets: number[][], policies: Policy[], rules: Rule[],
 *   bound: [rule: number, traffic: number, may: number][], reasons: Reason[],
 *   nodes: (string | null)[]}} Side
 * @typedef {{kind: "map" | "diff", title: string, tool: string, profile: string,
 *   partial: boolean, scope: string, edges: Partial<Record<Look, number>>, stands: number[], previews: string[], input: [number[], ...[string, string, string, string][]],
 *   headings: string[], ends: End[], inside: number, states: State[], sets: number[][],
 *   rowKinds: [state: number, set: number][][], rows: number[], itself: Record<string, number>,
 *   sides: Side[], traffic: number[][], passages: Passage[],
 *   caveats: [id: string, text: string, source: string][], files: string[],
 *   requests: [text: string, example: string][], met: [one: number, other: number, both: number][],
 *   less: [passing: number, allowed: number, rest: number][]}} Data
 */

/** @type {Data} */
const data = JSON.parse(/** @type {HTMLElement} */ (document.getElementById("data")).textContent ?? "");
const COUNT = data.ends.length;

/** @param {readonly number[]} runs @param {number} member @returns {boolean} */
function holds(runs, member) {
  let low = 0;
  let high = runs.length / 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (runs[2 * middle + 1] < member) low = middle + 1;
    else high = middle;
  }
  return 2 * low < runs.length && runs[2 * low] <= member;
}

/** @param {readonly number[]} runs @param {number} from @param {number} to @returns {number} */
function countIn(runs, from, to) {
  let low = 0;
  let high = runs.length / 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (runs[2 * middle + 1] < from) low = middle + 1;
    else high = middle;
  }
  let found = 0;
  for (let i = 2 * low; i < runs.length && runs[i] < to; i += 2) {
    found += Math.min(runs[i + 1], to - 1) - Math.max(runs[i], from) + 1;
  }
  return found;
}

/** Sets of requests that need no look-up: none, and all. */
const NONE = 0;
const EVERY = 1;
/** What pairs of sets have in common. */
const met = new Map(data.met.map(([one, other, both]) => [`${one},${other}`, both]));
/** What is in the one and not in the other. */
const less = new Map(data.less.map(([all, some, rest]) => [`${all},${some}`, rest]));

/** @param {string} text @returns {number} The number of a set of which only words are known. */
function inWords(text) {
  data.requests.push([text, ""]);
  return data.requests.length - 1;
}

/** @param {number} one @param {number} other @returns {number} The requests that are in both sets. */
function meetRequests(one, other) {
  if (one === other || other === EVERY) return one;
  if (one === EVERY) return other;
  if (one === NONE || other === NONE) return NONE;
  const key = one < other ? `${one},${other}` : `${other},${one}`;
  const found = met.get(key) ?? inWords(`${data.requests[one][0]}, and at the other end ${data.requests[other][0]}`);
  met.set(key, found);
  return found;
}

/** @param {number} all @param {number} some @returns {number} The requests that are in the first set and not in the second. */
function lessOf(all, some) {
  if (some === NONE) return all;
  if (all === some) return NONE;
  const key = `${all},${some}`;
  const found = less.get(key) ?? inWords(`${all === EVERY ? "any" : data.requests[all][0]} and not ${data.requests[some][0]}`);
  less.set(key, found);
  return found;
}

/** Letters beyond which nobody reads a set at a glance. */
const LONG = 100;

/** @param {number} requests @returns {string} A set in words that fit a line. */
function requestWords(requests) {
  const [text, example] = data.requests[requests];
  return text.length <= LONG || !example ? text : `requests such as ${example}`;
}

/** Rows spelled out when first looked at: the state of each destination, -1 for none. */
const spelled = /** @type {(Int32Array | undefined)[]} */ (new Array(data.rowKinds.length));

/** @param {number} src @param {number} dst @returns {number} Its state, -1 where nothing passes. */
function stateOf(src, dst) {
  if (src === dst) return data.itself[src] ?? -1;
  const kind = data.rows[src];
  let row = spelled[kind];
  if (!row) {
    row = new Int32Array(COUNT).fill(-1);
    for (const [state, set] of data.rowKinds[kind]) {
      const runs = data.sets[set];
      for (let i = 0; i < runs.length; i += 2) row.fill(state, runs[i], runs[i + 1] + 1);
    }
    spelled[kind] = row;
  }
  return row[dst];
}

/** What a state is to the eye. @typedef {"all" | "some" | "when" | "doubt" | "opened" | "closed" | "changed"} Look */

/** @type {Look[]} */
const looks = data.states.map(([passage, , kind]) => {
  if (kind !== undefined) return /** @type {Look} */ (kind);
  const [allowed, , , when] = data.passages[passage];
  if (when && when.some(([, some]) => some !== NONE)) return "when";
  if (!data.traffic[allowed].length) return "doubt";
  return within(L4, data.traffic[allowed]) ? "all" : "some";
});

/** How many other ends each end sends to, and hears from. */
const peers = (() => {
  const out = new Int32Array(COUNT);
  const turns = new Int32Array(COUNT + 1);
  const into = new Int32Array(COUNT);
  for (let src = 0; src < COUNT; src++) {
    for (const [, set] of data.rowKinds[data.rows[src]]) {
      const runs = data.sets[set];
      for (let i = 0; i < runs.length; i += 2) {
        out[src] += runs[i + 1] - runs[i] + 1;
        turns[runs[i]] += 1;
        turns[runs[i + 1] + 1] -= 1;
      }
      if (holds(runs, src)) {
        out[src] -= 1;
        into[src] -= 1;
      }
    }
  }
  for (let end = 0, open = 0; end < COUNT; end++) {
    open += turns[end];
    into[end] += open;
  }
  return { out, into };
})();

/** Ends of a heading stand together: its first, and the one after its last. @type {[number, number][]} */
const reach = data.headings.map(() => [COUNT, 0]);
data.ends.forEach(([heading], end) => {
  reach[heading][0] = Math.min(reach[heading][0], end);
  reach[heading][1] = end + 1;
});

/**
 * @typedef {{pairs: number, filled: number, looks: Map<Look, number>}} Tally
 * @param {readonly number[]} sources @param {readonly number[]} targets  Both ascending.
 * @returns {Tally} How many pairs of them look how.
 */
function tally(sources, targets) {
  const first = targets[0];
  const last = targets[targets.length - 1] + 1;
  const together = last - first === targets.length;
  const found = { pairs: 0, filled: 0, looks: new Map() };
  const add = (/** @type {number} */ state, /** @type {number} */ number) => {
    found.filled += number;
    found.looks.set(looks[state], (found.looks.get(looks[state]) ?? 0) + number);
  };
  for (const src of sources) {
    found.pairs += targets.length - (together && first <= src && src < last ? 1 : 0);
    if (together) {
      for (const [state, set] of data.rowKinds[data.rows[src]]) {
        const runs = data.sets[set];
        const own = first <= src && src < last && holds(runs, src) ? 1 : 0;
        const number = countIn(runs, first, last) - own;
        if (number) add(state, number);
      }
    } else {
      for (const dst of targets) {
        const state = src === dst ? -1 : stateOf(src, dst);
        if (state >= 0) add(state, 1);
        if (src === dst) found.pairs -= 1;
      }
    }
  }
  return found;
}

/** @param {number} end @returns {string} As questions name it, or as people call a block. */
function nameOf(end) {
  const [heading, name, kind, asked] = data.ends[end];
  if (kind === "addresses") return name;
  return kind === "node" ? asked : asked || `${data.headings[heading]}/${name}`;
}

/** @param {number} passage @returns {string} */
function passageText(passage) {
  const [allowed, undetermined, , when] = data.passages[passage];
  const said = data.traffic[allowed].length ? [trafficWords(data.traffic[allowed])] : [];
  for (const [traffic, some, passing] of when || []) {
    const words = trafficWords(data.traffic[traffic]);
    if (some !== NONE) said.push(`${words} when ${requestWords(some)}`);
    if (passing !== some) said.push(`undetermined: ${words} when ${requestWords(lessOf(passing, some))}`);
  }
  if (data.traffic[undetermined].length) {
    said.push(`undetermined: ${trafficWords(data.traffic[undetermined])}`);
  }
  return said.join("; ") || "nothing";
}

/** @param {number} state @returns {string} What a cell says, in words. */
function stateText(state) {
  if (state < 0) return data.kind === "diff" ? "no change" : data.partial ? "nothing, or not asked for" : "nothing passes";
  const [before, after, kind] = data.states[state];
  if (after === undefined) return passageText(before);
  if (kind === "opened") return `opened: ${passageText(after)}`;
  if (kind === "closed") return `closed: ${passageText(before)}`;
  return `changed: ${passageText(before)} → ${passageText(after)}`;
}
