/**
 * A worker without a model: it looks for each field of the schema by its label, its format, its allowed values, or the shape of
 * the example. Good enough for structured texts, and deterministic.
 */
import type { JsonObject, JsonValue } from "../../../machines/vocabulary.ts";

const MONTHS = "January February March April May June July August September October November December".split(" ");
const LONG_DATE = new RegExp(`\\b(\\d{1,2}) (${MONTHS.join("|")}) (\\d{4})\\b`);
const ISO_DATE = /\b\d{4}-\d{2}-\d{2}\b/;
const EMAIL = /[\w.+-]+@[\w-]+(\.[\w-]+)+/;

type Found = JsonValue | undefined;

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Gives a result for the task's schema; fields that are not found are left out. */
export function extract(text: string, schema: JsonObject, example: JsonValue): JsonObject {
  const properties = isObject(schema["properties"]) ? schema["properties"] : {};
  const result: JsonObject = {};
  for (const [name, property] of Object.entries(properties)) {
    const value = isObject(property) ? find(text, name, property, isObject(example) ? example[name] : undefined) : undefined;
    if (value !== undefined) result[name] = value;
  }
  return result;
}

function find(text: string, name: string, property: JsonObject, example: Found): Found {
  const labelled = byLabel(text, name);
  if (property["type"] === "array") return bullets(text, name);
  if (property["type"] === "number" || property["type"] === "integer")
    return number(labelled ?? byWords(text, name), property["type"] === "integer");
  if (Array.isArray(property["enum"])) return oneOf(labelled ?? text, property["enum"]);
  if (property["format"] === "date") return date(labelled ?? text);
  if (property["format"] === "email") return EMAIL.exec(text)?.[0];
  if (labelled !== undefined) return labelled;
  return typeof example === "string" ? byShape(text, example) : undefined;
}

/** `Invoice number: 17` for invoice_number. */
function byLabel(text: string, name: string): string | undefined {
  const label = name.replaceAll("_", " ").toLowerCase();
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0 && line.slice(0, colon).trim().toLowerCase() === label) {
      const value = line.slice(colon + 1).trim();
      if (value !== "") return value;
    }
  }
  return undefined;
}

/** `48,000 homes without power` for homes_without_power. */
function byWords(text: string, name: string): string | undefined {
  return new RegExp(`[\\d.,]+ ${name.replaceAll("_", " ")}`, "i").exec(text)?.[0];
}

function bullets(text: string, name: string): string[] | undefined {
  const lines = text.split("\n");
  const start = lines.findIndex((line) => line.trim().toLowerCase() === `${name.replaceAll("_", " ")}:`);
  if (start < 0) return undefined;
  const items: string[] = [];
  for (const line of lines.slice(start + 1)) {
    if (!line.startsWith("- ")) break;
    items.push(line.slice(2).trim());
  }
  return items;
}

function number(text: string | undefined, whole: boolean): number | undefined {
  const digits = /-?\d[\d,]*(\.\d+)?/.exec(text ?? "")?.[0].replaceAll(",", "");
  if (digits === undefined) return undefined;
  return whole ? Math.trunc(Number(digits)) : Number(digits);
}

/** The allowed value that the text names first. */
function oneOf(text: string, values: readonly JsonValue[]): Found {
  const places = values
    .map((value) => ({ value, at: text.toLowerCase().search(new RegExp(`\\b${String(value).toLowerCase()}\\b`)) }))
    .filter(({ at }) => at >= 0)
    .sort((a, b) => a.at - b.at);
  return places[0]?.value;
}

function date(text: string): string | undefined {
  const iso = ISO_DATE.exec(text)?.[0];
  if (iso !== undefined) return iso;
  const [, day = "", month = "", year = ""] = LONG_DATE.exec(text) ?? [];
  return year === "" ? undefined : `${year}-${String(MONTHS.indexOf(month) + 1).padStart(2, "0")}-${day.padStart(2, "0")}`;
}

/** Finds text that looks like the example: digits for digits, words for words, capitals for capitals. */
function byShape(text: string, example: string): string | undefined {
  const pattern = example.replaceAll(/\d[\d.,]*\d|\d|[A-Z]{2,}|[A-Z]\p{L}+|[^\w\s]/gu, (part) => {
    if (/^[\d.,]*\.[\d.]*\..*$/.test(part)) return "\\d+(?:\\.\\d+)+";
    if (/^\d/.test(part)) return "\\d[\\d,]*(?:\\.\\d+)?";
    if (/^[A-Z]{2,}$/.test(part)) return "[A-Z]{2,}";
    if (/^[A-Z]/.test(part)) return "[A-Z]\\p{Ll}+";
    return part === "^" || part === "\\" ? `\\${part}` : `[${part}]`;
  });
  return new RegExp(pattern, "u").exec(text)?.[0];
}
