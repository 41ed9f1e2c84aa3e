// The sample API behind the gateway, as `npm run dev` serves it.
import { readFileSync } from "node:fs";

const [, GATEWAY_KEYS] = readFileSync(new URL("../workers/bookings/wrangler.toml", import.meta.url), "utf8").match(/^GATEWAY_KEYS = "(.*)"$/m);

/** Options of `startServer` that put it behind the gateway. Its own clock is not the one that a test shifts. */
export const BOOKINGS = {
  workers: [
    {
      name: "bookings",
      script: "workers/bookings/index.mjs",
      vars: { GATEWAY_KEYS, AGE_S: 86_400 },
      platform: { durableObjects: { ACCOUNT: { className: "Account", useSQLite: true } } },
    },
  ],
  services: { API: "bookings" },
};
