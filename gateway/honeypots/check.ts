/** What is wrong with a template, so that no honeypot is posted whose answer cannot be found in its text. */
import { BLANK } from "./fill.ts";
import type { Blank, Template } from "./template.ts";

const CHOICES = /\[\[((?:(?!\]\]).)*)\]\]/gs;

/** Says what is wrong with a template, for whoever wrote it; undefined if nothing is. Whether its schema takes its answer is for the validator. */
export function wrongWith(template: Template): string | undefined {
  const { text, blanks, answer, budget, seconds } = template;
  const used = [...new Set([...blanksIn(text), ...blanksIn(JSON.stringify(answer))])];
  const unknown = used.find((name) => !Object.hasOwn(blanks, name));
  if (unknown !== undefined) return `{${unknown}} is not among its blanks`;
  const inAnswer = blanksIn(JSON.stringify(answer));
  if (inAnswer.length === 0) return "its answer has no blank, so it would always be the same";
  const always = alwaysIn(text);
  for (const name of inAnswer) {
    const missing = needed(blanks, name, []).find((one) => !always.has(one));
    if (missing !== undefined) return `{${missing}}, which the answer needs, does not always stand in the text`;
  }
  if (budget[0] > budget[1]) return "its lowest budget is above its highest";
  return seconds.length === 0 ? "it has no time" : undefined;
}

function blanksIn(text: string): readonly string[] {
  return [...text.matchAll(BLANK)].map(([, name = ""]) => name);
}

/** The blanks that stand in the text whichever of its words are chosen. */
function alwaysIn(text: string): ReadonlySet<string> {
  const chosen = [...text.matchAll(CHOICES)].flatMap(([, all = ""]) => {
    const [first = [], ...rest] = all.split("|").map(blanksIn);
    return first.filter((name) => rest.every((one) => one.includes(name)));
  });
  return new Set([...blanksIn(text.replaceAll(CHOICES, " ")), ...chosen]);
}

/** The blanks that a worker must read to work out this one. */
function needed(blanks: Template["blanks"], name: string, through: readonly string[]): readonly string[] {
  const blank: Blank | undefined = Object.hasOwn(blanks, name) ? blanks[name] : undefined;
  if (blank === undefined || through.includes(name)) return [name];
  const onward = (names: readonly string[]) => names.flatMap((one) => needed(blanks, one, [...through, name]));
  switch (blank.kind) {
    case "sum":
    case "difference":
    case "times":
      return onward(blank.of);
    case "largest":
    case "smallest":
      return onward([...blank.of, ...blank.names]);
    default:
      return [name];
  }
}
