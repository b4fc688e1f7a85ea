/** Problem documents (RFC 9457) for bytes that never become a request, written directly to the connection. */
export interface RawProblem {
  readonly status: number;
  /** The title, and the reason phrase of the status line. */
  readonly title: string;
  readonly code: string;
  /** A sentence that says what to do next. */
  readonly detail: string;
  /** Seconds. */
  readonly retryAfter?: number;
}

const MALFORMED: RawProblem = {
  status: 400,
  title: "Bad Request",
  code: "MALFORMED_REQUEST",
  detail: "This is not valid HTTP/1.1 (RFC 9112); look for illegal characters in headers and for wrong lengths.",
};
/** By the error code of Node's parser. */
const REFUSED: { readonly [code: string]: RawProblem } = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    title: "Request Header Fields Too Large",
    code: "HEADERS_TOO_LARGE",
    detail: "The request line and headers have more than 16 KB; send fewer or shorter headers.",
  },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: {
    status: 413,
    title: "Content Too Large",
    code: "BODY_TOO_LARGE",
    detail: "The chunk extensions of the body are too long; leave them out.",
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    title: "Request Timeout",
    code: "REQUEST_TIMEOUT",
    detail: "The request did not arrive in time; send it again, in one go.",
  },
};

/** The problem for an error of the HTTP parser. */
export function refusedBytes({ code }: NodeJS.ErrnoException): RawProblem {
  return (code === undefined ? undefined : REFUSED[code]) ?? MALFORMED;
}

export const EXPECTATION_FAILED: RawProblem = {
  status: 417,
  title: "Expectation Failed",
  code: "EXPECTATION_FAILED",
  detail: "Only `Expect: 100-continue` is supported; send the request without this header.",
};

/** Headers and body of the answer, after which the connection is closed. */
export function problemAnswer({ status, title, code, detail, retryAfter }: RawProblem) {
  const body = JSON.stringify({ type: "about:blank", title, status, detail, code });
  const headers = {
    Connection: "close",
    "Content-Type": "application/problem+json",
    "Content-Length": String(Buffer.byteLength(body)),
    ...(retryAfter === undefined ? {} : { "Retry-After": String(retryAfter) }),
  };
  return { headers, body };
}

/** The whole answer as HTTP/1.1. */
export function rawAnswer(problem: RawProblem): string {
  const { headers, body } = problemAnswer(problem);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${problem.status} ${problem.title}`, ...lines, "", body].join("\r\n");
}
