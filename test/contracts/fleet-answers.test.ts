/** Answers to fleets against a real server: what is known of one that was sent, and of one that could not be. */
import { connect } from "nats";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { FleetAnswer, FleetRequest, FleetService, PushLine } from "../../gateway/ports/fleet.ts";
import type { NatsSettings } from "../../src/adapters/nats/connect.ts";
import { FleetLine } from "../../src/adapters/nats/fleet.ts";
import { eventually } from "../support/market.ts";
import { passage } from "../support/passage.ts";
import { startPrivate } from "../support/servers.mjs";
import { id, SILENT } from "../support/world.ts";

const SUBJECT = `nexus.api.v1.${id(1)}.work.echo`;

let server: Awaited<ReturnType<typeof startPrivate>>;
beforeAll(async () => {
  server = await startPrivate("nats");
});
afterAll(() => server.stop());

function settingsOf(url: string): NatsSettings {
  const none = { user: null, password: null, nkeyFile: null, credsFile: null, tlsCa: null, tlsCert: null, tlsKey: null };
  return { named: "FLEET_NATS", url, prefix: "nexus", ...none };
}

/** Answers with what it was sent, when `held` lets it, and wants to know what becomes of that. */
class Echo implements FleetService {
  readonly version = "1.2.3";
  readonly verbs = [{ verb: "work.echo", about: {} }];
  readonly taken: string[] = [];
  line: PushLine | undefined;
  held: Promise<void> = Promise.resolve();
  readonly #whenSent: (isSent: boolean) => void;

  constructor(whenSent: (isSent: boolean) => void) {
    this.#whenSent = whenSent;
  }

  async answer(_: string, { payload, line }: FleetRequest): Promise<FleetAnswer> {
    this.line = line;
    const body = Buffer.from(payload).toString();
    this.taken.push(body);
    await this.held;
    return { status: 200, headers: new Map(), body, sentence: null, whenSent: this.#whenSent };
  }
}

test("an answer is known to have been sent once the server has it, and to be lost where it has not; it is not sent later then", async () => {
  const towards = await passage(new URL(server.url));
  const told: boolean[] = [];
  const echo = new Echo((isSent) => told.push(isSent));
  const options = { name: "test", production: false, exposed: async () => false, log: SILENT };
  const line = await FleetLine.open(settingsOf(`nats://127.0.0.1:${towards.port}`), echo, options);
  const client = await connect({ servers: server.url });
  const heard: string[] = [];
  const inbox = `_INBOX.${id(1)}.all`;
  client.subscribe(inbox, { callback: (_, message) => heard.push(message.string()) });
  /** Sends a request, has it taken, and gives what lets its answer go. */
  const put = async (text: string) => {
    let release = () => {};
    echo.held = new Promise((resolve) => {
      release = resolve;
    });
    client.publish(SUBJECT, text, { reply: inbox });
    await eventually(async () => (echo.taken.includes(text) ? true : undefined), "the request to be taken");
    return release;
  };
  const toldOf = (count: number) => eventually(async () => (told.length === count ? true : undefined), "word of an answer");
  const isUp = (wanted: boolean) =>
    eventually(async () => (echo.line?.isUp() === wanted ? true : undefined), `the line to be up: ${wanted}`);

  (await put("1"))();
  await toldOf(1);

  const second = await put("2");
  towards.holdAnswers();
  second();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(told).toEqual([true]);
  towards.cut();
  await toldOf(2);
  towards.mend();
  await isUp(true);

  const third = await put("3");
  towards.cut();
  await isUp(false);
  third();
  await toldOf(3);
  towards.mend();
  await isUp(true);
  (await put("4"))();
  await toldOf(4);
  expect([told, heard]).toEqual([
    [true, false, false, true],
    ["1", "4"],
  ]);
  await client.close();
  await line.close(1_000);
  await towards.close();
});
