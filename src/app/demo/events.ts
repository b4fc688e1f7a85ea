/** The event stream of one account. */
import { setTimeout as sleep } from "node:timers/promises";
import { ApiError, type DemoApi, type DemoTask } from "./api.ts";

export interface DemoEvent {
  readonly type: "task.new" | "task.awarded" | "task.terminal";
  readonly task: DemoTask;
}

const REOPEN_MS = 1_000;
const REOPENS_MAX = 30;

/**
 * Calls `hear` for each event of these topics, until `stop`; `open` is called when the stream is open. A stream that breaks off
 * is reopened after the last event received. Rejects if that fails too often or is refused.
 */
export async function listen(
  api: DemoApi,
  topics: string,
  stop: AbortSignal,
  open: () => void,
  hear: (event: DemoEvent) => void,
): Promise<void> {
  let last = "";
  for (let failures = 0; !stop.aborted; ) {
    try {
      const stream = await api.stream(topics, last);
      open();
      for await (const { id, data } of events(stream)) {
        failures = 0;
        last = id;
        hear(JSON.parse(data));
      }
    } catch (error) {
      if (stop.aborted) return;
      failures += 1;
      if (failures > REOPENS_MAX || (error instanceof ApiError && error.code !== "UNAVAILABLE" && error.code !== "RATE_LIMITED"))
        throw error;
    }
    await sleep(REOPEN_MS, undefined, { signal: stop }).catch(() => {});
  }
}

/** Parses server-sent events (HTML, 9.2): blocks of lines separated by an empty line; comments are skipped. */
async function* events(stream: AsyncIterable<Uint8Array>): AsyncGenerator<{ readonly id: string; readonly data: string }> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const blocks = (rest + decoder.decode(chunk, { stream: true })).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const field = (name: string) =>
        block
          .split("\n")
          .find((line) => line.startsWith(`${name}: `))
          ?.slice(name.length + 2);
      const data = field("data");
      if (data !== undefined) yield { id: field("id") ?? "", data };
    }
  }
}
