// The README's example with a client whose types are generated: upload, submit, follow, download.
// usage: node example.js URL KEY IMAGE VIDEO
import { readFile, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { setTimeout } from "node:timers/promises";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

const [url, key, image, video] = process.argv.slice(2) as [string, string, string, string];
const client = createClient<paths>({ baseUrl: url, headers: { "X-API-Key": key } });

// An answer's data, or what the problem document says.
function dataOf<T>(answer: { data?: T; error?: components["schemas"]["Problem"] }): T {
  if (answer.data === undefined) throw new Error(answer.error?.detail ?? "no answer");
  return answer.data;
}

async function upload(path: string) {
  const file = new Blob([new Uint8Array(await readFile(path))]);
  const answer = await client.POST("/api/v1/assets/upload", {
    body: { category: "image", file: path },
    bodySerializer(body) {
      const form = new FormData();
      form.set("category", body.category);
      form.set("file", file, basename(path));
      return form;
    },
  });
  return dataOf(answer).uri;
}

async function finished(id: string) {
  for (;;) {
    const job = dataOf(await client.GET("/api/v1/jobs/{id}", { params: { path: { id } } }));
    if (job.status === "DONE") return job;
    if (job.status === "FAILED" || job.status === "CANCELLED") throw new Error(job.error ?? job.status);
    await setTimeout(200);
  }
}

const submitted = dataOf(await client.POST("/api/v1/jobs", {
  params: { header: { "Idempotency-Key": "first" } },
  body: {
    preset_id: "product_hero_clean",
    image_uris: [await upload(image)],
    target_duration_seconds: 1,
    captions: { hook: "Slow mornings", cta: "Order yours" },
  },
}));
if (!("job_id" in submitted)) throw new Error("that was a dry run");
const job = await finished(submitted.job_id);
const output = await client.GET("/api/v1/jobs/{id}/output", {
  params: { path: { id: job.job_id } },
  parseAs: "arrayBuffer",
});
await writeFile(video, new Uint8Array(dataOf(output)));

const refused = await client.POST("/api/v1/jobs", {
  body: { preset_id: "product_hero_clean", target_duration_seconds: 99 },
});
console.log(refused.error?.errors?.[0]?.pointer);
