import type { RouterContext } from "@koa/router";
import type { DefaultState, Middleware } from "koa";
import { Problem } from "../problems.ts";

/** Answers requests for a known path with another method: OPTIONS with the allowed ones (RFC 9110 9.3.7), others with 405. */
export function allowedMethods(): Middleware<DefaultState, Pick<Partial<RouterContext>, "matched">> {
  return function allowedMethods(context) {
    const known = new Set(context.matched?.flatMap((layer) => layer.methods));
    if (known.size === 0) return;
    context.set("Allow", [...known, "OPTIONS"].join(", "));
    if (context.method !== "OPTIONS") {
      throw new Problem(405, "METHOD_NOT_ALLOWED", `This path allows ${[...known].join(", ")}; see /docs for what each does.`);
    }
    context.status = 204;
  };
}
