/** The users of fleets at a nats-server, as text: one line each, of which every other is left as it is. */
import { expect, test } from "vitest";
import { firstUsers, fleetPermissions, withUser } from "../../src/app/fleet/server-config.ts";
import { person } from "../support/world.ts";

const EMPTY = firstUsers("nexus", { door: "UDOOR", operator: "UOPERATOR" });
const linesOf = (users: string, name: string) => users.split("\n").filter((line) => line.endsWith(` # ${name}`));

function added(users: string, n: number, key: string): string {
  const text = withUser(users, "nexus", person(n), key);
  if (text === undefined) throw new Error("an added user changes the file");
  return text;
}

test("a user is added before the end of the list, replaced by a newer one, and taken away without a trace", () => {
  const two = added(added(EMPTY, 1, "UONE"), 2, "UTWO");
  expect(two.trimEnd().endsWith(`# ${person(2)}\n]`)).toBe(true);
  expect(linesOf(two, "door")).toEqual(linesOf(EMPTY, "door"));
  const newer = added(two, 1, "UNEWER");
  expect(linesOf(newer, person(1))).toEqual([expect.stringContaining("nkey: UNEWER,")]);
  expect(linesOf(newer, person(2))).toEqual(linesOf(two, person(2)));
  expect(newer).not.toContain("UONE");
  const gone = withUser(newer, "nexus", person(1), null);
  expect(gone === undefined ? undefined : withUser(gone, "nexus", person(2), null)).toBe(EMPTY);
  expect(withUser(EMPTY, "nexus", person(1), null)).toBeUndefined();
});

test("a file whose list does not end as it was written is not touched", () => {
  expect(() => withUser("users: [", "nexus", person(1), "UONE")).toThrow(/does not end its list of users with a line "\]"/);
});

test("a fleet may do two things in its own name, under the platform's prefix", () => {
  expect(fleetPermissions("my.own", person(1))).toEqual({
    publish: [`my.own.api.v1.${person(1)}.>`],
    subscribe: [`_INBOX.${person(1)}.>`, `my.own.push.v1.${person(1)}`],
  });
});
