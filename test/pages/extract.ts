/** What the pages tell their readers to run, taken from the pages themselves. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

export interface Block {
  readonly page: string;
  /** The first line names it. */
  readonly name: string;
  readonly text: string;
}

export const PAGES = [
  "README.md",
  ...["AGENTS.md", "CONTRIBUTING.md", "SECURITY.md"].filter((page) => readdirSync(".").includes(page)),
  ...(readdirSync(".").includes("docs") ? readdirSync("docs", { recursive: true, encoding: "utf8" }) : [])
    .filter((name) => name.endsWith(".md"))
    .map((name) => path.posix.join("docs", name)),
];

const FENCE = /^```(\w*)\n([\s\S]*?)^```$/gm;

/** Every block of the page that a shell runs, in order. */
export function blocksOf(page: string): readonly Block[] {
  return [...readFileSync(page, "utf8").matchAll(FENCE)]
    .filter(([, language]) => /^(sh|bash|shell|console|zsh)$/.test(language ?? ""))
    .map(([, , text = ""]) => ({ page, name: text.split("\n")[0] ?? "", text }));
}

/** Every command of npm, npx, curl and nexus that stands in the running text. */
export function inlineOf(page: string): readonly string[] {
  const prose = readFileSync(page, "utf8").replaceAll(FENCE, "");
  return [...new Set([...prose.matchAll(/`((?:npm|npx|curl|nexus) [^`]+)`/g)].map(([, command = ""]) => command))];
}

/** Blocks of a language that no shell runs, but that hold a command for one. */
export function strayCommandsOf(page: string): readonly string[] {
  return [...readFileSync(page, "utf8").matchAll(FENCE)]
    .filter(([, language]) => !/^(sh|bash|shell|console|zsh)$/.test(language ?? ""))
    .flatMap(([, , text = ""]) => text.split("\n").filter((line) => /^\s*(\$ )?(curl|npm|npx) /.test(line)));
}

/** Where the page's links lead inside the project: files, and headings of pages. */
export function linksOf(page: string): readonly { readonly file: string; readonly heading: string | undefined }[] {
  const links = [
    ...readFileSync(page, "utf8")
      .replaceAll(FENCE, "")
      .matchAll(/\]\(([^)\s]+)\)/g),
  ].map(([, to = ""]) => to);
  return links
    .filter((to) => !/^[a-z]+:/.test(to))
    .map((to) => {
      const [file = "", heading] = to.split("#");
      return { file: file === "" ? page : path.posix.join(path.posix.dirname(page), file), heading };
    });
}

/** The names by which links reach the page's headings. */
export function headingsOf(page: string): readonly string[] {
  return [
    ...readFileSync(page, "utf8")
      .replaceAll(FENCE, "")
      .matchAll(/^#+ (.+)$/gm),
  ].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, "")
      .trim()
      .replaceAll(" ", "-"),
  );
}

/** What a block's comments promise to print: `# 62: …`, `# PENDING or AWARDED: …`, `# { … }`; each by all that it may be. */
export function promisesOf(text: string): readonly (readonly string[])[] {
  return [...text.matchAll(/\S # (\{.*\}$|"[^"]*"|[A-Z_]{4,}\b(?: or [A-Z_]{4,}\b)*|\d+(?=[:,\s]|$))/gm)].map(
    ([, promised = ""]) => promised.split(" or "),
  );
}
