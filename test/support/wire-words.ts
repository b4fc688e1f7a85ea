/** The words of the API alone, which are not for machines and actors to say: a path, a method, a header, a field's name. */
const WIRE_WORD =
  /\/api\b|(?<![\w.<])\/[a-z]+|\b(?:GET|HEAD|POST|PUT|PATCH|DELETE|HTTP)\b|\b(?:Retry-After|Idempotency-Key|Last-Event-ID)\b|\bX-[A-Z][\w-]+|\b[a-z]+(?:_[a-z]+)+\b/g;

export function wireWordsOf(text: string): readonly string[] {
  return text.match(WIRE_WORD) ?? [];
}

/** Comments are matched so that they are passed over. */
const LITERAL = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g;

/** The texts of three words or more in a source: what people read. What a template works out is left out. */
export function sentencesOf(source: string): readonly string[] {
  const literals = (source.match(LITERAL) ?? []).filter((text) => !text.startsWith("/"));
  const texts = literals.map((text) => text.slice(1, -1).replaceAll(/\$\{[^}]*\}/g, "1"));
  return texts.filter((text) => /\S+ \S+ \S+/.test(text));
}
