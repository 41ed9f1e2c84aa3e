// @cloudflare/workers-oauth-provider in workerd, as its README sets it up for one Worker.
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";

export async function startWorkersOauthProvider({ redirectUri }) {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("worker.mjs", import.meta.url))],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    external: ["cloudflare:*"],
    conditions: ["workerd", "worker", "browser"],
  });
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      cf: false,
      telemetry: { enabled: false },
      log: new Log(LogLevel.WARN),
      workers: [
        {
          name: "provider",
          modules: [{ type: "ESModule", path: "index.mjs", contents: outputFiles[0].text }],
          compatibilityDate: "2026-11-01",
          compatibilityFlags: ["global_fetch_strictly_public"],
          bindings: { REDIRECT_URI: redirectUri },
          kvNamespaces: { OAUTH_KV: "provider" },
        },
      ],
    }),
  );
  const { origin } = await miniflare.ready;
  const { clientId } = await (await fetch(`${origin}/client`)).json();
  return {
    issuer: origin,
    clientId,
    scope: "bookings:read",
    api: `${origin}/api/me`,
    pass: (page) => page.click("button"),
    close: () => miniflare.dispose(),
  };
}
