import Type from "typebox";
import { Uuid } from "./common.ts";

export const AuthorizeUrl = Type.Object({
  authorize_url: Type.String({ description: "Page of GitHub to open in a browser" }),
  state: Type.String({ description: "Comes back together with the code; valid once" }),
  expires_in: Type.Integer({ description: "Seconds" }),
});

export const GitHubLinked = Type.Object({
  account_id: Uuid("The account's id"),
  github_login: Type.String(),
  github_score: Type.Integer({
    minimum: 0,
    maximum: 100,
    description: "From age, public repositories, followers and contributions",
  }),
});
