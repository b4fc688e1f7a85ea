/** What a Content-Type says, as RFC 9110 8.3.1 has it. */

const JSON_TYPE = /^\s*application\/(?:json|[\w!#$&^.+-]+\+json)\s*$/i;
/** A parameter, with a value that may be quoted. */
const PARAMETER = /;\s*([^=;\s"]*)\s*(?:=\s*("(?:\\.|[^"\\])*"|[^;"]*))?/gy;
const UTF8 = /^("?utf-?8"?)?$/i;

/** Whether this is JSON in UTF-8: `application/json` or `application/*+json`, in any case, with any parameters but another charset. */
export function isJson(contentType: string): boolean {
  const end = contentType.indexOf(";");
  if (!JSON_TYPE.test(end === -1 ? contentType : contentType.slice(0, end))) return false;
  if (end === -1) return true;
  for (const [, name = "", value = ""] of contentType.slice(end).matchAll(PARAMETER)) {
    if (name.toLowerCase() === "charset" && !UTF8.test(value.trim())) return false;
  }
  return true;
}
