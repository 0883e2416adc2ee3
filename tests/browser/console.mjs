// The console in a real browser, against a real server.
//
// usage: node console.mjs URL KEY FOLDER TEST IMAGE SOUND
//
// FOLDER: for what is made. TEST: the name of one function below. Prints what failed; exit status 1.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { launch, openPage, signIn } from "./browser.mjs";
import { busyFleet, busyWebhooks } from "./busy_fleet.mjs";

const [url, key, folder, wanted, image, sound] = process.argv.slice(2);
const HOSTILE = `<img src=x onerror="document.title='owned'">"><script>alert(1)</script>`;
const HOSTILE_FILE = `"><img src=x onerror=alert(1)>.jpg`;
const PATIENCE_MS = 120_000;

async function chooseAll(page) {
  await page.locator("#files").setInputFiles([
    { name: HOSTILE_FILE, mimeType: "image/jpeg", buffer: readFileSync(image) },
    { name: "evening.mp3", mimeType: "audio/mpeg", buffer: readFileSync(sound) }]);
  await page.locator(".tile").nth(1).waitFor();
}

// The preview follows the slider at once, then exactly, and moves by itself to its end.
async function movesAndIsScrubbed(page) {
  const slider = page.getByLabel("Moment of the preview");
  const exactly = (seconds) => page.locator(`.stage-image img[alt="The video at ${seconds} seconds"]`).waitFor({ timeout: PATIENCE_MS });
  const moving = page.getByRole("img", { name: "The video as it moves" });
  const strip = page.waitForResponse((response) => response.url().includes("frames=12"));
  await slider.hover();
  await (await strip).finished();
  await page.waitForTimeout(200);
  await slider.fill("1.5");
  await moving.waitFor();
  await exactly(1.5);
  await slider.fill("0");
  await exactly(0);
  await page.getByRole("button", { name: "Play the preview" }).click();
  await moving.waitFor({ timeout: PATIENCE_MS });
  const pixels = () => moving.evaluate((canvas) => [...canvas.getContext("2d").getImageData(0, 300, 540, 8).data].join());
  const first = await pixels();
  await page.waitForFunction(() => Number(document.querySelector(".stage-time input").value) > 0.5, null, { timeout: PATIENCE_MS });
  assert.notEqual(await pixels(), first, "the picture stands still");
  await exactly(2);
}

// Whole way: sign in, upload, submit, watch, play, download, sign out.
async function wholeWay({ page }) {
  await signIn(page, url, key);
  await chooseAll(page);
  assert.equal(await page.locator(".tile .name").first().textContent(), HOSTILE_FILE);
  await page.locator("label.preset", { hasText: "Overlay, glow" }).click();
  await page.getByLabel("Hook").fill(HOSTILE);
  await page.getByLabel("Length").fill("2");
  // The renderer's own frames, at the moment that is chosen.
  const still = page.locator(".stage-image img");
  await page.locator('.stage-image img[alt="The video at 1 seconds"]').waitFor({ timeout: PATIENCE_MS });
  assert.deepEqual(await still.evaluate((element) => [element.naturalWidth, element.naturalHeight]), [540, 960]);
  await movesAndIsScrubbed(page);
  const submit = page.getByRole("button", { name: "Make the video" });
  await page.locator(".figures dl").waitFor();
  await submit.click();
  const video = page.locator(".result video");
  await video.waitFor({ timeout: PATIENCE_MS });
  const played = await video.evaluate(async (element) => {
    element.muted = true;
    await element.play();
    await new Promise((resolve) => element.addEventListener("timeupdate", () => element.currentTime > 0.2 && resolve()));
    return { width: element.videoWidth, height: element.videoHeight, at: element.currentTime, error: element.error };
  });
  assert.deepEqual([played.width, played.height, played.error], [1080, 1920, null]);
  assert.ok(played.at > 0.2);
  const [download] = await Promise.all([
    page.waitForEvent("download"), page.locator(".result").getByRole("link", { name: "Download" }).click()]);
  const file = join(folder, "download.mp4");
  await download.saveAs(file);
  assert.equal(readFileSync(file).subarray(4, 8).toString(), "ftyp");
  await page.getByRole("link", { name: "Its story" }).click();
  assert.equal(await page.getByRole("heading", { level: 1 }).textContent(), HOSTILE);
  await page.locator(".pieces .good").waitFor();
  assert.equal(await page.title(), "Jobs · Pytoon");
  await page.getByRole("list", { name: "Timeline" }).getByText("Segment 1", { exact: false }).waitFor();
  await page.getByText("in all, most of it:").waitFor();
  const shows = (selector) => page.waitForFunction((one) => document.querySelector(one)?.naturalWidth > 0, selector, { timeout: PATIENCE_MS });
  await shows(".thumbs img");
  await page.getByRole("link", { name: "Start a new one from it" }).click();
  await shows(".tile-image img");
  await page.goto(`${url}#/jobs`);
  await page.locator(".job strong", { hasText: "<img src=x" }).waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("API key").waitFor();
  await page.reload();
  await page.getByLabel("API key").waitFor();
}

