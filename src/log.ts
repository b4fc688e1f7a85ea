import { type Logger, pino } from "pino";

/** Fields that must not be in a log, wherever they turn up. */
const SECRET = ["api_key", "apiKey", "webhook_secret", "password", "secret", "authorization", "x-api-key"];

/** Makes the log of one process: one JSON line for each event, on standard output. */
export function openLog(level: string): Logger {
  const paths = SECRET.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]);
  return pino({ level, base: null, redact: { paths, censor: "[secret]" } });
}
