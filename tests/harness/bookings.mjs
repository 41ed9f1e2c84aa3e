// The sample API behind the gateway, as `npm run dev` serves it.
import { readFileSync } from "node:fs";

const [, GATEWAY_KEYS] = readFileSync(new URL("../workers/bookings/wrangler.toml", import.meta.url), "utf8").match(/^GATEWAY_KEYS = "(.*)"$/m);

/**
 * Options of `startServer` that put it behind the gateway. Its own clock stands still, for tests shift
 * that of Edgegrant.
 */
export const BOOKINGS = {
  workers: [
    {
      name: "bookings",
      script: "workers/bookings/index.mjs",
      vars: { GATEWAY_KEYS, NOW_MS: 0 },
      platform: { durableObjects: { ACCOUNT: { className: "Account", useSQLite: true } } },
    },
  ],
  services: { API: "bookings" },
};
