import { type Logger, pino } from "pino";

/** Fields that must never be logged, at any depth. */
const SECRET = ["api_key", "apiKey", "webhook_secret", "password", "secret", "authorization", "x-api-key"];

/** Levels on a terminal: the word and its colour (SGR). */
const LEVELS: { readonly [level: number]: readonly [string, number] } = {
  10: ["trace", 90],
  20: ["debug", 90],
  30: ["info ", 32],
  40: ["warn ", 33],
  50: ["error", 31],
  60: ["fatal", 31],
};

/** Where a log goes. */
export interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/**
 * Opens the log of one process: one JSON line per event, or readable lines on a terminal. Secrets are masked in both.
 */
export function openLog(level: string, output: Output = process.stdout): Logger {
  const paths = SECRET.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]);
  const options = { level, base: null, redact: { paths, censor: "[secret]" } };
  if (output.isTTY !== true) return output === process.stdout ? pino(options) : pino(options, output);
  const coloured = process.env["NO_COLOR"] === undefined || process.env["NO_COLOR"] === "";
  return pino(options, { write: (line) => void output.write(forPeople(line, coloured)) });
}

/** `12:05:33 info  NexusToken answers on http://localhost:8000  port=8000`; an error's stack on lines of its own. */
function forPeople(line: string, coloured: boolean): string {
  const { level, time, msg, err, ...fields }: { [field: string]: unknown } = JSON.parse(line);
  const [word, colour] = LEVELS[Number(level)] ?? ["     ", 0];
  const paint = (text: string, code: number) => (coloured ? `\x1b[${code}m${text}\x1b[0m` : text);
  const clock = new Date(Number(time)).toTimeString().slice(0, 8);
  const rest = Object.entries(fields).map(
    ([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  const head = [
    paint(clock, 90),
    paint(word, colour),
    shown(String(msg ?? "")),
    ...(rest.length === 0 ? [] : [paint(` ${shown(rest.join(" "))}`, 90)]),
  ];
  return `${head.join(" ")}\n${stackOf(err)}`;
}

function stackOf(err: unknown): string {
  if (typeof err !== "object" || err === null) return "";
  const text = "stack" in err ? err.stack : "message" in err ? err.message : "";
  return `${String(text)
    .split("\n")
    .map((one) => `    ${shown(one)}`)
    .join("\n")}\n`;
}

/** Removes control characters, with which a client could control the terminal. */
function shown(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (control) => JSON.stringify(control).slice(1, -1));
}
