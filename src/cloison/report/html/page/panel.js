// @ts-check
// The answer beside the matrix: why a cell is as it is, who an end talks to, what a folded cell
// stands for.

/** @type {Record<string, string>} */
const MARKS = { allowed: "✓", denied: "✕", undetermined: "?", mixed: "◧" };

/** @param {string} verdict @returns {HTMLElement} */
function badge(verdict) {
  return element("span", { class: `verdict ${verdict}` }, `${MARKS[verdict]} ${verdict}`);
}

/** @param {number} file @param {number} line @returns {HTMLElement | null} Where something is written. */
function written(file, line) {
  return file < 0 ? null : element("code", { class: "place" }, `${data.files[file]}:${line}`);
}

/** @param {string} word @returns {string} As a shell takes it for one word. */
function quoted(word) {
  return /^[\w@%+=:,.\/-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** @param {Side} side @param {number} src @param {number} dst @param {Spans} traffic @returns {string} */
function commandFor(side, src, dst, traffic) {
  if (side.asked === null || !data.ends[src][3] || !data.ends[dst][3]) return "";
  const port = firstPort(traffic);
  const name = data.ends[dst][3];
  const target = port && name.includes("::") ? `[${name}]${port}` : name + port;
  return ["cloison why", quoted(data.ends[src][3]), quoted(target), side.asked].filter(Boolean).join(" ");
}

/** @param {string} command @returns {HTMLElement} */
function copyable(command) {
  const text = element("code", { class: "command", tabindex: 0 }, command);
  const button = element("button", { type: "button", class: "copy" }, "Copy");
  button.addEventListener("click", async () => {
    let done = false;
    try {
      await navigator.clipboard.writeText(command);
      done = true;
    } catch {
      // A page opened as a file may not be let near the clipboard: select it instead.
      getSelection()?.selectAllChildren(text);
    }
    button.textContent = done ? "Copied" : "Selected";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
  return element("div", { class: "copyable" }, text, button);
}

/** @param {number} src @param {number} dst @returns {Node[]} The answer to a click on a cell. */
function whyPanel(src, dst) {
  const state = stateOf(src, dst);
  const heading = element(
    "h2",
    { tabindex: -1 },
    element("span", {}, nameOf(src)),
    element("span", { class: "arrow", "aria-label": "to" }, " → "),
    element("span", {}, nameOf(dst)),
  );
  const found = [heading];
  if (data.kind === "diff") found.push(element("p", { class: "shift" }, `${state >= 0 ? GLYPHS[looks[state]] : "="} ${stateText(state)}`));
  for (const end of new Set([src, dst])) {
    if (data.ends[end][4]) {
      found.push(element("details", {}, element("summary", {}, `addresses of ${nameOf(end)}`), element("p", {}, data.ends[end][4])));
    }
  }
  const order = data.kind === "diff" ? [...data.sides].reverse() : data.sides;
  for (const side of order) found.push(sidePanel(side, src, dst, state));
  return found;
}

/** @param {Side} side @param {number} src @param {number} dst @param {number} state @returns {HTMLElement} */
function sidePanel(side, src, dst, state) {
  const made = element("section", { class: "side" });
  if (side.label) made.append(element("h3", {}, side.label));
  const answer = why(side, src, dst);
  if (!answer) {
    const gone = [src, dst].filter((end) => !side.ends[end].length).map(nameOf);
    made.append(element("p", {}, `${gone.join(" and ")} ${gone.length > 1 ? "do" : "does"} not exist here.`));
    return made;
  }
  const alike = sameCases(answer.cases);
  const total = element("p", { class: "total" }, badge(answer.verdict));
  if (answer.verdict === "mixed") {
    const some = answer.some.length ? `${trafficWords(answer.some)} with some requests` : "";
    const sure = answer.allowed.length ? `${trafficWords(answer.allowed)} passes${alike.length > 1 ? " between all of their pods" : ""}` : "";
    total.append(` ${[sure, sure || !some ? some : `${some} passes`].filter(Boolean).join(", ") || "it depends"}`);
  }
  made.append(total);
  alike.forEach(({ each, names }, number) => {
    if (alike.length > 1) made.append(element("h4", {}, names));
    made.append(caseList(side, each), path(side, each, src, dst, number));
  });
  if (answer.foreign) {
    made.append(element("p", { class: "note" }, "The two ends share no address family; policies were asked all the same."));
  }
  made.append(...caveatList(side, answer, src, dst, state));
  const passing = state < 0 ? NOTHING : passagesOf(state).flatMap(openTraffic).find((each) => each.length);
  const command = commandFor(side, src, dst, passing ?? NOTHING);
  if (command) made.append(element("p", { class: "more" }, answer.verdict === "allowed" ? "The same from the source:" : "More, with the nearest miss and a mend:"), copyable(command));
  return made;
}

/** @param {Case[]} cases @returns {{each: Case, names: string}[]} Of cases with the same reasons one, the worst first. */
function sameCases(cases) {
  /** @type {Map<string, {each: Case, names: string[]}>} */
  const found = new Map();
  for (const each of cases) {
    const key = JSON.stringify([each.leaving.decision, each.leaving.reason, each.entering.decision, each.entering.reason]);
    const words = [each.from[3], each.to[3]].filter(Boolean).join(" → ");
    const node = { own: "on the same node", other: "on different nodes", unknown: "if the node is not known" }[each.relation] ?? "";
    const name = [words, node].filter(Boolean).join(", ") || "every pod";
    const held = found.get(key);
    if (held) held.names.push(name);
    else found.set(key, { each, names: [name] });
  }
  const size = (/** @type {Case} */ each) => (each.allowed.length ? 1 : 0);
  return [...found.values()]
    .sort((a, b) => size(a.each) - size(b.each))
    .map(({ each, names }) => {
      const more = names.length > 1 ? ` and ${count(names.length - 1, "more pair")} alike` : "";
      return { each, names: names[0] + more };
    });
}

/** @param {Side} side @param {Case} each @returns {HTMLElement} The traffic, piece by piece, with who decides. */
function caseList(side, each) {
  const list = element("ul", { class: "pieces" });
  const all = pieces(each);
  for (const { verdict, traffic, stops, requests } of all) {
    const rest = verdict === "denied" && all.length > 1 && trafficText(traffic).length > 30;
    const words = rest ? (all.filter(({ traffic: other }) => trafficText(other).length > 30).length > 1 ? "the rest" : "everything else") : trafficWords(traffic);
    const asked = meet(traffic, L4).length ? meet(traffic, L4) : traffic;
    const points = stops.length ? stops : [each.leaving, each.entering];
    const told = requests === undefined ? undefined : verdict;
    const said = points.map((point) => decidersText(side, point, asked, stops.length > 0, told)).filter(Boolean);
    list.append(
      element(
        "li",
        { class: verdict },
        element("span", { class: `mark ${verdict}`, "aria-hidden": true }, MARKS[verdict]),
        element("strong", {}, words),
        requests === undefined ? "" : requests < 0 ? " with any other request" : " when ",
        requests === undefined || requests < 0 ? null : element("code", { class: "requests" }, data.requests[requests][0]),
        ` ${verdict}`,
        element("span", { class: "by" }, said.length ? `${stops.length > 1 ? ", stopped twice" : ""}: ${said.join("; ")}` : ", since nothing isolates either end"),
      ),
    );
  }
  return list;
}

/**
 * @param {Side} side @param {Point} point @param {Spans} asked @param {boolean} stopping
 * @param {string} [told]  What becomes of the requests that are spoken of, where requests decide.
 * @returns {string} Who decides at a point, in a few words; nothing where nobody does.
 */
function decidersText(side, point, asked, stopping, told) {
  const way = point.direction === EGRESS ? "leaving" : "entering";
  const found = deciders(side, point, asked, point.when.length ? told : undefined).map(({ text }) => text);
  const isolating = found.filter((text) => text.endsWith(` isolates ${WAYS[point.direction]}`));
  const others = found.filter((text) => !isolating.includes(text) && text !== "default" && text !== "not policed");
  const names = isolating.map((text) => text.slice(0, text.lastIndexOf(" isolates ")));
  const said = others.slice(0, 3).join(", ") + (others.length > 3 ? ` and ${others.length - 3} more` : "");
  const more = names.length > 3 ? ` and ${names.length - 2} more` : "";
  const shown = names.slice(0, more ? 2 : 3).join(", ") + more;
  const silent = names.length === 1 ? `none of whose ${WAYS[point.direction]} rules matches` : "none of which allows it";
  const parts = [said, shown ? `${shown}, ${silent}` : ""].filter(Boolean);
  if (!parts.length) return "";
  return stopping ? `${way} by ${parts.join(" and by ")}` : `${shown ? `${way}: ` : ""}${parts.join("; ")}`;
}

/** @param {Side} side @param {Case} each @param {number} src @param {number} dst @param {number} number @returns {HTMLElement} */
function path(side, each, src, dst, number) {
  const made = element("details", { class: "path", open: number === 0 }, element("summary", {}, "The path, point by point"));
  const list = element("ol", {});
  list.append(pointItem(side, each.leaving, nameOf(src)), pointItem(side, each.entering, nameOf(dst)));
  made.append(list);
  return made;
}

/** @param {Side} side @param {Point} point @param {string} name @returns {HTMLElement} A point in the words of `cloison why`. */
function pointItem(side, point, name) {
  const way = WAYS[point.direction];
  const verdict = verdictOf(point, L4);
  const made = element("li", {}, element("strong", {}, `${way} of ${name}`), ": ", badge(verdict));
  if (verdict === "mixed" && point.allowed.length) made.append(element("p", {}, `passes: ${trafficWords(meet(point.allowed, L4))}`));
  for (const { traffic, allowed, passing } of point.when) {
    const words = trafficWords(meet(traffic, L4));
    if (allowed !== NONE) made.append(element("p", {}, `passes: ${words} when ${data.requests[allowed][0]}`));
    if (passing !== allowed) made.append(element("p", {}, `undetermined: ${words} when ${data.requests[lessOf(passing, allowed)][0]}`));
  }
  const { reason, decision } = point;
  if (!point.policed || !reason || !decision) {
    const hosted = side.hosted.includes(point.unit);
    made.append(element("p", {}, hosted ? "on its node's network, so no policy applies to it" : "no pod of the cluster, so no policy applies to it"));
    return made;
  }
  if (reason[3] && reason[4]) {
    made.append(element("p", {}, `a built-in rule decides: ${reason[3]}`));
    return made;
  }
  const [, policies, isolating] = decision;
  if (!policies.length) {
    made.append(element("p", {}, `no policy selects it for ${way}, so everything passes`));
    return made;
  }
  const govern = policies.length === 1 ? "selects it and governs its" : "select it and govern its";
  made.append(element("p", {}, `${count(policies.length, "policy")} ${govern} ${way}:`));
  if (reason[6]) {
    made.append(tierList(side, way, reason[6]));
    return made;
  }
  const rules = new Map();
  for (const { rule, traffic } of rulesFor(side, point, L4)) {
    const key = `${rule[0]},${rule[2]}`;
    const held = rules.get(key);
    rules.set(key, { rule, traffic: held ? union(held.traffic, traffic) : traffic });
  }
  const list = element("ul", { class: "rules" });
  for (const { rule, traffic } of rules.values()) {
    list.append(
      element(
        "li",
        {},
        element("span", { class: `mark ${rule[5] === "allow" ? "allowed" : "denied"}`, "aria-hidden": true }, rule[5] === "allow" ? MARKS.allowed : MARKS.denied),
        element("strong", {}, `${side.policies[rule[0]][1]} ${way} rule ${rule[2]}`),
        ` ${rule[6]} `,
        written(rule[3], rule[4]),
        rule[6].replace(/ where .*/, "").endsWith(trafficText(traffic)) ? null : element("span", { class: "traffic" }, ` here: ${trafficWords(traffic)}`),
      ),
    );
  }
  const matched = new Set([...rules.values()].map(({ rule }) => rule[0]));
  const silent = isolating.filter((number) => !matched.has(number) && side.policies[number][4] < 0);
  const unread = policies.filter((number) => side.policies[number][4] >= 0);
  if (silent.length) {
    const lead = `${rules.size ? "besides, " : ""}isolating it, without any ${way} rule that matches:`;
    list.append(
      element("li", {}, lead, element("ul", {}, ...silent.map((number) => policyItem(side, number)))),
    );
  }
  if (unread.length) {
    list.append(element("li", {}, "not understood, and may decide:", element("ul", {}, ...unread.map((number) => policyItem(side, number)))));
  }
  if (!isolating.length && !rules.size) list.append(element("li", {}, "none of them isolates it this way, so everything passes"));
  made.append(list);
  return made;
}

/**
 * @param {Side} side @param {string} way @param {Act[]} acts
 * @returns {HTMLElement} What tiers do in turn, up to where nothing is left.
 */
function tierList(side, way, acts) {
  const list = element("ul", { class: "rules" });
  let last = "";
  let inner = list;
  for (const [tier, action, traffic, number, policies] of acts) {
    if (tier !== last) {
      inner = tier ? element("ul", {}) : list;
      if (tier) list.append(element("li", {}, element("strong", {}, `tier ${tier}`), inner));
      last = tier;
    }
    const words = trafficWords(meet(data.traffic[traffic], L4));
    const mark = action === "allow" ? "allowed" : action === "deny" ? "denied" : "undetermined";
    const sign = element("span", { class: `mark ${mark}`, "aria-hidden": true }, action === "pass" ? "→" : MARKS[mark]);
    if (number >= 0) {
      const rule = side.rules[number];
      const whole = within(L4, data.traffic[traffic]) || rule[6].includes(trafficText(data.traffic[traffic]));
      const here = whole ? null : element("span", { class: "traffic" }, ` here: ${words}`);
      inner.append(element("li", {}, sign, element("strong", {}, `${side.policies[rule[0]][1]} ${way} rule ${rule[2]}`), ` ${rule[6]} `, written(rule[3], rule[4]), here));
      continue;
    }
    const does = action === "allow" ? "passes" : action === "deny" ? "is denied" : action === "pass" ? "goes on to the next tier" : "is left open";
    const names = policies.map((each) => side.policies[each][1]).join(", ");
    inner.append(element("li", {}, sign, names ? `no rule lets it through, ${names} isolating it: ${words} ${does}` : `no tier decides: ${words} ${does}`));
  }
  return list;
}

/** @param {Side} side @param {number} number @returns {HTMLElement} */
function policyItem(side, number) {
  const [, name, file, line] = side.policies[number];
  return element("li", {}, element("strong", {}, name), " ", written(file, line));
}

/** @param {Side} side @param {Answer} answer @param {number} src @param {number} dst @param {number} state @returns {HTMLElement[]} */
function caveatList(side, answer, src, dst, state) {
  const found = new Set(state >= 0 ? passagesOf(state, side).flatMap((each) => data.passages[each][2]) : []);
  for (const each of answer.cases) {
    for (const { reason } of [each.leaving, each.entering]) reason?.[5].forEach((caveat) => found.add(caveat));
  }
  if (!found.size) return [];
  const items = [...found].sort((a, b) => (data.caveats[a][0] < data.caveats[b][0] ? -1 : 1));
  return [
    element("h4", {}, "Stands on"),
    element("dl", { class: "caveats" }, ...items.flatMap((number) => [element("dt", {}, data.caveats[number][0]), element("dd", {}, data.caveats[number][1])])),
  ];
}

/** @param {number} passage @returns {Spans[]} What passes, then what does with some requests. */
function openTraffic(passage) {
  const [allowed, , , when] = data.passages[passage];
  return [allowed, ...(when || []).map(([traffic]) => traffic)].map((each) => data.traffic[each]);
}

/** @param {number} state @param {Side} [side] @returns {number[]} Passages of a state, on a side or on all. */
function passagesOf(state, side) {
  const [before, after] = data.states[state];
  if (after === undefined) return [before];
  return side === undefined ? [before, after] : side === data.sides[0] ? [before] : [after];
}

/** @param {number} end @param {(src: number, dst: number) => void} open @returns {Node[]} Whom an end talks to. */
function endPanel(end, open) {
  const found = [element("h2", { tabindex: -1 }, nameOf(end)), element("p", { class: "kind" }, data.ends[end][2])];
  if (data.ends[end][4]) found.push(element("p", { class: "full" }, data.ends[end][4]));
  for (const out of [true, false]) {
    /** @type {Map<number, number[]>} */
    const byState = new Map();
    for (let other = 0; other < COUNT; other++) {
      const state = other === end ? -1 : out ? stateOf(end, other) : stateOf(other, end);
      if (state >= 0) byState.set(state, [...(byState.get(state) ?? []), other]);
    }
    const number = out ? peers.out[end] : peers.into[end];
    const verb = data.kind === "diff" ? "Change towards" : "May send to";
    const heard = data.kind === "diff" ? "Change from" : "May hear from";
    found.push(element("h3", {}, `${out ? verb : heard} ${count(number, "peer")}`));
    for (const [state, others] of byState) {
      const list = element("ul", { class: "peers" });
      for (const other of others.slice(0, LISTED)) {
        const button = element("button", { type: "button", class: "link" }, nameOf(other));
        button.addEventListener("click", () => (out ? open(end, other) : open(other, end)));
        list.append(element("li", {}, button));
      }
      if (others.length > LISTED) list.append(element("li", {}, `and ${others.length - LISTED} more`));
      found.push(element("h4", {}, `${GLYPHS[looks[state]]} ${stateText(state)}`), list);
    }
  }
  return found;
}

const LISTED = 25;

/**
 * The pairs behind a label of the picture.
 * @param {string} words @param {number[]} sources @param {number[]} targets
 * @param {(src: number, dst: number) => void} open @returns {Node[]}
 */
function bundlePanel(words, sources, targets, open) {
  return [element("h2", { tabindex: -1 }, words), pairList(sources, targets, open)];
}

/**
 * @param {number[]} sources @param {number[]} targets
 * @param {(src: number, dst: number) => void} open @returns {HTMLElement} Pairs between which there is something to tell.
 */
function pairList(sources, targets, open) {
  const list = element("ul", { class: "peers" });
  const alone = sources.length === 1 && targets.length === 1;
  let found = 0;
  for (const src of sources) {
    for (const dst of targets) {
      const state = src === dst && !alone ? -1 : stateOf(src, dst);
      if (state < 0) continue;
      found += 1;
      if (found > LISTED) continue;
      const link = element("button", { type: "button", class: "link" }, `${nameOf(src)} → ${nameOf(dst)}`);
      link.addEventListener("click", () => open(src, dst));
      list.append(element("li", {}, link, ` ${stateText(state)}`));
    }
  }
  if (found > LISTED) list.append(element("li", {}, `and ${(found - LISTED).toLocaleString("en")} more`));
  return list;
}

/**
 * @param {string} from @param {string} to @param {number[]} sources @param {number[]} targets
 * @param {() => void} unfold @param {(src: number, dst: number) => void} open @returns {Node[]}
 */
function foldedPanel(from, to, sources, targets, unfold, open) {
  const counted = tally(sources, targets);
  const button = element("button", { type: "button", class: "unfold" }, "Unfold both");
  button.addEventListener("click", unfold);
  const verb = data.kind === "diff" ? "changed" : "open, at least in part";
  return [
    element("h2", { tabindex: -1 }, element("span", {}, from), element("span", { class: "arrow", "aria-label": "to" }, " → "), element("span", {}, to)),
    element("p", {}, `${counted.filled.toLocaleString("en")} of ${count(counted.pairs, "pair")} ${verb}.`),
    button,
    pairList(sources, targets, open),
  ];
}
