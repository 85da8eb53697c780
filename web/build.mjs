/**
 * Makes the browser app: pages, widgets and stylesheets are found by their folders.
 *
 *   node build.mjs            into src/labelmill/server/static/, emptied first
 *   node build.mjs --watch    the same at every change
 *   node build.mjs --tests    the tests of the parts without DOM, into build/tests/
 *   node build.mjs --keys     prints the table of keys as JSON, for the documentation
 */
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, watch, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const WEB = path.dirname(fileURLToPath(import.meta.url));
const ROOT = path.dirname(WEB);
const LABELS = path.join(ROOT, "src/labelmill/labels");
const STATIC = path.join(ROOT, "src/labelmill/server/static");

/** `virtual:widgets`: kind of label -> the loading of its widget, by the folders of the room `labels`. */
const widgetsByFolder = {
  name: "widgets by folder",
  setup(build) {
    build.onResolve({ filter: /^virtual:widgets$/ }, () => ({ path: "widgets", namespace: "virtual" }));
    build.onLoad({ filter: /.*/, namespace: "virtual" }, () => {
      const lines = filesUnder(LABELS, "widget.tsx").map((file) => {
        const kind = path.basename(path.dirname(file));
        return `${JSON.stringify(kind)}: () => import(${JSON.stringify(file)}),`;
      });
      return { contents: `export const WIDGETS = {${lines.join("\n")}};`, resolveDir: WEB, loader: "ts" };
    });
  },
};

const COMMON = {
  bundle: true,
  format: "esm",
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  // Widgets lie beside their Python, outside of this folder: they find the app and its libraries by these names.
  alias: { web: path.join(WEB, "src") },
  nodePaths: [path.join(WEB, "node_modules")],
  plugins: [widgetsByFolder],
  logLevel: "warning",
};

function readPages() {
  return JSON.parse(readFileSync(path.join(WEB, "src/pages/routes.json"), "utf8"));
}

async function bundlePages(pages, version) {
  const entries = [...new Set(Object.values(pages))];
  const made = await esbuild.build({
    ...COMMON,
    entryPoints: entries.map((page) => ({ in: path.join(WEB, "src/pages", page, "main.tsx"), out: page })),
    outdir: STATIC,
    splitting: true,
    minify: true,
    chunkNames: "part-[name]-[hash]",
    define: { UI_VERSION: JSON.stringify(version), PAGES: JSON.stringify(entries) },
    metafile: true,
    write: false,
  });
  return made;
}

async function bundleStyles() {
  const sheets = [
    path.join(WEB, "src/styles/variables.css"),
    ...filesUnder(path.join(WEB, "src"), ".css").filter((file) => !file.endsWith("styles/variables.css")),
    ...filesUnder(LABELS, "widget.css"),
  ];
  const source = sheets.map((file) => readFileSync(file, "utf8")).join("\n");
  return (await esbuild.transform(source, { loader: "css", minify: true, target: "chrome123" })).code;
}

/** Chunks that an entry needs before its first line runs, so that the browser asks for all of them at once. */
function importedBy(metafile, page) {
  const outputs = metafile.outputs;
  const name = Object.keys(outputs).find((file) => path.basename(file) === `${page}.js`);
  const found = new Set();
  const visit = (file) => {
    for (const one of outputs[file].imports) {
      if (one.kind === "import-statement" && !found.has(one.path)) {
        found.add(one.path);
        visit(one.path);
      }
    }
  };
  visit(name);
  return [...found].map((file) => path.basename(file));
}

function shellOf(page, folder, parts) {
  const shell = readFileSync(path.join(WEB, "src/pages/shell.html"), "utf8");
  const preloads = parts.map((file) => `<link rel="modulepreload" href="${folder}/${file}">`).join("\n    ");
  return shell.replaceAll("{{folder}}", folder).replaceAll("{{page}}", page).replace("{{preloads}}", preloads);
}

async function buildApp() {
  const pages = readPages();
  const sources = [...filesUnder(path.join(WEB, "src"), ""), ...filesUnder(LABELS, "widget.tsx")];
  const version = hashOf(sources.map((file) => readFileSync(file))).slice(0, 12);
  const [{ outputFiles, metafile }, styles] = await Promise.all([bundlePages(pages, version), bundleStyles()]);
  const folder = hashOf([...outputFiles.map((file) => file.contents), styles]).slice(0, 16);
  rmSync(STATIC, { recursive: true, force: true });
  mkdirSync(path.join(STATIC, folder), { recursive: true });
  mkdirSync(path.join(STATIC, "pages"), { recursive: true });
  for (const file of outputFiles) writeFileSync(path.join(STATIC, folder, path.basename(file.path)), file.contents);
  writeFileSync(path.join(STATIC, folder, "app.css"), styles);
  copyFileSync(path.join(WEB, "src/pages/icon.svg"), path.join(STATIC, folder, "icon.svg"));
  for (const page of new Set(Object.values(pages))) {
    const shell = shellOf(page, `/static/${folder}`, importedBy(metafile, page));
    writeFileSync(path.join(STATIC, "pages", `${page}.html`), shell);
  }
  writeFileSync(path.join(STATIC, "pages.json"), JSON.stringify({ version, folder, pages }, null, 2));
}

async function buildTests() {
  const outdir = path.join(WEB, "build/tests");
  rmSync(outdir, { recursive: true, force: true });
  await esbuild.build({
    ...COMMON,
    entryPoints: filesUnder(path.join(WEB, "tests"), ".test.ts"),
    outdir,
    platform: "node",
    outExtension: { ".js": ".mjs" },
    define: { UI_VERSION: '"test"', PAGES: "[]" },
    sourcemap: "inline",
  });
}

/** Files of a folder and below whose name ends so, in one order everywhere. */
function filesUnder(folder, ending) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

async function printKeys() {
  const contents = `
    import { ACTS } from "web/keys/table";
    import { en } from "web/language/en";
    import { wordsOfAct } from "web/language/language";
    import { wordsOfChord } from "web/parts/key_cap";
    const rows = ACTS.map(({ name, scope, key, also = [] }) => ({
      name, scope: en["keys.scope." + scope], keys: [key, ...also].map(wordsOfChord), words: wordsOfAct(name),
    }));
    console.log(JSON.stringify(rows));`;
  const stdin = { contents, resolveDir: WEB, loader: "ts" };
  const made = await esbuild.build({ ...COMMON, stdin, platform: "node", write: false });
  const code = Buffer.from(made.outputFiles[0].contents).toString("base64");
  await import(`data:text/javascript;base64,${code}`);
}

function hashOf(contents) {
  const hash = createHash("sha256");
  for (const content of contents) hash.update(content);
  return hash.digest("hex");
}

async function buildAndTell() {
  const started = performance.now();
  try {
    await buildApp();
    process.stdout.write(`built in ${Math.round(performance.now() - started)} ms\n`);
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
  }
}

function watchAndBuild() {
  let timer;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(buildAndTell, 80);
  };
  for (const folder of [path.join(WEB, "src"), LABELS]) watch(folder, { recursive: true }, later);
  later();
}

if (process.argv.includes("--tests")) await buildTests();
else if (process.argv.includes("--keys")) await printKeys();
else if (process.argv.includes("--watch")) watchAndBuild();
else await buildApp();
