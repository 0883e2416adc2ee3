// Reads a JSON list of Kubernetes objects, writes one line for each fault in them: what the schema of
// their kind refuses, and fields that it does not know. The validators pass over unknown fields, so
// each object is shown to them behind a proxy that notes what they look at: what nobody looked at is
// no field of that kind. The packages are found beside this file or in the folder that is named.
//   node validate.mjs [FOLDER_WITH_NODE_MODULES] < objects.json
import { readFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import path from "node:path";

const folder = path.resolve(process.argv[2] ?? path.dirname(fileURLToPath(import.meta.url)));
const PACKAGES = [
  [/^keda\.sh\//, "@kubernetes-models/keda"],
  [/^monitoring\.coreos\.com\//, "@kubernetes-models/prometheus-operator"],
  [/./, "kubernetes-models"],
];

async function modelOf(apiVersion, kind) {
  const name = PACKAGES.find(([pattern]) => pattern.test(apiVersion))[1];
  const root = path.join(folder, "node_modules", name);
  for (const suffix of [".mjs", ".js"]) {
    try {
      const file = path.join(root, apiVersion, kind + suffix);
      return (await import(pathToFileURL(file)))[kind];
    } catch (error) {
      if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    }
  }
  return undefined;
}

function watched(value, where, seen) {
  if (value === null || typeof value !== "object") return value;
  const inner = new Map();
  seen.set(where, { keys: Array.isArray(value) ? [] : Object.keys(value), read: new Set() });
  const note = seen.get(where).read;
  return new Proxy(value, {
    get(target, key) {
      if (typeof key === "string") note.add(key);
      if (!inner.has(key)) inner.set(key, watched(target[key], `${where}/${String(key)}`, seen));
      return inner.get(key);
    },
    ownKeys(target) {
      Object.keys(target).forEach((key) => note.add(key));
      return Reflect.ownKeys(target);
    },
  });
}

function unknown(seen) {
  const faults = [];
  for (const [where, { keys, read }] of seen) {
    for (const key of keys) if (!read.has(key)) faults.push(`${where}/${key} is no known field`);
  }
  return faults;
}

for (const whole of JSON.parse(readFileSync(0, "utf8"))) {
  const name = `${whole.kind} ${whole.metadata?.name}`;
  const Model = await modelOf(whole.apiVersion, whole.kind);
  if (!Model) {
    console.log(`${name}: no schema of ${whole.apiVersion}`);
    continue;
  }
  try {
    new Model(structuredClone(whole)).validate();
  } catch (error) {
    console.log(`${name}: ${error.message}`);
    continue;
  }
  const seen = new Map();
  const model = new Model({});
  for (const key of Object.keys(whole)) model[key] = watched(whole[key], `/${key}`, seen);
  model.validate();
  for (const fault of unknown(seen)) console.log(`${name}: ${fault}`);
}
