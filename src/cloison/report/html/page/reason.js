// @ts-check
// Why a cell is as it is: the same steps `cloison why` takes, as look-ups in decisions that were
// made when the report was written. A question between two ends is a list of cases, one for each
// pair of pods that some policy can tell apart; a case passes two enforcement points.

const EGRESS = 0;
const INGRESS = 1;
const WAYS = ["egress", "ingress"];

/**
 * @typedef {{direction: number, unit: number, policed: boolean, allowed: Spans,
 *   undetermined: Spans, when: Some[], reason: Reason | null, decision: Decision | null}} Point
 * @typedef {{from: Member, to: Member, relation: string, leaving: Point, entering: Point,
 *   allowed: Spans, undetermined: Spans, when: Some[]}} Case
 * @typedef {{traffic: Spans, allowed: number, passing: number}} Some  Traffic, the requests with which it passes, and those with which it may.
 * @typedef {{verdict: string, allowed: Spans, some: Spans, cases: Case[], foreign: boolean}} Answer
 */

/** @param {Side} side @param {Decision} decision @param {number} peer @param {number} family @returns {Part} */
function partOf(side, decision, peer, family) {
  const [, , , parts, families] = decision;
  if (family && side.families[peer] === 0 && families && families[family]) {
    const found = families[family].find(([set]) => holds(side.sets[set], peer));
    if (found) return found;
  }
  // The last part is what the others leave over.
  return parts.find(([set]) => set < 0 || holds(side.sets[set], peer)) ?? parts[parts.length - 1];
}

/**
 * @param {Side} side @param {number} direction @param {number} unit @param {number} peer
 * @param {string} relation @param {number} family @returns {Point}
 */
function pointOf(side, direction, unit, peer, relation, family) {
  const number = (direction === EGRESS ? side.egress : side.ingress)[unit];
  if (number < 0) {
    return { direction, unit, policed: false, allowed: ANY, undetermined: NOTHING, when: [], reason: null, decision: null };
  }
  const decision = side.decisions[number];
  const [, plain, related] = partOf(side, decision, peer, family);
  const reason = side.reasons[related && relation in related ? related[relation] : plain];
  return {
    direction,
    unit,
    policed: true,
    allowed: data.traffic[reason[0]],
    undetermined: data.traffic[reason[1]],
    when: (reason[7] || []).map(([traffic, allowed, passing]) => ({ traffic: data.traffic[traffic], allowed, passing })),
    reason,
    decision,
  };
}

/** @param {Point} leaving @param {Point} entering @returns {[Spans, Spans, Some[]]} Allowed, undetermined, and what requests decide. */
function both(leaving, entering) {
  if (leaving.when.length || entering.when.length) return byRequest(leaving, entering);
  const allowed = meet(leaving.allowed, entering.allowed);
  const passing = meet(
    union(leaving.allowed, leaving.undetermined),
    union(entering.allowed, entering.undetermined),
  );
  return [allowed, meet(minus(passing, allowed), L4), []];
}

/** @param {Point} leaving @param {Point} entering @returns {[Spans, Spans, Some[]]} The same where a point asks for requests. */
function byRequest(leaving, entering) {
  const parts = (/** @type {Point} */ point) => [
    { traffic: point.allowed, allowed: EVERY, passing: EVERY },
    { traffic: point.undetermined, allowed: NONE, passing: EVERY },
    ...point.when,
  ];
  /** @type {Spans} */
  let allowed = NOTHING;
  /** @type {Spans} */
  let undetermined = NOTHING;
  /** @type {Map<string, Some>} */
  const when = new Map();
  for (const out of parts(leaving)) {
    for (const into of parts(entering)) {
      const traffic = meet(out.traffic, into.traffic);
      if (!traffic.length) continue;
      const sure = meetRequests(out.allowed, into.allowed);
      const passing = meetRequests(out.passing, into.passing);
      if (sure === EVERY) allowed = union(allowed, traffic);
      else if (sure === NONE && passing === EVERY) undetermined = union(undetermined, traffic);
      else if (passing !== NONE) {
        const key = `${sure},${passing}`;
        when.set(key, { traffic: union(when.get(key)?.traffic ?? NOTHING, traffic), allowed: sure, passing });
      }
    }
  }
  const told = [...when.values()].map((each) => ({ ...each, traffic: meet(each.traffic, L4) }));
  return [allowed, meet(undetermined, L4), told.filter(({ traffic }) => traffic.length)];
}

