// A fresh project outside this repository that installed the package as any app does: from the
// tarball that would be published, with npm, without a network. Nothing else is in its node_modules.
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const DIST = fileURLToPath(new URL("../../dist/", import.meta.url));
export const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

const run = promisify(execFile);
const temporary = (name) => mkdtemp(join(tmpdir(), `pkce-wasm-${name}-`));

let home; // of npm: no cache and no settings of the person who runs this
async function npm(cwd, ...args) {
  home ??= temporary("npm");
  const env = { PATH: process.env.PATH, HOME: await home, npm_config_offline: "true", npm_config_update_notifier: "false" };
  const { stdout } = await run("npm", [...args, "--json", "--loglevel=error"], { cwd, env });
  return stdout;
}

let packed;
/** Packs dist once; gives the path of the tarball and the names of the files in it. */
export function pack() {
  packed ??= (async () => {
    home ??= temporary("npm");
    const destination = await home;
    const report = JSON.parse(await npm(DIST, "pack", "--pack-destination", destination));
    const [{ filename, files }] = Object.values(report);
    return { tarball: join(destination, filename), files: files.map(({ path }) => path).sort() };
  })();
  return packed;
}

/** Makes a project with the package and these files, `{ path: text }`; gives its folder. */
export async function project(name, files = {}) {
  const { tarball } = await pack();
  const folder = await temporary(name);
  folders.push(folder);
  await write(folder, { "package.json": JSON.stringify({ name, version: "1.0.0", private: true, type: "module" }), ...files });
  await npm(folder, "install", "--no-audit", "--no-fund", "--no-package-lock", tarball);
  return folder;
}

export async function write(folder, files) {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

/** The files below a folder, as paths relative to it. */
export async function filesIn(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

const folders = [];
/** Removes what was made; for the end of a test file. */
export async function removeProjects() {
  if (home) folders.push(await home);
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
}