async function wrongKeyAndFaults({ page }) {
  await page.goto(url);
  await page.getByLabel("API key").fill("no-such-key-here");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("The server does not know this key.").waitFor();
  await signIn(page, url, key);
  await page.locator(".figures dl").waitFor();
  await page.getByLabel("Hook").fill("x".repeat(1200));
  await page.locator("#caption-captions-hook[aria-invalid=true]").waitFor();
  await page.waitForFunction(() => document.querySelector(".side .primary").disabled);
  await page.getByLabel("Hook").fill("Short");
  await page.locator(".figures dl").waitFor();
}

// With Tab, arrows, Space and Enter alone.
async function keyboardOnly({ page }) {
  const focusedText = () => page.evaluate(() => (document.activeElement.labels?.[0] ?? document.activeElement).textContent.trim());
  const tabTo = async (text, most = 80) => {
    for (let i = 0; i < most; ++i) {
      if ((await focusedText()).startsWith(text)) return;
      await page.keyboard.press("Tab");
    }
    assert.fail(`no Tab leads to "${text}"`);
  };
  await page.goto(url);
  await page.getByLabel("API key").waitFor();
  await page.keyboard.type(key);
  await page.keyboard.press("Enter");
  await page.locator(".preset").first().waitFor();
  await page.reload();
  await page.locator(".preset").first().waitFor();
  await page.keyboard.press("Tab");
  assert.equal(await focusedText(), "Skip to content");
  await tabTo("Product hero, clean");
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.locator(".preset input:checked").inputValue(), "product_hero_punchy");
  await tabTo("Hook");
  await page.keyboard.type("By keys alone");
  await tabTo("Length");
  for (let i = 0; i < 14; ++i) await page.keyboard.press("ArrowLeft");
  await page.locator(".figures dl").waitFor();
  await page.waitForFunction(() => !document.querySelector(".side .primary").disabled);
  await tabTo("Make the video");
  await page.keyboard.press("Enter");
  await page.locator(".result .pill").waitFor();
  await page.locator(".result video").waitFor({ timeout: PATIENCE_MS });
}

async function accessible({ browser }) {
  const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [360, 1440]) {
      const { page, context } = await openPage(browser, url, { colorScheme, viewport: { width, height: 900 }, bypassCSP: true,
        reducedMotion: "reduce" });
      const judge = async (name) => {
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() => globalThis.axe.run());
        const found = violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.target).join(" ")} ${one.nodes[0].failureSummary}`);
        assert.deepEqual(found, [], `${name} ${colorScheme} ${width}`);
        const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(wider <= 0, `${name} at ${width} px is ${wider} px too wide`);
      };
      await page.goto(url);
      await page.getByLabel("API key").waitFor();
      await judge("sign in");
      await signIn(page, url, key);
      await page.locator(".figures dl").waitFor();
      await judge("make");
      await page.goto(`${url}#/jobs`);
      await page.locator(".job").first().waitFor();
      await judge("jobs");
      await page.locator(".job").first().click();
      await page.locator(".pieces").waitFor();
      await judge("job");
      await page.goto(`${url}#/usage`);
      await page.locator(".bars").first().waitFor();
      await judge("usage");
      await page.goto(`${url}#/keys`);
      await page.locator(".checks").waitFor();
      await judge("keys");
      await page.goto(`${url}#/operator`);
      await page.locator(".numbers").waitFor();
      await judge("operator");
      await page.route("**/api/v1/admin/capacity", (route) => route.fulfill({ json: busyFleet }));
      await page.route("**/api/v1/admin/webhooks*", (route) => route.fulfill({ json: busyWebhooks }));
      await page.locator(".gpu").first().waitFor();
      await judge("operator of a busy fleet");
      await context.close();
    }
  }
}