/** @param {Side} side @param {Member} one @param {Member} two @returns {string[]} How two can stand to each other. */
function relations(side, one, two) {
  const hosted = [one, two].map(([unit]) => side.hosted.includes(unit));
  if (hosted[0] === hosted[1]) return [""];
  const nodes = [one, two].map(([, , known]) => (known ? known.map((n) => side.nodes[n]) : [null]));
  /** @type {Set<string>} */
  const found = new Set();
  for (const left of nodes[0]) {
    for (const right of nodes[1]) {
      found.add(left === null || right === null ? "unknown" : left === right ? "own" : "other");
    }
  }
  return [...found];
}

/** @param {Side} side @param {Member} a @param {Member} b @returns {number[]} Address families they are known to be of. */
function familiesOf(side, a, b) {
  return [...new Set([side.families[a[0]], side.families[b[0]]])].filter((family) => family !== 0);
}

/** @param {Side} side @param {number} src @param {number} dst @returns {Answer | null} Nothing where an end does not exist. */
function why(side, src, dst) {
  const sources = side.ends[src];
  const targets = side.ends[dst];
  if (!sources.length || !targets.length) return null;
  const all = sources.flatMap((from) => targets.map((to) => /** @type {[Member, Member]} */ ([from, to])));
  let pairs = all.filter(([a, b]) => familiesOf(side, a, b).length <= 1);
  const one = src === dst && data.ends[src][2] === "pod";
  const pods = (/** @type {number} */ end) => !["node", "addresses"].includes(data.ends[end][2]);
  if (!one && pods(src) && pods(dst)) {
    const others = pairs.filter(([a, b]) => a[1] < 0 || a[1] !== b[1]);
    if (others.length) pairs = others;
  }
  const foreign = !pairs.length;
  /** @type {Case[]} */
  const cases = [];
  for (const [from, to] of foreign ? all : pairs) {
    const known = familiesOf(side, from, to);
    const family = !one && known.length === 1 ? known[0] : 0;
    for (const relation of one ? ["self"] : relations(side, from, to)) {
      const leaving = pointOf(side, EGRESS, from[0], to[0], relation, family);
      const entering = pointOf(side, INGRESS, to[0], from[0], relation, family);
      const [allowed, undetermined, when] = both(leaving, entering);
      cases.push({ from, to, relation, leaving, entering, allowed, undetermined, when });
    }
  }
  const verdicts = new Set(cases.map((each) => verdictOf(each, L4)));
  return {
    verdict: verdicts.size === 1 ? [...verdicts][0] : "mixed",
    allowed: cases.map((each) => meet(each.allowed, L4)).reduce(meet),
    some: cases.flatMap((each) => each.when.filter(({ allowed }) => allowed !== NONE).map(({ traffic }) => traffic)).reduce(union, NOTHING),
    cases,
    foreign,
  };
}

/** @param {{allowed: Spans, undetermined: Spans, when: Some[]}} known @param {Spans} asked @returns {string} */
function verdictOf({ allowed, undetermined, when }, asked) {
  if (within(asked, allowed)) return "allowed";
  if (when.some(({ traffic }) => meet(traffic, asked).length)) return "mixed";
  const unsure = meet(undetermined, asked);
  if (!unsure.length && !meet(allowed, asked).length) return "denied";
  return within(asked, unsure) ? "undetermined" : "mixed";
}

/** Rules of a point that match some traffic. @param {Side} side @param {Point} point @param {Spans} asked */
function rulesFor(side, point, asked) {
  const found = [];
  const list = point.reason ? point.reason[2] : [];
  for (let i = 0; i < list.length; i += 2) {
    const [number, certain, may] = side.bound[list[i]];
    const traffic = meet(union(data.traffic[certain], data.traffic[may]), asked);
    if (traffic.length) found.push({ rule: side.rules[number], sure: list[i + 1] === 1, traffic });
  }
  return found;
}

/**
 * Who decides about some traffic at a point, as `why` names them.
 * @param {Side} side @param {Point} point @param {Spans} asked
 * @param {string} verdict  What becomes of it; of traffic of which requests decide, of some requests.
 * @returns {{text: string, file: number, line: number, words: string}[]}
 */
