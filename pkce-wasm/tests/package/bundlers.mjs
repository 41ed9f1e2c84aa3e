// Production builds of an app with the configuration that each bundler has by default: nothing here
// knows of this package. An app is a folder with index.html and src/index.js; its build goes to dist.
import { join } from "node:path";
import { promisify } from "node:util";
import { nodeResolve } from "@rollup/plugin-node-resolve";
import { rspack } from "@rspack/core";
import { build as esbuild } from "esbuild";
import { rollup } from "rollup";
import { build as vite, createServer } from "vite";
import webpack from "webpack";
import { write } from "./project.mjs";

/** A page as an app would write it for the script of its build. */
export const html = (script) => `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8"><title>App</title><link rel="icon" href="data:,">${script}</head>
  <body></body>
</html>
`;

const MODULE_PAGE = { "dist/index.html": html('<script type="module" src="/main.js"></script>') };
const SCRIPT_PAGE = { "dist/index.html": html('<script defer src="/main.js"></script>') };

const quiet = { configFile: false, logLevel: "silent" };

// webpack and Rspack share an API: what they report as a warning fails the build too.
async function pack(bundler, folder) {
  const output = { path: join(folder, "dist") }; // relative to the folder that they are started in, unless told
  const compiler = bundler({ context: folder, mode: "production", output });
  const stats = await promisify(compiler.run.bind(compiler))();
  await promisify(compiler.close.bind(compiler))();
  const { errors, warnings } = stats.toJson({ all: false, errors: true, warnings: true });
  if (errors.length + warnings.length > 0) throw new Error([...errors, ...warnings].map(({ message }) => message).join("\n"));
  await write(folder, SCRIPT_PAGE);
}

function fail({ message }) {
  throw new Error(message);
}

export const BUNDLERS = {
  async vite(folder) {
    await vite({ root: folder, ...quiet, customLogger: strict });
  },
  webpack: (folder) => pack(webpack, folder),
  async rollup(folder) {
    const bundle = await rollup({ input: join(folder, "src/index.js"), plugins: [nodeResolve()], onwarn: fail });
    await bundle.write({ file: join(folder, "dist/main.js"), format: "es" });
    await bundle.close();
    await write(folder, MODULE_PAGE);
  },
  // As a module, because the default (a script) has no `import.meta`.
  async esbuild(folder) {
    const where = { entryPoints: [join(folder, "src/index.js")], outfile: join(folder, "dist/main.js") };
    const { warnings } = await esbuild({ ...where, bundle: true, minify: true, format: "esm", logLevel: "silent" });
    warnings.forEach((warning) => fail({ message: warning.text }));
    await write(folder, MODULE_PAGE);
  },
  rspack: (folder) => pack(rspack, folder),
};

// For Vite: says nothing, and takes a warning for an error.
const strict = {
  info() {},
  warn: (message) => fail({ message }),
  warnOnce: (message) => fail({ message }),
  error: (message) => fail({ message }),
  clearScreen() {},
  hasErrorLogged: () => false,
  hasWarned: false,
};

/** Vite's development server for an app; gives its origin and how to end it. */
export async function viteDev(folder) {
  const server = await createServer({ root: folder, ...quiet, server: { host: "127.0.0.1", port: 0 } });
  await server.listen();
  return { origin: `http://127.0.0.1:${server.httpServer.address().port}`, close: () => server.close() };
}
