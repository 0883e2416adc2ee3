// Debian's Chromium, driven by playwright-core; no browser is downloaded.

import { chromium } from "playwright-core";
import { existsSync } from "node:fs";

export const executable = [process.env.CHROMIUM, "/usr/bin/chromium"].find((path) => path && existsSync(path));

export async function launch() {
  return chromium.launch({ executablePath: executable, args: ["--no-sandbox", "--disable-gpu"] });
}

// A page that fails the test by whatever it complains of, and by any request to another host.
export async function openPage(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, acceptDownloads: true, ...options });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => {
    // A refusal that the test provokes is said by the browser, too.
    if (message.type() === "error" && !/status of (401|403|404|422|503)/.test(message.text())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    const asked = new URL(request.url());
    if (["http:", "https:"].includes(asked.protocol) && asked.origin !== new URL(url).origin) {
      complaints.push(`asked ${asked.origin}`);
    }
  });
  return { context, page, complaints };
}

export async function signIn(page, url, key) {
  await page.goto(url);
  await page.getByLabel("API key").fill(key);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("navigation", { name: "Main" }).waitFor();
}