function deciders(side, point, asked, verdict = verdictOf(point, asked)) {
  const { reason, decision } = point;
  const plain = (/** @type {string} */ text) => [{ text, file: -1, line: 0, words: "" }];
  if (reason && reason[3] && reason[4]) return plain(reason[3]);
  if (!reason || !decision || !decision[1].length) {
    return plain(point.policed || !side.hosted.includes(point.unit) ? "default" : "not policed");
  }
  if (reason[6]) return inTurn(side, point, asked, reason[6]);
  const wanted = verdict === "allowed" ? ["allow"] : verdict === "denied" ? ["deny"] : ["allow", "deny"];
  const way = WAYS[point.direction];
  const rules = rulesFor(side, point, asked).filter(({ rule }) => wanted.includes(rule[5]));
  /** @type {Map<string, {text: string, file: number, line: number, words: string}>} */
  const found = new Map();
  for (const { rule } of rules) {
    const text = `${side.policies[rule[0]][1]} ${way} rule ${rule[2]}`;
    found.set(text, { text, file: rule[3], line: rule[4], words: rule[6] });
  }
  if (verdict === "allowed") return found.size ? [...found.values()] : plain("default");
  for (const number of decision[2]) {
    const [, name, file, line, caveat] = side.policies[number];
    if (caveat < 0) found.set(`i${name}`, { text: `${name} isolates ${way}`, file, line, words: "" });
  }
  for (const number of decision[1]) {
    const [kind, name, file, line, caveat] = side.policies[number];
    if (caveat >= 0) found.set(`u${kind}${name}`, { text: `${kind} ${name} is not understood`, file, line, words: "" });
  }
  return [...found.values()];
}

/**
 * Who decides about some traffic where policies are asked in turn.
 * @param {Side} side @param {Point} point @param {Spans} asked @param {Act[]} acts
 * @returns {{text: string, file: number, line: number, words: string}[]}
 */
function inTurn(side, point, asked, acts) {
  const way = WAYS[point.direction];
  /** @type {Map<string, {text: string, file: number, line: number, words: string}>} */
  const found = new Map();
  for (const [, action, traffic, number, policies] of acts) {
    if (action === "pass" || !meet(data.traffic[traffic], asked).length) continue;
    if (number >= 0) {
      const rule = side.rules[number];
      const text = `${side.policies[rule[0]][1]} ${way} rule ${rule[2]}`;
      found.set(text, { text, file: rule[3], line: rule[4], words: rule[6] });
    } else if (!policies.length) {
      found.set("default", { text: "default", file: -1, line: 0, words: "" });
    }
    for (const each of policies) {
      const [, name, file, line] = side.policies[each];
      found.set(`i${name}`, { text: `${name} isolates ${way}`, file, line, words: "" });
    }
  }
  return [...found.values()];
}

/**
 * The traffic of a case in pieces that one thing is to be said of.
 * @param {Case} each
 * @returns {{verdict: string, traffic: Spans, stops: Point[], requests?: number}[]}
 */
function pieces({ leaving, entering, allowed, undetermined, when }) {
  const stopped = [leaving, entering].map((point) =>
    point.when.reduce((left, each) => minus(left, each.traffic), minus(minus(L4, point.allowed), point.undetermined)),
  );
  const [out, into] = stopped;
  const asking = [leaving, entering].filter((point) => point.when.length);
  // Each end lets some requests through, and they are never the same.
  const told = [allowed, undetermined, out, into, ...when.map(({ traffic }) => traffic)];
  const never = told.reduce(minus, L4);
  return [
    { verdict: "allowed", traffic: allowed, stops: [] },
    ...when.flatMap((each) => [
      { verdict: "allowed", traffic: each.allowed === NONE ? NOTHING : each.traffic, stops: [], requests: each.allowed },
      { verdict: "undetermined", traffic: each.passing === each.allowed ? NOTHING : each.traffic, stops: [], requests: lessOf(each.passing, each.allowed) },
      { verdict: "denied", traffic: each.passing === EVERY ? NOTHING : each.traffic, stops: asking, requests: -1 },
    ]),
    { verdict: "denied", traffic: never, stops: [] },
    { verdict: "undetermined", traffic: undetermined, stops: [] },
    { verdict: "denied", traffic: minus(out, into), stops: [leaving] },
    { verdict: "denied", traffic: minus(into, out), stops: [entering] },
    { verdict: "denied", traffic: meet(out, into), stops: [leaving, entering] },
  ].filter(({ traffic }) => traffic.length);
}

/**
 * What passes between two ends as the map tells it: for some pair of their pods, leaving aside
 * how they stand to each other's node.
 * Traffic of which requests decide is left out.
 * @param {Side} side @param {number} src @param {number} dst @returns {[Spans, Spans]}
 */
function passes(side, src, dst) {
  /** @type {Spans} */
  let allowed = NOTHING;
  /** @type {Spans} */
  let undetermined = NOTHING;
  for (const from of side.ends[src]) {
    for (const to of side.ends[dst]) {
      if (familiesOf(side, from, to).length > 1 && src < data.inside && dst < data.inside) continue;
      const found = both(
        pointOf(side, EGRESS, from[0], to[0], "", 0),
        pointOf(side, INGRESS, to[0], from[0], "", 0),
      );
      allowed = union(allowed, found[0]);
      undetermined = union(undetermined, found[1]);
    }
  }
  return [allowed, minus(undetermined, allowed)];
}
