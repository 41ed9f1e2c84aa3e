// A browser for the tests: the one that is installed, or Debian's package when we may install it.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ask, step, ToolError } from "./process.mjs";

const NAMES = ["google-chrome", "google-chrome-stable", "chromium", "chromium-browser", "chrome"];
const MAC = ["/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium"];

const onPath = (name) =>
  (process.env.PATH ?? "")
    .split(":")
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));

/** The browser to use, or undefined. CHROME in the environment decides before anything else. */
export function findBrowser() {
  if (process.env.CHROME) {
    const path = existsSync(process.env.CHROME) ? process.env.CHROME : onPath(process.env.CHROME);
    if (path) return path;
    throw new ToolError(`CHROME=${process.env.CHROME} is not there.`);
  }
  return NAMES.map(onPath).find(Boolean) ?? MAC.find((path) => existsSync(path));
}

const findDriver = () => process.env.CHROMEDRIVER || onPath("chromedriver");

/** Finds a browser and its WebDriver, installing Debian's packages when that is possible without asking anybody. */
export async function browserTools() {
  if (!findBrowser() || !findDriver()) await installDebian();
  const chrome = findBrowser();
  if (!chrome) {
    throw new ToolError(
      "The tests need Chrome or Chromium and found none.\n" +
        "  Debian, Ubuntu:  sudo apt-get install chromium chromium-driver\n" +
        "  macOS:           brew install --cask google-chrome chromedriver\n" +
        "  anywhere:        CHROME=/path/to/chrome npm test",
    );
  }
  const chromedriver = findDriver();
  if (!chromedriver) {
    throw new ToolError(
      `Found the browser ${chrome}, but no chromedriver of the same version.\n` +
        "  Debian, Ubuntu:  sudo apt-get install chromium-driver\n" +
        "  macOS:           brew install --cask chromedriver\n" +
        "  anywhere:        CHROMEDRIVER=/path/to/chromedriver npm test",
    );
  }
  return { chrome, chromedriver };
}

async function installDebian() {
  if (process.getuid?.() !== 0 || ask("apt-get", ["--version"]) === null) return;
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  try {
    await step("Reading Debian's package list", "apt-get", ["update", "-q"], { env });
    const packages = ["install", "-y", "-q", "--no-install-recommends", "chromium", "chromium-driver"];
    await step("Installing Chromium for the tests", "apt-get", packages, { env });
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    process.stderr.write(`${error.message}\n`); // the caller says what to do instead
  }
}