// The server goes and comes again while a job is made: the page goes on by itself. Whoever started
// this restarts the server when it reads the word on our output.
async function reconnects({ page }) {
  await signIn(page, url, key);
  await page.getByLabel("Hook").fill("Through a restart");
  await page.getByLabel("Length").fill("20");
  await page.locator(".figures dl").waitFor();
  await page.waitForFunction(() => !document.querySelector(".side .primary").disabled);
  await page.getByRole("button", { name: "Make the video" }).click();
  await page.locator(".result .pill.live").waitFor({ timeout: PATIENCE_MS });
  console.log("RESTART");
  await page.locator(".result video").waitFor({ timeout: PATIENCE_MS });
}

// What people do with jobs they have: cancel, try again, start another from one, delete; and what
// operators do: drain and resume.
async function looksAfter({ page }) {
  await signIn(page, url, key);
  const make = async (hook, seconds) => {
    await page.getByLabel("Hook").fill(hook);
    await page.getByLabel("Length").fill(seconds);
    await page.locator(".figures dl").waitFor();
    await page.waitForFunction(() => !document.querySelector(".side .primary").disabled);
    await page.getByRole("button", { name: "Make the video" }).click();
    await page.locator(".result .pill").waitFor();
  };
  await make("To be cancelled", "60");
  await page.getByRole("link", { name: "Its story" }).click();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.locator(".job-head .pill", { hasText: "Cancelled" }).waitFor();
  await page.getByRole("link", { name: "Start a new one from it" }).click();
  await page.getByLabel("Hook").waitFor();
  await page.waitForFunction(() => document.querySelector("#caption-captions-hook").value === "To be cancelled");
  await page.goto(`${url}#/jobs`);
  await page.locator("label.chip", { hasText: "Cancelled" }).click();
  await page.getByLabel("Search in words, preset and id").fill("be cancelled");
  await page.locator(".job").first().click();
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.locator(".chips").waitFor();
  await page.locator("label.chip", { hasText: "Cancelled" }).click();
  await page.getByText("No jobs yet.").waitFor();

  await page.goto(`${url}#/make`);
  await page.locator(".figures dl").waitFor();
  await make("Keeps the queue filled", "60");
  await page.goto(`${url}#/operator`);
  const mine = page.locator("tbody tr", { hasText: "default" });
  await mine.waitFor();
  await page.getByText("Queue by tenant").waitFor();
  // What the page says is what the API says, and /metrics.
  const { tenants } = await (await fetch(`${url}api/v1/admin/capacity`, { headers: { "X-API-Key": key } })).json();
  const metrics = await (await fetch(`${url}metrics`)).text();
  const queued = tenants.reduce((sum, tenant) => sum + tenant.queued_jobs, 0);
  assert.equal(queued, Number(/^pytoon_queue_depth (\d+)$/m.exec(metrics)[1]));
  assert.equal(tenants[0].queued_jobs + tenants[0].running_jobs, 1);
  assert.equal(await mine.locator('[data-name="Queued"]').textContent(), String(tenants[0].queued_jobs));
  await page.getByRole("button", { name: "Drain" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Drain" }).click();
  await page.getByText("Takes no new jobs").waitFor();
  await page.goto(`${url}#/make`);
  await page.locator(".faults", { hasText: "draining" }).waitFor();
  await page.goto(`${url}#/operator`);
  await page.getByRole("button", { name: "Resume" }).click();
  await page.getByText("Takes jobs").waitFor();
  const { jobs } = await (await fetch(`${url}api/v1/jobs`, { headers: { "X-API-Key": key } })).json();
  for (const { job_id: id } of jobs.filter((job) => !["DONE", "CANCELLED"].includes(job.status))) {
    await fetch(`${url}api/v1/jobs/${id}/cancel`, { method: "POST", headers: { "X-API-Key": key } });
  }
}

// An operator makes a key, its holder signs in and sees what it may take, the key is rotated and
// revoked, and with it ends the session.
async function keysAndUsage({ browser, page }) {
  await signIn(page, url, key);
  await page.goto(`${url}#/keys`);
  await page.getByText("None was made here.").waitFor();
  await page.getByLabel("Tenant", { exact: true }).fill("not a name");
  await page.getByRole("button", { name: "Make the key" }).click();
  await page.locator(".faults", { hasText: "tenant" }).waitFor();
  await page.getByLabel("Tenant", { exact: true }).fill("acme");
  await page.getByLabel("Name", { exact: true }).fill("<b>shop</b>");
  await page.getByRole("button", { name: "Make the key" }).click();
  const shown = page.getByRole("dialog").getByLabel("The new key, shown this once");
  const made = await shown.inputValue();
  assert.ok(made.length >= 32, made);
  await page.getByRole("button", { name: "Close" }).click();
  const row = page.locator("tbody tr").first();
  await row.getByText("<b>shop</b>").waitFor();
  assert.ok(!(await page.content()).includes(made), "a key stays on the page");

  const { page: holder, context } = await openPage(browser, url);
  await signIn(holder, url, made);
  await holder.getByRole("link", { name: "Usage" }).click();
  await holder.getByText("acme", { exact: true }).first().waitFor();
  await holder.getByText("0 of 1000").waitFor();
  assert.equal(await holder.getByRole("link", { name: "Keys" }).count(), 0);

  await row.getByRole("button", { name: "Rotate" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Rotate" }).click();
  assert.notEqual(await shown.inputValue(), made);
  await page.getByRole("button", { name: "Close" }).click();
  await page.waitForFunction(() => document.querySelectorAll("tbody tr").length === 2);
  for (let left = 2; left > 0; left -= 1) {
    await page.getByRole("button", { name: "Revoke" }).first().click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await page.waitForFunction((count) => document.querySelectorAll(".pill.bad").length === count, 3 - left);
  }
  await holder.getByText("Your session has ended.").waitFor({ timeout: PATIENCE_MS });
  await context.close();
}

// A receiver that is out of order: its deliveries are seen in the job's story and by operators, and
// sent again.
async function tellsOfWebhooks({ page }) {
  let status = 410;
  const receiver = createServer((request, response) => {
    request.resume();
    response.writeHead(status).end();
  });
  await new Promise((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  const { port } = receiver.address();
  const send = async (path, body) => (await fetch(`${url}${path}`, { method: "POST",
    headers: { "X-API-Key": key, "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}) })).json();
  const { job_id: id } = await send("api/v1/jobs", { preset_id: "product_hero_clean", target_duration_seconds: 60,
    webhook_url: `http://127.0.0.1:${port}/hook?token=hunter2` });
  await fetch(`${url}api/v1/jobs/${id}/cancel`, { method: "POST", headers: { "X-API-Key": key } });
  await signIn(page, url, key);
  await page.goto(`${url}#/operator`);
  const webhooks = page.getByRole("region", { name: "Webhooks" });
  await webhooks.locator(".pill", { hasText: "Given up" }).waitFor({ timeout: PATIENCE_MS });
  await webhooks.getByText("the receiver answered 410").waitFor();
  await webhooks.getByText(`http://127.0.0.1:${port}`, { exact: true }).waitFor();
  assert.ok(!(await page.content()).includes("hunter2"), "the URL's secret is shown");
  const delivered = Number(/outcome="delivered"\} (\d+)/.exec(await (await fetch(`${url}metrics`)).text())?.[1] ?? 0);
  status = 204;
  await webhooks.getByRole("button", { name: "Send again" }).click();
  await webhooks.locator(".pill", { hasText: "Delivered" }).waitFor({ timeout: PATIENCE_MS });
  await webhooks.locator("label.chip", { hasText: "Given up" }).click();
  await webhooks.getByText("None.").waitFor();
  const after = Number(/outcome="delivered"\} (\d+)/.exec(await (await fetch(`${url}metrics`)).text())[1]);
  assert.equal(after, delivered + 1);
  await page.goto(`${url}#/jobs/${id}`);
  await page.locator("section", { hasText: "Webhook" }).locator(".pill", { hasText: "Delivered" }).waitFor();
  receiver.close();
  receiver.closeAllConnections();
}

const tests = { keysAndUsage, tellsOfWebhooks, looksAfter, wholeWay, wrongKeyAndFaults, keyboardOnly, accessible, reconnects };
const browser = await launch();
try {
  const { page, complaints } = await openPage(browser, url);
  await tests[wanted]({ browser, page });
  const harmless = wanted === "reconnects" ? /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE|ERR_EMPTY|ERR_CONNECTION_RESET|Failed to load/ : /^$/;
  assert.deepEqual(complaints.filter((text) => !harmless.test(text)), []);
} catch (error) {
  console.log(error);
  process.exitCode = 1;
} finally {
  await browser.close();
}
