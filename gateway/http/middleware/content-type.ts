/** Reads a Content-Type (RFC 9110 8.3.1). */

const JSON_TYPE = /^\s*application\/(?:json|[\w!#$&^.+-]+\+json)\s*$/i;
/** A parameter; its value may be quoted. */
const PARAMETER = /;\s*([^=;\s"]*)\s*(?:=\s*("(?:\\.|[^"\\])*"|[^;"]*))?/gy;
const UTF8 = /^("?utf-?8"?)?$/i;

/** Whether this is JSON in UTF-8: `application/json` or `application/*+json`, in any case, with any parameters except another charset. */
export function isJson(contentType: string): boolean {
  const end = contentType.indexOf(";");
  if (!JSON_TYPE.test(end === -1 ? contentType : contentType.slice(0, end))) return false;
  if (end === -1) return true;
  for (const [, name = "", value = ""] of contentType.slice(end).matchAll(PARAMETER)) {
    if (name.toLowerCase() === "charset" && !UTF8.test(value.trim())) return false;
  }
  return true;
}
