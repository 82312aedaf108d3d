// @ts-check
// Sets of traffic: flat lists of first and last, ascending, on one axis that holds every
// protocol: protocol number * 65536 + port (or ICMP type * 256 + code).

/** @typedef {readonly number[]} Spans */

const WIDTH = 65536;
const PORTED = [6, 17, 132];
const PROTOCOL_NAMES = new Map([[1, "ICMP"], [6, "TCP"], [17, "UDP"], [58, "ICMPV6"], [132, "SCTP"]]);
/** Every port of TCP, UDP and SCTP: what a network policy speaks about. @type {Spans} */
const L4 = PORTED.flatMap((number) => [number * WIDTH + 1, number * WIDTH + WIDTH - 1]);
/** Everything: port 0 of a protocol with ports is no traffic. @type {Spans} */
const ANY = union(
  [0, 6 * WIDTH - 1, 7 * WIDTH, 17 * WIDTH - 1, 18 * WIDTH, 132 * WIDTH - 1, 133 * WIDTH, 256 * WIDTH - 1],
  L4,
);
/** @type {Spans} */
const NOTHING = [];

/** @param {Spans} a @param {Spans} b @returns {Spans} What is in both. */
function meet(a, b) {
  if (a === b) return a;
  const found = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const low = Math.max(a[i], b[j]);
    const high = Math.min(a[i + 1], b[j + 1]);
    if (low <= high) found.push(low, high);
    if (a[i + 1] < b[j + 1]) i += 2;
    else j += 2;
  }
  return found;
}

/** @param {Spans} a @param {Spans} b @returns {Spans} What is in either. */
function union(a, b) {
  if (!a.length || a === b) return b;
  if (!b.length) return a;
  const pairs = [];
  for (const set of [a, b]) {
    for (let i = 0; i < set.length; i += 2) pairs.push([set[i], set[i + 1]]);
  }
  pairs.sort((x, y) => x[0] - y[0]);
  /** @type {number[]} */
  const found = [];
  for (const [low, high] of pairs) {
    if (found.length && low <= found[found.length - 1] + 1) {
      found[found.length - 1] = Math.max(found[found.length - 1], high);
    } else found.push(low, high);
  }
  return found;
}

/** @param {Spans} a @param {Spans} b @returns {Spans} What is in the first and not the second. */
function minus(a, b) {
  /** @type {number[]} */
  const found = [];
  for (let i = 0; i < a.length; i += 2) {
    let start = a[i];
    for (let j = 0; j < b.length && b[j] <= a[i + 1]; j += 2) {
      if (b[j + 1] < start) continue;
      if (b[j] > start) found.push(start, b[j] - 1);
      start = Math.max(start, b[j + 1] + 1);
    }
    if (start <= a[i + 1]) found.push(start, a[i + 1]);
  }
  return found;
}

/** @param {Spans} a @param {Spans} b @returns {boolean} */
function sameSpans(a, b) {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}

/** @param {Spans} a @param {Spans} b @returns {boolean} Whether all of the first is in the second. */
function within(a, b) {
  return minus(a, b).length === 0;
}

/** @param {Spans} spans @returns {string} For people: `TCP/80,443, UDP/53`, `any but TCP/80`. */
function trafficText(spans) {
  if (!spans.length) return "nothing";
  if (sameSpans(spans, ANY)) return "any";
  if (sameSpans(spans, L4)) return "any TCP, UDP or SCTP";
  /** @type {Map<number, string[]>} */
  const byProtocol = new Map();
  for (let i = 0; i < spans.length; i += 2) {
    for (let n = Math.floor(spans[i] / WIDTH); n <= Math.floor(spans[i + 1] / WIDTH); n++) {
      const low = Math.max(spans[i], n * WIDTH) - n * WIDTH;
      const high = Math.min(spans[i + 1], n * WIDTH + WIDTH - 1) - n * WIDTH;
      if (!byProtocol.has(n)) byProtocol.set(n, []);
      byProtocol.get(n)?.push(piece(n, low, high));
    }
  }
  // Nobody reads two hundred numbers of protocols: what is left out says it.
  if (byProtocol.size > 128) {
    const rest = minus(ANY, spans);
    return `any but ${sameSpans(rest, L4) ? "TCP, UDP, SCTP" : trafficText(rest)}`;
  }
  const rank = (/** @type {number} */ n) => (PORTED.includes(n) ? PORTED.indexOf(n) : n + 3);
  return [...byProtocol]
    .sort(([a], [b]) => rank(a) - rank(b))
    .map(([n, pieces]) => {
      const name = PROTOCOL_NAMES.get(n) ?? String(n);
      return pieces.length === 1 && !pieces[0] ? name : `${name}/${pieces.join(",")}`;
    })
    .join(", ");
}

/** @param {Spans} spans @returns {string} The same, where it has to stand alone. */
function trafficWords(spans) {
  return sameSpans(spans, ANY) ? "any traffic" : trafficText(spans);
}

/** @param {number} protocol @param {number} low @param {number} high @returns {string} */
function piece(protocol, low, high) {
  if (PORTED.includes(protocol)) {
    if (low === 1 && high === WIDTH - 1) return "";
    return low === high ? String(low) : `${low}-${high}`;
  }
  if ((protocol !== 1 && protocol !== 58) || high - low === WIDTH - 1) return "";
  if (low % 256 === 0 && high === low + 255) return `type ${low / 256}`;
  const text = (/** @type {number} */ at) => `type ${Math.floor(at / 256)} code ${at % 256}`;
  return low === high ? text(low) : `${text(low)} to ${text(high)}`;
}

/** @param {Spans} spans @returns {string} A port to ask about, as questions write it; or nothing. */
function firstPort(spans) {
  const inside = meet(spans, L4);
  if (!inside.length || within(L4, spans)) return "";
  const protocol = Math.floor(inside[0] / WIDTH);
  const name = PROTOCOL_NAMES.get(protocol);
  return `:${inside[0] % WIDTH}${name === "TCP" ? "" : `/${name}`}`;
}
