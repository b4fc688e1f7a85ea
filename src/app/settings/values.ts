/** Parsers of values of the environment. Each throws an Error that completes the sentence "… must be". */

import { AWARDS_MAX, type AwardsByTier } from "../../../machines/market/awards.ts";

/** Each process has connection pools to every database. */
const DATABASES_MAX = 64;

export function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) throw new Error(`an integer from ${least} to ${most}`);
    return value;
  };
}

/** A number of awards for each skill tier, the lowest first. */
export function awardsByTier(text: string): AwardsByTier {
  const given = text.split(",").map((one) => (/^ *\d+ *$/.test(one) ? Number(one) : 0));
  const [unrated = 0, bronze = 0, silver = 0, gold = 0, diamond = 0] = given;
  const rising = [1, unrated, bronze, silver, gold, diamond, AWARDS_MAX];
  if (given.length !== 5 || rising.some((one, n) => one < (rising[n - 1] ?? 0))) {
    throw new Error(`five integers from 1 to ${AWARDS_MAX} separated by commas, none lower than the one before it`);
  }
  return [unrated, bronze, silver, gold, diamond];
}

export function flag(text: string): boolean {
  if (/^(1|true|yes|on)$/i.test(text)) return true;
  if (/^(0|false|no|off|)$/i.test(text)) return false;
  throw new Error("true or false");
}

export function oneOf<T extends string>(...values: readonly T[]): (text: string) => T {
  return (text) => {
    const value = values.find((known) => known === text);
    if (value === undefined) throw new Error(`one of ${values.join(", ")}`);
    return value;
  };
}

export function natsUrl(text: string): string {
  const good = text.split(",").every((url) => /^(nats|tls):\/\/\S+$/.test(url.trim()) && URL.canParse(url.trim()));
  if (!good) throw new Error("a URL like nats://host:4222 or tls://user:password@host:4222, or several separated by commas");
  return text;
}

export function redisUrl(text: string): string {
  if (!/^rediss?:\/\/\S+$/.test(text) || !URL.canParse(text)) throw new Error("a URL like redis://:password@host:6379/0");
  return text;
}

export function adminToken(text: string): string {
  if (!/^[\x21-\x7e]{16,500}$/.test(text)) throw new Error("16 to 500 visible ASCII characters, hard to guess");
  return text;
}

export function share(text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value > 1) throw new Error("a number from 0 to 1");
  return value;
}

export function webUrl(text: string): string {
  if (!/^https?:\/\/[^\s?#]+$/.test(text) || !URL.canParse(text)) throw new Error("a URL like https://nexus.example.com");
  return text.replace(/\/+$/, "");
}

/** A web socket of this machine: what goes there is not for others. */
export function loopbackSocket(text: string): string {
  if (!/^ws:\/\/(localhost|127\.0\.0\.1|\[::1\]):\d{1,5}\/?$/.test(text) || !URL.canParse(text))
    throw new Error("a web socket of this machine, like ws://127.0.0.1:8080");
  return text;
}

export function smtpUrl(text: string): string {
  if (!/^smtps?:\/\/\S+$/.test(text) || !URL.canParse(text)) throw new Error("a URL like smtp://user:password@host:587");
  return text;
}

export function subject(text: string): string {
  if (!/^[A-Za-z0-9_-]{1,64}(\.[A-Za-z0-9_-]{1,64}){0,3}$/.test(text))
    throw new Error("letters, digits, - and _, in parts separated by dots");
  return text;
}

export function name(text: string): string {
  if (!/^[\x21-\x7e]{1,100}$/.test(text)) throw new Error("1 to 100 visible ASCII characters without spaces");
  return text;
}

export function weight(text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value < 0.01 || value > 100) throw new Error("a number from 0.01 to 100");
  return value;
}

/** Origins as browsers send them (RFC 6454 6.2): without a path, and without the scheme's own port. */
export function origins(text: string): readonly string[] {
  const list = text.split(",").map((origin) => origin.trim());
  const good = (origin: string) =>
    origin === "*" ||
    (/^https?:/.test(origin)
      ? URL.canParse(origin) && new URL(origin).origin === origin
      : /^[a-z][a-z\d+.-]*:\/\/[\w.-]+$/.test(origin));
  if (!list.every(good)) throw new Error("origins like https://app.example.com separated by commas, or * for all");
  return list;
}

export function hops(text: string): number {
  if (/^(true|yes|on)$/i.test(text)) return 1;
  if (/^(false|no|off)$/i.test(text)) return 0;
  const value = Number(text);
  if (!/^\d$/.test(text)) throw new Error("the number of proxies in front, 0 to 9");
  return value;
}

/** The hosts within one URL may be separated by commas too. */
export function databaseUrls(text: string): readonly string[] {
  const urls = text.split(/\s*,\s*(?=postgres(?:ql)?:\/\/)/);
  const good = urls.length <= DATABASES_MAX && new Set(urls).size === urls.length;
  if (!good || !urls.every((url) => /^postgres(ql)?:\/\/\S+$/.test(url)))
    throw new Error(
      `a URL like postgres://user:password@host:5432/database, or up to ${DATABASES_MAX} different ones separated by commas`,
    );
  return urls;
}

export function names(text: string): readonly string[] {
  const list = text.split(",").map((name) => name.trim());
  if (list.some((name) => !/^[a-z][a-z0-9_]{0,63}$/.test(name)))
    throw new Error("names like json_extraction, separated by commas");
  return list;
}

/** For what is a help to developers only. */
export function notInProduction(): never {
  throw new Error("unset where NODE_ENV is production");
}
