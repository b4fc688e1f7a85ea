/** Draws a machine of XState as a state diagram of Mermaid. */

/**
 * What is drawn of a state: its name, its tags, where it is left for, and what it takes without being left.
 * @typedef {object} Node
 * @property {string} key
 * @property {string} type
 * @property {readonly string[]} tags
 * @property {{ readonly [name: string]: Node }} states
 * @property {{ readonly target: readonly { readonly key: string }[] } | undefined} initial
 * @property {ReadonlyMap<string, readonly Transition[]>} transitions
 * @property {readonly Transition[] | undefined} always
 *
 * @typedef {object} Transition
 * @property {readonly { readonly key: string }[] | undefined} target
 * @property {unknown} [guard]
 */

/** @param {readonly string[]} words */
const listed = (words) => words.join(", ");

/** @param {string} event @param {Transition} transition */
function label(event, { guard }) {
  const condition = guard === undefined ? "" : `[${String(guard)}]`;
  return [event, condition].filter((part) => part !== "").join(" ");
}

/** @param {Node} node @returns {readonly (readonly [string, Transition])[]} */
function transitionsOf(node) {
  const events = [...node.transitions].flatMap(([event, all]) => all.map((one) => /** @type {const} */ ([event, one])));
  return [...events, ...(node.always ?? []).map((one) => /** @type {const} */ (["", one]))];
}

/** What a state takes and stays in. @param {Node} node */
function taken(node) {
  return transitionsOf(node).flatMap(([event, one]) => (one.target === undefined ? [label(event, one)] : []));
}

/** What all of these states take, but the one that nothing has happened to. @param {readonly Node[]} nodes */
function common(nodes) {
  const [first, ...others] = nodes.map(taken);
  return (first ?? []).filter((event) => others.every((all) => all.includes(event)));
}

/** @param {Node} node @param {readonly string[]} known @returns {readonly string[]} */
function arrows(node, known) {
  /** @type {Map<string, string[]>} */
  const to = new Map();
  for (const [event, one] of transitionsOf(node)) {
    for (const { key } of one.target ?? []) to.set(key, [...(to.get(key) ?? []), label(event, one)]);
  }
  const stays = taken(node).filter((event) => !known.includes(event));
  const many = node.type === "parallel";
  if (stays.length > 0 && !many) to.set(node.key, [...(to.get(node.key) ?? []), ...stays]);
  const lines = [...to].map(([key, labels]) => `${node.key} --> ${key}: ${listed(labels)}`);
  if (many && stays.length > 0) lines.push(...note(node.key, "In each of its states", stays));
  return lines;
}

/** @param {string} key @param {string} where @param {readonly string[]} events */
function note(key, where, events) {
  /** @type {string[]} */
  const lines = [];
  for (const event of events) {
    const last = lines.at(-1);
    if (last === undefined || last.length + event.length > 70) lines.push(event);
    else lines[lines.length - 1] = `${last}, ${event}`;
  }
  return [`note right of ${key}`, ...[`${where}:`, ...lines].map((line) => `  ${line}`), "end note"];
}

/** @param {Node} node @returns {readonly string[]} */
function inside(node) {
  const states = Object.values(node.states);
  if (node.type === "parallel") {
    const regions = states.map((region) => [`state ${region.key} {`, ...inside(region).map((line) => `  ${line}`), "}"]);
    return regions.flatMap((lines, index) => (index === 0 ? lines : ["--", ...lines]));
  }
  const initial = node.initial?.target[0]?.key;
  const others = states.filter(({ key }) => key !== initial);
  // Of few states each says it for itself.
  const known = others.length > 3 ? common(others) : [];
  return [
    ...(initial === undefined ? [] : [`[*] --> ${initial}`]),
    ...states.flatMap((state) => {
      const boxed = Object.keys(state.states).length > 0;
      const tags =
        state.tags.some((tag) => tag !== state.key) && !boxed ? [`${state.key}: ${state.key} (${listed(state.tags)})`] : [];
      const box = boxed ? [`state ${state.key} {`, ...inside(state).map((line) => `  ${line}`), "}"] : [];
      return [...tags, ...box, ...arrows(state, known)];
    }),
    ...(known.length > 0 && initial !== undefined ? note(others[0]?.key ?? initial, `In every state but ${initial}`, known) : []),
  ];
}

/**
 * Gives the diagram of a machine, as it stands in a Markdown page.
 * @param {{ readonly root: unknown }} machine
 */
function diagramOf(machine) {
  const lines = inside(/** @type {Node} */ (machine.root));
  return ["```mermaid", "stateDiagram-v2", ...lines.map((line) => `  ${line}`), "```"].join("\n");
}

/**
 * Gives a page with the diagrams of these machines between its marks: `<!-- diagram: task -->` and `<!-- end of diagram -->`.
 * @param {string} page
 * @param {readonly { readonly id: string, readonly root: unknown }[]} machines
 */
export function withDiagrams(page, machines) {
  return machines.reduce((text, machine) => {
    const [begin, end] = [`<!-- diagram: ${machine.id} -->\n`, "\n<!-- end of diagram -->"];
    const from = text.indexOf(begin);
    const to = text.indexOf(end, from);
    if (from < 0 || to < 0) throw new Error(`the page has no place for the diagram of ${machine.id}`);
    return text.slice(0, from + begin.length) + diagramOf(machine) + text.slice(to);
  }, page);
}
